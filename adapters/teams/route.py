"""POST /api/messages: activities of Teams, each really the Bot Connector's, kept before it is acknowledged."""

from __future__ import annotations

import json

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from adapters.teams.receiving import Receiver
from adapters.teams.verifying import Forbidden, Forged, Verifier
from bot.errors import Unavailable
from bot.http import problem

log = structlog.get_logger(__name__)

REFUSED = Counter("quartermaster_teams_refused_total", "Requests to /api/messages that were refused.", ["reason"])
PATH = "/api/messages"


class MessagesRoute:
    """An ASGI endpoint."""

    path = PATH
    """The template under which requests are counted and logged."""

    def __init__(self, verifier: Verifier, receiver: Receiver) -> None:
        self._verifier, self._receiver = verifier, receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            token = await self._verifier.token_of(request.headers.get("authorization", ""))
            payload = json.loads(await request.body())
            if not isinstance(payload, dict):
                raise ValueError("not an object")
            tenant = self._verifier.check(token, payload)
        except Forged as error:
            _count(error.reason)
            headers = {"WWW-Authenticate": "Bearer"}
            return problem(401, "Not Microsoft Teams", "The request's token does not fit.", headers=headers)
        except Forbidden:
            _count("tenant")
            return problem(403, "Not served", "This tenant is not served here.")
        except (ValueError, RecursionError):
            _count("malformed")
            return problem(400, "Malformed", "This is no activity of the Bot Framework.")
        except Unavailable as error:
            _count("no_keys")
            return problem(503, error.title, error.detail)
        answer = await self._receiver.receive(payload, tenant)
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, answer.status)


def _count(reason: str) -> None:
    REFUSED.labels(reason).inc()
    log.warning("teams.refused", reason=reason)
