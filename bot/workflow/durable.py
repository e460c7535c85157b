"""The port to the workflow engine, and DBOS Transact behind it.

One registered workflow, `run_segment`, carries every segment of every intent: its id is the waiting row
that started it, so starting twice starts once. DBOS keeps which steps are done; our own tables keep what
people see. Recovered workflows run in DBOS's own threads, so each step is handed to the loop that the
database and the adapters live on.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from sqlalchemy import Engine, create_engine, event

from bot.errors import CloudError, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
APPLICATION_VERSION = "1"
"""Pinned: a deploy must strand nothing. Raise it only with a migration of what is under way."""

PREFIX = "segment-"
MEND_PAUSE, MEND_PAUSE_MOST = 5.0, 300.0
"""Seconds between tries of a segment that breaks again and again: so many more each time, up to the most."""

SUBSECONDS_SINCE = (3, 42, 0)
"""The SQLite that knows unixepoch('subsec'). Debian 12 and Ubuntu 22.04 have older ones."""

Segments = Callable[[int], Awaitable[None]]


class JsonSerializer(Serializer):
    """State as JSON, not pickle: readable in the database, and nothing in it is ever executed."""

    def serialize(self, data: Any) -> str:
        """Return JSON; exceptions become their type and text."""
        return json.dumps(data, default=_plain)

    def deserialize(cls, serialized_data: str) -> Any:
        """Return what `serialize` was given, as JSON types; a kept failure comes back as CloudError or StepFailed."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and "__error__" in data:
            return _failure(data)
        return data

    def name(self) -> str:
        """Return the name that rows are marked with."""
        return "quartermaster_json"


class StepFailed(Exception):
    """A failure kept by an earlier run of the same workflow."""


def _failure(data: dict[str, Any]) -> Exception:
    if data["__error__"] == CloudError.__name__:
        # Told apart as in the run that was cut off: what a retry cures must stay so after a restart.
        return CloudError(data["code"], data["message"], **data["details"])
    if data["__error__"] == Unavailable.__name__:
        return Unavailable(data["text"])
    return StepFailed(f"{data['__error__']}: {data['text']}")


def _plain(value: Any) -> Any:
    if isinstance(value, CloudError):
        details = {"operation": value.operation, "request_id": value.request_id, "retryable": value.retryable}
        return {"__error__": CloudError.__name__, "code": value.code, "message": value.message, "details": details}
    if isinstance(value, BaseException):
        return {"__error__": type(value).__name__, "text": str(value)}
    if isinstance(value, tuple | set):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


class DurableWorkflows:
    """DBOS, one per process. `executor` must be unique: two processes of one id would both run a step."""

    def __init__(self, url: str, executor: str) -> None:
        self._url, self._executor = url, executor
        self._segments: Segments | None = None
        self._home: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None

    async def start(self, segments: Segments) -> None:
        """Launch; `segments(wait)` runs the segment that a waiting row names."""
        self._segments, self._home = segments, asyncio.get_running_loop()
        config: DBOSConfig = {
            "name": "quartermaster",
            "executor_id": self._executor,
            "application_version": APPLICATION_VERSION,
            "serializer": JsonSerializer(),
            "log_level": "ERROR",
            "console_log_level": "ERROR",
            "notification_listener_polling_interval_sec": 0.5,  # also bounds how long stopping takes
        }
        if self._url.startswith("sqlite"):
            self._engine = _sqlite_engine(self._url)
            config["system_database_engine"] = self._engine
            config["system_database_url"] = self._url
        else:
            config["system_database_url"] = self._url
            config["sys_db_pool_size"] = 8
        global _current
        _current = self
        await asyncio.to_thread(DBOS, config=config)
        await asyncio.to_thread(DBOS.launch)

    async def stop(self) -> None:
        """Let running workflows go on elsewhere or at the next start."""
        global _current
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
        if self._engine:
            self._engine.dispose()
        _current = None

    async def begin(self, wait: int) -> None:
        """Start the segment of a waiting row; once, however often it is called."""
        await self._begin(f"{PREFIX}{wait}", wait)

    async def _begin(self, workflow_id: str, wait: int) -> None:
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(run_segment, wait)

    async def take_over(self, living: set[str]) -> int:
        """Resume what executors outside `living` left under way, and run anew what broke; return how many."""
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        left = [w.workflow_id for w in pending if (w.executor_id or "") not in living]
        if left:
            log.warning("workflow.taken_over", count=len(left))
            await DBOS.resume_workflows_async(left)
        return len(left) + await self._mend()

    async def _mend(self) -> int:
        """Run segments anew that ended without a result, as when the process stopped in their midst."""
        broken = await DBOS.list_workflows_async(
            status="ERROR", workflow_id_prefix=PREFIX, load_input=False, load_output=False
        )
        mended = 0
        for workflow in broken:
            wait, _, number = workflow.workflow_id.removeprefix(PREFIX).partition("-")
            tries = int(number or 0)
            ended = (workflow.updated_at or 0) / 1000
            if time.time() < ended + min(tries * MEND_PAUSE, MEND_PAUSE_MOST):
                continue
            log.warning("workflow.mended", wait=wait, tries=tries + 1)
            # In this order a crash between the two repeats both, and the first does nothing the second time.
            await self._begin(f"{PREFIX}{wait}-{tries + 1}", int(wait))
            await DBOS.delete_workflow_async(workflow.workflow_id)
            mended += 1
        return mended

    async def _at_home(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run work on the loop that the rest of the process lives on."""
        if self._home is None:
            raise RuntimeError("not started")
        if asyncio.get_running_loop() is self._home:
            return await work()

        async def call() -> T:
            return await work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), self._home))

    async def checkpoint(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run a step of the current workflow, or give back what it returned when it ran before."""

        async def call() -> T:
            return await work()

        return await DBOS.run_step_async({"name": name}, call)

    async def run(self, wait: int) -> None:
        """Run the segment of a waiting row, on the home loop; DBOS's context goes along."""
        segments = self._segments
        if segments is None:
            raise RuntimeError("not started")
        await self._at_home(lambda: segments(wait))


_current: DurableWorkflows | None = None


@DBOS.workflow(name="run_segment", max_recovery_attempts=1000)
async def run_segment(wait: int) -> None:
    """Run one segment; registered once, under one name, for all intents."""
    if _current is None:
        raise RuntimeError("the workflow engine is not started")
    await _current.run(wait)


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 15, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.close()
        if sqlite3.sqlite_version_info < SUBSECONDS_SINCE:
            connection.create_function("unixepoch", 1, _unixepoch)

    return engine


def _unixepoch(modifier: str) -> float | None:
    """Return what SQLite's unixepoch('subsec') does; DBOS relies on it from Python 3.12 on, whatever SQLite it has."""
    return round(time.time(), 3) if modifier in ("subsec", "subsecond") else None
