"""Leases: one holder, taken over when it lapses; heartbeats of replicas."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.database import Database
from bot.leases import DEAD, HOLD, RENEW, Lease, Replicas
from tests.core.clock import HandClock

MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def mine(database: Database, clock: HandClock) -> Lease:
    return Lease(database, clock, "scheduler", "one")


@pytest.fixture
def theirs(other_database: Database, clock: HandClock) -> Lease:
    return Lease(other_database, clock, "scheduler", "two")


async def test_only_one_of_many_that_ask_at_once_holds_it(
    database: Database, other_database: Database, clock: HandClock
) -> None:
    asking = [Lease(d, clock, "scheduler", f"replica-{n}") for n, d in enumerate([database, other_database] * 10)]
    assert sorted(await asyncio.gather(*(lease.held() for lease in asking))) == [False] * 19 + [True]


async def test_the_holder_keeps_it_by_asking_again(mine: Lease, theirs: Lease, clock: HandClock) -> None:
    assert await mine.held()
    for _ in range(10):
        clock.at += HOLD - RENEW
        assert await mine.held()
        assert not await theirs.held()


async def test_it_is_taken_over_once_it_has_lapsed_and_not_before(mine: Lease, theirs: Lease, clock: HandClock) -> None:
    assert await mine.held()
    clock.at += HOLD
    assert not await theirs.held()
    clock.at += RENEW
    assert await theirs.held()


async def test_a_holder_that_was_frozen_finds_it_gone(mine: Lease, theirs: Lease, clock: HandClock) -> None:
    assert await mine.held()
    clock.at += HOLD + MOMENT
    assert await theirs.held()
    assert not await mine.held()
    clock.at += RENEW
    assert await theirs.held()


async def test_a_lease_given_up_is_free_at_once(mine: Lease, theirs: Lease, clock: HandClock) -> None:
    assert await mine.held()
    await mine.release()
    assert await theirs.held()
    await mine.release()  # it is not ours to give up any more
    clock.at += RENEW
    assert await theirs.held()


async def test_what_is_recorded_under_it_is_refused_once_another_holds_it(
    mine: Lease, theirs: Lease, database: Database, other_database: Database, clock: HandClock
) -> None:
    assert not await database.write(mine.confirm), "nobody holds it yet"
    assert await mine.held()
    assert await database.write(mine.confirm)
    assert not await other_database.write(theirs.confirm)
    clock.at += HOLD + MOMENT
    assert await database.write(mine.confirm), "lapsed, but not taken over"
    assert await theirs.held()
    assert not await database.write(mine.confirm)
    assert await other_database.write(theirs.confirm)


async def test_leases_of_other_names_are_others(database: Database, mine: Lease, clock: HandClock) -> None:
    assert await mine.held()
    assert await Lease(database, clock, "sealer", "two").held()


async def test_the_database_is_asked_every_two_seconds_at_most(
    mine: Lease, database: Database, clock: HandClock
) -> None:
    assert await mine.held()
    await database.close()
    assert await mine.held()


async def test_a_replica_that_is_silent_counts_as_dead(
    database: Database, other_database: Database, clock: HandClock
) -> None:
    one, two = Replicas(database, clock, "one"), Replicas(other_database, clock, "two")
    await one.beat()
    await two.beat()
    assert await one.living() == {"one", "two"}
    clock.at += DEAD
    assert await one.living() == {"one", "two"}
    await one.beat()
    clock.at += MOMENT
    assert await one.living() == {"one"}
    assert await two.living() == {"one", "two"}, "a replica never takes itself for dead"


async def test_a_replica_that_says_good_bye_is_gone_at_once(
    database: Database, other_database: Database, clock: HandClock
) -> None:
    one, two = Replicas(database, clock, "one"), Replicas(other_database, clock, "two")
    await one.beat()
    await two.beat()
    await two.leave()
    assert await one.living() == {"one"}


async def test_the_only_process_of_a_file_forgets_all_others(database: Database, clock: HandClock) -> None:
    assert await Lease(database, clock, "scheduler", "former").held()
    await Replicas(database, clock, "former").beat()
    present = Replicas(database, clock, "present")
    await present.bury_all_others()
    assert await present.living() == {"present"}
    assert await Lease(database, clock, "scheduler", "present").held()
