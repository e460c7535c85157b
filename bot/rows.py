"""Statements that SQLite and PostgreSQL spell alike but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from bot.database import Transaction


async def insert_new(transaction: Transaction, table: Table, row: Mapping[str, Any], *, on: Sequence[str]) -> bool:
    """Insert a row unless one with the same values in `on` exists; tell whether it was new."""
    is_sqlite = transaction.connection.dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    statement = insert(table).values(**row).on_conflict_do_nothing(index_elements=list(on))
    # psycopg's cursor is closed before anybody asks it, unless told to keep the count of an INSERT.
    result = await transaction.execute(statement.execution_options(preserve_rowcount=True))
    return bool(result.rowcount == 1)


async def put(transaction: Transaction, table: Table, row: Mapping[str, Any], *, on: Sequence[str]) -> None:
    """Insert a row, or replace the other columns of the one with the same values in `on`."""
    is_sqlite = transaction.connection.dialect.name == "sqlite"
    insert = sqlite.insert if is_sqlite else postgresql.insert
    others = {name: value for name, value in row.items() if name not in on}
    statement = insert(table).values(**row).on_conflict_do_update(index_elements=list(on), set_=others)
    await transaction.execute(statement)
