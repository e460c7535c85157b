"""Connections, and the one writer a process has.

Every change goes through `Database.write`: the writer takes all that waits and carries it in one
transaction, each piece behind a savepoint of its own, and answers each only after the commit. So a
commit is shared under load (measured: 20 times the rate of a commit each), SQLite never sees two
writers, and a piece that fails takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.database.direct import DRIVER, TAKE_WRITE_LOCK
from bot.errors import SettingsError, Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
BATCH = 256
"""Most pieces that one transaction carries."""
TRIES = 3
"""Times that a piece is tried which loses a lock to another replica."""
POSTGRES_OPTIONS = "-c idle_in_transaction_session_timeout=5s -c lock_timeout=10s"
"""A replica that freezes in the midst of a transaction holds up the others no longer than this."""


@dataclass
class Transaction:
    """What a piece of work may use: the connection, and calls to make once the commit is certain."""

    connection: AsyncConnection
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Execute one statement; see SQLAlchemy's AsyncConnection.execute. Its `rowcount` can be relied on."""
        # Without this option an INSERT's is lost with the cursor (on PostgreSQL), and every row looks like a duplicate.
        return await self.connection.execute(statement, parameters, execution_options={"preserve_rowcount": True})

    def then(self, call: Callable[[], None]) -> None:
        """Call `call` after the commit; it must not fail and must not wait."""
        self.after_commit.append(call)


Work = Callable[[Transaction], Awaitable[T]]


@dataclass
class _Piece:
    work: Work[Any]
    answer: asyncio.Future[Any]
    tries: int = 0


@dataclass(frozen=True)
class _Outcome:
    piece: _Piece
    result: Any = None
    failure: Exception | None = None
    after_commit: Sequence[Callable[[], None]] = ()


