"""SQLite on the event loop: nothing that takes long may hold it up."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.exc import OperationalError

from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from tests.support.tables import make_tables


async def keep(transaction: Transaction) -> None:
    await transaction.execute(insert(keepsakes).values(name="kept", value=""))


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """A started database in a file."""
    make_tables(sqlite_url)
    started = Database(sqlite_url)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
def path(sqlite_database: Database) -> str:
    assert sqlite_database.url.database
    return sqlite_database.url.database


async def test_waiting_for_another_process_holds_up_nothing_else(sqlite_database: Database, path: str) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(sqlite_database.write(keep))
    async with sqlite_database.read() as connection:  # readers go on, and so does the event loop
        for _ in range(20):
            assert (await connection.execute(text("SELECT count(*) FROM keepsakes"))).scalar_one() == 0
            await asyncio.sleep(0)
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing


async def test_commits_happen_in_another_thread_and_statements_in_this_one(sqlite_database: Database) -> None:
    seen: dict[str, set[int]] = {}

    class Watched(sqlite3.Connection):
        def commit(self) -> None:
            seen.setdefault("commit", set()).add(threading.get_ident())
            super().commit()

    def watch(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
        options["factory"] = Watched

    def trace(connection: Any, record: Any) -> None:
        def note(statement: str) -> None:
            seen.setdefault(statement.split()[0], set()).add(threading.get_ident())

        connection.driver_connection.set_trace_callback(note)

    engine = sqlite_database._writers.sync_engine
    event.listen(engine, "do_connect", watch)
    event.listen(engine, "connect", trace)
    await sqlite_database.write(keep)
    here = {threading.get_ident()}
    assert seen["INSERT"] == here
    assert seen["commit"]
    assert not seen["commit"] & here
    assert seen["BEGIN"]
    assert not seen["BEGIN"] & here


async def test_a_reader_that_is_broken_off_leaves_its_connection_fit_for_the_next(sqlite_database: Database) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async with sqlite_database.read() as connection:
            await connection.execute(text("SELECT 1"))
            started.set()
            await asyncio.Event().wait()

    for _ in range(40):  # more than the pool holds
        started.clear()
        task = asyncio.create_task(read())
        await started.wait()
        task.cancel()
        await asyncio.wait([task])
    async with sqlite_database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_work_broken_off_in_its_commit_is_kept_whole_or_not_at_all(sqlite_database: Database, path: str) -> None:
    async with asyncio.timeout(30):
        for number in range(30):
            task = asyncio.create_task(sqlite_database.write(_keeping(number)))
            for _ in range(number % 10):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
    await sqlite_database.write(keep)  # the writer lives on
    with sqlite3.connect(path) as other:
        rows = other.execute("SELECT name FROM keepsakes WHERE name LIKE 'pair%'").fetchall()
    other.close()
    assert len(rows) % 2 == 0


def _keeping(number: int) -> Any:
    async def work(transaction: Transaction) -> None:
        for half in ("a", "b"):
            await transaction.execute(insert(keepsakes).values(name=f"pair-{number}-{half}", value=""))

    return work


async def test_rows_can_be_read_in_portions(sqlite_database: Database) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"
    async with sqlite_database.read() as connection:
        total = 0
        async for row in await connection.stream(text(numbers)):
            total += row.i
    assert total == 5000 * 5001 // 2


async def test_what_sqlite_refuses_is_told_as_its_own_error(sqlite_database: Database) -> None:
    async with sqlite_database.read() as connection:
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM nothing_of_the_kind"))
    async with sqlite_database.read() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
