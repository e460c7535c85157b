"""Insights, anomalies, events and recommendations as DevOps Guru writes them."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.clock import moment
from sandbox.insight_kinds import Metric
from sandbox.insights import HOUR, REPORTING, Insight, points_of
from sandbox.landing_zone import ROOT_ID
from sandbox.world import World, without_nothing


def summarize(world: World, insight: Insight, *, with_account: bool = False) -> dict[str, Any]:
    """An insight as listings show it."""
    summary = {
        **_common(world, insight),
        "ServiceCollection": {"ServiceNames": [insight.kind.service]},
    }
    if with_account:
        parent = world.zone.accounts[insight.account_id].parent_id
        summary["AccountId"] = insight.account_id
        summary |= {} if parent == ROOT_ID else {"OrganizationalUnitId": parent}
    return summary


def describe_insight(world: World, insight: Insight) -> dict[str, Any]:
    """An insight as DescribeInsight shows it."""
    return {**_common(world, insight), "Description": insight.kind.description}


def describe_reactive_anomaly(world: World, insight: Insight, number: int) -> dict[str, Any]:
    """An anomalous metric; the first is the cause."""
    metric = insight.kind.metrics[number]
    return {
        **_anomaly(world, insight, number),
        "Type": "CONTEXTUAL" if number else "CAUSAL",
        "Name": f"{metric.name} is anomalous",
        "Description": insight.kind.description,
    }


def describe_proactive_anomaly(world: World, insight: Insight, number: int) -> dict[str, Any]:
    """A metric that runs into a limit."""
    metric = insight.kind.metrics[number]
    return without_nothing(
        {
            **_anomaly(world, insight, number),
            "UpdateTime": moment(world.clock.now()),
            "PredictionTimeRange": _prediction(insight),
            "Limit": metric.limit,
            "Description": insight.kind.description,
        }
    )


def list_events(insight: Insight, now: float) -> list[dict[str, Any]]:
    """The events that have happened by now, oldest first."""
    found = []
    for event in sorted(insight.kind.events, key=lambda event: event.minutes):
        at = insight.start + event.minutes * 60
        if at <= now:
            found.append(
                {
                    "Id": _identifier(f"{insight.id}/{event.name}"),
                    "Time": moment(at),
                    "EventSource": event.source,
                    "Name": event.name,
                    "DataSource": "AWS_CLOUD_TRAIL",
                    "EventClass": event.event_class,
                    "ResourceCollection": describe_collection(insight),
                    "Resources": [{"Type": insight.kind.resource_type, "Name": insight.kind.resource}],
                }
            )
    return found


def list_advice(insight: Insight) -> list[dict[str, Any]]:
    """The recommendations, with what they follow from."""
    kind = insight.kind
    resources = [{"Name": kind.resource, "Type": kind.resource_type}]
    metrics = [{"MetricName": metric.name, "Namespace": metric.namespace} for metric in kind.metrics]
    return [
        {
            "Name": advice.name,
            "Description": advice.description,
            "Reason": advice.reason,
            "Link": advice.link,
            "Category": kind.service,
            "RelatedEvents": [{"Name": event.name, "Resources": resources} for event in kind.events],
            "RelatedAnomalies": [
                {
                    "AnomalyId": _identifier(f"{insight.id}/0"),
                    "Resources": resources,
                    "SourceDetails": [{"CloudWatchMetrics": metrics}],
                }
            ],
        }
        for advice in kind.advice
    ]


def describe_collection(insight: Insight) -> dict[str, Any]:
    """The stack that an insight is about."""
    return {"CloudFormation": {"StackNames": [insight.kind.stack]}}


def _common(world: World, insight: Insight) -> dict[str, Any]:
    return without_nothing(
        {
            "Id": insight.id,
            "Name": insight.kind.name,
            "Severity": insight.severity,
            "Status": "CLOSED" if insight.is_closed(world.clock.now()) else "ONGOING",
            "InsightTimeRange": _span(insight, world, "StartTime", "EndTime"),
            "PredictionTimeRange": _prediction(insight) if insight.kind.is_proactive else None,
            "ResourceCollection": describe_collection(insight),
        }
    )


def _anomaly(world: World, insight: Insight, number: int) -> dict[str, Any]:
    metric, now = insight.kind.metrics[number], world.clock.now()
    return {
        "Id": _identifier(f"{insight.id}/{number}"),
        "Severity": insight.severity,
        "Status": "CLOSED" if insight.is_closed(now) else "ONGOING",
        "AnomalyTimeRange": _span(insight, world, "StartTime", "EndTime"),
        "AnomalyReportedTimeRange": _span(insight, world, "OpenTime", "CloseTime", REPORTING),
        "SourceDetails": {"PerformanceInsightsMetrics": [_load(insight, metric)]}
        if metric.is_load
        else {"CloudWatchMetrics": [_metric(insight, metric, now)]},
        "AssociatedInsightId": insight.id,
        "ResourceCollection": describe_collection(insight),
        "AnomalyResources": [{"Name": insight.kind.resource, "Type": insight.kind.resource_type}],
    }


def _metric(insight: Insight, metric: Metric, now: float) -> dict[str, Any]:
    period, points = points_of(insight, metric, now)
    return {
        "MetricName": metric.name,
        "Namespace": metric.namespace,
        "Dimensions": [{"Name": metric.dimension, "Value": insight.kind.resource}],
        "Stat": metric.stat,
        "Unit": metric.unit,
        "Period": period,
        "MetricDataSummary": {
            "TimestampMetricValuePairList": [{"Timestamp": moment(at), "MetricValue": value} for at, value in points],
            "StatusCode": "Complete",
        },
    }


def _load(insight: Insight, metric: Metric) -> dict[str, Any]:
    """A metric of Performance Insights: no values over time, but what it is, and what it usually is."""
    grouping = {"Group": "db.wait_event", "Dimensions": ["db.wait_event.name"], "Limit": 1}
    return {
        "MetricDisplayName": metric.name,
        "Unit": metric.unit,
        "MetricQuery": {"Metric": "db.load.avg", "GroupBy": grouping, "Filter": {"db.wait_event.name": "Lock:tuple"}},
        "ReferenceData": [
            {"Name": "Number of vCPUs", "ComparisonValues": {"ReferenceScalar": {"Value": 4.0}}},
        ],
        "StatsAtAnomaly": [{"Type": "AVG", "Value": metric.when_wrong}],
        "StatsAtBaseline": [{"Type": "AVG", "Value": metric.usually}],
    }


def _span(insight: Insight, world: World, start: str, end: str, later: float = 0.0) -> dict[str, Any]:
    span = {start: moment(insight.start + later)}
    if insight.end is not None and insight.is_closed(world.clock.now()):
        span[end] = moment(insight.end + later)
    return span


def _prediction(insight: Insight) -> dict[str, Any]:
    return {"StartTime": moment(insight.prediction), "EndTime": moment(insight.prediction + HOUR)}


def _identifier(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]