def driver_url(url: str) -> URL:
    """Return the SQLAlchemy URL with the async driver for a plain sqlite:/// or postgresql:// URL."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise SettingsError(
            f"DATABASE_URL is not a database URL: {error}",
            next_step="Use sqlite:///path or postgresql://user@host/name.",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername=DRIVER)
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise SettingsError(f"DATABASE_URL names {backend!r}; only sqlite and postgresql are supported.")


class Database:
    """One database; `start` before use, `close` after."""

    def __init__(self, url: str) -> None:
        self.url = driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._readers: AsyncEngine = self._engine(pool_size=8)
        self._writers: AsyncEngine = self._engine(pool_size=1, for_writing=True)
        self._waiting: list[_Piece] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def _engine(self, *, pool_size: int, for_writing: bool = False) -> AsyncEngine:
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"timeout": 15}
        if not self.is_sqlite:
            arguments = {} if "options" in self.url.query else {"options": POSTGRES_OPTIONS}
        engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0 if for_writing else 8,
            pool_pre_ping=not self.is_sqlite,
            connect_args=arguments,
        )
        if self.is_sqlite:
            _prepare_sqlite(engine, for_writing=for_writing)
        return engine

    async def start(self) -> None:
        """Start the writer."""
        if self.is_sqlite:
            await asyncio.to_thread(_choose_wal, self.url.database or "")
        self._task = asyncio.create_task(self._write_on(), name="database-writer")

    async def close(self) -> None:
        """Finish what was handed in, then close all connections."""
        self._closing = True
        self._wake.set()
        if self._task:
            await self._task
        await self._writers.dispose()
        await self._readers.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading; it sees everything committed so far.

        Raises Unavailable, also out of the block, when the database does not answer.
        """
        try:
            async with self._readers.connect() as connection:
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, DBAPIError) and not _is_away(error):
                raise
            raise Unavailable("The database does not answer.", next_step="Try again in a moment.") from error

    async def write(self, work: Work[T]) -> T:
        """Run `work` in the next shared transaction and return its result once that is committed.

        `work` may be run only against the database (no network, no waiting), since all writes wait
        for it; it may be run again when it loses a lock. What it raises is raised here, with its own
        changes undone. Raises Unavailable when the database does not answer; then nothing was kept, unless
        the connection broke in the very commit: what must not happen twice looks before it acts.
        """
        if self._closing:
            raise Unavailable("The service is stopping.", next_step="Send it again in a moment.")
        piece = _Piece(work, asyncio.get_running_loop().create_future())
        self._waiting.append(piece)
        self._wake.set()
        result: T = await piece.answer
        return result

    async def _write_on(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            pieces, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            try:
                await self._commit(pieces)
            except Exception as error:  # whatever it was, the writer must live on
                log.error("database.commit_failed", error=str(error), pieces=len(pieces))
                failure = Unavailable("The database does not answer.", next_step="Try again in a moment.")
                failure.__cause__ = error
                for piece in pieces:
                    if not piece.answer.done():
                        piece.answer.set_exception(failure)
                with suppress(Exception):
                    await self._writers.dispose()

    async def _commit(self, pieces: list[_Piece]) -> None:
        outcomes: list[_Outcome] = []
        async with self._writers.begin() as connection:
            for piece in pieces:
                if not piece.answer.cancelled():
                    outcomes.append(await self._carry(connection, piece))
        for outcome in outcomes:
            self._answer(outcome)

    async def _carry(self, connection: AsyncConnection, piece: _Piece) -> _Outcome:
        """Run one piece behind its savepoint; raises only what concerns the whole transaction."""
        transaction = Transaction(connection)
        savepoint = await connection.begin_nested()
        try:
            result = await piece.work(transaction)
            await savepoint.commit()
        except DBAPIError as error:
            if _is_lost(error):
                raise
            await savepoint.rollback()
            return _Outcome(piece, failure=error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            await savepoint.rollback()  # the piece cancelled itself, and nobody else
            return _Outcome(piece, failure=Unavailable("The work was broken off."))
        except Exception as error:
            await savepoint.rollback()
            return _Outcome(piece, failure=error)
        return _Outcome(piece, result, after_commit=transaction.after_commit)

    def _answer(self, outcome: _Outcome) -> None:
        piece, failure = outcome.piece, outcome.failure
        for call in outcome.after_commit:
            try:
                call()
            except Exception:
                log.exception("database.after_commit_failed")
        if piece.answer.done():
            return
        if failure is None:
            piece.answer.set_result(outcome.result)
        elif not _lost_a_lock(failure):
            piece.answer.set_exception(failure)
        elif piece.tries + 1 < TRIES:
            piece.tries += 1
            self._waiting.append(piece)
        else:
            unavailable = Unavailable("The database is too busy.", next_step="Try again in a moment.")
            unavailable.__cause__ = failure
            piece.answer.set_exception(unavailable)


def _is_lost(error: DBAPIError) -> bool:
    """Tell whether the connection or the file is at fault, rather than the statement."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return code in _SQLITE_FILE_FAULTS
    return error.connection_invalidated


def _is_away(error: DBAPIError) -> bool:
    """Tell whether the database can't be reached or read, also when there was no connection yet to be lost."""
    if isinstance(error.orig, sqlite3.Error) or error.connection_invalidated:
        return _is_lost(error)
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError | InterfaceError) and (not state or state[:3] in _AWAY_STATES)


_AWAY_STATES = frozenset(("080", "57P", "533", "530"))
"""SQLSTATEs, by their beginning, of lost connections, a server that stops or starts, and one that is full."""
_SQLITE_FILE_FAULTS = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    )
)
_LOCK_STATES = frozenset(("40001", "40P01", "55P03"))
"""SQLSTATE of serialization_failure, deadlock_detected and lock_not_available: another try may go well."""


def _lost_a_lock(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _LOCK_STATES


def _choose_wal(path: str) -> None:
    """Put the file into WAL, which stays so: once, since a switch does not wait for others' locks as statements do."""
    connection = sqlite3.connect(path, timeout=15)
    try:
        for pause in (0.05, 0.2, 1.0, 0.0):
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError:
                time.sleep(pause)
    finally:
        connection.close()


def _prepare_sqlite(engine: AsyncEngine, *, for_writing: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=15000")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(TAKE_WRITE_LOCK if for_writing else "BEGIN")
