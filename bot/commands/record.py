"""Commands on the database: verifying and exporting the audit, migrating."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bot import logs
from bot.audit import Audit, Verification
from bot.audit.anchoring import Anchoring, Anchors, keys_of
from bot.audit.anchors import Anchor, BadAnchor, checked
from bot.clock import SystemClock
from bot.database import Database
from bot.database.engine import driver_url
from bot.database.migrating import migrate
from bot.errors import SettingsError
from bot.locking import ProcessLock
from bot.settings import Settings

T = TypeVar("T")


def verify(*, log: str = "", is_alone: bool = False) -> int:
    """Check the chain against its anchors; exit status 1 and the first fault when it is broken.

    Anchors are read from AUDIT_ANCHOR_BUCKET, or from the file `log` (a log of the bot, or anchors one a line), or not
    at all when `is_alone`. Raises SettingsError for a file that can't be read or holds no anchor.
    """
    logs.configure("warning", plain=True)
    settings = Settings()

    async def work(audit: Audit, database: Database) -> tuple[Verification, Anchors]:
        anchors = Anchors((), ())
        if settings.audit_anchor_bucket and not log and not is_alone:
            from bot.main import build_cloud  # loads the AWS SDK

            anchors = await Anchoring(settings, database, SystemClock(), build_cloud(settings), audit).read()
        elif log:
            anchors = _anchors_in(log, settings)
        return await audit.verify(anchors.found), anchors

    found, anchors = asyncio.run(with_audit(settings, work))
    fault = found.fault or next(iter(anchors.faults), "")
    if fault:
        print(f"The audit is NOT intact: {fault}. Intact before that: {found.sealed} rows.")
        return 1
    waiting = f", {found.unsealed} newer not sealed yet" if found.unsealed else ""
    erased = f", {found.erased} with erased payload" if found.erased else ""
    count = len(anchors.found)
    anchored = f", anchored up to position {found.anchored} ({count} anchor{'s'[: count != 1]})" if count else ""
    print(f"The audit is intact: {found.sealed} rows{waiting}{erased}{anchored}.")
    return 0


def _anchors_in(file: str, settings: Settings) -> Anchors:
    """Return the anchors in a file of lines; lines that speak of something else are skipped."""
    keys = keys_of(settings)
    found: list[Anchor] = []
    faults: list[str] = []
    try:
        with open(file, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if '"anchor"' not in line and '\\"anchor\\"' not in line:
                    continue
                try:
                    found.append(checked(_anchor_of(line), keys))
                except BadAnchor as error:
                    faults.append(f"line {number} of {file} {error}")
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"{file} can't be read: {error}.") from error
    if not found and not faults:
        raise SettingsError(f"{file} holds no anchor.", next_step="Give a log of the bot with lines “audit.anchored”.")
    return Anchors(tuple(found), tuple(faults))


def _anchor_of(line: str) -> str:
    """Return the anchor in a line: the line itself, or the field `anchor` of a line of our log."""
    try:
        whole = json.loads(line)
    except ValueError:
        return line
    told = whole.get("anchor") if isinstance(whole, dict) else None
    return told if isinstance(told, str) else line


def export() -> int:
    """Print the whole record as JSON lines, oldest first."""
    logs.configure("warning", plain=True)

    async def work(audit: Audit, database: Database) -> None:
        async for entry in audit.export():
            print(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))

    try:
        asyncio.run(with_audit(Settings(), work))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has had enough; Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _file_of(database_url: str) -> Path | None:
    """Return the SQLite database's file, None for what is none."""
    url = driver_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return None
    return Path(url.database)


def require_file(database_url: str) -> None:
    """Raise SettingsError for an SQLite file that is not there; opening it would make an empty one."""
    file = _file_of(database_url)
    if file and not file.exists():
        raise SettingsError(
            f"DATABASE_URL names {file}, which does not exist: there is no record to read.",
            next_step="Check the path; python -m bot migrate makes a new database.",
        )


async def with_audit(settings: Settings, work: Callable[[Audit, Database], Awaitable[T]]) -> T:
    """Return what `work` makes of the record and its database; the bot may run meanwhile."""
    require_file(settings.database_url)
    database = Database(settings.database_url)
    await database.start()
    try:
        return await work(Audit(database, SystemClock()), database)
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
