"""Hearing what the bot says later: GET /v1/conversations/{id}/messages, as JSON or as a stream of events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response, StreamingResponse

from adapters.rest.conversations import find_conversation
from adapters.rest.fields import ConversationName
from adapters.rest.problems import TooMany, problems
from adapters.rest.routing import CallerGiven
from adapters.rest.shapes import Transcript
from bot.clock import iso
from bot.conversations import Message
from bot.errors import Unavailable
from bot.services import Services

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the stream open."""
STREAMS = 200
"""Streams that one process keeps open for REST callers; each costs a look at the database a second."""
PAGE = 200
LAST_SEQ = 2**63 - 1

EVENTS = "text/event-stream"
_STREAM_DOCUMENTED = {
    "schema": {"type": "string"},
    "example": 'id: 7\ndata: {"seq": 7, "role": "bot", "text": "Ready.", "card": null, "at": "…"}\n\n',
}

Seq = Annotated[int, Query(ge=0, le=LAST_SEQ, description="Only what was said after this `seq`.")]
LastEventId = Annotated[
    Annotated[int, Field(ge=0, le=LAST_SEQ)] | SkipJsonSchema[None],
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LAST_SEQ}),
    Header(alias="Last-Event-ID", description="Of a client that reconnects its stream; goes before `after`."),
]


class Listening:
    """Tells callers what was said in their conversations."""

    def __init__(self, services: Services, router: APIRouter, *, heartbeat: float = HEARTBEAT) -> None:
        self._services, self._heartbeat = services, heartbeat
        self._open = 0
        router.add_api_route(
            "/v1/conversations/{id}/messages",
            self.messages,
            methods=["GET"],
            response_model=Transcript,
            responses={
                200: {"description": "What the bot said.", "content": {EVENTS: _STREAM_DOCUMENTED}},
                **problems(404, 409),
            },
            operation_id="read_conversation",
            summary="Read what the bot said, or listen to it",
        )

    async def messages(
        self,
        id: Annotated[ConversationName, Path()],
        request: Request,
        caller: CallerGiven,
        after: Seq = 0,
        last_event_id: LastEventId = None,
    ) -> Response:
        """Return what the bot said, as a stream when Accept names text/event-stream.

        The stream goes on until the client leaves; each event's id is the `seq` to go on after.
        """
        conversation = await find_conversation(self._services.database, caller, id)
        if _wants_events(request):
            if self._open >= STREAMS:
                raise TooMany("Too many streams are open.", retry_after=30, next_step="Ask without a stream.")
            begin = after if last_event_id is None else last_event_id
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            events = self._events(request, conversation, begin)
            return StreamingResponse(events, media_type=EVENTS, headers=headers)
        said = await self._services.conversations.after(conversation, after, limit=PAGE, role="bot")
        return JSONResponse({"messages": [_told(message) for message in said]})

    async def _events(self, request: Request, conversation: str, seq: int) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield "retry: 2000\n\n"
            while not await request.is_disconnected():
                said = await self._services.conversations.wait(conversation, seq, self._heartbeat)
                for message in said:
                    seq = message.seq
                    if message.role == "bot":
                        yield f"id: {seq}\ndata: {json.dumps(_told(message), ensure_ascii=False)}\n\n"
                if not said:
                    yield ": still here\n\n"
        except Unavailable:
            return  # the client reconnects and goes on after the last id it has
        finally:
            self._open -= 1


def _wants_events(request: Request) -> bool:
    for accepted in request.headers.get("accept", "").casefold().split(","):
        kind, *parameters = (part.strip() for part in accepted.split(";"))
        if kind == EVENTS:
            return not any(parameter in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for parameter in parameters)
    return False


def _told(message: Message) -> dict[str, Any]:
    return {
        "seq": message.seq,
        "role": message.role,
        "text": message.text or (message.card.as_text() if message.card else ""),
        "card": message.card.as_dict() if message.card else None,
        "at": iso(message.at),
    }
