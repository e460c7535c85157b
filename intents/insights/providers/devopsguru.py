"""Amazon DevOps Guru behind the port `bot.insights.InsightProvider`; it ends on 30 September 2027."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from bot.errors import CloudError
from bot.insights import (
    DEVOPS_GURU,
    KEPT,
    Anomaly,
    Comparison,
    Details,
    Event,
    Gap,
    Insight,
    Part,
    Question,
    Recommendation,
    Scope,
    Severity,
)
from bot.services import Services
from intents.insights.budget import Budget
from intents.insights.providers.coverage import Coverage

REACTIVE, PROACTIVE = "REACTIVE", "PROACTIVE"
FEW = 3
"""Accounts up to which each is asked for by itself; for more the listing of the whole organization is shorter."""


class DevOpsGuru:
    """Reads as the delegated administrator, or as the management account when no role is set for insights."""

    name, kept = DEVOPS_GURU, KEPT

    def __init__(self, services: Services, budget: Budget) -> None:
        self._cloud = services.cloud
        self._role = services.settings.insights_role_arn or services.settings.management_role_arn
        self._budget = budget
        self._coverage = Coverage(services, budget)

    def parts(self, scope: Scope) -> Sequence[Part]:
        """Return both kinds in each Region, of the whole organization unless few accounts are named."""
        accounts: Sequence[str] = ("",) if scope.is_whole or len(scope.accounts) > FEW else tuple(scope.accounts)
        return [
            Part(self.name, region, account, kind)
            for region in scope.regions
            for account in accounts
            for kind in (REACTIVE, PROACTIVE)
        ]

    async def read(self, part: Part, question: Question, scope: Scope) -> tuple[Insight, ...]:
        """Return one kind of insights in one Region."""
        span = {"FromTime": question.since}
        status: dict[str, Any] = {"Ongoing": {"Type": part.kind}}
        if question.kind == "opened":
            status = {"Any": {"Type": part.kind, "StartTimeRange": span}}
        elif question.kind == "closed":
            status = {"Closed": {"Type": part.kind, "EndTimeRange": span}}
        entries = await self._pages(
            "ListOrganizationInsights",
            ("ReactiveInsights", "ProactiveInsights"),
            region=part.region,
            StatusFilter=status,
            MaxResults=100,
            **({"AccountIds": [part.account]} if part.account else {}),
        )
        return tuple(_insight(entry, part.region, is_proactive=part.kind == PROACTIVE) for entry in entries)

    async def gaps(self, scope: Scope, *, deep: bool = False) -> tuple[Gap, ...]:
        """Return where nothing is analysed; see `Coverage.gaps`."""
        return await self._coverage.gaps(scope, deep=deep)

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight; what can't be read beside its description is said."""
        whose: dict[str, Any] = {"AccountId": insight.account, "region": insight.region}
        described, anomalies, events, advice = await asyncio.gather(
            self._describe(insight),
            self._pages(
                "ListAnomaliesForInsight", ("ReactiveAnomalies", "ProactiveAnomalies"), InsightId=insight.id, **whose
            ),
            self._pages("ListEvents", ("Events",), Filters={"InsightId": insight.id}, **whose),
            self._pages("ListRecommendations", ("Recommendations",), InsightId=insight.id, **whose),
            return_exceptions=True,
        )
        if isinstance(described, BaseException):
            raise described
        missing = []
        lists: list[list[dict[str, Any]]] = []
        for what, answer in (("metrics", anomalies), ("events", events), ("recommendations", advice)):
            if isinstance(answer, CloudError):
                missing.append(f"The {what} are missing: AWS answered {answer.code}.")
                lists.append([])
            elif isinstance(answer, BaseException):
                raise answer
            else:
                lists.append(answer)
        drawn = tuple(anomaly for entry in lists[0] for anomaly in _anomalies(entry))
        resources = tuple(dict.fromkeys(name for a in drawn for name in a.resource.split(", ") if name))
        return Details(
            insight=replace(described, resources=resources),
            anomalies=drawn,
            events=tuple(sorted((_event(e) for e in lists[1]), key=lambda event: event.at)),
            recommendations=tuple(_recommendation(entry) for entry in lists[2]),
            missing=tuple(missing),
        )

    async def with_resources(self, insight: Insight) -> Insight:
        """Return an insight with the names of what it is about: listings do not tell them."""
        entries = await self._pages(
            "ListAnomaliesForInsight",
            ("ReactiveAnomalies", "ProactiveAnomalies"),
            region=insight.region,
            InsightId=insight.id,
            AccountId=insight.account,
        )
        names = (r["Name"] for entry in entries for r in entry.get("AnomalyResources", ()) if r.get("Name"))
        return replace(insight, resources=tuple(dict.fromkeys(names)))

    async def _describe(self, insight: Insight) -> Insight:
        answer = await self._ask("DescribeInsight", region=insight.region, Id=insight.id, AccountId=insight.account)
        entry = answer.get("ReactiveInsight") or answer.get("ProactiveInsight") or {}
        fresh = _insight(entry, insight.region, is_proactive="ProactiveInsight" in answer)
        return replace(
            fresh, account=insight.account, unit=insight.unit, services=insight.services, id=fresh.id or insight.id
        )

    async def _pages(
        self, operation: str, results: tuple[str, ...], *, region: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Return what stands under any of these keys on all pages."""
        found: list[dict[str, Any]] = []
        following: dict[str, Any] = {}
        while True:
            page = await self._ask(operation, region=region, **parameters, **following)
            found += [entry for result in results for entry in page.get(result, ())]
            if not page.get("NextToken"):
                return found
            following = {"NextToken": page["NextToken"]}

    async def _ask(self, operation: str, *, region: str, **parameters: Any) -> dict[str, Any]:
        return await self._budget.spend(
            ("devops-guru", region),
            lambda: self._cloud.call("devops-guru", operation, region=region, role=self._role, **parameters),
        )


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
        tags=tuple(f"{tag['AppBoundaryKey']}={v}" for tag in collection.get("Tags", ()) for v in tag["TagValues"]),
    )


def _anomalies(entry: Mapping[str, Any]) -> list[Anomaly]:
    span, prediction = entry.get("AnomalyTimeRange", {}), entry.get("PredictionTimeRange")
    resources = ", ".join(r["Name"] for r in entry.get("AnomalyResources", ()) if r.get("Name"))
    details = entry.get("SourceDetails", {})
    start, end = _utc(span["StartTime"]), _utc(span["EndTime"]) if span.get("EndTime") else None
    found = []
    for metric in details.get("CloudWatchMetrics", ()):
        pairs = metric.get("MetricDataSummary", {}).get("TimestampMetricValuePairList", ())
        points = sorted((_utc(p["Timestamp"]), float(p["MetricValue"])) for p in pairs if "MetricValue" in p)
        found.append(
            Anomaly(
                metric=metric.get("MetricName", ""),
                resource=resources or ", ".join(d.get("Value", "") for d in metric.get("Dimensions", ())),
                unit=metric.get("Unit", ""),
                statistic=metric.get("Stat", ""),
                points=tuple(points),
                start=start,
                end=end,
                limit=entry.get("Limit"),
                prediction=_utc(prediction["StartTime"]) if prediction else None,
            )
        )
    for metric in details.get("PerformanceInsightsMetrics", ()):
        found.append(_load(metric, resources, start, end))
    return found


def _load(metric: Mapping[str, Any], resource: str, start: datetime, end: datetime | None) -> Anomaly:
    """Return a metric of Performance Insights: two figures for each statistic, and what they are measured against."""
    now = {s["Type"]: float(s["Value"]) for s in metric.get("StatsAtAnomaly", ()) if "Value" in s}
    usually = {s["Type"]: float(s["Value"]) for s in metric.get("StatsAtBaseline", ()) if "Value" in s}
    query = metric.get("MetricQuery", {})
    wait = next(iter(query.get("Filter", {}).values()), "")
    scalars = [
        r.get("ComparisonValues", {}).get("ReferenceScalar", {}).get("Value") for r in metric.get("ReferenceData", ())
    ]
    return Anomaly(
        metric=metric.get("MetricDisplayName", "") + (f" waiting for {wait}" if wait else ""),
        resource=resource,
        unit=metric.get("Unit", ""),
        statistic="Performance Insights",
        points=(),
        start=start,
        end=end,
        limit=next((float(value) for value in scalars if value is not None), None),
        comparisons=tuple(Comparison(kind.casefold(), usually.get(kind, 0.0), value) for kind, value in now.items()),
    )


def _event(entry: Mapping[str, Any]) -> Event:
    names = tuple(r["Name"] for r in entry.get("Resources", ()) if r.get("Name"))
    source = str(entry.get("EventSource", "")).removesuffix(".amazonaws.com")
    return Event(_utc(entry["Time"]), entry.get("Name", ""), source, entry.get("EventClass", ""), names)


def _recommendation(entry: Mapping[str, Any]) -> Recommendation:
    metrics = [
        metric["MetricName"]
        for anomaly in entry.get("RelatedAnomalies", ())
        for source in anomaly.get("SourceDetails", ())
        for metric in source.get("CloudWatchMetrics", ())
    ]
    events = [event["Name"] for event in entry.get("RelatedEvents", ()) if event.get("Name")]
    description = entry.get("Description", "")
    return Recommendation(
        entry.get("Name", ""),
        entry.get("Reason") or description,
        entry.get("Link", ""),
        description if entry.get("Reason") else "",
        tuple(dict.fromkeys((*metrics, *events))),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
