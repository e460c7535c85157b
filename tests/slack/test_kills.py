"""The bot is killed twice while Slack delivers 500 events, each three times and in any order, half to nobody."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.restart.processes import BotProcess
from tests.support.slack.standin import StandIn, Workspace
from tests.support.slack.talking import SECRET, Member
from tests.support.stage import Theatre, eventually

EVENTS, TIMES, AT_ONCE = 500, 3, 20
DELIVERIES = EVENTS * TIMES


@dataclass
class Delivery:
    """One of the times that an event is delivered; like Slack, one that is not acknowledged is made again."""

    payload: dict[str, object]
    tries: int = 0
    is_acknowledged: bool = False
    found_it_starting: bool = False
    """Sent while the bot was being started: refused, or taken by its port and answered once it is up."""


class Delivering:
    """Slack's side of it: a quarter of the deliveries reaches the bot, the next finds it down, and that once more."""

    def __init__(self, members: list[Member], bot: BotProcess, payloads: list[dict[str, object]]) -> None:
        self._members, self._bot = members, bot
        self.all = [Delivery(payload) for payload in payloads for _ in range(TIMES)]
        random.Random(7).shuffle(self.all)
        self.found_it_down = 0
        """Deliveries whose first try was made while the bot was killed or starting again."""

    async def run(self) -> None:
        """Deliver everything, and kill the bot twice on the way, with what it has just taken in still to be done."""
        quarter = DELIVERIES // 4
        first, second, third, fourth = (self.all[n * quarter : (n + 1) * quarter] for n in range(4))
        await self._deliver(first)
        self._bot.kill()
        await self._deliver(second)
        self.found_it_down += sum(not d.is_acknowledged for d in second)
        await self._deliver(second)  # Slack's second try comes at once
        await asyncio.to_thread(self._bot.start)
        await asyncio.gather(self._deliver(third), self._deliver(second))
        self._bot.kill()
        down, starting = fourth[:-AT_ONCE], fourth[-AT_ONCE:]  # who come at once all come before it is up
        await self._deliver(down)
        restart = asyncio.create_task(asyncio.to_thread(self._bot.start))
        await self._deliver(starting, until=restart)  # while it starts, the port takes them and answers later
        self.found_it_down += sum(not d.is_acknowledged for d in down) + sum(d.found_it_starting for d in starting)
        await restart
        await self._deliver(fourth)

    async def _deliver(self, deliveries: list[Delivery], until: asyncio.Task[None] | None = None) -> None:
        left = [d for d in deliveries if not d.is_acknowledged]

        async def one(member: Member) -> None:
            while left:
                delivery = left.pop()
                delivery.found_it_starting = until is not None and not until.done()
                again = {"x-slack-retry-num": str(delivery.tries), "x-slack-retry-reason": "http_error"}
                try:
                    answer = await member.sends(delivery.payload, **(again if delivery.tries else {}))
                    delivery.is_acknowledged = answer.status_code == 200
                except httpx.HTTPError:
                    pass
                delivery.tries += 1

        await asyncio.gather(*(one(self._members[n % len(self._members)]) for n in range(AT_ONCE)))


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Return what the bot's database says."""
    with sqlite3.connect(f"file:{folder / 'quartermaster.sqlite'}?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.timeout(180)
async def test_five_hundred_events_three_times_over_two_kills_are_each_answered_once(
    theatre: Theatre, tmp_path: Path
) -> None:
    standin: StandIn = theatre.slack
    workspace: Workspace = standin.workspace()
    bot = BotProcess(
        tmp_path,
        "bot",
        AWS_ENDPOINT_URL=theatre.sandbox.url,
        SMTP_URL="smtp://127.0.0.1:9",
        SLACK_SIGNING_SECRET=SECRET,
        SLACK_BOT_TOKEN=workspace.token,
        SLACK_API_URL=standin.api_url,
        SLACK_PACE="0",
        LOG_LEVEL="warning",
    )
    channels = [workspace.channel(f"room-{n}") for n in range(50)]
    try:
        await asyncio.to_thread(bot.start)
        async with httpx.AsyncClient(base_url=bot.url, timeout=20) as client:
            members = [
                Member(standin, workspace, client, workspace.user(f"ana-{n}@corp.example", "Ana Lopez"))
                for n in range(10)
            ]
            payloads = []
            for n in range(EVENTS):
                member = members[n % len(members)]
                message = member.writes(f"<@{workspace.bot_user}> my requests", channels[n % len(channels)])
                payloads.append(member.event_of(message))
            delivering = Delivering(members, bot, payloads)
            await delivering.run()

        async def is_over() -> bool:
            undone = rows(tmp_path, "SELECT count(*) FROM inbox WHERE done_at IS NULL")
            unsent = rows(tmp_path, "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
            return undone == unsent == [(0,)]

        await eventually(is_over, lambda: f"something is left\n{bot.tail()}", within=90)
    finally:
        bot.close()
    assert all(delivery.is_acknowledged for delivery in delivering.all)
    assert max(delivery.tries for delivery in delivering.all) <= 4, "Slack gives up after its third repeat"
    assert delivering.found_it_down == DELIVERIES // 2
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT key) FROM inbox") == [(EVENTS, EVENTS)]
    answered = Counter(m.thread_ts for m in workspace.messages if m.user == workspace.bot_user)
    asked = {m.ts for m in workspace.messages if m.user != workspace.bot_user}
    assert set(answered) == asked
    assert set(answered.values()) == {1}
    assert workspace.faults == []
