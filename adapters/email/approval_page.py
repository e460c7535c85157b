"""The page behind an approval link: GET shows, only POST decides.

Mail scanners open every link and sometimes send HEAD, repeat and prefetch: none of that changes anything.
The answer is a page, or JSON (RFC 9457 problem details for errors) where the client prefers that.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from adapters.email.approval_contract import BODY, DECIDES, LOOKS
from adapters.email.decision_form import DecisionForm, parse_form, read_body
from adapters.email.negotiation import preferred
from adapters.email.picture import picture_approval, say_moment
from adapters.email.rendering import PAGE_STYLE_HASH, render
from bot.approvals import ApprovalView
from bot.clock import iso
from bot.errors import Conflict, Gone, Invalid, NotFound, QuartermasterError, Refused
from bot.requests.record import STATE_WORDS
from bot.services import Services

PATH = "/account/confirm/{token}"
SURFACE = "email"

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Vary": "Accept",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src '{PAGE_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
}

_GONE = {
    "expired": "This approval has expired",
    "superseded": "The plan has changed",
    "withdrawn": "The request was withdrawn",
}


def approval_router(services: Services) -> APIRouter:
    """Return the routes of the approval page."""
    page = ApprovalPage(services)
    router = APIRouter(tags=["approval"])

    @router.get(PATH, response_class=HTMLResponse, responses=LOOKS, summary="Show what waits for a decision")
    async def show_approval(token: str, request: Request, decision: str | None = None) -> Response:
        """Show the plan and a form. Changes nothing; `decision` only says which button is offered first."""
        return await page.show(token, request, decision)

    @router.head(PATH, response_class=HTMLResponse, responses=LOOKS, summary="Like GET, without the page")
    async def peek_at_approval(token: str, request: Request, decision: str | None = None) -> Response:
        """Answer with the headers of GET. Changes nothing."""
        shown = await page.show(token, request, decision)
        return Response(status_code=shown.status_code, headers=dict(shown.headers))

    @router.post(
        PATH,
        response_class=HTMLResponse,
        responses=DECIDES,
        openapi_extra=BODY,
        summary="Approve or reject",
    )
    async def decide_approval(token: str, request: Request) -> Response:
        """Decide, once: form or JSON with `decision` and `reason`. Never for calls from other sites."""
        return await page.decide(token, request)

    @router.api_route(PATH, methods=["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"], include_in_schema=False)
    async def refuse_method(token: str) -> Response:
        """Name all methods that there are; left alone, the first route would name its own only."""
        raise HTTPException(405, headers={"Allow": "GET, HEAD, POST"})

    return router


class ApprovalPage:
    """Shows one approval and takes its decision."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def show(self, token: str, request: Request, chosen: str | None) -> Response:
        """Answer GET and HEAD."""
        try:
            view = await self._services.approvals.look(token)
        except QuartermasterError as error:
            return self._fail(request, error)
        if view.status == "open":
            return self._offer(request, view, chosen=chosen or "")
        if view.status == "decided":
            return self._tell(request, view)
        return self._fail(request, Gone(_why_gone(view)), view)

    async def decide(self, token: str, request: Request) -> Response:
        """Answer POST. Where the call comes from is checked before anything is read or looked up."""
        if any(site != "same-origin" for site in request.headers.getlist("sec-fetch-site")):
            refusal = "Decisions are taken from this page only, not from another site."
            return self._fail(request, Refused(refusal, next_step="Open the link from the mail again."))
        view: ApprovalView | None = None
        form = DecisionForm()
        try:
            body = await read_body(request)
            view = await self._services.approvals.look(token)
            _require_open(view)
            form = await parse_form(request.headers, body)
            form.check()
            view = await self._services.approvals.decide(token, form.decision, form.reason, surface=SURFACE)
        except Invalid as error:
            return self._offer_again(request, view, form, error)
        except (Conflict, Gone) as error:
            return await self._too_late(request, token, error)
        except QuartermasterError as error:
            return self._fail(request, error, view)
        return self._tell(request, view, is_fresh=True)

    async def _too_late(self, request: Request, token: str, error: QuartermasterError) -> Response:
        """Say what happened instead; what stands now is read again, since it moved under our hands."""
        try:
            view = await self._services.approvals.look(token)
        except QuartermasterError as vanished:
            return self._fail(request, vanished)
        if isinstance(error, Conflict) and view.status != "open" and not _prefers_json(request):
            return self._tell(request, view, status=error.status)
        return self._fail(request, error, view)

    def _offer(
        self,
        request: Request,
        view: ApprovalView,
        *,
        chosen: str = "",
        reason: str = "",
        error: Invalid | None = None,
    ) -> Response:
        """Show the plan and the form."""
        if _prefers_json(request) and error is None:
            return JSONResponse(_as_json(view), headers=HEADERS)
        content = render(
            "decide.html",
            signs_in_at=view.page,
            in_place_of=view.in_place_of,
            picture=picture_approval(self._services, view),
            approver=view.approver,
            chosen=chosen,
            reason=reason,
            problem=error.sentence() if error else "",
            faulty=error.field if error else "",
        )
        return HTMLResponse(content, status_code=error.status if error else 200, headers=HEADERS)

    def _offer_again(self, request: Request, view: ApprovalView | None, form: DecisionForm, error: Invalid) -> Response:
        """Show the form as it was filled in, with what is wrong."""
        if view is None or _prefers_json(request):
            return self._fail(request, error, view)
        return self._offer(request, view, chosen=form.decision, reason=form.reason, error=error)

    def _tell(self, request: Request, view: ApprovalView, *, is_fresh: bool = False, status: int = 200) -> Response:
        """Show the outcome."""
        if _prefers_json(request):
            return JSONResponse(_as_json(view), status_code=status, headers=HEADERS)
        heading, sentence = _outcome(view, is_fresh=is_fresh)
        content = render(
            "decided.html",
            picture=picture_approval(self._services, view),
            decision=view.decision,
            decided_by=view.decided_by,
            decided_on=say_moment(view.decided_at) if view.decided_at else "",
            reason=view.reason,
            heading=heading,
            sentence=sentence,
        )
        return HTMLResponse(content, status_code=status, headers=HEADERS)

    def _fail(self, request: Request, error: QuartermasterError, view: ApprovalView | None = None) -> Response:
        """Say why not, on a page or as problem details."""
        if _prefers_json(request):
            problem = {
                "type": "about:blank",
                "title": error.title,
                "status": error.status,
                "detail": error.sentence(),
            }
            if isinstance(error, Invalid) and error.field:
                problem["field"] = error.field
            return JSONResponse(
                problem, status_code=error.status, headers=HEADERS, media_type="application/problem+json"
            )
        content = render(
            "message.html",
            label=error.title,
            heading=_heading(error, view),
            sentence=error.detail,
            next_step=error.next_step,
            console_url=picture_approval(self._services, view).console_url if view else "",
        )
        return HTMLResponse(content, status_code=error.status, headers=HEADERS)


