"""The page of REST keys: one's own are made here, shown once and revoked; operators revoke those of others too."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import clean_text
from bot.errors import QuartermasterError
from bot.keys import DAYS, LISTED, SCOPES
from bot.services import Services


class KeyPages:
    """The routes /keys…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._doorkeeper, self._pages = services, doorkeeper, pages

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/keys", self.show)
        router.add("POST", "/keys", self.make)
        router.add("POST", "/keys/{id}/revoke", self.revoke)

    async def show(self, request: Request) -> Response:
        """The person's keys, and a form for another."""
        return await self._page(request)

    async def make(self, request: Request) -> Response:
        """Make a key; this answer alone shows it."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        name, days = clean_text(form.get("name", "")), form.get("days", "")
        scopes = [scope for scope in SCOPES if f"scope-{scope}" in form]
        try:
            number = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0
            _, secret = await self._services.keys.make(person, name, scopes, number)
        except QuartermasterError as error:
            return await self._page(
                request, status=error.status, problem=error.sentence(), name=name, scopes=scopes, days=days
            )
        return await self._page(request, secret=secret)

    async def revoke(self, request: Request) -> Response:
        """Let a key open nothing any more."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        await read_form(request, visit.session)
        key, keys = request.path_params["id"], self._services.keys
        may_any = self._services.policy.may_revoke_keys(person).allowed
        await keys.revoke(person, key, is_own=not may_any)
        return RedirectResponse("/keys", 303)

    async def _page(
        self,
        request: Request,
        *,
        status: int = 200,
        problem: str = "",
        secret: str = "",
        name: str = "",
        scopes: list[str] | None = None,
        days: str = "90",
    ) -> Response:
        person = self._doorkeeper.require(visit_of(request))
        now = self._services.clock.wall()
        found = await self._services.keys.of_person(person)
        may_any, owner = self._services.policy.may_revoke_keys(person).allowed, request.query_params.get("person", "")
        others = await self._services.keys.of_others(person, owner[:254]) if may_any else []
        return self._pages.answer(
            request,
            "keys.html",
            status=status,
            problem=problem,
            secret=secret,
            name=name,
            chosen=["ask", "read"] if scopes is None else scopes,
            days=days,
            choices=DAYS,
            scopes=SCOPES,
            keys=[(key, key.is_live(now)) for key in found],
            may_any=may_any,
            owner=owner[:254],
            others=others,
            most=LISTED,
            base=self._services.settings.public_url.rstrip("/"),
        )
