"""Inserting at most once, and replacing: the same on both databases."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from bot.database import Database, Transaction
from bot.database.tables import inbox, keepsakes
from bot.rows import insert_new, put
from tests.core.clock import HandClock


async def test_tells_a_new_row_from_one_that_is_there(database: Database) -> None:
    async def work(transaction: Transaction) -> list[bool]:
        rows = [{"name": "a", "value": value} for value in ("first", "second")]
        return [await insert_new(transaction, keepsakes, row, on=["name"]) for row in rows]

    assert await database.write(work) == [True, False]
    async with database.read() as connection:
        assert (await connection.execute(select(keepsakes.c.value))).scalars().all() == ["first"]


async def test_tells_a_new_row_of_a_numbered_table(database: Database, clock: HandClock) -> None:
    row = {"key": "k", "conversation": "c", "body": {}, "received_at": clock.at}

    async def work(transaction: Transaction) -> list[bool]:
        return [await insert_new(transaction, inbox, row, on=["key"]) for _ in "ab"]

    assert await database.write(work) == [True, False]


async def test_of_many_replicas_at_once_one_inserts(database: Database, other_database: Database) -> None:
    async def work(transaction: Transaction) -> bool:
        return await insert_new(transaction, keepsakes, {"name": "a", "value": "v"}, on=["name"])

    outcomes = await asyncio.gather(*(d.write(work) for d in [database, other_database] * 10))
    assert sorted(outcomes) == [False] * 19 + [True]


async def test_putting_replaces_what_is_there(database: Database) -> None:
    async def work(transaction: Transaction) -> None:
        for value in ("first", "second"):
            await put(transaction, keepsakes, {"name": "a", "value": value}, on=["name"])

    await database.write(work)
    async with database.read() as connection:
        assert (await connection.execute(select(keepsakes.c.value))).scalars().all() == ["second"]
