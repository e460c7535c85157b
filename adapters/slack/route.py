"""POST /slack/events: events, commands and interactions, each really Slack's, each kept before it is acknowledged."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qsl

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from adapters.slack.receiving import Receiver
from adapters.slack.signature import fault_of
from bot.http import problem

log = structlog.get_logger(__name__)

REFUSED = Counter("quartermaster_slack_refused_total", "Requests to /slack/events that are not Slack's.", ["reason"])
PATH = "/slack/events"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100


class EventsRoute:
    """An ASGI endpoint, as thin as it can be: stock Bolt in front costs two thirds of the throughput."""

    path = PATH
    """The template under which requests are counted and logged."""

    def __init__(self, signing_secret: str, receiver: Receiver) -> None:
        self._secret, self._receiver = signing_secret, receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        headers = request.headers
        timestamp = headers.get("x-slack-request-timestamp", "")
        fault = fault_of(self._secret, timestamp, headers.get("x-slack-signature", ""), body, time.time())
        if fault:
            REFUSED.labels(fault).inc()
            log.warning("slack.refused", reason=fault)
            return problem(401, "Not Slack", "The request's signature or time does not fit.")
        try:
            payload, kind = _payload_of(headers.get("content-type", ""), body)
        except (ValueError, TypeError, RecursionError):
            REFUSED.labels("malformed").inc()
            return problem(400, "Malformed", "This is neither an event nor a command nor an interaction.")
        if kind == "events" and payload.get("type") == "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))})
        if payload.get("ssl_check"):
            return Response(status_code=200)
        acknowledgement = await self._receiver.receive(kind, payload)
        return JSONResponse(acknowledgement) if acknowledgement else Response(status_code=200)


def _payload_of(content_type: str, body: bytes) -> tuple[dict[str, Any], Any]:
    """Return the payload and its kind; raises ValueError for what is neither JSON nor a form of Slack's."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return _object(json.loads(body)), "events"
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    if "payload" in fields:
        return _object(json.loads(fields["payload"])), "interactive"
    return dict(fields), "slash_commands"


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
