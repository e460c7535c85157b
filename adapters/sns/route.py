"""POST /sns: what SNS posts is verified on its own bytes and kept before it is acknowledged."""

from __future__ import annotations

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.sns.envelope import Envelope, Malformed, read_envelope
from adapters.sns.subscribing import PATH, Foreign, Subscribing
from adapters.sns.verifying import Forged, Verifier
from bot.errors import Unavailable
from bot.http import problem
from bot.inbox import Inbox
from bot.sns import Notification, Notifications

log = structlog.get_logger(__name__)

REFUSED = Counter("quartermaster_sns_refused_total", "Posts to /sns that were refused.", ["reason"])
LARGEST = 600_000
"""Bytes of a post: 256 KiB of a message, each of which may be escaped, and the envelope."""
_TYPES = ("text/plain", "application/json")


class SnsRoute:
    """An ASGI endpoint."""

    path = PATH
    """The template under which requests are counted and logged."""

    def __init__(
        self, verifier: Verifier, subscribing: Subscribing, notifications: Notifications, inbox: Inbox
    ) -> None:
        self._verifier, self._subscribing = verifier, subscribing
        self._notifications, self._inbox = notifications, inbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        headers = request.headers
        if headers.get("content-type", "").partition(";")[0].strip().casefold() not in _TYPES:
            return _refuse("content_type", 415, "SNS posts text/plain.")
        if headers.get("x-amz-sns-rawdelivery", "").casefold() == "true":
            words = "Raw delivery has no signature; turn “raw message delivery” off for this subscription."
            return _refuse("raw_delivery", 400, words)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return _refuse("too_large", 413, f"A post may have at most {LARGEST} bytes.")
        try:
            envelope = read_envelope(bytes(body), headers.get("x-amz-sns-message-type", ""))
            await self._verifier.check(envelope)
            await self._take(envelope)
        except Malformed:
            return _refuse("malformed", 400, "This is nothing that SNS posts.")
        except Forged as error:
            return _refuse(error.reason, 403, "This was not posted by SNS for a topic that is served here.")
        except Foreign:
            return _refuse("subscribe_url", 403, "The SubscribeURL is not one of SNS's.")
        except Unavailable as error:
            REFUSED.labels("unavailable").inc()
            log.warning("sns.put_off", error=error.detail)
            return problem(503, error.title, error.detail)
        return Response(status_code=200)

    async def _take(self, envelope: Envelope) -> None:
        """Do what a verified envelope asks; returns after the commit, so that SNS delivers again what is not kept."""
        if envelope.kind == "SubscriptionConfirmation":
            await self._subscribing.confirm(envelope)
        elif envelope.kind == "UnsubscribeConfirmation":
            # Its SubscribeURL would subscribe anew; whether somebody meant to end it is for people to say.
            log.warning("sns.unsubscribed", topic=envelope.topic)
        else:
            told = Notification(
                envelope.id, envelope.topic, envelope.subject, envelope.message, envelope.members["Timestamp"]
            )
            await self._inbox.receive(self._notifications.activity_of(told))


def _refuse(reason: str, status: int, words: str) -> Response:
    REFUSED.labels(reason).inc()
    log.warning("sns.refused", reason=reason)
    return problem(status, "Refused", words)
