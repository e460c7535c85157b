"""Commands on the database: verifying the audit, migrating."""

from __future__ import annotations

import asyncio

from bot import logs
from bot.audit import Audit, Verification
from bot.clock import SystemClock
from bot.database import Database
from bot.database.migrating import migrate
from bot.settings import Settings


def verify() -> int:
    """Check the chain; exit status 1 and the first bad row when it is broken."""
    logs.configure("warning", plain=True)
    found = asyncio.run(_verify(Settings()))
    waiting = f", {found.unsealed} newer not sealed yet" if found.unsealed else ""
    erased = f", {found.erased} with erased payload" if found.erased else ""
    if found.fault:
        print(f"The audit is NOT intact: {found.fault} ({found.sealed} rows before it are).")
        return 1
    print(f"The audit is intact: {found.sealed} rows{waiting}{erased}.")
    return 0


async def _verify(settings: Settings) -> Verification:
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
