"""The one writer: shared commits, separate fates."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.database import Database, Transaction
from bot.database.engine import driver_url
from bot.database.tables import keepsakes
from bot.errors import SettingsError, Unavailable
from bot.http import install

Work = Callable[[Transaction], Awaitable[str]]


def keeping(name: str, value: str = "kept") -> Work:
    """Return work that inserts one row and returns its name."""

    async def work(transaction: Transaction) -> str:
        await transaction.execute(insert(keepsakes).values(name=name, value=value))
        return name

    return work


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(keepsakes.c.name).order_by(keepsakes.c.name))).scalars())


async def test_work_is_visible_to_readers_once_its_write_has_returned(database: Database) -> None:
    assert await database.write(keeping("one")) == "one"
    assert await names(database) == ["one"]


async def test_a_failing_piece_takes_no_other_with_it(database: Database) -> None:
    async def half(transaction: Transaction) -> str:
        await keeping("half")(transaction)
        raise LookupError("no luck")

    outcomes = await asyncio.gather(
        database.write(keeping("before")),
        database.write(half),
        database.write(keeping("before")),
        database.write(keeping("after")),
        return_exceptions=True,
    )
    assert outcomes[0] == "before"
    assert isinstance(outcomes[1], LookupError)
    assert isinstance(outcomes[2], IntegrityError)
    assert outcomes[3] == "after"
    assert await names(database) == ["after", "before"]


async def test_a_faulty_statement_fails_its_own_piece_only(database: Database) -> None:
    async def misspelt(transaction: Transaction) -> None:
        await transaction.execute(text("SELECT * FROM no_such_table"))

    outcomes = await asyncio.gather(
        database.write(keeping("one")), database.write(misspelt), database.write(keeping("two")), return_exceptions=True
    )
    assert isinstance(outcomes[1], DBAPIError)
    assert await names(database) == ["one", "two"]


async def test_a_piece_that_cancels_itself_does_not_end_the_writer(database: Database) -> None:
    async def gives_up(transaction: Transaction) -> None:
        raise asyncio.CancelledError

    with pytest.raises(Unavailable):
        await database.write(gives_up)
    assert await database.write(keeping("later")) == "later"


async def test_a_caller_that_left_before_its_turn_leaves_nothing_behind(database: Database) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(transaction: Transaction) -> None:
        started.set()
        await gate.wait()

    first = asyncio.create_task(database.write(slow))
    await started.wait()
    second = asyncio.create_task(database.write(keeping("never")))
    third = asyncio.create_task(database.write(keeping("third")))
    await asyncio.sleep(0)
    second.cancel()
    gate.set()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await names(database) == ["third"]


async def test_a_caller_that_left_in_the_midst_harms_nobody(database: Database) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(transaction: Transaction) -> None:
        started.set()
        await gate.wait()

    first = asyncio.create_task(database.write(slow))
    await started.wait()
    first.cancel()
    gate.set()
    assert await database.write(keeping("next")) == "next"


async def test_a_failed_commit_is_told_to_everybody_and_keeps_nothing(database: Database) -> None:
    async def unplug(transaction: Transaction) -> None:
        raw = await transaction.connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.close()

    outcomes = await asyncio.gather(
        database.write(keeping("one")), database.write(unplug), database.write(keeping("two")), return_exceptions=True
    )
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes), outcomes
    assert await names(database) == []
    assert await database.write(keeping("again")) == "again"


async def test_calls_after_the_commit_come_in_order_and_only_for_what_was_kept(database: Database) -> None:
    heard: list[str] = []

    def saying(name: str, *, fails: bool = False) -> Work:
        async def work(transaction: Transaction) -> str:
            transaction.then(lambda: heard.append(f"{name} 1"))
            transaction.then(lambda: heard.append(f"{name} 2"))
            assert not heard, "nothing is said before the commit"
            if fails:
                raise LookupError(name)
            return name

        return work

    await asyncio.gather(
        database.write(saying("a")),
        database.write(saying("b", fails=True)),
        database.write(saying("c")),
        return_exceptions=True,
    )
    assert heard == ["a 1", "a 2", "c 1", "c 2"]


async def test_a_failing_call_after_the_commit_harms_nobody(database: Database) -> None:
    def fail() -> None:
        raise LookupError("deaf")

    async def work(transaction: Transaction) -> str:
        transaction.then(fail)
        return await keeping("one")(transaction)

    one, two = await asyncio.gather(database.write(work), database.write(keeping("two")))
    assert (one, two) == ("one", "two")


async def test_a_thousand_writes_at_once_are_all_kept(database: Database) -> None:
    await asyncio.gather(*(database.write(keeping(f"{n:04}")) for n in range(1000)))
    async with database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(keepsakes))).scalar_one() == 1000


async def test_what_was_handed_in_before_the_end_is_kept(tables_url: str) -> None:
    database = Database(tables_url)
    await database.start()
    writes = [asyncio.create_task(database.write(keeping(f"{n:03}"))) for n in range(300)]
    await asyncio.sleep(0)
    await database.close()
    assert len(await asyncio.gather(*writes)) == 300
    with pytest.raises(Unavailable, match="stopping"):
        await database.write(keeping("late"))


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_that_lock_each_other_out_both_get_through(
    database: Database, other_database: Database
) -> None:
    await asyncio.gather(database.write(keeping("a")), database.write(keeping("b")))
    both = asyncio.Barrier(2)

    def locking(first: str, second: str) -> Work:
        tries = 0

        async def work(transaction: Transaction) -> str:
            nonlocal tries
            tries += 1
            for name in (first, second):
                changed = update(keepsakes).where(keepsakes.c.name == name).values(value=f"{first} first")
                await transaction.execute(changed)
                if tries == 1 and name == first:
                    await both.wait()
            return first

        return work

    one, two = await asyncio.gather(database.write(locking("a", "b")), other_database.write(locking("b", "a")))
    assert (one, two) == ("a", "b")


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_replica_that_freezes_in_a_transaction_holds_the_others_up_for_seconds_only(
    database: Database, other_database: Database
) -> None:
    await database.write(keeping("a"))
    frozen, thaw = asyncio.Event(), asyncio.Event()

    async def freezes(transaction: Transaction) -> None:
        await transaction.execute(update(keepsakes).where(keepsakes.c.name == "a").values(value="stale"))
        frozen.set()
        await thaw.wait()

    stale = asyncio.create_task(database.write(freezes))
    await frozen.wait()

    async def changes(transaction: Transaction) -> str:
        await transaction.execute(update(keepsakes).where(keepsakes.c.name == "a").values(value="fresh"))
        return "changed"

    async with asyncio.timeout(25):
        assert await other_database.write(changes) == "changed"
    thaw.set()
    with pytest.raises(Unavailable):
        await stale
    async with database.read() as connection:
        assert (await connection.execute(select(keepsakes.c.value))).scalar_one() == "fresh"
    await database.write(keeping("b"))


@pytest.mark.parametrize("options", ["connect_timeout=2"])
async def test_a_server_that_is_not_there_is_unavailable_to_readers(options: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    database = Database(f"postgresql://nobody@127.0.0.1:{port}/nothing?{options}")
    with pytest.raises(Unavailable, match="does not answer"):
        await names(database)
    await database.close()


async def test_a_file_that_is_damaged_is_unavailable_to_readers(tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no database at all" * 100)
    database = Database(f"sqlite:///{tmp_path / 'damaged'}")
    with pytest.raises(Unavailable, match="does not answer"):
        await names(database)
    await database.close()


async def test_a_faulty_statement_is_not_taken_for_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.read() as connection:
            await connection.execute(text("SELECT nothing FROM nowhere"))


async def test_a_failure_nobody_foresaw_claims_nothing_and_names_its_reference() -> None:
    app = FastAPI()
    install(app)

    @app.get("/breaks")
    async def breaks() -> None:
        raise ValueError("odd")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/breaks")
    assert answer.status_code == 500
    assert "It may or may not have been done; look before you repeat it" in answer.json()["detail"]
    assert len(answer.headers["x-request-id"]) == 16
    assert f"(reference {answer.headers['x-request-id']})" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_urls_get_their_asynchronous_drivers() -> None:
    assert driver_url("sqlite:///x.db").drivername == "sqlite+direct"
    assert driver_url("postgresql://u@h/n").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://h/n", "http://h", "://"])
def test_urls_of_other_databases_are_refused_in_words(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        driver_url(url)


async def test_sqlite_is_told_to_survive_a_power_cut(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.start()

    async def look(transaction: Transaction) -> tuple[str, int, int]:
        values = [
            (await transaction.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        return values[0], values[1], values[2]

    assert await database.write(look) == ("wal", 2, 1)
    await database.close()
