"""Root addresses of accounts that were closed from here: AWS never takes them again, also when the account is gone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import touched
from bot.rows import insert_new

KIND = "closed-account"


async def remember_closed(
    transaction: Transaction, clock: Clock, request_id: str, account_id: str, root_email: str
) -> None:
    """Keep that a request has had an account closed; once."""
    row = {
        "request_id": request_id,
        "kind": KIND,
        "resource": f"{account_id} {root_email.casefold()}"[:255],
        "at": clock.now(),
    }
    await insert_new(transaction, touched, row, on=["request_id", "kind", "resource"])


async def list_closed(database: Database) -> dict[str, str]:
    """Return the accounts that were closed from here, by their case-folded root addresses."""
    query = select(touched.c.resource).where(touched.c.kind == KIND)
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return {email: account_id for account_id, _, email in (row.resource.partition(" ") for row in rows)}


async def closing_times(database: Database) -> dict[str, datetime]:
    """Return when each account was closed from here, by its id."""
    query = select(touched.c.resource, touched.c.at).where(touched.c.kind == KIND)
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    return {row.resource.partition(" ")[0]: row.at for row in rows}
