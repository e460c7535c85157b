"""The pages of insights: the list with its filters, and one insight with its charts, timeline and advice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, Visit, visit_of
from adapters.console.watch_pages import LENGTHS, account_words, rooms_of, words_of
from bot.activity import Person, clean_text
from bot.causes import Trouble
from bot.charts.svg import data_url
from bot.errors import Invalid, Unavailable
from bot.insight_desk import Listed, Wanted, insight_desk
from bot.insights import Anomaly, Event, Insight
from bot.paging import Page
from bot.services import Services
from bot.watches import INSIGHTS
from bot.words import lasting

PAGE = 25
FILTERS = ("severity", "kind", "status", "account", "ou", "region", "stack", "service", "tag")
_SEVERITIES, _KINDS, _STATES = ("high", "medium", "low"), ("reactive", "proactive"), ("open", "closed")
_TONES = {"HIGH": "bad", "MEDIUM": "warning", "LOW": "neutral"}
_NONE = Listed(Page((), ""))


class InsightPages:
    """The routes /insights…; what they show is what the intent of insights reads for that person."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._doorkeeper, self._pages = services, doorkeeper, pages

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/insights", self.show_list)
        router.add("GET", "/insights/{place}", self.show_one)

    async def show_list(self, request: Request) -> Response:
        """Insights, gravest first, that match the filters; what could not be looked at is said above them."""
        person = self._doorkeeper.require(visit_of(request))
        query = {k: clean_text(v) for k, v in request.query_params.items() if v.strip()}
        kept = {k: v for k, v in query.items() if k in FILTERS}
        listed, status, problem = _NONE, 200, ""
        try:
            desk = insight_desk(self._services.registry)
            listed = await desk.list_insights(person, _wanted(kept), query.get("cursor", ""), PAGE)
        except Invalid as error:
            status, problem = 422, error.sentence()
        now = self._services.clock.now()
        return self._pages.answer(
            request,
            "insights.html",
            status=status,
            problem=problem,
            listed=listed,
            rows=[_row(insight, listed, now) for insight in listed.page.items],
            query={name: kept.get(name, "") for name in FILTERS},
            choices={"severity": _SEVERITIES, "kind": _KINDS, "status": _STATES},
            older="/insights?" + urlencode({**kept, "cursor": listed.page.next_cursor})
            if listed.page.next_cursor
            else "",
            newest="/insights?" + urlencode(kept) if query.get("cursor") else "",
            is_filtered=bool(kept),
        )

    async def show_one(self, request: Request) -> Response:
        """One insight: what it is, its metrics drawn, what was done around it, and what is advised."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        identifier, account, region = _named(request.path_params["place"])
        details = await insight_desk(self._services.registry).show_insight(person, identifier, account, region)
        now, insight = self._services.clock.now(), details.insight
        trouble = Trouble(insight.account, insight.region, insight.stacks, insight.start)
        return self._pages.answer(
            request,
            "insight.html",
            causes=await self._services.causes.of(trouble),
            insight=insight,
            details=details,
            account=await account_words(self._services, insight.account),
            tone="good" if not insight.is_open else _TONES[insight.severity],
            lasted=lasting(insight.lasted(now)),
            charts=[await self._chart(anomaly) for anomaly in details.anomalies if anomaly.can_be_drawn],
            timeline=_timeline(insight, details.events),
            lengths=LENGTHS,
            rooms=await self._rooms(visit, person),
        )

    async def _rooms(self, visit: Visit, person: Person) -> list[tuple[str, str]]:
        """Return where the person may mute it, as (room, words)."""
        active = await self._services.watches.active(INSIGHTS)
        return [(room.id, words_of(room, visit)) for room in rooms_of(visit, person, active)]

    async def _chart(self, anomaly: Anomaly) -> dict[str, str]:
        title = f"{anomaly.metric} of {anomaly.resource}"
        try:
            return {"title": title, "url": data_url(await self._services.charts.draw(anomaly, "svg"))}
        except Unavailable as error:
            return {"title": f"{title}: {error.detail}", "url": ""}


def place_of(insight: Insight) -> str:
    """Return the last part of an insight's address; `_named` reads it back."""
    return f"{insight.id}_{insight.account}_{insight.region}"


def _named(place: str) -> tuple[str, str, str]:
    identifier, _, rest = place.partition("_")
    account, _, region = rest.partition("_")
    is_whole = len(account) == 12 and account.isdigit() and region
    return (identifier, account, region) if is_whole else (place, "", "")


def _wanted(query: Mapping[str, str]) -> Wanted:
    def several(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in query.get(name, "").split(",") if part.strip())

    return Wanted(
        account=several("account"),
        unit=several("ou"),
        region=several("region"),
        severity=several("severity"),
        stack=query.get("stack", ""),
        service=query.get("service", ""),
        tag=query.get("tag", ""),
        kind=query.get("kind", ""),
        state=query.get("status", ""),
    )


def _row(insight: Insight, listed: Listed, now: Any) -> dict[str, Any]:
    words = "open for" if insight.is_open else "closed after"
    return {
        "insight": insight,
        "url": f"/insights/{place_of(insight)}",
        "account": listed.accounts.get(insight.account, ""),
        "ou": listed.units.get(insight.unit, ""),
        "severity": Markup('<span class="state {}">{}</span>').format(
            _TONES[insight.severity] if insight.is_open else "good", insight.severity.capitalize()
        ),
        "state": f"{words} {lasting(insight.lasted(now))}",
    }


def _timeline(insight: Insight, events: tuple[Event, ...]) -> list[dict[str, Any]]:
    """Return what happened, oldest first; the deployment that came just before is marked."""
    before = [event for event in events if event.is_deployment and event.at <= insight.start]
    last = max(before, key=lambda event: event.at, default=None)
    entries = [
        {
            "at": event.at,
            "what": event.name,
            "where": ", ".join((event.source, *event.resources)),
            "note": f"Deployment, {lasting(insight.start - event.at)} before it" if event is last else "",
            "mark": "deployment" if event.is_deployment else "event",
            "kind": event.kind.replace("_", " ").casefold(),
        }
        for event in events
    ]
    ends = [(insight.start, "The insight opens")]
    if insight.end is not None:
        ends.append((insight.end, "The insight closes"))
    entries += [{"at": at, "what": what, "where": "", "note": "", "mark": "insight", "kind": ""} for at, what in ends]
    return sorted(entries, key=lambda entry: entry["at"])
