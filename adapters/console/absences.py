"""The page on which approvers say when they are away, and who stands in; operators say it for others."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.days import begin_of, end_of
from adapters.console.forms import read_form
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import clean_text
from bot.errors import Invalid, QuartermasterError
from bot.services import Services


class Absences:
    """The routes /away…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._doorkeeper, self._pages = services, doorkeeper, pages

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/away", self.show)
        router.add("POST", "/away", self.name)
        router.add("POST", "/away/{id}/end", self.end)

    async def show(self, request: Request) -> Response:
        """Who stands in for the person, and for whom the person stands in."""
        return await self._page(request)

    async def name(self, request: Request) -> Response:
        """Say from when to when the person is away, and who stands in."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        given = {name: clean_text(form.get(name, ""))[:400] for name in ("absent", "delegate", "since", "until")}
        try:
            since, until = begin_of(given["since"], "since"), end_of(given["until"], "until")
            if until is None:
                raise Invalid("Say until when you are away.", field="until")
            await self._services.approvals.stand_in(
                person, given["delegate"], until, since=since, channel="console", absent=given["absent"]
            )
        except QuartermasterError as error:
            return await self._page(request, status=error.status, problem=error.sentence(), given=given)
        return RedirectResponse("/away", 303)

    async def end(self, request: Request) -> Response:
        """Be back before the time."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        await read_form(request, visit.session)
        await self._services.approvals.delegations.end(person, request.path_params["id"], channel="console")
        return RedirectResponse("/away", 303)

    async def _page(
        self, request: Request, *, status: int = 200, problem: str = "", given: dict[str, str] | None = None
    ) -> Response:
        person = self._doorkeeper.require(visit_of(request))
        absences = self._services.approvals.delegations
        found, others = await absences.concerning(person), await absences.of_others(person)
        colleague = f"somebody-else@{person.email.rpartition('@')[2]}"
        return self._pages.answer(
            request,
            "away.html",
            status=status,
            problem=problem,
            given=given or {"absent": "", "delegate": "", "since": "", "until": ""},
            mine=[d for d in found if d.approver == person.email],
            theirs=[d for d in found if d.approver != person.email],
            others=others,
            may_name=self._services.policy.may_delegate_for(person, colleague, channel="console").allowed,
            now=self._services.clock.now(),
        )
