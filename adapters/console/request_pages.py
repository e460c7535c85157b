"""The pages of requests: the list, one request with its timeline, and the two decisions on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.overview import Overview
from adapters.console.pages import STATE_WORDS, Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person, clean_text
from bot.errors import Invalid, NotFound, QuartermasterError
from bot.paging import Page
from bot.requests import STATES, Filter, RequestRecord
from bot.services import Services
from bot.stopping import UNDER_WAY, Stopping, stoppable
from bot.workflow.mending import RETRY, Mending

PAGE = 25
VIEWS = {"mine": "Mine", "waiting": "Waiting for me", "all": "Everybody's"}
MAX_REASON = 1000

ALREADY_SHOWN = frozenset({"text", "next"})
"""What the outcome's own sentences take from it; everything else it yields is listed."""


class RequestPages:
    """The routes /requests…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, overview: Overview) -> None:
        self._services, self._doorkeeper, self._pages, self._overview = services, doorkeeper, pages, overview
        self._mending = Mending(services)
        self._stopping = Stopping(services)

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/requests", self.show_list)
        router.add("GET", "/requests/{id}", self.show_one)
        router.add("GET", "/requests/{id}/progress", self.show_progress)
        router.add("POST", "/requests/{id}/decide", self.decide)
        router.add("POST", "/requests/{id}/cancel", self.cancel)
        router.add("POST", "/requests/{id}/stop", self.stop)
        router.add("POST", "/requests/{id}/retry", self.retry)
        router.add("POST", "/requests/{id}/done", self.record_done)

    async def show_list(self, request: Request) -> Response:
        """Requests, newest first, that match the filters and that the person may see."""
        person = self._doorkeeper.require(visit_of(request))
        query = {k: clean_text(v) for k, v in request.query_params.items()}
        if wanted := query.get("id", ""):
            try:
                return RedirectResponse(f"/requests/{(await self._find(person, wanted)).id}", 303)
            except NotFound as error:
                return await self._list_page(request, person, query, status=404, problem=error.sentence())
        return await self._list_page(request, person, query)

    async def show_one(self, request: Request) -> Response:
        """One request: plan, approvals, steps, timeline, outcome."""
        return await self._request_page(request)

    async def show_progress(self, request: Request) -> Response:
        """The part of that page that changes, for refreshing; a final one ends the refreshing."""
        person = self._doorkeeper.require(visit_of(request))
        record = await self._find(person, request.path_params["id"])
        headers = {"HX-Reswap": "outerHTML"} if record.is_final else {}
        values = await self._values(record, person)
        return self._pages.answer(request, "_progress.html", headers=headers, reason="", **values)

    async def decide(self, request: Request) -> Response:
        """Approve or reject as the person signed in."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._find(person, request.path_params["id"])
        version, reason = form.get("version", ""), form.get("reason", "").strip()
        try:
            if not (version.isascii() and version.isdigit() and len(version) < 10):
                raise Invalid("The form doesn't say which plan is decided.", field="version")
            if len(reason) > MAX_REASON:
                raise Invalid(f"Please keep the reason below {MAX_REASON:,} characters.", field="reason")
            await self._services.approvals.decide_as(
                record.id, int(version), person, form.get("decision", ""), reason, surface="console"
            )
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence(), reason=reason)
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def cancel(self, request: Request) -> Response:
        """Withdraw a request."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._find(person, request.path_params["id"])
        reason = clean_text(form.get("reason", ""))[:MAX_REASON]
        try:
            await self._services.requests.cancel(record.id, person, surface="console", reason=reason)
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def stop(self, request: Request) -> Response:
        """Stop what a request under way does."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        await read_form(request, visit.session)
        try:
            record, _ = await self._stopping.stop(request.path_params["id"], person, surface="console")
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def retry(self, request: Request) -> Response:
        """Try a failed request again from where it failed."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        await read_form(request, visit.session)
        record = await self._find(person, request.path_params["id"])
        try:
            await self._mending.retry(record.id, person)
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def record_done(self, request: Request) -> Response:
        """Record a failed step as done by hand."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._find(person, request.path_params["id"])
        try:
            await self._mending.record_done(record.id, form.get("step", ""), form.get("reason", ""), person)
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def _find(self, person: Person, request_id: str) -> RequestRecord:
        """Return a request that the person may see; for others it does not exist."""
        record = await self._services.requests.find(request_id)
        if not self._services.policy.may_see(person, record.subject).allowed:
            raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
        return record

    async def _request_page(
        self, request: Request, *, status: int = 200, problem: str = "", reason: str = ""
    ) -> Response:
        person = self._doorkeeper.require(visit_of(request))
        record = await self._find(person, request.path_params["id"])
        values = await self._values(record, person)
        return self._pages.answer(request, "request.html", status=status, problem=problem, reason=reason, **values)

    async def _values(self, record: RequestRecord, person: Person) -> dict[str, Any]:
        requests, policy = self._services.requests, self._services.policy
        may_override = policy.may_override(person, record.subject).allowed
        view = await requests.view(record, whole=may_override)
        outcome: Mapping[str, Any] = record.outcome or {}
        stops = stoppable(self._services, record) if record.state in UNDER_WAY else None
        may_mend = record.state == "failed" and bool(record.notes.get(RETRY)) and may_override
        return {
            "record": record,
            "approvals": view["approvals"],
            "steps": view["steps"],
            "was_approved": any(a["decision"] == "approve" for a in view["approvals"]),
            "timeline": await requests.timeline(record, whole=may_override),
            "yields": [(_label(k), v) for k, v in outcome.items() if k not in ALREADY_SHOWN and _is_plain(v)],
            "may_decide": record.state == "awaiting_approval"
            and await self._services.approvals.may_decide(record, person),
            "may_cancel": record.state in ("awaiting_approval", "approved", "queued")
            and policy.may_cancel(person, record.subject).allowed,
            "stop_word": stops.stop_word if stops else "",
            "may_retry": may_mend,
            "to_record": await self._mending.steps_to_record(record) if may_mend else (),
            "pause": None if record.is_final else await self._services.holding.paused(),
        }

    async def _list_page(
        self,
        request: Request,
        person: Person,
        query: Mapping[str, str],
        *,
        status: int = 200,
        problem: str = "",
    ) -> Response:
        sees_all = self._overview.sees_all(person)
        views = {k: v for k, v in VIEWS.items() if k != "all" or sees_all}
        view = query.get("view", "") if query.get("view", "") in views else "mine"
        state = query.get("state", "") if query.get("state", "") in STATES else ""
        wanted = Filter(
            state=(state,) if state else (),
            intent=query.get("intent", ""),
            requester=query.get("requester", "") if view != "mine" else "",
            person_id=person.id if view == "mine" else "",
            cursor=query.get("cursor", ""),
            limit=PAGE,
        )
        try:
            page = await self._found(person, view, wanted)
        except Invalid as error:
            problem, status = error.sentence(), 422
            page = await self._found(person, view, replace(wanted, cursor=""))
        kept = {k: v for k, v in query.items() if k in {"view", "state", "intent", "requester"} and v}
        return self._pages.answer(
            request,
            "requests.html",
            status=status,
            records=self._overview.visible(person, page.items),
            older="/requests?" + urlencode({**kept, "cursor": page.next_cursor}) if page.next_cursor else "",
            newest="/requests?" + urlencode(kept) if wanted.cursor else "",
            refresh="/requests?" + urlencode({k: v for k, v in query.items() if k in {*kept, "cursor"}}),
            views=[(k, v, "/requests?" + urlencode({**kept, "view": k})) for k, v in views.items()],
            view=view,
            state=state,
            states=[(s, STATE_WORDS.get(s, s)) for s in STATES],
            intent=wanted.intent,
            intents=[
                (n, self._pages.title_of(n)) for n, i in self._services.registry.intents.items() if i.shape == "change"
            ],
            requester=wanted.requester,
            asked_id=query.get("id", ""),
            is_filtered=bool(state or wanted.intent or wanted.requester),
            problem=problem,
        )

    async def _found(self, person: Person, view: str, wanted: Filter) -> Page[RequestRecord]:
        if view == "waiting":
            return await self._overview.waiting.page(person, wanted)
        return await self._services.requests.list(wanted)


def _label(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + re.sub(r"\b(id|url)\b", lambda m: m[0].upper(), words[1:])


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
