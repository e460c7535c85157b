"""The workflow engine behind its port: failures keep their kind, broken segments run anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.errors import CloudError, Unavailable
from bot.workflow import durable
from bot.workflow.durable import DurableWorkflows, JsonSerializer, StepFailed
from bot.workflow.keeping import until_kept


@pytest.fixture
async def workflows(database_url: str) -> AsyncIterator[DurableWorkflows]:
    """The engine, not started yet."""
    engine = DurableWorkflows(database_url, "one")
    yield engine
    await engine.stop()


async def taken_over(workflows: DurableWorkflows) -> None:
    """Look for broken segments until one is found and run anew."""
    async with asyncio.timeout(20):
        while not await workflows.take_over({"one"}):  # noqa: ASYNC110 - the engine offers no event for it
            await asyncio.sleep(0.05)


async def test_a_segment_that_broke_is_run_anew_until_it_ends(workflows: DurableWorkflows) -> None:
    runs: list[int] = []
    ended = asyncio.Event()

    async def segment(wait: int) -> None:
        runs.append(wait)
        if len(runs) == 1:
            raise Unavailable("The database does not answer.")
        ended.set()

    await workflows.start(segment)
    await workflows.begin(7)
    await taken_over(workflows)
    async with asyncio.timeout(20):
        await ended.wait()
    assert runs == [7, 7]
    assert await workflows.take_over({"one"}) == 0
    assert runs == [7, 7]


async def test_a_segment_begun_twice_runs_once(workflows: DurableWorkflows) -> None:
    runs: list[int] = []
    last = asyncio.Event()

    async def segment(wait: int) -> None:
        runs.append(wait)
        if wait == 8:
            last.set()

    await workflows.start(segment)
    for _ in range(3):
        await workflows.begin(7)
    await workflows.begin(8)
    async with asyncio.timeout(20):
        await last.wait()
    assert sorted(runs) == [7, 8]


@pytest.mark.parametrize("retryable", [True, False])
def test_an_aws_error_is_the_same_after_a_restart(retryable: bool) -> None:
    serializer = JsonSerializer()
    error = CloudError("Throttling", "Rate exceeded", operation="ListRoots", request_id="r-1", retryable=retryable)
    back = serializer.deserialize(serializer.serialize(error))
    assert isinstance(back, CloudError)
    assert vars(back) == vars(error)


def test_other_failures_come_back_as_texts_and_never_as_code() -> None:
    serializer = JsonSerializer()
    back = serializer.deserialize(serializer.serialize(ValueError("odd")))
    assert isinstance(back, StepFailed)
    assert str(back) == "ValueError: odd"
    assert isinstance(serializer.deserialize(serializer.serialize(Unavailable("away"))), Unavailable)
    assert serializer.deserialize(serializer.serialize({"record": "rec-1"})) == {"record": "rec-1"}
    with pytest.raises(TypeError):
        serializer.serialize(object())


async def test_a_write_is_repeated_until_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.workflow.keeping.PAUSE", 0.0)
    answers: list[Exception | str] = [Unavailable("away"), Unavailable("still away"), "kept"]

    async def work() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await until_kept(work) == "kept"


async def test_a_faulty_write_is_not_repeated() -> None:
    async def work() -> None:
        raise IntegrityError("INSERT", {}, ValueError("twice"))

    with pytest.raises(IntegrityError):
        await until_kept(work)


def test_times_are_counted_with_an_old_sqlite_too(tmp_path: Path) -> None:
    engine = durable._sqlite_engine(f"sqlite:///{tmp_path / 'old.sqlite'}")
    with engine.connect() as connection:
        connection.execute(
            text("CREATE TABLE t (id INTEGER, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))")
        )
        connection.execute(text("INSERT INTO t (id) VALUES (1)"))
        at = connection.execute(text("SELECT at FROM t")).scalar_one()
    engine.dispose()
    assert abs(at - time.time() * 1000) < 60_000
