"""The port to whatever watches the accounts: what an insight is, who tells of them, and who hands them on.

An insight is a stretch of time in which something was, or is about to be, wrong in one account and Region.
Providers are AWS services that come and go; what people are shown does not change with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

Severity = Literal["HIGH", "MEDIUM", "LOW"]
SEVERITIES: tuple[Severity, ...] = ("HIGH", "MEDIUM", "LOW")
KEPT = timedelta(days=180)
"""How far back insights can be asked for."""
DEVOPS_GURU, CLOUDWATCH = "Amazon DevOps Guru", "Amazon CloudWatch"
"""What providers are called in answers."""
PROVIDERS: Mapping[str, str] = {"devops-guru": DEVOPS_GURU, "cloudwatch": CLOUDWATCH}
"""Providers as the setting INSIGHT_PROVIDERS names them."""


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
    resources: tuple[str, ...] = ()
    """Names of what it is about, where the listing tells; else they stand with its anomalies."""
    tags: tuple[str, ...] = ()
    """key=value, of what it is about."""
    source: str = DEVOPS_GURU
    also: tuple[str, ...] = ()
    """Ids by which other sources tell of the same trouble."""

    @property
    def is_open(self) -> bool:
        """Whether it is still going on."""
        return self.end is None

    def lasted(self, now: datetime) -> timedelta:
        """Return how long it has been open."""
        return (self.end or now) - self.start


@dataclass(frozen=True)
class Comparison:
    """A metric that is known by two figures only, such as those of Performance Insights: usually, and now."""

    label: str
    usually: float
    now: float


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
    band: tuple[tuple[datetime, float, float], ...] = ()
    """What was expected: (time, least, most), oldest first."""
    comparisons: tuple[Comparison, ...] = ()
    """Where there are no values over time."""
    shaded: str = "anomaly"
    """What the time from start to end is called in a chart."""

    @property
    def can_be_drawn(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.points or self.comparisons)


@dataclass(frozen=True)
class Event:
    """Something that was done in the account about then."""

    at: datetime
    name: str
    source: str
    kind: str
    resources: tuple[str, ...] = ()
    by: str = ""

    @property
    def is_deployment(self) -> bool:
        """Whether it brought something new into service."""
        return self.kind == "DEPLOYMENT"


@dataclass(frozen=True)
class Recommendation:
    """What to do about an insight; `link` may be empty. `because` names the anomalies and events that it rests on."""

    name: str
    reason: str
    link: str
    description: str = ""
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Details:
    """All there is to know about one insight, and a sentence for each part that could not be read."""

    insight: Insight
    anomalies: tuple[Anomaly, ...]
    events: tuple[Event, ...]
    recommendations: tuple[Recommendation, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What was found, and a sentence for each part of the organization that could not be looked at."""

    insights: tuple[Insight, ...]
    missing: tuple[str, ...] = ()
    pending: int = 0
    """How many parts were still being read when the answer was due."""


@dataclass(frozen=True)
class Scope:
    """Where is looked: Regions, and accounts with the OU that each is in (empty for the root).

    `is_whole` says that these are all accounts of the organization, so that listings need not name them.
    """

    regions: tuple[str, ...]
    accounts: Mapping[str, str]
    is_whole: bool = True


@dataclass(frozen=True)
class Question:
    """What is asked of a provider: what is open now, or what opened or closed from a moment on."""

    kind: Literal["ongoing", "opened", "closed"] = "ongoing"
    since: datetime | None = None


@dataclass(frozen=True)
class Part:
    """What one reading covers: a Region of one account, or of the whole organization when no account is named."""

    source: str
    region: str
    account: str = ""
    kind: str = ""
    """"REACTIVE" or "PROACTIVE" where those are read apart."""

    @property
    def shown(self) -> str:
        """How to name it to people."""
        place = f"{self.account} in {self.region}" if self.account else self.region
        return f"{place} ({self.source})"


@dataclass(frozen=True)
class Gap:
    """Where silence does not mean health; `account` is empty for all accounts, `stack` for all stacks."""

    region: str
    account: str
    stack: str
    why: str


class InsightSource(Protocol):
    """An AWS service that tells of insights in accounts and Regions, behind one interface."""

    name: str
    kept: timedelta
    """How far back it tells of them."""

    def parts(self, scope: Scope) -> Sequence[Part]:
        """Return what has to be read for an answer about that scope; each can be read by itself."""
        ...

    async def read(self, part: Part, question: Question, scope: Scope) -> tuple[Insight, ...]:
        """Return the insights of one part, unsorted, perhaps more than asked for. Raises CloudError."""
        ...

    async def gaps(self, scope: Scope, *, deep: bool = False) -> tuple[Gap, ...]:
        """Return where nothing is watched; what can't be looked at is a gap as well. `deep` looks into accounts."""
        ...

    async def with_resources(self, insight: Insight) -> Insight:
        """Return an insight with the names of what it is about. Raises CloudError."""
        ...

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight of its own; id, account and Region suffice. Raises CloudError."""
        ...


class InsightProvider(Protocol):
    """Tells other intents of insights, of all sources that are in use. All raise CloudError when nothing can be read.

    Without `account` all accounts are meant. What was just read is remembered for seconds.
    """

    async def ongoing(self, regions: Sequence[str], account: str = "") -> Found:
        """Return those that are open; of one account if it is named."""
        ...

    async def opened(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that opened in a time, closed or not."""
        ...

    async def closed(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that closed in a time."""
        ...

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight; id, account and Region suffice. Raises NotFound and CloudError."""
        ...

    def forget(self, account: str, region: str) -> None:
        """Read that account and Region anew at the next question: something has changed there."""
        ...
