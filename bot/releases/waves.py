"""Waves as a pure function: which deployments come when, which are left out and why, and what may start now.

Nothing here reads a clock or the world: the same deployments and the same strategy give the same waves, in whatever
order they are listed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.releases.windows import window_of

Kind = Literal["silo", "pool"]
PartKind = Literal[
    "canary", "ring", "rings", "percent", "count", "region", "regions", "kind", "ids", "rest", "experiment"
]
CANARY = "canary"
"""The ring whose members go first, and the tag that makes one of them."""
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Deployment:
    """One place where a component runs: for one tenant (silo) or several (pool)."""

    component: str
    id: str
    kind: Kind
    account: str
    region: str
    tier: str = "standard"
    tenants: int = 1
    ring: str = ""
    tags: tuple[str, ...] = ()
    window: str = ""
    pinned: str = ""
    """The only version that it may have; empty for any."""
    version: str = ""
    commit: str = ""
    pipeline_name: str = ""
    codedeploy: str = ""
    """What CodeDeploy changes in place of a pipeline, as `bot.releases.codedeploy` writes it."""

    @property
    def key(self) -> str:
        """What it is called within its component: silo-acme, pool-7."""
        return f"{self.kind}-{self.id}"

    @property
    def pipeline(self) -> str:
        """The pipeline that changes it, by the SaaS sample's convention where none is named; empty with CodeDeploy."""
        return "" if self.codedeploy else self.pipeline_name or f"{self.key}-pipeline"

    def is_called(self, word: str) -> bool:
        """Tell whether people mean it by a word: its id, its key, or a tag."""
        folded = word.casefold()
        return folded in (self.id.casefold(), self.key.casefold(), *(tag.casefold() for tag in self.tags))


@dataclass(frozen=True)
class Part:
    """What one wave (or, of "rings" and "regions", a row of them) takes of what is left.

    An "experiment" takes nothing: it is what has to go well before the wave that comes next.
    """

    kind: PartKind
    value: str = ""
    names: tuple[str, ...] = ()
    """Of "ids": which."""


@dataclass(frozen=True)
class Skip:
    """Deployments that are left out by name, until a day (ISO 8601) or for this roll-out."""

    name: str
    until: str = ""


@dataclass(frozen=True)
class Limits:
    """How many may run at once: within a wave, in an account, in a Region. 0 means no limit."""

    parallel: int = 0
    per_account: int = 0
    per_region: int = 0


@dataclass(frozen=True)
class Strategy:
    """Who comes when. Budget: so many failures (or such a share of a wave, in percent) halt the roll-out."""

    parts: tuple[Part, ...]
    skips: tuple[Skip, ...] = ()
    limits: Limits = Limits()
    budget: int = 1
    budget_percent: float = 0.0
    gates: tuple[tuple[str, str], ...] = ()
    """What has to hold between waves, in order: (kind, value), such as ("bake", "600")."""
    shift: str = ""
    """How CodeDeploy shifts traffic, such as "10 % for 5 minutes"; empty leaves it to each deployment group."""


ONE_AT_A_TIME = Strategy((Part("rest"),), limits=Limits(parallel=1))
"""The SaaS roll-out sample's own: one deployment after the other, and the first failure ends it."""


@dataclass(frozen=True)
class Wave:
    """What is changed together, in the order in which it is started."""

    name: str
    members: tuple[Deployment, ...]

    @property
    def tenants(self) -> int:
        """How many tenants it reaches."""
        return sum(d.tenants for d in self.members)


@dataclass(frozen=True)
class Layout:
    """Every deployment, once: in a wave, or left out with the reason."""

    waves: tuple[Wave, ...]
    left_out: tuple[tuple[Deployment, str], ...]
    experiments: tuple[tuple[int, str], ...] = ()
    """Before which wave (from 0) which experiment has to go well; none before the first, nor behind the last."""


def lay_out(deployments: Iterable[Deployment], strategy: Strategy, version: str, commit: str, now: datetime) -> Layout:
    """Return the waves in which `version` reaches the deployments; `now` only ends skips that are over."""
    listed = sorted(deployments, key=order_of)
    left_out: list[tuple[Deployment, str]] = []
    going: list[Deployment] = []
    for deployment in listed:
        reason = _why_left_out(deployment, strategy, version, commit, now)
        if reason:
            left_out.append((deployment, reason))
        else:
            going.append(deployment)
    total, rest = len(going), list(going)
    waves: list[Wave] = []
    experiments: list[tuple[int, str]] = []
    for part in strategy.parts:
        if part.kind == "experiment":
            experiments.append((len(waves), part.value))
            continue
        for name, takes in _takers(part, rest, total):
            members = tuple(d for d in rest if takes(d))
            if members:
                waves.append(Wave(name, members))
                gone = {d.key for d in members}
                rest = [d for d in rest if d.key not in gone]
    left_out += [(d, "the strategy names no wave for it") for d in rest]
    between = tuple((wave, value) for wave, value in experiments if 0 < wave < len(waves))
    return Layout(tuple(waves), tuple(left_out), between)


