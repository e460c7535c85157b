"""The page of one request: plan, card, timeline, and all that can be done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form
from adapters.console.freshness import Freshness
from adapters.console.overview import Overview
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, Visit, visit_of
from bot.activity import Person, clean_text
from bot.card import Card, Link
from bot.charts.blast import alt_of, draw_svg
from bot.charts.svg import data_url
from bot.errors import Invalid, QuartermasterError
from bot.reporting import export_report, run_reports
from bot.request_card import card_of, story_of
from bot.requests import RequestRecord
from bot.services import Services
from bot.stopping import UNDER_WAY, Stopping, stoppable
from bot.workflow.mending import RETRY, Mending

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
        router.add("GET", "/requests/{id}", self.show_one)
        router.add("GET", "/requests/{id}/progress", self.show_progress)
        router.add("GET", "/requests/{id}/report", self.download_report)
        router.add("POST", "/requests/{id}/decide", self.decide)
        router.add("POST", "/requests/{id}/cancel", self.cancel)
        router.add("POST", "/requests/{id}/stop", self.stop)
        router.add("POST", "/requests/{id}/retry", self.retry)
        router.add("POST", "/requests/{id}/done", self.record_done)

    async def show_one(self, request: Request) -> Response:
        """One request: plan, approvals, steps, timeline, outcome."""
        return await self._request_page(request)

    async def show_progress(self, request: Request) -> Response:
        """The part of that page that changes, for refreshing; a final one ends the refreshing."""
        person = self._doorkeeper.require(visit_of(request))
        record = await self._overview.find(person, request.path_params["id"])
        headers = {"HX-Reswap": "outerHTML"} if record.is_final else {}
        values = await self._values(record, visit_of(request), person)
        return self._pages.answer(request, "_progress.html", headers=headers, reason="", **values)

    async def download_report(self, request: Request) -> Response:
        """What a request did, as a page to be kept."""
        person = self._doorkeeper.require(visit_of(request))
        record = await self._overview.find(person, request.path_params["id"])
        exported = await export_report(self._services.registry, record)
        headers = {"content-disposition": f'attachment; filename="{exported.name}.html"', "cache-control": "no-store"}
        return Response(exported.page, media_type="text/html; charset=utf-8", headers=headers)

    async def decide(self, request: Request) -> Response:
        """Approve or reject as the person signed in."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._overview.find(person, request.path_params["id"])
        version, reason = form.get("version", ""), form.get("reason", "").strip()
        try:
            if not (version.isascii() and version.isdigit() and len(version) < 10):
                raise Invalid("The form doesn't say which plan is decided.", field="version")
            if len(reason) > MAX_REASON:
                raise Invalid(f"Please keep the reason below {MAX_REASON:,} characters.", field="reason")
            await self._services.approvals.decide_as(
                record.id,
                int(version),
                person,
                form.get("decision", ""),
                reason,
                surface="console",
                session=visit.session.token,
            )
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence(), reason=reason)
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def cancel(self, request: Request) -> Response:
        """Withdraw a request."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        record = await self._overview.find(person, request.path_params["id"])
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
        await self._overview.find(person, request.path_params["id"])
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
        record = await self._overview.find(person, request.path_params["id"])
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
        record = await self._overview.find(person, request.path_params["id"])
        try:
            await self._mending.record_done(record.id, form.get("step", ""), form.get("reason", ""), person)
        except QuartermasterError as error:
            return await self._request_page(request, status=error.status, problem=error.sentence())
        return RedirectResponse(f"/requests/{record.id}", 303)

    async def _request_page(
        self, request: Request, *, status: int = 200, problem: str = "", reason: str = ""
    ) -> Response:
        person = self._doorkeeper.require(visit_of(request))
        record = await self._overview.find(person, request.path_params["id"])
        values = await self._values(record, visit_of(request), person)
        return self._pages.answer(request, "request.html", status=status, problem=problem, reason=reason, **values)

    async def _values(self, record: RequestRecord, visit: Visit, person: Person) -> dict[str, Any]:
        requests, policy = self._services.requests, self._services.policy
        may_override = policy.may_override(person, record.subject).allowed
        view = await requests.view(record, whole=may_override)
        outcome: Mapping[str, Any] = record.outcome or {}
        stops = stoppable(self._services, record) if record.state in UNDER_WAY else None
        reports = run_reports(self._services.registry, record)
        may_mend = record.state == "failed" and bool(record.notes.get(RETRY)) and may_override
        may_decide = record.state == "awaiting_approval" and await self._services.approvals.may_decide(record, person)
        return {
            "record": record,
            "figure": (data_url(draw_svg(record.plan.figure)), alt_of(record.plan.figure))
            if record.plan.figure
            else None,
            "card": await self._card_seen(record),
            "approvals": view["approvals"],
            "steps": view["steps"],
            "was_approved": any(a["decision"] == "approve" for a in view["approvals"]),
            "timeline": await requests.timeline(record, whole=may_override),
            "yields": [(_label(k), v) for k, v in outcome.items() if k not in ALREADY_SHOWN and _is_plain(v)],
            "may_decide": may_decide,
            "to_sign_in": await self._to_sign_in(record, visit, person) if may_decide else "",
            "needs": self._services.approvals.requirement_of(record).words if may_decide else "",
            "may_break_glass": record.state == "awaiting_approval"
            and policy.may_break_glass(person, record.subject, channel="console").allowed,
            "may_cancel": record.state in ("awaiting_approval", "approved", "queued")
            and policy.may_cancel(person, record.subject).allowed,
            "stop_word": stops.stop_word if stops else "",
            "has_report": reports is not None and reports.has_report(record),
            "may_retry": may_mend,
            "to_record": await self._mending.steps_to_record(record) if may_mend else (),
            "pause": None if record.is_final else await self._services.holding.paused(),
        }

    async def _card_seen(self, record: RequestRecord) -> Card:
        """Return the card as those who decide see it, without its buttons."""
        story = await story_of(self._services, record)
        card = card_of(self._services, record, story, channel="console", audience="approver")
        return replace(card, buttons=(), items=tuple(i for i in card.items if not isinstance(i, Link)), request="")

    async def _to_sign_in(self, record: RequestRecord, visit: Visit, person: Person) -> str:
        """Return where to sign in anew before deciding; empty when that is not asked for, or done."""
        approvals = self._services.approvals
        requirement = approvals.requirement_of(record)
        if not requirement.sign_in:
            return ""
        within = timedelta(minutes=requirement.sign_in)
        if await approvals.sign_ins.find(person, visit.session.token, within=within, acr=requirement.acr):
            return ""
        acr = (requirement.acr,) if requirement.acr else ()
        return Freshness(within, acr).path(f"/requests/{record.id}")


def _label(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + re.sub(r"\b(id|url)\b", lambda m: m[0].upper(), words[1:])


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
