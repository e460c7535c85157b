"""What DevOps Guru has found in the accounts: told stories in the seed's accounts, ordinary ones everywhere.

Everything is counted from when the landing zone was first asked about insights, so that times stay while the clock
runs, and insights open and close as it does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sandbox.coverage import is_learnt
from sandbox.insight_kinds import KINDS, ORDINARY, Kind, Metric
from sandbox.insight_stories import PLAYED
from sandbox.landing_zone import DELEGATED_ADMINISTRATOR, HOME_REGION
from sandbox.model import PlayedStory
from sandbox.stacks import governed_regions
from sandbox.world import World

__all__ = ["DELEGATED_ADMINISTRATOR"]
ANCHOR = "insights-began"
OPENS_AS = "MEDIUM"
HOUR, DAY = 3_600.0, 86_400.0
REPORTING = 300.0
"""Seconds after which an anomaly is reported."""
_AHEAD = HOUR
"""Metrics are recorded from so long before an insight until so long after it."""
_MOST_POINTS = 60
_TROUBLED = 0.3
"""Share of the accounts of a grown landing zone in which something is wrong now."""
_RIPENING = 8 * HOUR
"""How long after its start what a proactive insight foretells would come."""

# account, Region, kind, severity, opened so many hours before, closed after so many hours (None: not yet)
_TOLD: tuple[tuple[str, str, str, str, float, float | None], ...] = (
    ("666677778888", HOME_REGION, "lambda-duration", "HIGH", 2.0, None),
    ("666677778888", HOME_REGION, "ecs-memory", "HIGH", 5.0, None),
    ("666677778888", "eu-central-1", "api-errors", "MEDIUM", 9.0, None),
    ("777788889999", HOME_REGION, "ec2-network", "HIGH", 20.0, None),
    ("777788889999", HOME_REGION, "rds-storage", "MEDIUM", 6.0, None),
    ("666688889999", HOME_REGION, "dynamodb-throttles", "MEDIUM", 3.5, None),
    ("777799990000", "eu-central-1", "sqs-age", "LOW", 30.0, None),
    ("444466667777", HOME_REGION, "sqs-age", "LOW", 1.0, None),
    ("777788889999", HOME_REGION, "rds-load", "MEDIUM", 2.5, None),
    ("555566667777", "eu-central-1", "rds-storage", "MEDIUM", 4.0, None),
    ("666677778888", HOME_REGION, "dynamodb-throttles", "HIGH", 28.0, 3.0),
    ("777788889999", "eu-central-1", "api-errors", "HIGH", 60.0, 1.5),
)


@dataclass(frozen=True)
class Insight:
    """One insight; `end` is when it closes, also when that lies ahead, and None while nobody knows."""

    id: str
    account_id: str
    region: str
    kind: Kind
    severity: str
    start: float
    end: float | None
    raised_at: float | None = None
    """When it becomes of this severity, if it opens as MEDIUM."""

    def is_closed(self, now: float) -> bool:
        """Whether it is over."""
        return self.end is not None and self.end <= now

    @property
    def prediction(self) -> float:
        """When what it foretells comes, if it is proactive."""
        return self.start + _RIPENING


def list_insights(world: World, account_ids: set[str], region: str) -> list[Insight]:
    """The insights of accounts in a Region that have opened by now, newest first."""
    now = world.clock.now()
    if ANCHOR not in world.zone.marks:
        world.zone.marks[ANCHOR] = now
        world.changed()
    began = world.zone.marks[ANCHOR]
    found = [
        _at(i, now)
        for i in all_insights(world, account_ids, began)
        if i.region == region and i.start <= now and is_learnt(world.zone, i.account_id, region, i.kind.stack, i.start)
    ]
    return sorted(found, key=lambda insight: (-insight.start, insight.id))


def mean_time_to_recover(insights: list[Insight], now: float) -> int:
    """Milliseconds that closed insights were open on average, 0 when none has closed."""
    times = [i.end - i.start for i in insights if i.end is not None and i.is_closed(now)]
    return round(1_000 * sum(times) / len(times)) if times else 0


def points_of(insight: Insight, metric: Metric, now: float) -> tuple[int, list[tuple[float, float]]]:
    """A metric around an insight: its period in seconds, and (time, value) up to now."""
    first = insight.start - 3 * _AHEAD
    last = min(now, (insight.end or now) + _AHEAD)
    period = 60 * math.ceil(max(last - first, 60) / _MOST_POINTS / 60)
    points = []
    for number in range(int((last - first) // period) + 1):
        at = first + number * period
        points.append((at, value_at(insight, metric, at)))
    return period, points


def value_at(insight: Insight, metric: Metric, at: float) -> float:
    """A metric's value at a time around an insight: whoever asks for it hears the same."""
    wobble = 0.92 + 0.16 * _draw(f"{insight.id}/{metric.name}/{at:.0f}")
    return round(_value(insight, metric, at) * wobble, 3)


