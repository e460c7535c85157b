"""Runs migrations on the database that `migrate` hands over, or on DATABASE_URL from the command line."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from bot.database.migrating import sync_url
from bot.database.tables import metadata
from bot.settings import load_settings

LOCK = 7_266_231_905
"""Advisory lock on PostgreSQL: replicas that start together migrate one after the other."""


def run() -> None:
    """Upgrade or downgrade within one transaction."""
    url = context.config.attributes.get("url") or load_settings().database_url
    engine = create_engine(sync_url(url))
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            context.configure(
                connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite"
            )
            context.run_migrations()
    finally:
        engine.dispose()


run()
