"""The same trouble told by two sources: shown once, as the source tells it that knows more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.insights import DEVOPS_GURU, SEVERITIES, Insight

APART = timedelta(hours=1)
"""How far apart two sources may see the same trouble begin; each waits before it says that something is wrong."""


def merge_same(insights: Iterable[Insight]) -> list[Insight]:
    """Return the insights without those that another source tells as well, whose ids stand in `also` of the other.

    The same is what is wrong in one account, Region, stack and service at one time. DevOps Guru's is kept, for it has
    recommendations; it is shown with the graver severity of both. What is about no stack is never taken for the same.
    """
    found = list(insights)
    kept = [i for i in found if i.source == DEVOPS_GURU]
    others = [i for i in found if i.source != DEVOPS_GURU]
    if not kept or not others:
        return found
    twins: dict[int, list[Insight]] = {}
    alone = []
    for other in others:
        alike = [n for n, known in enumerate(kept) if _is_same(known, other)]
        if alike:
            nearest = min(alike, key=lambda n: abs(kept[n].start - other.start))
            twins.setdefault(nearest, []).append(other)
        else:
            alone.append(other)
    for place, same in twins.items():
        gravest = min((kept[place], *same), key=lambda insight: SEVERITIES.index(insight.severity))
        also = tuple(sorted(insight.id for insight in same))
        kept[place] = replace(kept[place], severity=gravest.severity, also=also)
    return [*kept, *alone]


def _is_same(one: Insight, other: Insight) -> bool:
    return (
        (one.account, one.region) == (other.account, other.region)
        and one.is_open == other.is_open
        and bool(_folded(one.stacks) & _folded(other.stacks))
        and bool(set(one.services) & set(other.services))
        and abs(one.start - other.start) <= APART
        and not one.is_proactive
    )


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
