"""An alarm's metric: which it is, how its values are asked for, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Points = tuple[tuple[datetime, float], ...]
Band = tuple[tuple[datetime, float, float], ...]


def metric_of(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metric that an alarm is about: Namespace, MetricName, Dimensions, Stat, Unit; empty if it has none."""
    if alarm.get("MetricName"):
        names = ("Namespace", "MetricName", "Dimensions", "Unit")
        stat = alarm.get("Statistic") or alarm.get("ExtendedStatistic") or ""
        return {**{name: alarm[name] for name in names if name in alarm}, "Stat": stat}
    for query in alarm.get("Metrics", ()):
        if stat := query.get("MetricStat"):
            return {**stat["Metric"], "Stat": stat.get("Stat", ""), "Unit": stat.get("Unit", "")}
    return {}


def queries_of(alarm: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what GetMetricData is asked: the metric, and the band that anomaly detection expects."""
    if queries := alarm.get("Metrics"):
        return [{**query, "ReturnData": True} for query in queries]
    metric = metric_of(alarm)
    if not metric:
        return []
    stat = {
        "Metric": {name: metric[name] for name in ("Namespace", "MetricName", "Dimensions") if name in metric},
        "Period": max(60, int(alarm.get("Period", 300))),
        "Stat": metric["Stat"] or "Average",
    }
    return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]


def read_series(results: Sequence[Mapping[str, Any]]) -> tuple[Points, Band]:
    """Return the values, oldest first, and the band around what was expected.

    A band comes back as two series of one id; whichever is higher is its upper edge.
    """
    series: dict[str, list[dict[datetime, float]]] = {}
    for result in results:
        times = (at.astimezone(UTC) for at in result.get("Timestamps", ()))
        series.setdefault(result["Id"], []).append(dict(zip(times, result.get("Values", ()), strict=False)))
    points: Points = ()
    band: Band = ()
    for edges in series.values():
        if len(edges) == 2:
            both = sorted(edges[0].keys() & edges[1].keys())
            band = tuple((at, min(e[at] for e in edges), max(e[at] for e in edges)) for at in both)
        elif not points:
            points = tuple(sorted(edges[0].items()))
    return points, band
