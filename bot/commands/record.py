"""Commands on the database: verifying the audit, migrating."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot import logs
from bot.audit import Audit, Verification
from bot.clock import SystemClock
from bot.database import Database
from bot.database.engine import driver_url
from bot.database.migrating import migrate
from bot.errors import SettingsError
from bot.settings import Settings


def verify() -> int:
    """Check the chain; exit status 1 and the first bad row when it is broken."""
    logs.configure("warning", plain=True)
    found = asyncio.run(_verify(Settings()))
    waiting = f", {found.unsealed} newer not sealed yet" if found.unsealed else ""
    erased = f", {found.erased} with erased payload" if found.erased else ""
    if found.fault:
        print(f"The audit is NOT intact: {found.fault}. Intact before that: {found.sealed} rows.")
        return 1
    print(f"The audit is intact: {found.sealed} rows{waiting}{erased}.")
    return 0


def _require_file(database_url: str) -> None:
    """Raise SettingsError for an SQLite file that is not there; opening it would make an empty one."""
    url = driver_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return
    if not Path(url.database).exists():
        raise SettingsError(
            f"DATABASE_URL names {url.database}, which does not exist: there is no record to verify.",
            next_step="Check the path; python -m bot migrate makes a new database.",
        )


async def _verify(settings: Settings) -> Verification:
    _require_file(settings.database_url)
    database = Database(settings.database_url)
    await database.start()
    try:
        return await Audit(database, SystemClock()).verify()
    finally:
        await database.close()


def migrate_database(revision: str) -> int:
    """Upgrade, or go to a revision ("base" undoes all)."""
    migrate(Settings().database_url, revision)
    return 0
