"""The bot is killed twice while Slack delivers 500 events, each three times and in any order: each is answered once."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.restart.processes import BotProcess
from tests.support.slack.standin import StandIn, Workspace
from tests.support.slack.talking import SECRET, Member
from tests.support.stage import Theatre, eventually

EVENTS, TIMES, AT_ONCE = 500, 3, 20
KILLS = (0.3, 0.7)
"""Parts of all deliveries after which the bot is killed; what comes until it is back is delivered again."""


class Delivering:
    """Slack's side of it: every delivery is made until it is acknowledged."""

    def __init__(self, members: list[Member], bot: BotProcess, payloads: list[dict[str, object]]) -> None:
        self._members, self._bot = members, bot
        self._left = [payload for payload in payloads for _ in range(TIMES)]
        random.Random(7).shuffle(self._left)
        self._whole = len(self._left)
        self.acknowledged = 0
        self.failed = 0

    async def run(self) -> None:
        """Deliver everything, and kill the bot on the way."""
        killing = asyncio.create_task(self._kills())
        await asyncio.gather(*(self._delivers(n) for n in range(AT_ONCE)))
        await killing

    async def _delivers(self, n: int) -> None:
        member = self._members[n % len(self._members)]
        while self._left:
            payload = self._left.pop()
            try:
                status = (await member.sends(payload)).status_code
            except httpx.HTTPError:
                status = 0
            if status == 200:
                self.acknowledged += 1
                continue
            self.failed += 1
            self._left.insert(0, payload)
            await asyncio.sleep(0.05)  # nobody is there: Slack waits, too

    async def _kills(self) -> None:
        for part in KILLS:

            async def is_due(part: float = part) -> bool:
                return self.acknowledged >= self._whole * part

            await eventually(is_due, lambda: f"{self.acknowledged} acknowledged\n{self._bot.tail()}", within=60)
            self._bot.kill()
            await asyncio.to_thread(self._bot.start)


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
    assert delivering.acknowledged == EVENTS * TIMES
    assert delivering.failed > 0, "nothing was delivered while the bot was down"
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT key) FROM inbox") == [(EVENTS, EVENTS)]
    answered = Counter(m.thread_ts for m in workspace.messages if m.user == workspace.bot_user)
    asked = {m.ts for m in workspace.messages if m.user != workspace.bot_user}
    assert set(answered) == asked
    assert set(answered.values()) == {1}
    assert workspace.faults == []
