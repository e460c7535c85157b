"""Migrations: up, down and up again on both databases; the tables are those that the code knows."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, select, text

from bot.database.migrating import ROOT, migrate, newest_revision, revision_of, sync_url
from bot.database.tables import keepsakes, metadata, people
from bot.errors import SettingsError

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def read(url: str, look: Any) -> Any:
    """Return what `look` returns when given a connection to the database."""
    engine = create_engine(sync_url(url))
    try:
        with engine.begin() as connection:
            return look(connection)
    finally:
        engine.dispose()


def names(url: str) -> set[str]:
    found: set[str] = set(read(url, lambda connection: inspect(connection).get_table_names()))
    return found - {"alembic_version"}


def test_upgrading_makes_exactly_the_tables_that_the_code_knows(database_url: str) -> None:
    migrate(database_url)
    assert revision_of(database_url) == newest_revision()

    def compare(connection: Any) -> Any:
        # Alembic finds SQLite's default of '' to differ from itself.
        defaults = connection.dialect.name != "sqlite"
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": defaults, "target_metadata": metadata}
        )
        return compare_metadata(context, metadata)

    assert read(database_url, compare) == []


def test_partial_indexes_are_partial_after_upgrading_too(database_url: str) -> None:
    migrate(database_url)

    def look(connection: Any) -> list[Any]:
        indexes = inspect(connection).get_indexes("outbox")
        return [i["dialect_options"] for i in indexes if i["name"] == "ix_outbox_unfinished"]

    (options,) = read(database_url, look)
    (where,) = [str(value) for name, value in options.items() if name.endswith("_where")]
    assert "sent_at IS NULL" in where
    assert "given_up_at IS NULL" in where


def test_downgrading_takes_everything_away_and_upgrading_brings_it_back(database_url: str) -> None:
    migrate(database_url)
    tables = names(database_url)
    migrate(database_url, "base")
    assert names(database_url) == set()
    migrate(database_url, "base")
    migrate(database_url)
    assert names(database_url) == tables == set(metadata.tables)


def test_migrating_again_keeps_what_is_there(database_url: str) -> None:
    migrate(database_url)

    def fill(connection: Any) -> None:
        connection.execute(insert(people).values(id="p_1", email="ana@corp.example", created_at=AT))
        connection.execute(insert(keepsakes).values(name="key", value="secret"))

    read(database_url, fill)
    migrate(database_url)
    migrate(database_url, newest_revision())
    rows = read(database_url, lambda connection: connection.execute(select(people.c.email, people.c.created_at)).all())
    assert [tuple(row) for row in rows] == [("ana@corp.example", AT)]


@pytest.mark.postgres
def test_replicas_that_start_together_migrate_one_after_the_other(postgres_url: str) -> None:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": postgres_url}
    command = [sys.executable, "-m", "bot", "migrate"]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) for _ in "abc"]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert revision_of(postgres_url) == newest_revision()


@pytest.mark.parametrize("revision", ["9999", "abcdef123456"])
@pytest.mark.parametrize("wish", ["head", "base"])
def test_a_newer_database_is_left_alone(database_url: str, revision: str, wish: str) -> None:
    migrate(database_url)
    tables = names(database_url)
    marked = text("UPDATE alembic_version SET version_num = :revision")
    read(database_url, lambda connection: connection.execute(marked, {"revision": revision}))
    with pytest.raises(SettingsError, match="newer than this version"):
        migrate(database_url, wish)
    assert names(database_url) == tables


def test_an_unknown_revision_is_refused_in_words(database_url: str) -> None:
    with pytest.raises(SettingsError, match="0000x"):
        migrate(database_url, "0000x")


def test_a_database_that_does_not_answer_is_told_in_words() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL does not answer"):
        migrate("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Any) -> None:
    file = tmp_path / "letter.sqlite"
    file.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(SettingsError, match="DATABASE_URL does not answer"):
        migrate(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear Sir")


def test_the_newest_revision_is_the_only_head() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert script.get_heads() == [newest_revision()]