def _require_open(view: ApprovalView) -> None:
    if view.status == "decided":
        raise Conflict(f"{_outcome(view, is_fresh=False)[0]}. A decision is taken once.")
    if view.status != "open":
        raise Gone(_why_gone(view))


def _why_gone(view: ApprovalView) -> str:
    match view.status:
        case "superseded":
            return (
                "The plan has changed since it was approved; a newer mail asks about the new plan. "
                "This link decides nothing any more."
            )
        case "withdrawn":
            return "The requester cancelled this request. There is nothing left to decide."
        case _:
            return "The time to decide is over, and nothing was done. The requester can ask again."


def _outcome(view: ApprovalView, *, is_fresh: bool) -> tuple[str, str]:
    """Return (heading, sentence) for a decided approval."""
    request = view.request.id
    stands = f"The request is {STATE_WORDS.get(view.request.state, view.request.state)}."
    if view.decision == "approve" and view.request.state == "awaiting_approval":
        waits = "It waits for the approval of others; what it needs stands in the console."
        return (f"You approved {request}", waits) if is_fresh else (f"{request} was approved by you", waits)
    if view.decision == "approve":
        follows = "It is being carried out now; the requester hears how it goes."
        return (f"You approved {request}", follows) if is_fresh else (f"{request} was approved", stands)
    if view.decision == "reject":
        follows = "Nothing was done. The requester is told, with the reason."
        return (f"You rejected {request}", follows) if is_fresh else (f"{request} was rejected", follows)
    return f"{request} is decided already", stands


def _heading(error: QuartermasterError, view: ApprovalView | None) -> str:
    if isinstance(error, Gone) and view is not None:
        return _GONE.get(view.status, error.title)
    if isinstance(error, NotFound):
        return "This link leads nowhere"
    return error.title


def _prefers_json(request: Request) -> bool:
    """Tell whether to answer in JSON: by Accept, and without a preference by what was sent."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    accept = request.headers.get("accept", "")
    return preferred(accept, otherwise="json" if sent.endswith("json") else "html") == "json"


def _as_json(view: ApprovalView) -> dict[str, Any]:
    record = view.request
    return {
        "request": {"id": record.id, "state": record.state},
        "status": view.status,
        "approver": view.approver,
        "requester": record.requester.email,
        "version": view.version,
        "plan": record.plan.as_dict(),
        "digest": record.digest,
        "expires_at": iso(view.expires_at),
        "decision": view.decision or None,
        "decided_by": view.decided_by or None,
        "decided_at": iso(view.decided_at),
        "reason": view.reason or None,
        "in_place_of": view.in_place_of or None,
        "sign_in_at": view.page or None,
    }
