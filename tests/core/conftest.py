"""The parts of the core that keep things, each on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.activity import Person
from bot.audit import Audit
from bot.audit.erasing import Erasing
from bot.conversations import Conversations
from bot.database import Database
from bot.people import People
from bot.signals import Signals
from tests.core.clock import HandClock
from tests.support.tables import make_tables


@pytest.fixture
def postgres_template(request: pytest.FixtureRequest) -> str:
    """The database to copy: with all tables for tests that use `tables_url`, else an empty one."""
    if "tables_url" not in request.fixturenames:
        return "template0"
    name: str = request.getfixturevalue("postgres_tables")
    return name


@pytest.fixture
def tables_url(database_url: str) -> str:
    """The URL of a database with all tables and nothing in them."""
    if database_url.startswith("sqlite"):
        make_tables(database_url)
    return database_url


@pytest.fixture
async def database(tables_url: str) -> AsyncIterator[Database]:
    """A started database."""
    started = Database(tables_url)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
async def other_database(tables_url: str) -> AsyncIterator[Database]:
    """The same database as another replica reaches it."""
    started = Database(tables_url)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
def clock() -> HandClock:
    """A clock that is moved by hand."""
    return HandClock()


@pytest.fixture
def signals() -> Signals:
    """Wake-ups of one process."""
    return Signals()


@pytest.fixture
def audit(database: Database, clock: HandClock) -> Audit:
    """The record."""
    return Audit(database, clock)


@pytest.fixture
def erasing(database: Database, clock: HandClock, audit: Audit) -> Erasing:
    """What takes things out of the record."""
    return Erasing(database, clock, audit)


@pytest.fixture
def conversations(database: Database, clock: HandClock, signals: Signals) -> Conversations:
    """The transcripts."""
    return Conversations(database, clock, signals)


@pytest.fixture
async def ana(database: Database, clock: HandClock) -> Person:
    """Somebody who asks."""
    return await People(database, clock).of_email("ana@corp.example", name="Ana")
