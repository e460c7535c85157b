"""CloudWatch's side of what DevOps Guru finds: one alarm a metric, with its states over time and its values.

An alarm is in state ALARM for as long as a reactive insight about its metric is open; forecasts have no alarms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox.insight_kinds import KINDS, Kind, Metric
from sandbox.insights import REPORTING, Insight, list_insights, value_at
from sandbox.world import World

PERIOD = 300
HISTORY = 30 * 86_400.0
"""Seconds for which an alarm's history is kept."""


@dataclass(frozen=True)
class Alarm:
    """An alarm on one metric, by anomaly detection; `insights` are newest first."""

    name: str
    account_id: str
    region: str
    kind: Kind
    metric: Metric
    insights: tuple[Insight, ...]

    @property
    def arn(self) -> str:
        """The alarm's ARN."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account_id}:alarm:{self.name}"

    def changes(self, now: float) -> Iterator[tuple[float, str]]:
        """When it changed into which state, newest first."""
        for insight in self.insights:
            if insight.end is not None and insight.end + REPORTING <= now:
                yield insight.end + REPORTING, "OK"
            if insight.start + REPORTING <= now:
                yield insight.start + REPORTING, "ALARM"

    def state(self, now: float) -> tuple[str, float]:
        """The state it is in, and since when."""
        at, state = next(self.changes(now), (0.0, "OK"))
        return state, at


def list_alarms(world: World, account_id: str, region: str) -> list[Alarm]:
    """The alarms of an account and Region by name: on each metric that something was ever wrong with."""
    by_kind: dict[str, list[Insight]] = {}
    for insight in list_insights(world, {account_id}, region):
        if not insight.kind.is_proactive:
            by_kind.setdefault(insight.kind.key, []).append(insight)
    alarms = []
    for key, insights in by_kind.items():
        kind = KINDS[key]
        metric = kind.metrics[0]
        name = f"{kind.resource}-{metric.name}"
        alarms.append(Alarm(name, account_id, region, kind, metric, tuple(insights)))
    return sorted(alarms, key=lambda alarm: alarm.name)


def metric_values(
    world: World, account_id: str, region: str, name: str, resource: str, times: Iterable[float]
) -> list[float]:
    """A metric's values at these times, the same that DevOps Guru shows; none of a metric that nobody has."""
    found = list(_about(world, account_id, region, name, resource))
    return [value_at(*min(found, key=lambda one: _distance(one[0], at)), at) for at in times] if found else []


def usual(world: World, account_id: str, region: str, name: str, resource: str) -> float | None:
    """What a metric usually is."""
    return next((metric.usually for _, metric in _about(world, account_id, region, name, resource)), None)


def _about(world: World, account_id: str, region: str, name: str, resource: str) -> Iterator[tuple[Insight, Metric]]:
    for insight in list_insights(world, {account_id}, region):
        for metric in insight.kind.metrics:
            if metric.name == name and insight.kind.resource == resource:
                yield insight, metric


def _distance(insight: Insight, at: float) -> float:
    end = insight.end if insight.end is not None else float("inf")
    return max(insight.start - at, at - end, 0.0)


def identifier(*parts: object) -> str:
    """A stable id of 32 hexadecimal digits."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]
