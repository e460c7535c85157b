"""What the alarms of a run's stop conditions, and their metrics, did before, during and after it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.errors import CloudError
from bot.insights import Anomaly
from bot.requests import RequestRecord
from bot.services import Services
from intents.chaos.fis import Fis
from intents.chaos.model import Place
from intents.chaos.notes import place_of

log = structlog.get_logger(__name__)

AROUND = timedelta(minutes=15)
"""How long before and after a run its metrics are looked at."""
PERIOD = 60


@dataclass(frozen=True)
class AlarmStory:
    """What one alarm did from a run's start on, and the values of its metric around the run, oldest first."""

    name: str
    metric: str
    resource: str
    unit: str
    statistic: str
    threshold: float | None
    begin: datetime
    end: datetime
    changes: tuple[tuple[datetime, str], ...]
    points: tuple[tuple[datetime, float], ...]

    @property
    def has_fired(self) -> bool:
        """Whether it changed into ALARM in that time."""
        return any(state == "ALARM" for _, state in self.changes)

    @property
    def means(self) -> tuple[float | None, float | None, float | None]:
        """The metric's means before, during and after the run; None where it has no values."""
        before = [value for at, value in self.points if at < self.begin]
        during = [value for at, value in self.points if self.begin <= at <= self.end]
        after = [value for at, value in self.points if at > self.end]
        return _mean(before), _mean(during), _mean(after)

    @property
    def chart(self) -> Anomaly:
        """What is drawn of it: the metric, the run's time shaded, the alarm's threshold as the limit."""
        return Anomaly(
            metric=self.metric,
            resource=self.resource,
            unit=self.unit,
            statistic=self.statistic,
            points=self.points,
            start=self.begin,
            end=self.end,
            limit=self.threshold,
            shaded="experiment",
        )


class Observing:
    """Reads alarms and metrics anew."""

    def __init__(self, services: Services, fis: Fis) -> None:
        self._services, self._fis = services, fis

    async def alarms(self, record: RequestRecord, experiment: Mapping[str, Any]) -> tuple[AlarmStory, ...] | None:
        """Return what the alarms did, none where a template has none; None when they can't be read."""
        begin = experiment.get("startTime") or experiment["creationTime"]
        end = experiment.get("endTime") or self._services.clock.now()
        place = place_of(record)
        try:
            described = await self._fis.alarms(place, record.plan.effects["alarms"])
            return tuple([await self._story(place, alarm, begin, end) for alarm in described.values()])
        except CloudError as error:
            log.warning("chaos.report_unread", request=record.id, error=error.detail)
            return None

    async def _story(self, place: Place, alarm: Mapping[str, Any], begin: datetime, end: datetime) -> AlarmStory:
        history = await self._services.cloud.call(
            "cloudwatch",
            "DescribeAlarmHistory",
            region=place.region,
            role=place.role,
            AlarmName=alarm["AlarmName"],
            HistoryItemType="StateUpdate",
            StartDate=begin,
            EndDate=end + AROUND,
            ScanBy="TimestampAscending",
        )
        return AlarmStory(
            name=str(alarm["AlarmName"]),
            metric=str(alarm.get("MetricName", "")),
            resource=", ".join(d["Value"] for d in alarm.get("Dimensions", ())),
            unit=str(alarm.get("Unit", "")),
            statistic=str(alarm.get("Statistic", "")),
            threshold=alarm.get("Threshold"),
            begin=begin,
            end=end,
            changes=tuple(
                (item["Timestamp"], str(item["HistorySummary"]).rpartition(" ")[2])
                for item in history["AlarmHistoryItems"]
            ),
            points=await self._points(place, alarm, begin, end) if alarm.get("MetricName") else (),
        )

    async def _points(
        self, place: Place, alarm: Mapping[str, Any], begin: datetime, end: datetime
    ) -> tuple[tuple[datetime, float], ...]:
        metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm}
        stat = {"Metric": metric, "Period": PERIOD, "Stat": alarm.get("Statistic", "Average")}
        answer = await self._services.cloud.call(
            "cloudwatch",
            "GetMetricData",
            region=place.region,
            role=place.role,
            MetricDataQueries=[{"Id": "m1", "MetricStat": stat, "ReturnData": True}],
            StartTime=begin - AROUND,
            EndTime=min(end + AROUND, self._services.clock.now()),
            ScanBy="TimestampAscending",
        )
        (result,) = answer["MetricDataResults"]
        return tuple(zip(result["Timestamps"], result["Values"], strict=True))


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None
