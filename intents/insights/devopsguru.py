"""Amazon DevOps Guru behind the port `bot.insights.InsightProvider`; it ends on 30 September 2027."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import structlog

from bot.errors import CloudError
from bot.insights import Anomaly, Details, Event, Found, Insight, Recommendation, Severity
from bot.services import Services

log = structlog.get_logger(__name__)

AT_ONCE = 6
"""Calls under way at once: all Regions together, so that a question does not throttle itself."""
REACTIVE, PROACTIVE = "REACTIVE", "PROACTIVE"


class DevOpsGuru:
    """Reads as the delegated administrator, or as the management account when no role is set for insights."""

    def __init__(self, services: Services) -> None:
        self._cloud = services.cloud
        self._role = services.settings.insights_role_arn or services.settings.management_role_arn
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ongoing(self, regions: Sequence[str], account: str = "") -> Found:
        """Return those that are open."""
        return await self._everywhere(regions, account, lambda kind: {"Ongoing": {"Type": kind}})

    async def opened(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that opened in a time."""
        span = {"FromTime": since, "ToTime": until}
        return await self._everywhere(regions, account, lambda kind: {"Any": {"Type": kind, "StartTimeRange": span}})

    async def closed(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that closed in a time."""
        span = {"FromTime": since, "ToTime": until}
        return await self._everywhere(regions, account, lambda kind: {"Closed": {"Type": kind, "EndTimeRange": span}})

    async def unwatched(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Return the Regions in which no metric is analysed."""

        async def is_unwatched(region: str) -> bool:
            try:
                async with self._turns:
                    health = await self._cloud.call(
                        "devops-guru", "DescribeOrganizationHealth", region=region, role=self._role
                    )
            except CloudError as error:
                log.info("insights.health_unread", region=region, code=error.code)
                return False  # the listings say what can't be read
            return not health["MetricsAnalyzed"]

        answers = await asyncio.gather(*(is_unwatched(region) for region in regions))
        return tuple(region for region, answer in zip(regions, answers, strict=True) if answer)

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight."""
        whose = {"AccountId": insight.account}
        described, anomalies, events, advice = await asyncio.gather(
            self._describe(insight),
            self._anomalies(insight),
            self._pages("ListEvents", "Events", region=insight.region, Filters={"InsightId": insight.id}, **whose),
            self._pages("ListRecommendations", "Recommendations", region=insight.region, InsightId=insight.id, **whose),
        )
        return Details(
            insight=described,
            anomalies=anomalies,
            events=tuple(sorted((_event(e) for e in events), key=lambda event: event.at)),
            recommendations=tuple(
                Recommendation(r.get("Name", ""), r.get("Reason") or r.get("Description", ""), r.get("Link", ""))
                for r in advice
            ),
        )

    async def _everywhere(self, regions: Sequence[str], account: str, status: Any) -> Found:
        """Ask each Region for both kinds; what fails is said, unless everything does."""
        named = {"AccountIds": [account]} if account else {}

        async def ask(region: str, kind: str) -> list[Insight] | CloudError:
            try:
                async with self._turns:
                    entries = await self._pages(
                        "ListOrganizationInsights",
                        "ReactiveInsights" if kind == REACTIVE else "ProactiveInsights",
                        region=region,
                        StatusFilter=status(kind),
                        MaxResults=100,
                        **named,
                    )
            except CloudError as error:
                log.warning("insights.unread", region=region, code=error.code)
                return error
            return [_insight(entry, region, is_proactive=kind == PROACTIVE) for entry in entries]

        asked = [(region, kind) for region in regions for kind in (REACTIVE, PROACTIVE)]
        answers = await asyncio.gather(*(ask(*one) for one in asked))
        errors = {r: a for (r, _), a in zip(asked, answers, strict=True) if isinstance(a, CloudError)}
        if errors and all(isinstance(answer, CloudError) for answer in answers):
            raise next(iter(errors.values()))
        found = {i.id: i for answer in answers if not isinstance(answer, CloudError) for i in answer}
        missing = tuple(f"{region} is not all here: AWS answered {error.code}." for region, error in errors.items())
        return Found(tuple(found.values()), missing)

    async def _describe(self, insight: Insight) -> Insight:
        answer = await self._cloud.call(
            "devops-guru",
            "DescribeInsight",
            region=insight.region,
            role=self._role,
            Id=insight.id,
            AccountId=insight.account,
        )
        entry = answer.get("ReactiveInsight") or answer.get("ProactiveInsight") or {}
        fresh = _insight(entry, insight.region, is_proactive="ProactiveInsight" in answer)
        return replace(
            fresh, account=insight.account, unit=insight.unit, services=insight.services, id=fresh.id or insight.id
        )

    async def _anomalies(self, insight: Insight) -> tuple[Anomaly, ...]:
        found: list[Anomaly] = []
        following: dict[str, str] = {}
        while True:
            page = await self._cloud.call(
                "devops-guru",
                "ListAnomaliesForInsight",
                region=insight.region,
                role=self._role,
                InsightId=insight.id,
                AccountId=insight.account,
                **following,
            )
            for entry in (*page.get("ReactiveAnomalies", ()), *page.get("ProactiveAnomalies", ())):
                found.extend(_anomalies(entry))
            if not page.get("NextToken"):
                return tuple(found)
            following = {"NextToken": page["NextToken"]}

    async def _pages(self, operation: str, result: str, *, region: str, **parameters: Any) -> list[dict[str, Any]]:
        pages = self._cloud.pages("devops-guru", operation, result, region=region, role=self._role, **parameters)
        return [entry async for entry in pages]


def _insight(entry: Mapping[str, Any], region: str, *, is_proactive: bool) -> Insight:
    span = entry.get("InsightTimeRange", {})
    collection = entry.get("ResourceCollection", {})
    return Insight(
        id=entry.get("Id", ""),
        account=entry.get("AccountId", ""),
        region=region,
        name=entry.get("Name", ""),
        severity=cast(Severity, entry.get("Severity", "LOW")),
        is_proactive=is_proactive,
        start=_utc(span["StartTime"]),
        end=_utc(span["EndTime"]) if entry.get("Status") == "CLOSED" and span.get("EndTime") else None,
        unit=entry.get("OrganizationalUnitId", ""),
        stacks=tuple(collection.get("CloudFormation", {}).get("StackNames", ())),
        services=tuple(entry.get("ServiceCollection", {}).get("ServiceNames", ())),
        description=entry.get("Description", ""),
        prediction=_utc(entry["PredictionTimeRange"]["StartTime"]) if entry.get("PredictionTimeRange") else None,
    )


def _anomalies(entry: Mapping[str, Any]) -> list[Anomaly]:
    span, prediction = entry.get("AnomalyTimeRange", {}), entry.get("PredictionTimeRange")
    resources = ", ".join(r["Name"] for r in entry.get("AnomalyResources", ()) if r.get("Name"))
    found = []
    for metric in entry.get("SourceDetails", {}).get("CloudWatchMetrics", ()):
        pairs = metric.get("MetricDataSummary", {}).get("TimestampMetricValuePairList", ())
        points = sorted((_utc(p["Timestamp"]), float(p["MetricValue"])) for p in pairs if "MetricValue" in p)
        found.append(
            Anomaly(
                metric=metric.get("MetricName", ""),
                resource=resources or ", ".join(d.get("Value", "") for d in metric.get("Dimensions", ())),
                unit=metric.get("Unit", ""),
                statistic=metric.get("Stat", ""),
                points=tuple(points),
                start=_utc(span["StartTime"]),
                end=_utc(span["EndTime"]) if span.get("EndTime") else None,
                limit=entry.get("Limit"),
                prediction=_utc(prediction["StartTime"]) if prediction else None,
            )
        )
    return found


def _event(entry: Mapping[str, Any]) -> Event:
    names = tuple(r["Name"] for r in entry.get("Resources", ()) if r.get("Name"))
    source = str(entry.get("EventSource", "")).removesuffix(".amazonaws.com")
    return Event(_utc(entry["Time"]), entry.get("Name", ""), source, entry.get("EventClass", ""), names)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
