"""Taking in: one payload, whatever way it came, is stored before it is acknowledged, or ignored on purpose."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import select, union_all

from adapters.slack.arrivals import Kind, Reply, read
from adapters.slack.envelope import CHANNEL, Ignored, storable
from adapters.slack.places import pace_of_conversation
from bot.activity import Activity
from bot.database.tables import conversations, inbox, outbox
from bot.metrics import ACTIVITIES
from bot.services import Services

log = structlog.get_logger(__name__)

KNOWN_THREADS = 10_000
"""Threads of ours that are remembered, so that their replies need no look-up."""
JUST_BEGUN = 1.5
"""Seconds that a reply below a message of the bot's may wait until that message is known to be there."""

Answered = Callable[[Activity, Mapping[str, Any]], Awaitable[dict[str, Any] | None]]
"""Checks a submitted modal in place: returns the acknowledgement's body that refuses it, None when it is to be kept."""


class Receiver:
    """Takes payloads from the route and from Socket Mode alike."""

    def __init__(self, services: Services, check_in_place: Answered | None = None) -> None:
        self._services = services
        self._check_in_place = check_in_place
        self._threads: OrderedDict[str, None] = OrderedDict()

    async def receive(self, kind: Kind, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Keep what a payload says and return the acknowledgement's body, None for an empty one.

        Returns after the commit, also for what was kept before; raises what the database raises: then nothing
        may be acknowledged, and Slack sends it again.
        """
        try:
            payload = storable(payload)
        except RecursionError:
            payload = {}
        found = read(kind, payload)
        if isinstance(found, Reply):
            found = found.activity if await self._is_for_us(found) else Ignored("not_for_us")
        if isinstance(found, Ignored):
            ACTIVITIES.labels(CHANNEL, "ignored").inc()
            if found.reason == "app_rate_limited":
                log.warning("slack.events_withheld", minute=payload.get("minute_rate_limited"))
            log.debug("slack.ignored", reason=found.reason)
            return None
        if payload.get("type") == "view_submission" and self._check_in_place:
            refused = await self._check_in_place(found, payload)
            if refused is not None:
                return refused
        await self._services.inbox.receive(found)
        self._remember(found.conversation)
        return None

    async def _is_for_us(self, reply: Reply) -> bool:
        """Tell whether a reply is in a thread of ours; one that the bot has only just begun is known in a moment."""
        conversation = reply.activity.conversation
        end = time.monotonic() + JUST_BEGUN
        while not (is_ours := await self._is_ours(conversation)):
            if not reply.is_below_ours or time.monotonic() > end or not await self._is_writing(conversation):
                break
            await self._services.signals.wait("outbox", 0.02)
        return is_ours

    async def _is_writing(self, conversation: str) -> bool:
        """Tell whether a message to that channel is on its way."""
        pace = pace_of_conversation(conversation)
        unsent = (outbox.c.channel == CHANNEL, outbox.c.pace == pace, outbox.c.sent_at.is_(None))
        query = select(outbox.c.key).where(*unsent, outbox.c.given_up_at.is_(None)).limit(1)
        async with self._services.database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def _is_ours(self, conversation: str) -> bool:
        """Tell whether the bot takes part in a thread."""
        if conversation in self._threads:
            self._threads.move_to_end(conversation)
            return True
        known = select(conversations.c.id).where(conversations.c.id == conversation)
        begun = select(inbox.c.conversation).where(inbox.c.conversation == conversation, inbox.c.done_at.is_(None))
        query = union_all(known, begun).limit(1)
        async with self._services.database.read() as connection:
            is_known = (await connection.execute(query)).first() is not None
        if is_known:
            self._remember(conversation)
        return is_known

    def _remember(self, conversation: str) -> None:
        self._threads[conversation] = None
        self._threads.move_to_end(conversation)
        if len(self._threads) > KNOWN_THREADS:
            self._threads.popitem(last=False)
