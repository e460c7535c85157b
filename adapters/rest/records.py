"""Requests and the audit: what the caller's people asked for, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from adapters.rest.callers import Caller
from adapters.rest.cursors import (
    AuditCursor,
    RequestCursor,
    audit_cursor_in,
    audit_cursor_out,
    request_cursor_in,
    request_cursor_out,
)
from adapters.rest.fields import Email, IntentName, Moment, RequestId, parse_moment
from adapters.rest.problems import problems
from adapters.rest.repeats import DOCUMENTED, IdempotencyKey, Repeats
from adapters.rest.routing import CallerGiven, PostedGiven
from adapters.rest.shapes import AuditPage, CancelCall, RequestPage, RequestView
from adapters.rest.turns import CHANNEL
from bot.activity import Person
from bot.errors import Conflict, NotFound, Refused
from bot.requests import Filter, RequestRecord
from bot.requests.record import State
from bot.services import Services

FIRST_ANSWER = 3.0
"""Seconds that a repeated call waits for the first one's answer before it takes that one for lost."""

Limit = Annotated[int, Query(ge=1, le=200, description="Most entries on one page.")]
RequestPath = Annotated[str, Path(description="The id, with or without qm-.", examples=["qm-7k3m9qxa"])]


_LINKS = {
    "newest": {
        "operationId": "show_request",
        "parameters": {"id": "$response.body#/requests/0/id"},
        "description": "The first on the page.",
    },
    "cancel_newest": {
        "operationId": "cancel_request",
        "parameters": {"id": "$response.body#/requests/0/id"},
        "description": "Cancel the first on the page.",
    },
}


class Records:
    """Shows what belongs to the caller, and cancels it."""

    def __init__(self, services: Services, repeats: Repeats, router: APIRouter) -> None:
        self._services, self._repeats = services, repeats
        router.add_api_route(
            "/v1/requests",
            self.list_requests,
            operation_id="list_requests",
            methods=["GET"],
            response_model=RequestPage,
            responses={200: {"links": _LINKS}, **problems()},
            summary="List requests, newest first",
        )
        router.add_api_route(
            "/v1/requests/{id}",
            self.show_request,
            operation_id="show_request",
            methods=["GET"],
            response_model=RequestView,
            responses=problems(404),
            summary="Show a request",
        )
        router.add_api_route(
            "/v1/requests/{id}/cancel",
            self.cancel_request,
            operation_id="cancel_request",
            methods=["POST"],
            response_model=RequestView,
            responses=problems(404, 409, 413, 415),
            summary="Cancel a request that is not being carried out yet",
            description=f"On behalf of `user`, or of the requester when nobody is named. {DOCUMENTED}",
        )
        router.add_api_route(
            "/v1/audit",
            self.list_audit,
            operation_id="list_audit",
            methods=["GET"],
            response_model=AuditPage,
            responses=problems(),
            summary="List the record of who did what, newest first",
        )

    async def list_requests(
        self,
        caller: CallerGiven,
        state: Annotated[list[State] | SkipJsonSchema[None], Query(description="Any of these states.")] = None,
        intent: Annotated[IntentName | SkipJsonSchema[None], Query()] = None,
        requester: Annotated[Email | SkipJsonSchema[None], Query()] = None,
        since: Annotated[Moment | SkipJsonSchema[None], Query(description="Asked at this moment or later.")] = None,
        until: Annotated[Moment | SkipJsonSchema[None], Query(description="Asked before this moment.")] = None,
        cursor: Annotated[RequestCursor, Query()] = "",
        limit: Limit = 50,
    ) -> Response:
        """Return the requests of the caller that pass every filter."""
        page = await self._services.requests.list(
            Filter(
                state=tuple(state or ()),
                intent=intent or "",
                requester=requester or "",
                since=parse_moment(since) if since else None,
                until=parse_moment(until) if until else None,
                owner=caller.sees,
                person_id=caller.own.person.id if caller.own else "",
                cursor=request_cursor_in(cursor),
                limit=limit,
            )
        )
        views = [await self._services.requests.view(record) for record in page.items]
        return JSONResponse({"requests": views, "next_cursor": request_cursor_out(page.next_cursor)})

    async def show_request(self, id: RequestPath, caller: CallerGiven) -> Response:
        """Return one request with its plan, approvals, steps and outcome."""
        record = await find_record(self._services, caller, id)
        return JSONResponse(await self._services.requests.view(record))

    async def cancel_request(
        self,
        id: RequestPath,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        body: CancelCall | None = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Cancel on behalf of `user`, or of the requester when nobody is named; policies decide."""
        record = await find_record(self._services, caller, id)
        by = await acting_person(self._services, caller, record, body)
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        answer = await self._repeats.first_answer(claim, FIRST_ANSWER)
        if answer is None:
            reason = body.reason if body else ""
            try:
                await self._services.requests.cancel(record.id, by, surface=CHANNEL, reason=reason, owner=caller.sees)
            except Conflict:
                # The first call may have cancelled it and lost its answer; then this one is no other.
                current = await self._services.requests.find(record.id)
                if claim.is_first or current.state != "cancelled":
                    raise
            current = await self._services.requests.find(record.id)
            answer = await self._repeats.keep(claim, await self._services.requests.view(current))
        return JSONResponse(answer)

    async def list_audit(
        self,
        caller: CallerGiven,
        person: Annotated[Email | SkipJsonSchema[None], Query()] = None,
        request: Annotated[RequestId | SkipJsonSchema[None], Query()] = None,
        since: Annotated[Moment | SkipJsonSchema[None], Query(description="At this moment or later.")] = None,
        until: Annotated[Moment | SkipJsonSchema[None], Query(description="Before this moment.")] = None,
        cursor: Annotated[AuditCursor, Query()] = "",
        limit: Limit = 50,
    ) -> Response:
        """Return the entries about the caller's requests that pass every filter."""
        if caller.own and not self._services.policy.may_audit(caller.own.person).allowed:
            self._services.policy.may_audit(caller.own.person, caller.own.person.email).require()
            if person not in (None, caller.own.person.email):
                raise Refused("You may read the audit about yourself alone.", next_step="Leave out `person`.")
            person = caller.own.person.email
        page = await self._services.audit.list(
            person=person or "",
            request=f"qm-{request.casefold().removeprefix('qm-')}" if request else "",
            since=parse_moment(since) if since else None,
            until=parse_moment(until) if until else None,
            cursor=audit_cursor_in(cursor),
            limit=limit,
            owner=caller.sees,
        )
        return JSONResponse({"entries": list(page.items), "next_cursor": audit_cursor_out(page.next_cursor)})


async def find_record(services: Services, caller: Caller, request_id: str) -> RequestRecord:
    """Return the record; what belongs to others is not found, in the same words as what isn't there."""
    record = await services.requests.find(request_id)
    is_anothers = caller.own is not None and record.requester.id != caller.own.person.id
    if is_anothers or (caller.sees is not None and record.owner != caller.sees):
        raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
    return record


async def acting_person(services: Services, caller: Caller, record: RequestRecord, body: CancelCall | None) -> Person:
    """Return on whose behalf a call acts: `user`, or who asked for the request. Raises Refused."""
    user = body.user if body else None
    email = user.email if user else record.requester.email
    caller.speak_for(email)
    if user is None or email == record.requester.email:
        return record.requester
    return await services.people.of_email(email, name=user.name)
