"""The page of experiments: what runs now, with its stop button, and what ran lately, for everybody who may see them."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from adapters.console.overview import Overview
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.requests import Filter, RequestRecord
from bot.services import Services
from bot.stopping import UNDER_WAY, stoppable

PAGE = 25
INTENT = "StartExperiment"
_BEFORE = ("awaiting_approval", "approved", "queued")


class ExperimentPages:
    """The route /experiments. One experiment has the page of its request: plan, picture, progress, report."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the route."""
        router.add("GET", "/experiments", self.show)

    async def show(self, request: Request) -> Response:
        """All that run or wait, then what has ended, newest first; what a person may not see is left out."""
        person = self._doorkeeper.require(visit_of(request))
        cursor = request.query_params.get("cursor", "")[:200]
        listing, current = self._services.requests, list[RequestRecord]()
        if not cursor:
            open_ones = await listing.list(Filter(intent=INTENT, state=(*UNDER_WAY, *_BEFORE), limit=100))
            current = list(self._overview.visible(person, open_ones.items))
        page = await listing.list(Filter(intent=INTENT, cursor=cursor, limit=PAGE))
        ended = [r for r in self._overview.visible(person, page.items) if r.is_final]
        current.sort(key=lambda record: (record.state not in UNDER_WAY, record.created_at))
        return self._pages.answer(
            request,
            "experiments.html",
            current=[(r, r.state in UNDER_WAY and stoppable(self._services, r) is not None) for r in current],
            ended=ended,
            older="/experiments?" + urlencode({"cursor": page.next_cursor}) if page.next_cursor else "",
            is_first=not cursor,
        )
