"""The report's figures, and how they are counted; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from bot.words import lasting
from intents.reports.months import Month


@dataclass(frozen=True)
class Spread:
    """How long something took: the median and the 90th percentile of so many times; None when there was none."""

    count: int
    median: timedelta | None
    p90: timedelta | None


@dataclass(frozen=True)
class AccountEvent:
    """An account that was opened or closed, and when; `request` when it was asked for here."""

    account_id: str
    name: str
    owner: str
    at: datetime
    request: str = ""


@dataclass(frozen=True)
class Spending:
    """What one account has spent, in US dollars."""

    account_id: str
    name: str
    kind: str
    """The account type that it was ordered as, empty when unknown."""
    dollars: Decimal


@dataclass(frozen=True)
class FailureCount:
    """So many failures of one kind."""

    what: str
    reason: str
    count: int


@dataclass(frozen=True)
class Leaver:
    """Somebody whom neither Identity Center nor the directory knows any more, and what is still theirs."""

    email: str
    accounts: tuple[str, ...]
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One month. `notes` say what could not be counted, and why."""

    month: Month
    opened: tuple[AccountEvent, ...] = ()
    closed: tuple[AccountEvent, ...] = ()
    asked: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    """Requests that ended, by state."""
    ready: Spread = Spread(0, None, None)
    approval: Spread = Spread(0, None, None)
    in_working_time: bool = False
    """Whether the time in approval counts working hours only."""
    spending: tuple[Spending, ...] = ()
    failures: tuple[FailureCount, ...] = ()
    leavers: tuple[Leaver, ...] = ()
    notes: tuple[str, ...] = ()
    is_cut: bool = False
    """Whether AWS could not be reached, so that most of it is missing."""

    def spent(self, kind: str) -> Decimal:
        """Return what the accounts of a type have spent."""
        return sum((s.dollars for s in self.spending if s.kind == kind), Decimal(0))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The account types that have spent something, dearest first; those of no type last."""
        return tuple(sorted({s.kind for s in self.spending}, key=lambda kind: (not kind, -self.spent(kind))))


def spread_of(times: Sequence[timedelta]) -> Spread:
    """Return median and 90th percentile (nearest rank: one of the times itself)."""
    if not times:
        return Spread(0, None, None)
    ordered = sorted(times)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return Spread(len(ordered), middle, ordered[math.ceil(0.9 * len(ordered)) - 1])


def duration_words(time: timedelta | None) -> str:
    """Return a time as people say it: 45 s, 12 min, 3 h 5 min, 2 days 4 h; a dash for none."""
    return "–" if time is None else lasting(time)


def reason_of(error: str) -> str:
    """Return an error without what differs from one to the next: AWS's code if it has one, else its first words."""
    code, colon, _ = error.partition(":")
    if colon and code.strip() and " " not in code.strip():
        return code.strip()
    return error.split(".")[0].split("\n")[0].strip()[:100] or "no reason given"
