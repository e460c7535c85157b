"""The port to whatever watches the accounts: what an insight is, and who tells of them.

An insight is a stretch of time in which something was, or is about to be, wrong in one account and Region.
Providers are AWS services that come and go; what people are shown does not change with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

Severity = Literal["HIGH", "MEDIUM", "LOW"]
SEVERITIES: tuple[Severity, ...] = ("HIGH", "MEDIUM", "LOW")
KEPT = timedelta(days=180)
"""How far back insights can be asked for."""


@dataclass(frozen=True)
class Insight:
    """One insight; `unit` is the id of the OU that its account is in, empty for the root."""

    id: str
    account: str
    region: str
    name: str
    severity: Severity
    is_proactive: bool
    start: datetime
    end: datetime | None
    unit: str = ""
    stacks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    description: str = ""
    prediction: datetime | None = None
    """When what a proactive insight foretells is expected."""

    @property
    def is_open(self) -> bool:
        """Whether it is still going on."""
        return self.end is None

    def lasted(self, now: datetime) -> timedelta:
        """Return how long it has been open."""
        return (self.end or now) - self.start


@dataclass(frozen=True)
class Anomaly:
    """A metric that went wrong: its values around the time, oldest first, and the time itself."""

    metric: str
    resource: str
    unit: str
    statistic: str
    points: tuple[tuple[datetime, float], ...]
    start: datetime
    end: datetime | None
    limit: float | None = None
    prediction: datetime | None = None


@dataclass(frozen=True)
class Event:
    """Something that was done in the account about then."""

    at: datetime
    name: str
    source: str
    kind: str
    resources: tuple[str, ...] = ()

    @property
    def is_deployment(self) -> bool:
        """Whether it brought something new into service."""
        return self.kind == "DEPLOYMENT"


@dataclass(frozen=True)
class Recommendation:
    """What to do about an insight; `link` may be empty."""

    name: str
    reason: str
    link: str


@dataclass(frozen=True)
class Details:
    """All there is to know about one insight."""

    insight: Insight
    anomalies: tuple[Anomaly, ...]
    events: tuple[Event, ...]
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True)
class Found:
    """What was found, and a sentence for each part of the organization that could not be looked at."""

    insights: tuple[Insight, ...]
    missing: tuple[str, ...] = ()


class InsightProvider(Protocol):
    """Tells of insights in every account and the given Regions. All raise CloudError when nothing can be read."""

    async def ongoing(self, regions: Sequence[str], account: str = "") -> Found:
        """Return those that are open; of one account if it is named."""
        ...

    async def opened(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that opened in a time, closed or not."""
        ...

    async def closed(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that closed in a time."""
        ...

    async def unwatched(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Return the Regions in which nothing is watched, or nobody may look."""
        ...

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight that these calls returned."""
        ...
