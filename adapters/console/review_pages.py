"""The page of what went on without its approvers: somebody else looks at it and says what they make of it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person
from bot.approvals.glass import Review
from bot.approvals.office import is_same_person
from bot.errors import NotFound, QuartermasterError
from bot.requests import RequestRecord
from bot.services import Services


@dataclass(frozen=True)
class Shown:
    """One review that is open, as one person sees it."""

    review: Review
    record: RequestRecord
    may_review: bool


class ReviewPages:
    """The routes /reviews…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._doorkeeper, self._pages = services, doorkeeper, pages

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/reviews", self.show)
        router.add("POST", "/reviews/{id}", self.review)

    async def show(self, request: Request) -> Response:
        """What nobody has looked at yet, as far as the person may see it."""
        return await self._page(request)

    async def review(self, request: Request) -> Response:
        """Record what somebody makes of it."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        verdict, about = form.get("verdict", "").strip(), request.path_params["id"]
        try:
            await self._services.approvals.glass.review(about, person, verdict, surface="console")
        except NotFound:
            raise
        except QuartermasterError as error:
            return await self._page(request, status=error.status, problem=error.sentence(), verdict={about: verdict})
        return RedirectResponse("/reviews", 303)

    async def _page(
        self, request: Request, *, status: int = 200, problem: str = "", verdict: dict[str, str] | None = None
    ) -> Response:
        person = self._doorkeeper.require(visit_of(request))
        rows = await self._rows(person)
        return self._pages.answer(
            request, "reviews.html", status=status, problem=problem, rows=rows, verdict=verdict or {}
        )

    async def _rows(self, person: Person) -> list[Shown]:
        policy, rows = self._services.policy, []
        for review in await self._services.approvals.glass.open_reviews():
            record = await self._services.requests.find(review.request)
            if policy.may_see(person, record.subject).allowed:
                may = policy.may_review(person, record.subject).allowed and not is_same_person(review.by, person.email)
                rows.append(Shown(review, record, may))
        return rows
