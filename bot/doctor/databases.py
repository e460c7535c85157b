"""The database, its schema, and the workflow engine's own. Read beside a running bot; nothing is made or changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from bot.database.migrating import newest_revision, revision_of, sync_url
from bot.doctor.examining import in_thread
from bot.doctor.model import Check, Finding, Patient, failed, ok, warning
from bot.errors import SettingsError
from bot.settings import Settings

MIGRATE = "python -m bot migrate"


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of both databases."""
    settings = patient.settings

    async def database() -> Finding:
        return await in_thread(lambda: _reach(settings))

    async def migrations() -> Finding:
        return await in_thread(lambda: _compare(settings))

    async def workflows() -> Finding:
        return await in_thread(lambda: _look_at_workflows(settings))

    return Check("database", database), Check("migrations", migrations), Check("workflow database", workflows)


def _file_of(url: str) -> Path | None:
    found = sync_url(url)
    return Path(found.database or "") if found.get_backend_name() == "sqlite" else None


def _shown(url: str) -> str:
    """Return the database's name without a password."""
    file = _file_of(url)
    return str(file) if file else sync_url(url).render_as_string(hide_password=True)


def _reach(settings: Settings) -> Finding:
    file = _file_of(settings.database_url)
    if file and not file.exists():
        return failed(f"there is no {file} yet", f"{MIGRATE}   (the first start makes it as well)")
    try:
        revision_of(settings.database_url)
    except SettingsError as error:
        if file:
            return failed(f"{file} can't be read: {_reason(error)}", "Restore the backup, or check its permissions.")
        return failed(
            f"{_shown(settings.database_url)} does not answer: {_reason(error)}",
            "Check DATABASE_URL, the server, and the network between.",
        )
    return ok(f"{_shown(settings.database_url)} answers")


def _reason(error: SettingsError) -> str:
    text = error.detail.partition("does not answer: ")[2] or error.detail
    return " ".join(text.split()).rstrip(".")


def _compare(settings: Settings) -> Finding:
    file, newest = _file_of(settings.database_url), newest_revision()
    try:
        current = "" if file and not file.exists() else revision_of(settings.database_url)
    except SettingsError:
        return warning("not looked at: the database can't be read")
    if current == newest:
        return ok(f"at revision {current}, the newest")
    if current > newest:
        return failed(
            f"at revision {current}, which is newer than this version's {newest}",
            "Run the newer version, or restore the backup made before it.",
        )
    return failed(f"at {f'revision {current}' if current else 'no revision'}, the newest is {newest}", MIGRATE)


def _look_at_workflows(settings: Settings) -> Finding:
    from bot.main import workflow_url

    url = workflow_url(settings)
    file = _file_of(url)
    if file and not file.exists():
        return warning(f"there is no {file} yet", "The first start makes it: python -m bot serve")
    engine = create_engine(sync_url(url))
    try:
        with engine.connect() as connection:
            found = inspect(connection)
            schema = None if file else "dbos"
            is_made = found.has_table("dbos_migrations", schema=schema)
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        return failed(f"{_shown(url)} can't be read: {reason}", "Check WORKFLOW_DATABASE_URL, or restore the backup.")
    finally:
        engine.dispose()
    if not is_made:
        return warning(f"{_shown(url)} has no tables yet", "The first start makes them: python -m bot serve")
    return ok(f"{_shown(url)} answers")
