"""SQLite without a thread between: statements run where they are asked for, only what waits goes elsewhere.

A statement here takes some tens of microseconds, its way to another thread and back four times as long, and
under load each way waits for the interpreter's lock besides (docs/decisions/018). What can take long
is taking the write lock, which another process may hold, and the commit, which waits for the disk: these two run
in a thread of their own. So the event loop never waits for a disk or for another process.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, AdaptedConnection
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

DRIVER = "sqlite+direct"
TAKE_WRITE_LOCK = "BEGIN IMMEDIATE"

T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sqlite")


def _elsewhere(call: Callable[[], T]) -> T:
    """Wait for a call made in another thread, as SQLAlchemy's drivers wait: the event loop goes on meanwhile."""

    async def wait() -> T:
        # Shielded, because a thread can't be broken off: what was begun on the connection ends before anything else.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(_threads, call))

    return await_only(wait())


async def _at_once() -> None:
    """Wait for nothing. SQLAlchemy takes a driver that never waits for one that blocks, and refuses it."""


class DirectCursor(sqlite3.Cursor):
    """A cursor that waits for nothing but the write lock."""

    server_side = False

    def execute(self, operation: str, parameters: Any = (), /) -> DirectCursor:
        """Execute one statement; see sqlite3.Cursor.execute."""
        if operation == TAKE_WRITE_LOCK:
            _elsewhere(lambda: super(DirectCursor, self).execute(operation))
            return self
        await_only(_at_once())
        super().execute(operation, parameters)
        return self

    def executemany(self, operation: str, parameters: Any, /) -> DirectCursor:
        """Execute a statement for each set of parameters; see sqlite3.Cursor.executemany."""
        await_only(_at_once())
        super().executemany(operation, parameters)
        return self

    async def _async_soft_close(self) -> None:
        """Do nothing: rows are read from the open cursor, and closing it waits for nothing."""


class StreamingCursor(DirectCursor):
    """A cursor whose rows are read as they are asked for."""

    server_side = True


class DirectConnection(AdaptedConnection):
    """A connection whose commit, when there is something to commit, does not hold up the event loop."""

    __slots__ = ("_committed", "_connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: Any = connection
        self._committed = connection.total_changes

    def cursor(self, server_side: bool = False) -> DirectCursor:
        """Return a new cursor; `server_side` as SQLAlchemy calls one that is read row by row."""
        found: DirectCursor = self._connection.cursor(StreamingCursor if server_side else DirectCursor)
        return found

    def commit(self) -> None:
        """Commit; returns when it is on the disk."""
        if self._connection.total_changes == self._committed:
            self._connection.commit()
            return
        _elsewhere(self._connection.commit)
        self._committed = self._connection.total_changes

    def rollback(self) -> None:
        """Undo what is not committed."""
        self._connection.rollback()
        self._committed = self._connection.total_changes

    def close(self) -> None:
        """Close; what is not committed is undone."""
        self._connection.close()

    terminate = close

    def create_function(self, *arguments: Any, **options: Any) -> None:
        """Offer a function to SQL; see sqlite3.Connection.create_function."""
        self._connection.create_function(*arguments, **options)

    @property
    def isolation_level(self) -> Any:
        """How sqlite3 begins transactions by itself; None when it does not."""
        return self._connection.isolation_level

    @isolation_level.setter
    def isolation_level(self, level: Any) -> None:
        self._connection.isolation_level = level


class _Driver:
    """sqlite3 as SQLAlchemy expects a driver."""

    paramstyle = "qmark"

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, *arguments: Any, **options: Any) -> DirectConnection:
        # Serialised by us: a connection is used by one task at a time, and a commit is waited for.
        return DirectConnection(sqlite3.connect(*arguments, **{**options, "check_same_thread": False}))


class _Context(SQLiteExecutionContext):
    """How one statement is executed."""

    def create_server_side_cursor(self) -> Any:
        return self._dbapi_connection.cursor(server_side=True)


class DirectDialect(SQLiteDialect_pysqlite):
    """SQLAlchemy's SQLite for `sqlite+direct:` URLs of files."""

    driver = "direct"
    is_async = True
    supports_statement_cache = True
    has_terminate = True
    supports_server_side_cursors = True
    execution_ctx_cls = _Context

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver."""
        return _Driver()

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        """Return the pool that suits tasks instead of threads."""
        return AsyncAdaptedQueuePool

    def get_driver_connection(self, connection: Any) -> Any:
        """Return sqlite3's own connection."""
        return connection.driver_connection

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Close a connection whose task was broken off."""
        dbapi_connection.terminate()


registry.register("sqlite.direct", __name__, "DirectDialect")
