"""Saying something: POST /account, as the original bot had it, and POST /v1/messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from adapters.rest.callers import Caller
from adapters.rest.conversations import ACCOUNT, BEGUN, NAMED, conversation_of
from adapters.rest.problems import problem_response, problems
from adapters.rest.repeats import DOCUMENTED, Claim, IdempotencyKey, Repeats
from adapters.rest.routing import CallerGiven, PostedGiven
from adapters.rest.shapes import AccountAnswer, AccountCall, MessageAnswer, MessageCall, User
from bot.activity import Activity
from bot.conversations import Message
from bot.errors import Refused, Unavailable
from bot.services import Services

CHANNEL = "rest"
PATIENCE = 25.0
"""Seconds that a caller is kept waiting for an answer; most proxies give up at 30."""

DECIDING = frozenset({"approve", "reject"})
"""Verbs that decide about a request: approvers do that where they are known in person, never by a key."""


_LINKS = {
    "conversation": {
        "operationId": "read_conversation",
        "parameters": {"id": "$response.body#/conversation"},
        "description": "What the bot says later.",
    },
    "request": {
        "operationId": "show_request",
        "parameters": {"id": "$response.body#/request/id"},
        "description": "How the request stands, when there is one.",
    },
}


class _Late(Unavailable):
    """The turn is stored but not answered yet; `conversation` is where its answer will be."""

    def __init__(self, conversation: str) -> None:
        super().__init__(
            "Your message is kept, but its answer takes longer than usual.",
            next_step=f"Read it from /v1/conversations/{conversation}/messages, or send the same call again "
            "with the same Idempotency-Key.",
        )
        self.conversation = conversation


@dataclass(frozen=True)
class _Said:
    """What one call says, for whom, where."""

    user: User
    conversation: str
    text: str = ""
    verb: str = ""
    value: str = ""


class Turns:
    """Plays one turn a call."""

    def __init__(self, services: Services, repeats: Repeats, router: APIRouter) -> None:
        self._services, self._repeats = services, repeats
        router.add_api_route(
            "/account",
            self.account,
            methods=["POST"],
            response_model=AccountAnswer,
            responses={200: {"links": _LINKS}, **problems(413, 415)},
            operation_id="say_as_original",
            summary="Say something, as callers of the original bot do",
            description=f"Each person has one such conversation with each key's owner. {DOCUMENTED}",
        )
        router.add_api_route(
            "/v1/messages",
            self.message,
            methods=["POST"],
            response_model=MessageAnswer,
            responses={200: {"links": _LINKS}, **problems(413, 415)},
            operation_id="say",
            summary="Say something or press a button",
            description=f"Without `conversation` a new one begins, and its id is returned. {DOCUMENTED}",
        )

    async def account(
        self,
        body: AccountCall,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Play one turn; each person has one such conversation, by the whole address and the key's owner."""
        user = User(
            email=body.UserEmail,
            name=f"{body.UserName} {body.UserLastname}".strip()[:200],
            given_name=body.UserName,
            family_name=body.UserLastname,
        )
        caller.speak_for(user.email)
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        said = _Said(user, conversation_of(caller, user.email, "", kind=ACCOUNT), body.UserInput)
        try:
            turn = claim.answer or await self._repeats.keep(claim, await self._play(caller, claim, said))
        except _Late as late:
            return problem_response(late, conversation=late.conversation)
        return JSONResponse(
            {
                "response": "\n".join(message["text"] for message in turn["messages"]),
                "initial-params": posted.text,
                "request": turn["request"],
                "conversation": turn["conversation"],
            }
        )

    async def message(
        self,
        body: MessageCall,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Play one turn; without `conversation` a new one begins, and its id is returned."""
        caller.speak_for(body.user.email)
        if body.press and body.press.verb in DECIDING:
            raise Refused(
                "A REST key never approves and never rejects.",
                next_step="Approvers decide by the link in their e-mail, or signed in to the console.",
            )
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        # A call sent again must find the conversation that it began.
        kind, name = (NAMED, body.conversation) if body.conversation else (BEGUN, claim.name)
        conversation = conversation_of(caller, body.user.email, name, kind=kind)
        if body.press:
            said = _Said(body.user, conversation, verb=body.press.verb, value=body.press.value)
        else:
            said = _Said(body.user, conversation, body.text or "")
        try:
            turn = claim.answer or await self._repeats.keep(claim, await self._play(caller, claim, said))
        except _Late as late:
            return problem_response(late, conversation=late.conversation)
        return JSONResponse(turn)

    async def _play(self, caller: Caller, claim: Claim, said: _Said) -> dict[str, Any]:
        user = said.user
        names = {"name": user.name, "given_name": user.given_name, "family_name": user.family_name}
        person = await self._services.people.of_email(
            user.email, name=user.name, given_name=user.given_name, family_name=user.family_name
        )
        activity = Activity(
            key=claim.name,
            channel=CHANNEL,
            conversation=said.conversation,
            # The turn's own: a call greets by the names it posted, whatever the person is known by.
            person=replace(person, **names) if any(names.values()) else person,
            kind="press" if said.verb else "message",
            text=said.text,
            verb=said.verb,
            value=said.value,
            owner=caller.owner if caller.key else "",
        )
        await self._services.inbox.receive(activity)
        reply = await self._services.inbox.reply(activity.key, timeout=PATIENCE)
        if reply is None:
            raise _Late(said.conversation)
        return {
            "conversation": said.conversation,
            "messages": _spoken(reply.messages),
            "request": {"id": reply.request[0], "state": reply.request[1]} if reply.request else None,
        }


def _spoken(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return what the bot said; a card without words is said in words too."""
    return [
        {"text": m.text or (m.card.as_text() if m.card else ""), "card": m.card.as_dict() if m.card else None}
        for m in messages
        if m.role == "bot"
    ]
