"""Amazon CloudWatch behind the port `bot.insights.InsightProvider`: alarms, with anomaly detection or thresholds.

CloudWatch has no listing for an organization: each account and Region is asked through the role in member accounts.
What is open is an alarm in state ALARM; what was is told by the alarms' history, which is kept for 30 days.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import CloudError, NotFound
from bot.insights import (
    CLOUDWATCH,
    Anomaly,
    Details,
    Event,
    Gap,
    Insight,
    Part,
    Question,
    Scope,
)
from bot.services import Services
from intents.insights.budget import Budget
from intents.insights.providers.alarms import (
    SERVICES,
    STACK_TAG,
    advice_for,
    hash_of,
    id_of,
    severity_of,
    since_of,
    state_in,
)
from intents.insights.providers.events import events_of
from intents.insights.providers.metrics import metric_of, queries_of, read_series

log = structlog.get_logger(__name__)

HISTORY = timedelta(days=30)
"""How long CloudWatch keeps what alarms did."""
BEFORE, AFTER = timedelta(hours=3), timedelta(hours=1)
"""What is drawn around an insight."""
SAME = timedelta(seconds=2)
"""History and alarms tell the same change with other fractions of a second."""


class CloudWatch:
    """Reads alarms inside member accounts."""

    name, kept = CLOUDWATCH, HISTORY

    def __init__(self, services: Services, budget: Budget) -> None:
        self._cloud, self._settings, self._budget = services.cloud, services.settings, budget
        self._clock: Clock = services.clock

    def parts(self, scope: Scope) -> Sequence[Part]:
        """Return each account in each Region."""
        return [Part(self.name, region, account) for account in scope.accounts for region in scope.regions]

    async def read(self, part: Part, question: Question, scope: Scope) -> tuple[Insight, ...]:
        """Return what alarms tell of in one account and Region."""
        unit = scope.accounts.get(part.account, "")
        firing: list[tuple[dict[str, Any], datetime, datetime | None]]
        if question.kind == "ongoing":
            firing = [(alarm, since_of(alarm), None) for alarm in await self._alarms(part, StateValue="ALARM")]
        else:
            firing = await self._history(part, question)
        return tuple(
            await asyncio.gather(*(self._insight(part, unit, alarm, start, end) for alarm, start, end in firing))
        )

    async def gaps(self, scope: Scope, *, deep: bool = False) -> tuple[Gap, ...]:
        """Return accounts and Regions without any alarm, and those that can't be read; only if `deep`."""
        if not deep:
            return ()

        async def look(part: Part) -> Gap | None:
            try:
                page = await self._ask("DescribeAlarms", part, MaxRecords=1, AlarmTypes=["MetricAlarm"])
            except CloudError as error:
                return Gap(part.region, part.account, "", f"not known: AWS answered {error.code}")
            return None if page.get("MetricAlarms") else Gap(part.region, part.account, "", "has no alarm at all")

        found = await asyncio.gather(*(look(part) for part in self.parts(scope)))
        return tuple(gap for gap in found if gap)

    async def details(self, insight: Insight) -> Details:
        """Return an alarm's metric with what was expected of it, and what CloudTrail saw on its resources."""
        part = Part(self.name, insight.region, insight.account)
        alarm, start = await self._meant(part, insight.id)
        spans = await self._spans(part, start)
        ends = [end for name, at, end in spans if name == alarm["AlarmName"] and abs(at - start) < SAME]
        end = ends[0] if ends else None
        described = await self._insight(part, insight.unit, alarm, start, end)
        until = min(self._clock.now(), (end or self._clock.now()) + AFTER)
        missing: list[str] = []
        anomalies: tuple[Anomaly, ...] = ()
        events: tuple[Event, ...] = ()
        try:
            anomalies = await self._anomalies(part, alarm, described, until)
        except CloudError as error:
            missing.append(f"The metric is missing: AWS answered {error.code}.")
        try:
            events = await self._events(part, described, start - BEFORE, until)
        except CloudError as error:
            missing.append(f"The events are missing: AWS answered {error.code}.")
        return Details(described, anomalies, events, (advice_for(alarm, insight.region),), tuple(missing))

    async def with_resources(self, insight: Insight) -> Insight:
        """Return the insight as it is: alarms name what they are about."""
        return insight

    async def _anomalies(
        self, part: Part, alarm: Mapping[str, Any], insight: Insight, until: datetime
    ) -> tuple[Anomaly, ...]:
        queries = queries_of(alarm)
        if not queries:
            return ()
        answer = await self._ask(
            "GetMetricData",
            part,
            MetricDataQueries=queries,
            StartTime=insight.start - BEFORE,
            EndTime=until,
            ScanBy="TimestampAscending",
        )
        points, band = read_series(answer.get("MetricDataResults", ()))
        metric = metric_of(alarm)
        return (
            Anomaly(
                metric=metric.get("MetricName", alarm["AlarmName"]),
                resource=", ".join(insight.resources),
                unit=metric.get("Unit", ""),
                statistic=metric.get("Stat", ""),
                points=points,
                start=insight.start,
                end=insight.end,
                limit=alarm.get("Threshold"),
                band=band,
            ),
        )

    async def _events(self, part: Part, insight: Insight, since: datetime, until: datetime) -> tuple[Event, ...]:
        found: dict[str, Event] = {}
        for resource in insight.resources[:3]:
            answer = await self._trail(
                part,
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": resource}],
                StartTime=since,
                EndTime=until,
                MaxResults=50,
            )
            found |= events_of(answer.get("Events", ()))
        return tuple(sorted(found.values(), key=lambda event: event.at))

    async def _alarms(self, part: Part, **narrowed: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        following: dict[str, Any] = {}
        while True:
            page = await self._ask(
                "DescribeAlarms",
                part,
                MaxRecords=100,
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                **narrowed,
                **following,
            )
            found += [*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())]
            if not page.get("NextToken"):
                return found
            following = {"NextToken": page["NextToken"]}

    async def _history(self, part: Part, question: Question) -> list[tuple[dict[str, Any], datetime, datetime | None]]:
        """Return the alarms that fired, each with when it began and when it ended."""
        now = self._clock.now()
        since = question.since or now - HISTORY
        spans = await self._spans(part, since)
        if question.kind == "closed":
            spans = [span for span in spans if span[2] is not None and span[2] >= since]
        else:
            spans = [span for span in spans if span[1] >= since]
        names = sorted({name for name, _, _ in spans})
        known: dict[str, dict[str, Any]] = {}
        for begin in range(0, len(names), 100):
            for alarm in await self._alarms(part, AlarmNames=names[begin : begin + 100]):
                known[alarm["AlarmName"]] = alarm
        # An alarm that was deleted since is known by its name alone.
        return [(known.get(name, {"AlarmName": name}), start, end) for name, start, end in spans]

    async def _spans(self, part: Part, since: datetime) -> list[tuple[str, datetime, datetime | None]]:
        """Return (alarm, begin, end) of what fired from a week before that time on; open ones end as None."""
        begin = max(since - timedelta(days=7), self._clock.now() - HISTORY)
        items: list[dict[str, Any]] = []
        following: dict[str, Any] = {}
        while True:
            page = await self._ask(
                "DescribeAlarmHistory",
                part,
                HistoryItemType="StateUpdate",
                StartDate=begin,
                EndDate=self._clock.now(),
                ScanBy="TimestampAscending",
                MaxRecords=100,
                **following,
            )
            items += page.get("AlarmHistoryItems", ())
            if not page.get("NextToken"):
                break
            following = {"NextToken": page["NextToken"]}
        spans: list[tuple[str, datetime, datetime | None]] = []
        firing: dict[str, datetime] = {}
        for item in items:
            name, at, state = item["AlarmName"], item["Timestamp"].astimezone(UTC), state_in(item)
            if state == "ALARM":
                firing.setdefault(name, at)
            elif state and name in firing:
                spans.append((name, firing.pop(name), at))
        return spans + [(name, at, None) for name, at in firing.items()]

    async def _insight(
        self, part: Part, unit: str, alarm: Mapping[str, Any], start: datetime, end: datetime | None
    ) -> Insight:
        name = alarm["AlarmName"]
        metric = metric_of(alarm)
        described = str(alarm.get("AlarmDescription") or "").strip()
        tags = await self._tags(part, alarm)
        return Insight(
            id=id_of(name, start),
            account=part.account,
            region=part.region,
            name=described.splitlines()[0][:200] if described else f"Alarm {name}",
            severity=severity_of(f"{name} {described}"),
            is_proactive=False,
            start=start,
            end=end,
            unit=unit,
            stacks=tuple(value for key, value in tags.items() if key == STACK_TAG),
            services=tuple(filter(None, (SERVICES.get(metric.get("Namespace", "")),))),
            description=str(alarm.get("StateReason") or ""),
            resources=tuple(d["Value"] for d in metric.get("Dimensions", ())),
            tags=tuple(f"{key}={value}" for key, value in tags.items() if not key.startswith("aws:")),
            source=self.name,
        )

    async def _tags(self, part: Part, alarm: Mapping[str, Any]) -> dict[str, str]:
        """Return an alarm's tags, its stack among them; none where they may not be read."""
        if not alarm.get("AlarmArn"):
            return {}
        try:
            answer = await self._ask("ListTagsForResource", part, ResourceARN=alarm["AlarmArn"])
        except CloudError as error:
            log.info("insights.tags_unread", account=part.account, region=part.region, code=error.code)
            return {}
        return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}

    async def _meant(self, part: Part, identifier: str) -> tuple[dict[str, Any], datetime]:
        """Return the alarm that an id stands for, and since when it fired; raises NotFound."""
        found = re.fullmatch(r"cw-([0-9a-f]{20})-(\d{9,11})", identifier)
        if found:
            for alarm in await self._alarms(part):
                if hash_of(alarm["AlarmName"]) == found[1]:
                    return alarm, datetime.fromtimestamp(int(found[2]), UTC)
        raise NotFound(
            f"There is no alarm {identifier[:40]} in {part.account} in {part.region} any more.",
            next_step="Say “which insights are open?” to see those there are.",
        )

    async def _ask(self, operation: str, part: Part, **parameters: Any) -> dict[str, Any]:
        is_management = f"::{part.account}:" in self._settings.management_role_arn
        role = self._settings.management_role_arn if is_management else self._settings.member_role(part.account)

        return await self._budget.spend(
            ("cloudwatch", part.region, part.account),
            lambda: self._cloud.call("cloudwatch", operation, region=part.region, role=role, **parameters),
        )

    async def _trail(self, part: Part, **parameters: Any) -> dict[str, Any]:
        is_management = f"::{part.account}:" in self._settings.management_role_arn
        role = self._settings.management_role_arn if is_management else self._settings.member_role(part.account)

        return await self._budget.spend(
            ("cloudtrail", part.region, part.account),
            lambda: self._cloud.call("cloudtrail", "LookupEvents", region=part.region, role=role, **parameters),
        )