def _why_left_out(d: Deployment, strategy: Strategy, version: str, commit: str, now: datetime) -> str:
    for skip in strategy.skips:
        if d.is_called(skip.name) and (not skip.until or now < datetime.fromisoformat(skip.until)):
            return f"skipped until {skip.until[:16].replace('T', ' ')}" if skip.until else "skipped"
    if d.pinned and d.pinned != version:
        return f"pinned to {d.pinned}"
    if d.version == version and d.commit == commit and commit:
        return f"has {version} already"
    return ""


def _takers(part: Part, rest: Sequence[Deployment], total: int) -> list[tuple[str, Callable[[Deployment], bool]]]:
    """Return the waves that a part makes of what is left: each wave's name, and whom it takes."""
    match part.kind:
        case "canary":
            return [("canary", _among(_canaries(rest)))]
        case "percent":
            done = total - len(rest)
            wanted = max(1, math.ceil(total * float(part.value) / 100) - done)
            return [(f"{part.value} %", _among(rest[:wanted]))]
        case "count":
            return [(f"{part.value} more", _among(rest[: int(part.value)]))]
        case "ring":
            return [(f"ring {part.value}", _equals("ring", part.value))]
        case "rings":
            rings = sorted({d.ring for d in rest}, key=lambda r: (not r, _natural(r)))
            return [(f"ring {r}" if r else "no ring", _equals("ring", r)) for r in rings]
        case "region":
            return [(part.value, _equals("region", part.value))]
        case "regions":
            return [(region, _equals("region", region)) for region in sorted({d.region for d in rest})]
        case "kind":
            return [(f"{part.value}s", _equals("kind", part.value))]
        case "ids":
            named = [d for d in rest if any(d.is_called(n) for n in part.names)]
            return [(", ".join(part.names), _among(named))]
        case "rest":
            return [("everyone else" if total > len(rest) else "everyone", lambda _: True)]
        case "experiment":
            return []


def _canaries(rest: Sequence[Deployment]) -> list[Deployment]:
    """Return who goes first: the ring “canary”, or those tagged so, else the one with the fewest tenants."""
    named = [d for d in rest if d.ring.casefold() == CANARY or CANARY in {t.casefold() for t in d.tags}]
    return named or sorted(rest, key=lambda d: (d.tier == "production", d.tenants, order_of(d)))[:1]


def _among(members: Iterable[Deployment]) -> Callable[[Deployment], bool]:
    keys = {d.key for d in members}
    return lambda d: d.key in keys


def _equals(name: str, value: str) -> Callable[[Deployment], bool]:
    return lambda d: str(getattr(d, name)).casefold() == value.casefold()


def order_of(deployment: Deployment) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the key by which deployments are ordered: pools before silos, and pool-7 before pool-10."""
    return deployment.kind, _natural(deployment.id)


def _natural(text: str) -> list[tuple[int, int, str]]:
    return [(0, int(p), "") if p.isdigit() else (1, 0, p.casefold()) for p in _NUMBER.split(text) if p]


@dataclass(frozen=True)
class Place:
    """Where a deployment is, as limits and windows see it."""

    key: str
    account: str
    region: str
    window: str = ""


@dataclass
class Running:
    """What runs just now, counted."""

    total: int = 0
    accounts: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)

    def add(self, place: Place) -> None:
        """Count one more."""
        self.total += 1
        self.accounts[place.account] += 1
        self.regions[place.region] += 1

    def may_add(self, place: Place, limits: Limits) -> bool:
        """Tell whether one more there is within the limits."""
        return (
            (not limits.parallel or self.total < limits.parallel)
            and (not limits.per_account or self.accounts[place.account] < limits.per_account)
            and (not limits.per_region or self.regions[place.region] < limits.per_region)
        )


def startable(waiting: Iterable[Place], running: Iterable[Place], limits: Limits, now: datetime) -> list[Place]:
    """Return what may start now, in the order it waits: within the limits, and within each one's window."""
    counted = Running()
    for place in running:
        counted.add(place)
    chosen = []
    for place in waiting:
        if limits.parallel and counted.total >= limits.parallel:
            break
        window = window_of(place.window)
        if (window is None or window.is_open(now)) and counted.may_add(place, limits):
            counted.add(place)
            chosen.append(place)
    return chosen


def ideal_seconds(durations: Sequence[float], places: Sequence[Place], limits: Limits) -> float:
    """Return the least time in which a wave can be done: by its longest member, and by what each limit lets through."""
    if not durations:
        return 0.0
    bounds = [max(durations)]
    if limits.parallel:
        bounds.append(sum(durations) / limits.parallel)
    for limit, name in ((limits.per_account, "account"), (limits.per_region, "region")):
        if limit:
            loads: dict[str, float] = {}
            for duration, place in zip(durations, places, strict=True):
                where = getattr(place, name)
                loads[where] = loads.get(where, 0.0) + duration
            bounds.append(max(loads.values()) / limit)
    return max(bounds)
