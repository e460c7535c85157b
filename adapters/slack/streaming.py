"""Streamed answers: a turn that takes longer than a moment shows at once that something is being done.

Slack gives `chat.startStream` no key by which a repeat could be told from the first, so a stream is written down before
it is started, and with its ts before anything is added to it; one whose ts was lost is looked for in its thread. The
turn's first message then ends the stream and takes its place by `chat.update`, which may be repeated. So there is never
a second message, whatever is lost or killed in between: docs/decisions/019-streamed-answers.md.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from adapters.slack.arrived import Arrived
from adapters.slack.places import Place
from adapters.slack.searching import find_message
from adapters.slack.web import RateLimited, SlackRefused, Web
from bot.channel import Delivery
from bot.database import Transaction
from bot.database.tables import inbox, messages, sessions, slack_streams
from bot.errors import QuartermasterError, Unavailable
from bot.rows import insert_new
from bot.services import Services

log = structlog.get_logger(__name__)

MOMENT = 2.0
"""Seconds that a turn may take without a stream: most are over by then."""
SLOW = 6.0
"""Seconds after which a stream says that it is not forgotten."""
LONGEST = 60.0
"""Seconds for which a turn is watched; the dialogue takes less."""
AT_ONCE = 5
"""Streams under way: turns that are slow because there are many must not become slower for showing it."""
STARTED = timedelta(seconds=25)
"""Age at which a stream that another process began has been started, or has not."""
KEPT = timedelta(days=7)
REST = 3600.0
"""Seconds for which a workspace is not asked again that refused a stream."""
WORDS = "I am looking into it…"
STILL = " AWS takes its time, I am still on it."
OVER = frozenset({"message_not_in_streaming_state", "message_not_found", "streaming_state_conflict"})


@dataclass(frozen=True)
class Stream:
    """One stream: `key` is that of the activity it answers."""

    key: str
    channel: str
    ts: str


class Streams:
    """Starts streams for turns that take their time, and hands them to what answers."""

    def __init__(self, services: Services, web: Web) -> None:
        self._services, self._web = services, web
        self._watching: set[asyncio.Task[None]] = set()
        self._starting: dict[str, asyncio.Event] = {}
        self._refused: dict[str, float] = {}
        self._under_way = 0

    def watch(self, arrived: Arrived) -> None:
        """Start a stream if the turn is not over in a moment. Returns at once."""
        address = arrived.activity.address
        if not address["thread"] or not (address["channel"] or address["dm"]):
            return  # a stream is always a reply
        if time.monotonic() < self._refused.get(arrived.workspace.home, 0.0):
            return
        task = asyncio.create_task(self._watch(arrived), name="slack-stream")
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def close(self) -> None:
        """Watch no longer; what was begun is ended by what answers, here or elsewhere."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _watch(self, arrived: Arrived) -> None:
        key = arrived.activity.key
        over = asyncio.create_task(self._services.signals.wait(f"inbox:{key}", LONGEST))
        try:
            await asyncio.wait([over], timeout=MOMENT)
            if over.done() or self._under_way >= AT_ONCE or not await self._is_meant(arrived):
                return
            self._under_way += 1
            try:
                await self._keep_up(arrived, over)
            finally:
                self._under_way -= 1
        except QuartermasterError as error:
            log.info("slack.stream_not_kept_up", error=error.detail)
        finally:
            over.cancel()

    async def _keep_up(self, arrived: Arrived, over: asyncio.Task[bool]) -> None:
        """Show a turn as a stream until it is over."""
        stream = await self._start(arrived)
        if stream is None:
            return
        await asyncio.wait([over], timeout=SLOW)
        if not over.done():
            await self._append(arrived, stream)
            await over
        if not await self._is_answered(stream.key):
            await self._remove(arrived.workspace.token, stream)

    async def _is_meant(self, arrived: Arrived) -> bool:
        """Tell whether the turn will be answered: what was overheard may be for somebody else."""
        if not arrived.activity.is_overheard:
            return True
        mine = (
            sessions.c.conversation == arrived.activity.conversation,
            sessions.c.person_id == arrived.person.id,
        )
        async with self._services.database.read() as connection:
            return (await connection.execute(select(sessions.c.version).where(*mine))).first() is not None

    async def _start(self, arrived: Arrived) -> Stream | None:
        key, address = arrived.activity.key, arrived.activity.address
        if key in self._starting:
            return None  # the turn is played again
        channel = str(address["channel"] or address["dm"])
        row = {
            "key": key,
            "channel": channel,
            "ts": "",
            "replica": self._services.replica,
            "began_at": self._services.clock.wall(),
            "used_by": "",
        }
        self._starting[key] = asyncio.Event()
        try:
            if not await self._services.database.write(lambda t: self._write_down(t, row)):
                return None
            more = {"recipient_user_id": arrived.user, "recipient_team_id": str(address["home"])}
            told = await self._web.call(
                arrived.workspace.token,
                "chat_startStream",
                channel=channel,
                thread_ts=str(address["thread"]),
                markdown_text=WORDS,
                **({} if channel.startswith("D") else more),
            )
            stream = Stream(key, channel, str(told.get("ts") or ""))
            await self._change(key, ts=stream.ts)
            return stream
        except (SlackRefused, RateLimited) as error:
            if isinstance(error, SlackRefused):  # a workspace, or a kind of channel, that has no streams
                self._refused[arrived.workspace.home] = time.monotonic() + REST
            await self._forget(key)
            raise
        finally:
            self._starting.pop(key).set()

    async def _write_down(self, transaction: Transaction, row: dict[str, Any]) -> bool:
        """Keep that a stream is about to be started; False when the turn is over, or one was begun before a crash."""
        await transaction.execute(delete(slack_streams).where(slack_streams.c.began_at < row["began_at"] - KEPT))
        # The lock is the one that the turn's own end takes: what it answers finds the row, or there is none.
        turn = select(inbox.c.done_at).where(inbox.c.key == row["key"]).with_for_update()
        found = (await transaction.execute(turn)).first()
        if found is None or found.done_at is not None:
            return False
        return await insert_new(transaction, slack_streams, row, on=["key"])

    async def _append(self, arrived: Arrived, stream: Stream) -> None:
        await self._web.call(
            arrived.workspace.token, "chat_appendStream", channel=stream.channel, ts=stream.ts, markdown_text=STILL
        )

    async def _is_answered(self, key: str) -> bool:
        query = select(messages.c.seq).where(messages.c.inbox_key == key, messages.c.role == "bot").limit(1)
        async with self._services.database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def _remove(self, token: str, stream: Stream) -> None:
        """Take a stream away that nothing answers."""
        await self._web.call(token, "chat_delete", channel=stream.channel, ts=stream.ts)
        await self._forget(stream.key)

    async def take(self, key: str, place: Place, channel: str, delivery: Delivery) -> Stream | None:
        """Return the stream whose place a message takes, None when there is none or an earlier message took it.

        `key` is that of the activity that the message answers. May be repeated. Raises Unavailable while it is not
        known whether the stream was started.
        """
        if key in self._starting:
            await self._starting[key].wait()
        query = select(slack_streams).where(slack_streams.c.key == key)
        async with self._services.database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None or row.used_by not in ("", delivery.key) or row.channel != channel:
            return None
        ts = row.ts or await self._look_for(row, place)
        if not ts:
            await self._forget(key)
            return None
        await self._change(key, ts=ts, used_by=delivery.key)
        return Stream(key, channel, ts)

    async def _look_for(self, row: Any, place: Place) -> str:
        """Return the ts of a stream that was begun, and whose start was not heard of; empty when it never was."""
        age = self._services.clock.wall() - row.began_at
        if row.replica != self._services.replica and age < STARTED:
            raise Unavailable("A streamed answer may just be starting.")

        def is_it(message: dict[str, Any]) -> bool:
            return message.get("text") in (WORDS, WORDS + STILL) and not message.get("metadata")

        return await find_message(self._web, place, row.channel, row.began_at, is_it)

    async def end(self, token: str, stream: Stream, **message: Any) -> None:
        """End a stream and put a message in its place; may be repeated. Raises SlackRefused when it is gone."""
        try:
            await self._web.call(token, "chat_stopStream", channel=stream.channel, ts=stream.ts)
        except SlackRefused as error:
            if error.code not in OVER:
                raise
        await self._web.call(token, "chat_update", channel=stream.channel, ts=stream.ts, **message)

    async def lost(self, stream: Stream) -> None:
        """Forget a stream that somebody deleted."""
        await self._forget(stream.key)

    async def _change(self, key: str, **values: str) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(slack_streams).where(slack_streams.c.key == key).values(**values))

        await self._services.database.write(work)

    async def _forget(self, key: str) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(slack_streams).where(slack_streams.c.key == key))

        await self._services.database.write(work)
