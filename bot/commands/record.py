"""Commands on the database: verifying, erasing and exporting the audit, migrating."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from bot import logs
from bot.audit import Audit, unreadable
from bot.clock import SystemClock
from bot.database import Database
from bot.database.engine import driver_url
from bot.database.migrating import migrate
from bot.errors import SettingsError
from bot.locking import ProcessLock
from bot.settings import Settings

T = TypeVar("T")


def verify() -> int:
    """Check the chain; exit status 1 and the first bad row when it is broken."""
    logs.configure("warning", plain=True)
    found = asyncio.run(_with_audit(Settings(), Audit.verify))
    waiting = f", {found.unsealed} newer not sealed yet" if found.unsealed else ""
    erased = f", {found.erased} with erased payload" if found.erased else ""
    if found.fault:
        print(f"The audit is NOT intact: {found.fault}. Intact before that: {found.sealed} rows.")
        return 1
    print(f"The audit is intact: {found.sealed} rows{waiting}{erased}.")
    return 0


def erase(seq: int, reason: str) -> int:
    """Erase the payload of one row for good; the record says which operator did so, and why."""
    logs.configure("warning", plain=True)
    operator = _operator()

    async def work(audit: Audit) -> None:
        await audit.erase(seq, operator, reason)

    try:
        asyncio.run(_with_audit(Settings(), work))
    except DBAPIError as error:
        raise unreadable(error) from error
    print(f"The payload of row {seq} is erased; the record says that {operator} did so, and why.")
    return 0


def export() -> int:
    """Print the whole record as JSON lines, oldest first."""
    logs.configure("warning", plain=True)

    async def work(audit: Audit) -> None:
        async for entry in audit.export():
            print(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))

    try:
        asyncio.run(_with_audit(Settings(), work))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has had enough; Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _operator() -> str:
    """Return the operating system's name for who runs this process; no variable of the environment changes it."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _file_of(database_url: str) -> Path | None:
    """Return the SQLite database's file, None for what is none."""
    url = driver_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return None
    return Path(url.database)


def _require_file(database_url: str) -> None:
    """Raise SettingsError for an SQLite file that is not there; opening it would make an empty one."""
    file = _file_of(database_url)
    if file and not file.exists():
        raise SettingsError(
            f"DATABASE_URL names {file}, which does not exist: there is no record to read.",
            next_step="Check the path; python -m bot migrate makes a new database.",
        )


async def _with_audit(settings: Settings, work: Callable[[Audit], Awaitable[T]]) -> T:
    """Return what `work` makes of the record; the bot may run meanwhile."""
    _require_file(settings.database_url)
    database = Database(settings.database_url)
    await database.start()
    try:
        return await work(Audit(database, SystemClock()))
    finally:
        await database.close()


def migrate_database(revision: str) -> int:
    """Upgrade, or go to a revision ("base" undoes all). Raises SettingsError while a bot uses the SQLite file."""
    settings = Settings()
    lock = ProcessLock(_file_of(settings.database_url))
    try:
        lock.take()
    except SettingsError as error:
        raise SettingsError(error.detail, next_step="Stop it first, then migrate.") from error
    try:
        migrate(settings.database_url, revision)
    finally:
        lock.release()
    return 0
