"""The bot is killed right after a press was acknowledged: what follows from it reaches everybody all the same."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.teams.tenants import Sent
from tests.restart.processes import BotProcess
from tests.support.stage import Theatre, eventually
from tests.support.stage.teams import TeamsSide
from tests.support.teams.cards import presses_of, words_of
from tests.support.teams.talking import Member


def left(folder: Path) -> int:
    """Return how much is not handled, or not sent to Teams."""
    unsent = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND channel = 'teams'"
    query = f"SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL) + ({unsent})"
    with sqlite3.connect(f"file:{folder / 'quartermaster.sqlite'}?mode=ro", uri=True, timeout=30) as connection:
        return int(connection.execute(query).fetchone()[0])


@pytest.mark.timeout(120)
async def test_what_follows_from_a_press_survives_a_kill_and_is_shown_once(theatre: Theatre, tmp_path: Path) -> None:
    tenant = theatre.teams.tenant()
    settings = {name.upper(): str(value) for name, value in TeamsSide(theatre.teams, tenant).settings.items()}
    bot = BotProcess(
        tmp_path,
        "bot",
        AWS_ENDPOINT_URL=theatre.sandbox.url,
        SMTP_URL="smtp://127.0.0.1:9",
        LOG_LEVEL="warning",
        **settings,
    )

    async def settles() -> None:
        async def is_over() -> bool:
            return left(tmp_path) == 0

        await eventually(is_over, lambda: f"something is left\n{bot.tail()}", within=60)

    def newest(member: Member, about: str) -> Sent:
        return [s for s in tenant.shown_in(member.personal) if about in words_of(s.activity)][-1]

    async def press(member: Member, action: Any) -> None:
        assert (await member.sends(member.press(action))).status_code == 200

    try:
        await asyncio.to_thread(bot.start)
        async with httpx.AsyncClient(base_url=bot.url, timeout=20) as client:
            ana = Member(theatre.teams, tenant, client, tenant.member("ana@corp.example", "Ana Lopez"))
            bo = Member(theatre.teams, tenant, client, tenant.member("approver@corp.example", "Bo Chen"))
            await bo.sends(bo.message("help"))
            await ana.sends(ana.message("I need a sandbox account in Demos for killed@corp.example"))
            await settles()
            await press(ana, presses_of(newest(ana, "Shall I go ahead?").activity)["Yes, go ahead"])
            bot.kill()
            await asyncio.to_thread(bot.start)
            await settles()
            asked = newest(bo, "Approval needed")
            await press(bo, presses_of(asked.activity)["Approve"])
            bot.kill()
            await asyncio.to_thread(bot.start)
            await settles()
    finally:
        bot.close()
    assert presses_of(asked.activity) == {}
    assert "Approved by approver@corp.example" in words_of(asked.activity)
    placed = [s for s in tenant.shown_in(ana.personal) if "was approved by" in words_of(s.activity)]
    assert len(placed) == 1
    assert tenant.faults == []
