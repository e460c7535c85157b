"""A fresh sign-in counts for its own person and session, for as long as was asked, and as well as was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.activity import Person
from bot.approvals.fresh_sign_in import FreshSignIns
from bot.database import Database
from bot.people import People
from tests.core.clock import HandClock
from tests.support.tables import make_tables

QUARTER = timedelta(minutes=15)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    make_tables(url)
    opened = Database(url)
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def bo(database: Database, clock: HandClock) -> Person:
    return await People(database, clock).of_email("bo@corp.example")


async def test_a_fresh_sign_in_counts_in_its_own_session_alone(
    database: Database, clock: HandClock, bo: Person
) -> None:
    proofs = FreshSignIns(database, clock)
    eve = await People(database, clock).of_email("eve@corp.example")
    await proofs.record(bo, "his laptop", clock.wall(), "mfa")
    assert await proofs.find(bo, "his laptop", within=QUARTER, acr="mfa")
    assert await proofs.find(bo, "a stolen laptop", within=QUARTER) is None
    assert await proofs.find(eve, "his laptop", within=QUARTER) is None
    assert await proofs.find(bo, "", within=QUARTER) is None
    assert await proofs.find(bo, "his laptop", within=QUARTER, acr="hardware key") is None


async def test_a_sign_in_grows_old_and_one_of_the_future_is_none(
    database: Database, clock: HandClock, bo: Person
) -> None:
    proofs = FreshSignIns(database, clock)
    await proofs.record(bo, "session", clock.wall() - QUARTER - timedelta(seconds=1))
    assert await proofs.find(bo, "session", within=QUARTER) is None
    await proofs.record(bo, "session", clock.wall() + timedelta(hours=1))
    assert await proofs.find(bo, "session", within=QUARTER) is None
    await proofs.record(bo, "session", clock.wall() - QUARTER)
    assert await proofs.find(bo, "session", within=QUARTER)
