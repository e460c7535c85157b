"""Jobs that recur: once a period, whoever restarts and however many replicas there are."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.database import Database
from bot.workflow.periodic import RETRY, Job, Periodic
from tests.core.clock import HandClock

DAY = timedelta(days=1)


class Diary:
    """A job's work that writes down when it was told it last ran; fails while `is_ill`."""

    def __init__(self) -> None:
        self.entries: list[datetime] = []
        self.is_ill = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, last: datetime) -> None:
        self.entries.append(last)
        await self.gate.wait()
        if self.is_ill:
            raise RuntimeError("not today")


@pytest.fixture
def diary() -> Diary:
    return Diary()


def periodic_of(database: Database, clock: HandClock, diary: Diary) -> Periodic:
    return Periodic(database, clock, [Job("diary", DAY, diary.write)])


async def run_due(periodic: Periodic) -> None:
    await periodic.start_due()
    await asyncio.gather(*periodic._running.values())


async def test_a_job_runs_one_period_after_it_was_first_seen_and_then_once_a_period(
    database: Database, clock: HandClock, diary: Diary
) -> None:
    first, periodic = clock.now(), periodic_of(database, clock, diary)
    await run_due(periodic)
    assert diary.entries == []
    clock.move(days=1, hours=2)
    await run_due(periodic)
    await run_due(periodic)
    assert diary.entries == [first]
    clock.move(hours=23)
    await run_due(periodic)
    assert diary.entries == [first]
    clock.move(hours=1)
    await run_due(periodic)
    assert diary.entries == [first, first + timedelta(days=1, hours=2)]


async def test_neither_a_restart_nor_another_replica_repeats_a_job(
    database: Database, other_database: Database, clock: HandClock, diary: Diary
) -> None:
    await run_due(periodic_of(database, clock, diary))
    clock.move(days=1)
    await run_due(periodic_of(database, clock, diary))
    clock.move(hours=12)
    await run_due(periodic_of(other_database, clock, diary))
    assert len(diary.entries) == 1
    clock.move(hours=12)
    await run_due(periodic_of(other_database, clock, diary))
    assert len(diary.entries) == 2


async def test_a_job_that_fails_is_tried_again_soon(database: Database, clock: HandClock, diary: Diary) -> None:
    periodic = periodic_of(database, clock, diary)
    await run_due(periodic)
    clock.move(days=1)
    diary.is_ill = True
    await run_due(periodic)
    await run_due(periodic)
    assert len(diary.entries) == 1
    diary.is_ill = False
    clock.at += RETRY
    await run_due(periodic)
    assert len(diary.entries) == 2


async def test_a_job_is_never_started_beside_itself(database: Database, clock: HandClock, diary: Diary) -> None:
    periodic = periodic_of(database, clock, diary)
    await run_due(periodic)
    diary.gate.clear()
    clock.move(days=1)
    await periodic.start_due()
    clock.move(days=2)
    await periodic.start_due()
    await asyncio.sleep(0)
    assert len(diary.entries) == 1
    await periodic.stop()


async def test_a_clock_that_was_put_back_holds_no_job_up(database: Database, clock: HandClock, diary: Diary) -> None:
    await run_due(periodic_of(database, clock, diary))
    clock.move(days=-300)
    await run_due(periodic_of(database, clock, diary))
    assert len(diary.entries) == 1


async def test_two_jobs_of_one_name_are_refused(database: Database, clock: HandClock, diary: Diary) -> None:
    job = Job("diary", DAY, diary.write)
    with pytest.raises(ValueError, match="two jobs"):
        Periodic(database, clock, [job, job])
