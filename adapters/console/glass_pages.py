"""The page on which named people let a request go on without its approvers, in an emergency."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.freshness import Freshness
from adapters.console.overview import Overview
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.approvals.glass import FRESH
from bot.errors import Invalid, QuartermasterError
from bot.services import Services


class GlassPages:
    """The routes /requests/{id}/break-glass."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/requests/{id}/break-glass", self.show)
        router.add("POST", "/requests/{id}/break-glass", self.break_glass)

    async def show(self, request: Request) -> Response:
        """What it means, and the form; who has not just signed in does that first."""
        return await self._page(request)

    async def break_glass(self, request: Request) -> Response:
        """Break it."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._overview.find(person, request.path_params["id"])
        version, reason = form.get("version", ""), form.get("reason", "").strip()
        try:
            if not (version.isascii() and version.isdigit() and len(version) < 10):
                raise Invalid("The form doesn't say which plan it is about.", field="version")
            await self._services.approvals.glass.break_glass(
                record.id, int(version), person, reason, surface="console", session=visit.session.token
            )
        except QuartermasterError as error:
            return await self._page(request, status=error.status, problem=error.sentence(), reason=reason)
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def _page(self, request: Request, *, status: int = 200, problem: str = "", reason: str = "") -> Response:
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        record = await self._overview.find(person, request.path_params["id"])
        decision = self._services.policy.may_break_glass(person, record.subject, channel="console")
        token, acr = visit.session.token, decision.acr
        is_fresh = await self._services.sign_ins.find(person, token, within=FRESH, acr=acr) is not None
        here = f"/requests/{record.id}/break-glass"
        return self._pages.answer(
            request,
            "glass.html",
            status=status if decision.allowed else 403,
            problem=problem or ("" if decision.allowed else f"{decision.reason} {decision.help}".strip()),
            reason=reason,
            record=record,
            may_break=decision.allowed and record.state == "awaiting_approval",
            sign_in="" if is_fresh else Freshness(FRESH, (acr,) if acr else ()).path(here),
        )
