"""Schedules: kept over restarts, and each time taken by one replica only."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from bot.activity import Person
from bot.audit import Audit
from bot.database import Database, Transaction
from bot.database.tables import people, requests
from bot.recurrence import read_recurrence
from bot.schedules import Schedule, Schedules
from tests.core.clock import HandClock

TUESDAYS = read_recurrence("every Tuesday at 10:00 Europe/Berlin")
ANA = Person("p_ana", "ana@corp.example")


async def place(database: Database, clock: HandClock, *ids: str) -> None:
    async def work(transaction: Transaction) -> None:
        at = {"created_at": clock.now(), "updated_at": clock.now()}
        person = {"id": ANA.id, "email": ANA.email, "name": "", "given_name": "", "family_name": ""}
        await transaction.execute(insert(people).values(**person, created_at=clock.now()))
        for name in ids:
            row: dict[str, Any] = {"slots": {}, "plan": {}, "digest": "", "version": 1, "notes": {}, "owner": ""}
            row |= {"id": name, "intent": "X", "state": "succeeded", "person_id": ANA.id, "tier": "standard"}
            row["conversation"] = "c"
            await transaction.execute(insert(requests).values(**row, **at))

    await database.write(work)


async def claim(database: Database, mine: Schedules, schedule: Schedule) -> bool:
    async def work(transaction: Transaction) -> bool:
        return await mine.claim(transaction, schedule, "request qm-run")

    return await database.write(work)


async def test_of_two_replicas_that_find_it_due_one_takes_it_and_it_is_next_in_a_week(
    database: Database, other_database: Database, clock: HandClock, audit: Audit
) -> None:
    await place(database, clock, "qm-one")
    mine, others = Schedules(database, clock, audit), Schedules(other_database, clock, audit)
    kept = await mine.begin("qm-one", "experiment", TUESDAYS)
    assert await others.begin("qm-one", "experiment", TUESDAYS) == kept
    assert await others.due("experiment") == []
    clock.at = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    (due,) = await others.due("experiment")
    taken = await asyncio.gather(claim(database, mine, due), claim(other_database, others, due))
    assert sorted(taken) == [False, True]
    (following,) = await others.active("experiment")
    assert (following.next_at, following.last) == (datetime(2026, 3, 10, 9, 0, tzinfo=UTC), "request qm-run")


async def test_after_weeks_in_which_nobody_was_there_it_comes_once_and_one_that_was_ended_never(
    database: Database, clock: HandClock, audit: Audit
) -> None:
    await place(database, clock, "qm-one", "qm-two")
    mine = Schedules(database, clock, audit)
    for name in ("qm-one", "qm-two"):
        await mine.begin(name, "experiment", TUESDAYS)
    clock.at = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
    one, two = await mine.due("experiment")
    assert await mine.end(["qm-two"], ANA) == 1
    assert await claim(database, mine, one)
    (following,) = await mine.active("experiment")
    assert following.next_at == datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
    assert not await claim(database, mine, two)
    assert await mine.due("experiment") == []


async def test_what_comes_once_ends_with_its_only_time(database: Database, clock: HandClock, audit: Audit) -> None:
    await place(database, clock, "qm-one")
    mine = Schedules(database, clock, audit)
    await mine.begin("qm-one", "experiment", read_recurrence("on 2026-12-03 at 10:00"))
    clock.at = datetime(2026, 12, 3, 10, 0, tzinfo=UTC)
    (due,) = await mine.due("experiment")
    assert await claim(database, mine, due)
    assert not await claim(database, mine, due)
    assert await mine.active("experiment") == []
