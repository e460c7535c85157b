"""Databases with all tables and no rows, made once and copied: hundreds of tests want one."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

from sqlalchemy import StaticPool, create_engine

from bot.database.migrating import sync_url
from bot.database.tables import metadata


@cache
def _empty_file() -> bytes:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    with engine.connect() as connection:
        kept = connection.connection.driver_connection
        assert isinstance(kept, sqlite3.Connection)
        content = kept.serialize()
    engine.dispose()
    return content


def make_tables(url: str) -> None:
    """Make an SQLite file with all tables, unless it is there already."""
    file = Path(sync_url(url).database or "")
    if not file.exists():
        file.write_bytes(_empty_file())


def create_tables(url: str) -> None:
    """Create all tables in an empty database."""
    engine = create_engine(sync_url(url))
    metadata.create_all(engine)
    engine.dispose()
