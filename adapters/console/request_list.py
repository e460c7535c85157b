"""The list of requests: one's own, those that wait for one, and, for those who may, everybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.days import begin_of, end_of
from adapters.console.overview import Overview
from adapters.console.pages import STATE_WORDS, Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person, clean_text
from bot.errors import Invalid, NotFound
from bot.paging import Page
from bot.requests import STATES, Filter, RequestRecord
from bot.services import Services

PAGE = 25
VIEWS = {"waiting": "Waiting for me", "mine": "Mine", "all": "Everybody’s"}
FILTERS = ("view", "state", "intent", "requester", "account", "since", "until")


class RequestList:
    """The route /requests."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the route."""
        router.add("GET", "/requests", self.show)

    async def show(self, request: Request) -> Response:
        """Requests, newest first, that match the filters and that the person may see."""
        person = self._doorkeeper.require(visit_of(request))
        query = {k: clean_text(v)[:400] for k, v in request.query_params.items()}
        if wanted := query.get("id", ""):
            try:
                return RedirectResponse(f"/requests/{(await self._overview.find(person, wanted)).id}", 303)
            except NotFound as error:
                return await self._page(request, person, query, status=404, problem=error.sentence())
        return await self._page(request, person, query)

    async def _page(
        self, request: Request, person: Person, query: Mapping[str, str], *, status: int = 200, problem: str = ""
    ) -> Response:
        sees_all = self._overview.sees_all(person)
        views = {k: v for k, v in VIEWS.items() if k != "all" or sees_all}
        view = query.get("view", "") if query.get("view", "") in views else "mine"
        kept = {k: query[k] for k in FILTERS if query.get(k)}
        wanted = Filter(person_id=person.id if view == "mine" else "", limit=PAGE)
        try:
            wanted = _filter(query, wanted, view)
            page = await self._found(person, view, wanted)
        except Invalid as error:
            problem, status = error.sentence(), 422
            page = await self._found(person, view, replace(wanted, cursor=""))
        return self._pages.answer(
            request,
            "requests.html",
            status=status,
            records=self._overview.visible(person, page.items),
            older="/requests?" + urlencode({**kept, "cursor": page.next_cursor}) if page.next_cursor else "",
            newest="/requests?" + urlencode(kept) if query.get("cursor") else "",
            refresh="/requests?" + urlencode({k: v for k, v in query.items() if k in {*kept, "cursor"}}),
            views=[(k, v, "/requests?" + urlencode({**kept, "view": k})) for k, v in views.items()],
            view=view,
            given={name: query.get(name, "") for name in FILTERS},
            state=wanted.state[0] if wanted.state else "",
            states=[(s, STATE_WORDS.get(s, s)) for s in STATES],
            intents=[
                (n, self._pages.title_of(n)) for n, i in self._services.registry.intents.items() if i.shape == "change"
            ],
            asked_id=query.get("id", ""),
            is_filtered=any(query.get(name) for name in FILTERS[1:]),
            problem=problem,
        )

    async def _found(self, person: Person, view: str, wanted: Filter) -> Page[RequestRecord]:
        if view == "waiting":
            return await self._overview.waiting.page(person, wanted)
        return await self._services.requests.list(wanted)


def _filter(query: Mapping[str, str], wanted: Filter, view: str) -> Filter:
    """Return the filter that the address asks for; raises Invalid for a day that is none."""
    state = query.get("state", "")
    return replace(
        wanted,
        state=(state,) if state in STATES else (),
        intent=query.get("intent", ""),
        requester=query.get("requester", "") if view != "mine" else "",
        account=query.get("account", ""),
        since=begin_of(query.get("since", ""), "since"),
        until=end_of(query.get("until", ""), "until"),
        cursor=query.get("cursor", ""),
    )