def _value(insight: Insight, metric: Metric, at: float) -> float:
    usually, wrong = metric.usually, metric.when_wrong
    if at < insight.start or insight.is_closed(at):
        return usually
    if metric.limit is None:
        return wrong * min(1.0, 0.5 + (at - insight.start) / HOUR)
    return min(metric.limit * 0.97, usually + (wrong - usually) * (at - insight.start) / _RIPENING)


def _at(insight: Insight, now: float) -> Insight:
    """An insight as it is now: of the severity that it has by then."""
    is_raised_later = insight.raised_at is not None and insight.raised_at > now
    return replace(insight, severity=OPENS_AS) if is_raised_later else insight


def all_insights(world: World, account_ids: Iterable[str], began: float) -> Iterator[Insight]:
    """Every insight there will be in some accounts, those that were played among them."""
    wanted = frozenset(account_ids)
    for story in world.zone.stories.values():
        if story.account_id in wanted:
            yield _played(story)
    for account_id, region, key, severity, before, hours in _TOLD:
        if account_id in world.zone.accounts and account_id in wanted:
            start = began - before * HOUR
            yield _insight(account_id, region, KINDS[key], severity, start, None if hours is None else hours * HOUR)
    regions = governed_regions(world.zone)
    for account in (world.zone.accounts[i] for i in wanted if i in world.zone.accounts):
        unit = world.zone.units.get(account.parent_id)
        if unit is not None and unit.name != "Security":
            yield from _ordinary(account.id, regions, began)


def _played(story: PlayedStory) -> Insight:
    told = PLAYED[story.kind]
    start = story.deployed_at + told.opens_after
    end = None if story.fixed_at is None else max(start, story.fixed_at) + told.closes_after
    insight = _insight(story.account_id, story.region, KINDS[story.kind], told.severity, start, None)
    return replace(insight, start=start, end=end, raised_at=start + told.raised_after)


@lru_cache(maxsize=20_000)
def _ordinary(account_id: str, regions: tuple[str, ...], began: float) -> tuple[Insight, ...]:
    """Insights of the last four months, closed by now, and one that opens within a week.

    Those of the seed's accounts stay in the Regions that it has, however many a grown landing zone governs.
    """
    return tuple(_draw_ordinary(account_id, regions if account_id.startswith("9") else regions[:2], began))


def _draw_ordinary(account_id: str, regions: tuple[str, ...], began: float) -> Iterator[Insight]:
    kinds = [KINDS[key] for key in ORDINARY]
    if account_id.startswith("9") and _draw(f"{account_id}/open") < _TROUBLED:
        kind = kinds[int(_draw(f"{account_id}/open/kind") * len(kinds))]
        region = regions[int(_draw(f"{account_id}/open/region") * len(regions))]
        severity = ("LOW", "MEDIUM", "HIGH")[int(_draw(f"{account_id}/open/severity") * 3)]
        yield _insight(account_id, region, kind, severity, began - (1 + 40 * _draw(f"{account_id}/since")) * HOUR, None)
    for number in range(4):
        name = f"{account_id}/{number}"
        kind = kinds[int(_draw(f"{name}/kind") * len(kinds))]
        region = regions[int(_draw(f"{name}/region") * len(regions))]
        severity = ("LOW", "LOW", "MEDIUM", "HIGH")[int(_draw(f"{name}/severity") * 4)]
        # Each quarter of the time has one, this week's or last week's among them; the last lies ahead.
        days = (100.0, 30.0, 8.0, -6.0)[number] * (0.6 + 0.8 * _draw(f"{name}/day"))
        hours = 0.5 + 11 * _draw(f"{name}/hours")
        yield _insight(account_id, region, kind, severity, began - days * DAY, hours * HOUR)


def _insight(account_id: str, region: str, kind: Kind, severity: str, start: float, lasts: float | None) -> Insight:
    start = 60 * (start // 60)
    digest = hashlib.sha256(f"{account_id}/{region}/{kind.key}/{start}".encode()).hexdigest()
    end = None if lasts is None else start + 60 * (lasts // 60)
    return Insight(f"A{digest[:27]}", account_id, region, kind, severity, start, end)


def _draw(name: str) -> float:
    """A number from 0 up to 1, always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
