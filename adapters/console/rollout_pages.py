"""The pages of roll-outs: what is rolled out and which versions run where, and one roll-out live, with its brake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.overview import Overview
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person
from bot.errors import Invalid, NotFound, QuartermasterError
from bot.releases.desk import DEEDS, Deed, rollout_desk
from bot.releases.rollouts import ACTIVE, Rollout, Rollouts, Target
from bot.releases.versions import rank_of
from bot.releases.waves import Deployment
from bot.requests import Filter, RequestRecord
from bot.services import Services
from bot.stopping import Stopping

INTENT, STEER, STOP = "RollOut", "steer", "stop"
LISTED = 25
NAMED = 50
"""Deployments of a kind that a page names; a wave of thousands is its bar."""
BEHIND = 12
SHADES = 5
"""Versions that have a colour of their own; older ones share the last."""
GOOD, GONE = ("succeeded",), ("skipped", "stopped", "back")
PHASES = {
    "running": ("Running", "active"),
    "gate": ("At a gate", "warning"),
    "paused": ("Paused", "warning"),
    "stopping": ("Stopping", "warning"),
    "back": ("Rolling back", "warning"),
    "done": ("Over", "neutral"),
}
OFFERED: Mapping[str, tuple[str, ...]] = {
    "running": ("pause", "back"),
    "gate": ("resume", "pause", "back"),
    "paused": ("resume", "retry", "skip", "back"),
    "back": ("retry",),
}
WORDS = {
    "pause": "Pause",
    "resume": "Continue",
    "retry": "Retry what failed",
    "skip": "Skip what failed",
    "back": "Roll everything back",
}
SHUT = {"retry": "Retry the gate", "skip": "Skip the gate"}
"""Where a gate has failed and no deployment has."""
FREE = ("pause",)
"""What everybody may do who sees it; stopping is another."""


@dataclass(frozen=True)
class Bar:
    """One bar: parts as (kind, begin, width) in percent, and what it says in words."""

    name: str
    parts: tuple[tuple[str, float, float], ...]
    words: str
    is_current: bool = False
    about: str = ""


class RolloutPages:
    """The routes /rollouts…; whoever may see a roll-out sees its page, and may halt it there."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview
        self._rollouts = Rollouts(services.database, services.clock)
        self._stopping = Stopping(services)

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/rollouts", self.show_list)
        router.add("GET", "/rollouts/{id}", self.show_one)
        router.add("GET", "/rollouts/{id}/progress", self.show_progress)
        router.add("POST", "/rollouts/{id}/steer", self.steer)

    async def show_list(self, request: Request) -> Response:
        """The newest roll-outs that the person may see, and which versions the deployments have."""
        person = self._doorkeeper.require(visit_of(request))
        found = await self._services.requests.list(Filter(intent=INTENT, limit=LISTED))
        rows = []
        for record in self._overview.visible(person, found.items):
            rollout = await self._rollouts.find(record.id)
            counts = await self._rollouts.counts(record.id) if rollout else {}
            rows.append({"record": record, "rollout": rollout, "bar": _whole(counts) if rollout else None})
        deployments = await self._services.deployments.all()
        components = sorted({d.component for d in deployments})
        skews = [skew_of(c, [d for d in deployments if d.component == c]) for c in components]
        return self._pages.answer(request, "rollouts.html", rows=rows, skews=skews)

    async def show_one(self, request: Request) -> Response:
        """One roll-out: a bar for each wave, what failed and why, what runs, and the brake."""
        return await self._page(request)

    async def show_progress(self, request: Request) -> Response:
        """The part of that page that changes; the last one ends the refreshing."""
        record, rollout, person = await self._found(request)
        headers = {"HX-Reswap": "outerHTML"} if record.is_final else {}
        values = await self._values(record, rollout, person)
        return self._pages.answer(request, "_rollout.html", headers=headers, problem="", **values)

    async def steer(self, request: Request) -> Response:
        """Use the brake, or let go of it, as the person signed in."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record, _, _ = await self._found(request)
        deed = form.get("deed", "")
        try:
            if deed == STOP:
                await self._stopping.stop(record.id, person, surface="console")
            elif deed in DEEDS:
                desk = rollout_desk(self._services.registry)
                await desk.steer(record.id, cast(Deed, deed), person, "console")
            else:
                raise Invalid("The form doesn't say what is to be done.", field="deed")
        except QuartermasterError as error:
            return await self._page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/rollouts/{record.id}", 303)

    async def _found(self, request: Request) -> tuple[RequestRecord, Rollout | None, Person]:
        person = self._doorkeeper.require(visit_of(request))
        record = await self._overview.find(person, request.path_params["id"])
        if record.intent != INTENT:
            raise NotFound(f"There is no roll-out {record.id}.")
        return record, await self._rollouts.find(record.id), person

    async def _page(self, request: Request, *, status: int = 200, problem: str = "") -> Response:
        record, rollout, person = await self._found(request)
        values = await self._values(record, rollout, person)
        return self._pages.answer(request, "rollout.html", status=status, problem=problem, **values)

    async def _values(self, record: RequestRecord, rollout: Rollout | None, person: Person) -> dict[str, Any]:
        counts: Mapping[int, Mapping[str, int]] = {}
        failed: Sequence[Target] = ()
        running: Sequence[Target] = ()
        if rollout is not None:
            counts = await self._rollouts.counts(record.id)
            failed = await self._rollouts.targets(record.id, states=("failed",), limit=NAMED)
            running = await self._rollouts.targets(record.id, states=ACTIVE, limit=NAMED)
        may_steer = self._services.policy.may(person, STEER, record.subject, channel="console").allowed
        offered = OFFERED.get(rollout.phase, ()) if rollout else ()
        is_shut = rollout is not None and rollout.is_shut
        offered = tuple(d for d in offered if d not in ("retry", "skip") or failed or is_shut)
        words = {**WORDS, **(SHUT if is_shut and not failed else {})}
        return {
            "record": record,
            "rollout": rollout,
            "phase": PHASES[rollout.phase] if rollout else ("Not begun", "neutral"),
            "bars": [bar_of(n, w, counts.get(n, {}), rollout) for n, w in enumerate(rollout.waves)] if rollout else [],
            "failed": failed,
            "failed_count": sum(wave.get("failed", 0) for wave in counts.values()),
            "running": running,
            "running_count": sum(wave.get(state, 0) for wave in counts.values() for state in ACTIVE),
            "offered": [(d, words[d]) for d in offered if (may_steer or d in FREE) and d != "back"],
            "may_go_back": may_steer and "back" in offered,
            "may_stop": rollout is not None and rollout.phase not in ("stopping", "done") and not record.is_final,
        }


def bar_of(number: int, wave: Mapping[str, Any], counts: Mapping[str, int], rollout: Rollout) -> Bar:
    """Return the bar of one wave; waves count from 1 for people."""
    is_current = number == rollout.wave and rollout.phase not in ("done", "stopping", "back")
    tenants = wave["tenants"]
    about = f"{tenants:,} tenant{'' if tenants == 1 else 's'}"
    return Bar(f"Wave {number + 1}: {wave['name']}", _parts(counts), _words(counts), is_current, about)


def _whole(counts: Mapping[int, Mapping[str, int]]) -> Bar:
    total: Counter[str] = Counter()
    for wave in counts.values():
        total.update(wave)
    return Bar("", _parts(total), _words(total))


def _parts(counts: Mapping[str, int]) -> tuple[tuple[str, float, float], ...]:
    size = sum(counts.values())
    parts, begin = [], 0.0
    for kind, states in (("good", GOOD), ("bad", ("failed",)), ("gone", GONE), ("active", ACTIVE)):
        width = 100 * sum(counts.get(state, 0) for state in states) / size if size else 0.0
        if width:
            parts.append((kind, round(begin, 2), round(width, 2)))
        begin += width
    return tuple(parts)


def _words(counts: Mapping[str, int]) -> str:
    said = [f"{counts.get('succeeded', 0):,} of {sum(counts.values()):,} done"]
    running = sum(counts.get(state, 0) for state in ACTIVE)
    said += [f"{running:,} running"] if running else []
    for state, words in (("failed", "failed"), ("back", "rolled back"), ("skipped", "skipped"), ("stopped", "stopped")):
        said += [f"{counts[state]:,} {words}"] if counts.get(state) else []
    return ", ".join(said)


@dataclass(frozen=True)
class Skew:
    """Which versions the deployments of a component have: a bar, newest first, and who is behind."""

    component: str
    bar: Bar
    versions: tuple[tuple[str, str, int], ...]
    """Shade, version and how many have it."""
    behind: tuple[str, ...]
    more: int


def skew_of(component: str, listed: Sequence[Deployment]) -> Skew:
    """Return how far the deployments of a component are apart; what was never rolled out from here is unknown."""
    found = Counter(d.version for d in listed)
    order = sorted(found, key=rank_of, reverse=True)
    parts, versions, begin = [], [], 0.0
    for number, version in enumerate(order):
        shade = f"shade{min(number, SHADES - 1)}" if version else "unknown"
        width = 100 * found[version] / len(listed)
        parts.append((shade, round(begin, 2), round(width, 2)))
        versions.append((shade, version or "unknown", found[version]))
        begin += width
    behind = [f"{d.key} ({d.version or 'unknown'})" for d in listed if d.version != order[0]] if order[0] else []
    words = ", ".join(f"{count:,} have {version}" for _, version, count in versions)
    return Skew(
        component, Bar(component, tuple(parts), words), tuple(versions), tuple(behind[:BEHIND]), len(behind[BEHIND:])
    )
