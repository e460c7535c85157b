"""Brings the database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from bot.database.engine import driver_url
from bot.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]


def sync_url(url: str) -> URL:
    """Return the URL with a synchronous driver."""
    found = driver_url(url)
    return found.set(drivername="sqlite" if found.get_backend_name() == "sqlite" else "postgresql+psycopg")


def newest_revision() -> str:
    """Return the head; files are named by their revision, so this needs no Alembic (which takes half a second)."""
    return max(f.name.partition("_")[0] for f in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))


def revision_of(url: str) -> str:
    """Return the revision that the database is at, empty for an empty one."""
    target = sync_url(url)
    if target.get_backend_name() == "sqlite" and target.database:
        Path(target.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(target)
    try:
        with engine.connect() as connection:
            if not engine.dialect.has_table(connection, "alembic_version"):
                return ""
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")
    except DBAPIError as error:
        raise SettingsError(f"The database at DATABASE_URL does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to the newest revision (or up or down to another); does nothing when it is there already."""
    current = revision_of(url)
    if current == (newest_revision() if revision == "head" else revision):
        return
    if current > newest_revision():
        raise SettingsError(
            f"The database is at revision {current}, newer than this version knows.",
            next_step="Run the newer version of Quartermaster, or restore the backup made before it.",
        )
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    try:
        if revision == "base" or (revision != "head" and revision < current):
            command.downgrade(config, revision)
        else:
            command.upgrade(config, revision)
    except CommandError as error:
        raise SettingsError(f"Can't migrate to {revision!r}: {error}") from error
