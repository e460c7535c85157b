"""Amazon Lex V2 as a recogniser (lexv2-runtime)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.cloud import Cloud
from bot.errors import CloudError
from bot.recognizer import Turn, turn_of
from bot.settings import Settings

TRIES = 3
FIRST_WAIT = 0.1
"""Seconds before the second try; each further wait is twice as long, give or take a half."""
MOST_ASTRAY = 10_000
OUTAGE = 3
"""Turns in a row without an answer after which Lex is left alone."""
REST = 15.0
"""Seconds for which it is: in an outage, only one turn in a while waits for it in vain."""
_NEVER_PLAYED = frozenset(
    {"ThrottlingException", "ConflictException", "EndpointConnectionError", "ConnectTimeoutError"}
)
"""How Lex refuses a turn before it looks at it, and how a connection fails that was never there."""
_ANEW: Mapping[str, Any] = {"dialogAction": {"type": "ElicitIntent"}}


class LexRecognizer:
    """Asks one bot alias; the caller bounds the time.

    Lex has no idempotency key, and a turn that is sent again is played again. So a turn is sent again only when it is
    certain that it was not played: the one policy for retries, since the SDK makes none (`adapters.aws.cloud`). What
    was sent and not answered in time is left to end by itself: it keeps its place among the turns that Lex takes at
    once (`LEX_CONCURRENCY`), and until then its conversation is not continued on Lex. Who can't have a place waits.

    A conversation that went on elsewhere meanwhile is put on Lex as it stands before its next turn (PutSession), so
    that nothing that Lex remembers of it, or played too late, counts.
    """

    name = "lex"

    def __init__(self, cloud: Cloud, settings: Settings) -> None:
        self._cloud = cloud
        self._region = settings.lex_region
        self._bot = {
            "botId": settings.lex_bot_id,
            "botAliasId": settings.lex_bot_alias_id,
            "localeId": settings.lex_locale_id,
        }
        self._places = asyncio.Semaphore(settings.lex_concurrency)
        self._under_way: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._astray: OrderedDict[str, None] = OrderedDict()
        """Sessions whose last turn Lex did not answer: whatever it holds of them is not to be relied on."""
        self._failed, self._rests_until = 0, 0.0

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Return what Lex makes of the text. Raises CloudError."""
        if session_id in self._under_way:
            raise CloudError("TurnUnderWay", "the turn before has no answer yet.", operation="RecognizeText")
        if time.monotonic() < self._rests_until:
            self._goes_astray(session_id)
            raise CloudError("LeftAlone", "it gave no answer several times in a row.", operation="RecognizeText")
        try:
            if session_id in self._astray:
                await self._send("PutSession", session_id, sessionState=dict(session_state or _ANEW))
            given: dict[str, Any] = {"sessionState": dict(session_state)} if session_state else {}
            answer = await self._send("RecognizeText", session_id, text=text, **given)
        except BaseException:
            self._goes_astray(session_id)
            self._failed += 1
            if self._failed >= OUTAGE:
                self._rests_until = time.monotonic() + REST
            raise
        self._failed = 0
        self._astray.pop(session_id, None)
        return turn_of(answer)

    def _goes_astray(self, session_id: str) -> None:
        self._astray[session_id] = None
        while len(self._astray) > MOST_ASTRAY:
            self._astray.popitem(last=False)

    async def _send(self, operation: str, session_id: str, **parameters: Any) -> dict[str, Any]:
        """Make one call in one of Lex's places, again only if it is certain to have had no effect."""
        for attempt in range(1, TRIES + 1):
            await self._places.acquire()  # given up here, nothing was sent
            call = asyncio.ensure_future(
                self._cloud.call(
                    "lexv2-runtime", operation, region=self._region, **self._bot, sessionId=session_id, **parameters
                )
            )
            self._under_way[session_id] = call
            call.add_done_callback(lambda done: self._has_ended(session_id, done))
            try:
                return await asyncio.shield(call)
            except CloudError as error:
                if error.code not in _NEVER_PLAYED or attempt == TRIES:
                    raise
            await asyncio.sleep(FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    def _has_ended(self, session_id: str, call: asyncio.Task[dict[str, Any]]) -> None:
        self._places.release()
        if self._under_way.get(session_id) is call:
            del self._under_way[session_id]
        if not call.cancelled():
            call.exception()  # nobody may be waiting for it any more
