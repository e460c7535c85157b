"""What came of an experiment: how it ended, what its alarms and their metrics did, and whether it was as expected."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.card import Card, Facts, Item, Table, Text
from bot.errors import CloudError
from bot.requests import RequestRecord
from bot.services import Services
from bot.words import lasting
from bot.workflow.model import Done, Failed, Notice
from intents.chaos.fis import Fis
from intents.chaos.model import Place
from intents.chaos.notes import ASKED_TO_STOP, EXPERIMENT, place_of

log = structlog.get_logger(__name__)

AROUND = timedelta(minutes=15)
"""How long before and after a run its metrics are looked at."""
PERIOD = 60


@dataclass(frozen=True)
class AlarmStory:
    """What one alarm and its metric did around a run; means are None where there are no values."""

    name: str
    metric: str
    changes: tuple[tuple[datetime, str], ...]
    before: float | None
    during: float | None
    after: float | None

    @property
    def has_fired(self) -> bool:
        """Whether it changed into ALARM in that time."""
        return any(state == "ALARM" for _, state in self.changes)


class Reporting:
    """Reads runs anew; what can't be read is left out and said so."""

    def __init__(self, services: Services, fis: Fis) -> None:
        self._services, self._fis = services, fis

    async def conclude(self, record: RequestRecord) -> Done | Failed:
        """Return the end of a request, from how FIS says that its experiment ended. Raises CloudError."""
        experiment = await self._fis.experiment(place_of(record), str(record.notes[EXPERIMENT]))
        status, reason = experiment["state"]["status"], experiment["state"].get("reason", "")
        stories = await self.alarms(record, experiment)
        verdict = _verdict(record, status, stories)
        text = " ".join((_ended(record, experiment), *(_alarm_sentence(s) for s in stories), verdict))
        yields = {
            "experiment": experiment["id"],
            "status": status,
            "verdict": verdict,
            "started": _iso(experiment.get("startTime")),
            "ended": _iso(experiment.get("endTime")),
        }
        if status in ("failed", "cancelled"):
            step = "Look at the experiment in FIS, mend its template or role, and ask again."
            card = Card(f"Failed: {record.plan.summary}", (Text(text), Text(step)), tone="bad", request=record.id)
            return Failed(Notice("done", f"Request {record.id}: {text} {step}", card), text, step, yields)
        step = f"Say “experiment report {record.id}” in some minutes to see what came after."
        is_stopped = status == "stopped"
        title = "Stopped" if is_stopped else "Done"
        items: tuple[Item, ...] = (Text(text), *_table(stories), Text(step, subtle=True))
        card = Card(
            f"{title}: {record.plan.summary}", items, tone="warning" if is_stopped else "good", request=record.id
        )
        notice = Notice("done", f"Request {record.id}: {text} {step}", card)
        log.info("chaos.ended", request=record.id, status=status, reason=reason)
        return Done(notice, text, step, yields, state="stopped" if is_stopped else "succeeded")

    async def card(self, record: RequestRecord) -> tuple[str, Card]:
        """Return the report as it can be written now. Raises CloudError."""
        experiment = await self._fis.experiment(place_of(record), str(record.notes[EXPERIMENT]))
        stories = await self.alarms(record, experiment)
        view = await self._services.requests.view(record)
        approved = ", ".join(a["approver"] for a in view["approvals"] if a["decision"] == "approve") or "nobody"
        status = experiment["state"]["status"]
        insights = await self._insights(record, experiment)
        rows = (
            ("Request", record.id),
            ("Experiment", f"{record.plan.effects['name']} ({experiment['id']})"),
            ("Ended", f"{status}. {experiment['state'].get('reason', '')}"),
            ("Time", _span(experiment)),
            ("Actions", ", ".join(f"{n}: {a['state']['status']}" for n, a in experiment["actions"].items())),
            ("Asked by", record.requester.email),
            ("Approved by", approved),
            ("Expected", record.plan.effects["expectation"] or "—"),
            ("Verdict", _verdict(record, status, stories)),
            ("Insights opened meanwhile", insights),
        )
        text = " ".join((_ended(record, experiment), *(_alarm_sentence(s) for s in stories)))
        card = Card(f"Report: {record.plan.summary}", (Text(text), Facts(rows), *_table(stories)), request=record.id)
        return card.as_text(), card

    async def alarms(self, record: RequestRecord, experiment: Mapping[str, Any]) -> tuple[AlarmStory, ...]:
        """Return what the alarms of a run's stop conditions did; none when they can't be read."""
        begin = experiment.get("startTime") or experiment["creationTime"]
        end = experiment.get("endTime") or self._services.clock.now()
        place = place_of(record)
        try:
            described = await self._fis.alarms(place, record.plan.effects["alarms"])
            return tuple([await self._story(place, alarm, begin, end) for alarm in described.values()])
        except CloudError as error:
            log.warning("chaos.report_unread", request=record.id, error=error.detail)
            return ()

    async def _story(self, place: Place, alarm: Mapping[str, Any], begin: datetime, end: datetime) -> AlarmStory:
        cloud = self._services.cloud
        history = await cloud.call(
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
        changes = tuple(
            (item["Timestamp"], str(item["HistorySummary"]).rpartition(" ")[2]) for item in history["AlarmHistoryItems"]
        )
        name = alarm.get("MetricName", "")
        means: list[float | None] = [None, None, None]
        if name:
            metric = {k: alarm[k] for k in ("Namespace", "MetricName", "Dimensions") if k in alarm}
            stat = {"Metric": metric, "Period": PERIOD, "Stat": alarm.get("Statistic", "Average")}
            answer = await cloud.call(
                "cloudwatch",
                "GetMetricData",
                region=place.region,
                role=place.role,
                MetricDataQueries=[{"Id": "m1", "MetricStat": stat, "ReturnData": True}],
                StartTime=begin - AROUND,
                EndTime=end + AROUND,
                ScanBy="TimestampAscending",
            )
            (result,) = answer["MetricDataResults"]
            points = list(zip(result["Timestamps"], result["Values"], strict=True))
            means = [
                _mean([v for at, v in points if at < begin]),
                _mean([v for at, v in points if begin <= at <= end]),
                _mean([v for at, v in points if at > end]),
            ]
        return AlarmStory(str(alarm["AlarmName"]), name, changes, *means)

    async def _insights(self, record: RequestRecord, experiment: Mapping[str, Any]) -> str:
        if self._services.insights is None:
            return "nothing watches for them here"
        begin = experiment.get("startTime") or experiment["creationTime"]
        end = (experiment.get("endTime") or self._services.clock.now()) + AROUND
        effects = record.plan.effects
        try:
            found = await self._services.insights.opened((effects["region"],), begin, end, effects["account"])
        except CloudError as error:
            return f"can't be read just now ({error.code})"
        return "; ".join(i.name for i in found.insights) or "none"


def _ended(record: RequestRecord, experiment: Mapping[str, Any]) -> str:
    status, asked = experiment["state"]["status"], record.notes.get(ASKED_TO_STOP)
    name, time = record.plan.effects["name"], _span(experiment)
    if status == "stopped":
        reason = str(experiment["state"].get("reason", ""))
        if asked and "stop condition" not in reason:
            who = f" by {asked['by']}" if asked["by"] else f": {asked['why']}"
            return f"The experiment {name} was stopped{who}. FIS has confirmed it. It ran {time}."
        return f"The experiment {name} was stopped: {reason} It ran {time}."
    if status == "completed":
        return f"The experiment {name} ran to its end, {time}."
    verb = "was" if status == "cancelled" else "has"
    return f"The experiment {name} {verb} {status}: {experiment['state'].get('reason', '')}"


def _verdict(record: RequestRecord, status: str, stories: tuple[AlarmStory, ...]) -> str:
    expected = record.plan.effects["expectation"] or "no alarm fires"
    fired = [s.name for s in stories if s.has_fired]
    if fired:
        return f"Not as expected (“{expected}”): {', '.join(fired)} fired."
    if status == "completed":
        return f"As expected (“{expected}”), as far as its alarms tell: none fired."
    return f"It can't be said whether it would have been as expected (“{expected}”): it did not run to its end."


def _alarm_sentence(story: AlarmStory) -> str:
    if not story.changes:
        return f"{story.name} stayed as it was."
    told = ", ".join(f"{state} at {at:%H:%M:%S}" for at, state in story.changes)
    return f"{story.name}: {told} UTC."


def _table(stories: tuple[AlarmStory, ...]) -> tuple[Table, ...]:
    rows = tuple(
        (s.metric or s.name, *(_number(v) for v in (s.before, s.during, s.after))) for s in stories if s.metric
    )
    return (Table(("Metric, on average", "before", "during", "after"), rows),) if rows else ()


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.4g}"


def _mean(values: list[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _span(experiment: Mapping[str, Any]) -> str:
    begin, end = experiment.get("startTime"), experiment.get("endTime")
    if begin is None:
        return "not at all"
    return f"for {lasting(end - begin)}" if end else f"since {begin:%H:%M} UTC"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
