"""Settings, files, the folder and the databases: each broken in one way."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from bot.database.migrating import migrate
from bot.doctor import Patient, databases, files
from bot.settings import Settings
from tests.doctor.conftest import SettingsMade, find


def look_at(patient: Patient, settings: Settings) -> Patient:
    return replace(patient, settings=settings)


@pytest.mark.parametrize("name", ["house rules", "directory", "policies", "approvers", "folder for state"])
async def test_whole_files_are_ok(patient: Patient, name: str) -> None:
    assert (await find(files.checks(patient), name)).state == "ok"


@pytest.mark.parametrize("name", ["database", "migrations"])
async def test_a_migrated_database_is_ok(patient: Patient, name: str) -> None:
    assert (await find(databases.checks(patient), name)).state == "ok"


def test_every_wrong_value_is_named_and_the_others_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("APPROVAL_HOURS", "soon"), ("PORT", "99999"), ("AWS_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    settings, finding = files.read_settings()
    assert finding.state == "failed"
    assert "APPROVAL_HOURS" in finding.text
    assert "PORT" in finding.text
    assert (settings.aws_region, settings.approval_hours, settings.port) == ("eu-west-1", 48, 8000)


def test_values_that_do_not_go_together_come_with_what_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPROVERS", "bo@corp.example")
    settings, finding = files.read_settings()
    assert finding.state == "failed"
    assert finding.fix == "Set SMTP_URL, or MAIL_TRANSPORT=ses."
    assert not settings.is_sandbox


@pytest.mark.parametrize(
    ("setting", "name", "content", "words"),
    [
        ("house_file", "house rules", "account_types: nothing", "account_types"),
        ("house_file", "house rules", "{", "is not YAML"),
        ("directory_file", "directory", "people: [{name: Ana}]", "email"),
        ("directory_file", "approvers", "approvals: 7", "approvals"),
    ],
)
async def test_a_file_that_can_not_be_used_is_named_with_its_fault(
    patient: Patient, make_settings: SettingsMade, tmp_path: Path, setting: str, name: str, content: str, words: str
) -> None:
    file = tmp_path / "broken.yml"
    file.write_text("", encoding="utf-8")
    settings = make_settings(**{setting: file})
    file.write_text(content, encoding="utf-8")
    finding = await find(files.checks(look_at(patient, settings)), name)
    assert finding.state == "failed"
    assert str(file) in finding.text
    assert words in finding.text
    assert finding.fix


async def test_policies_that_do_not_parse_have_failed(
    patient: Patient, make_settings: SettingsMade, tmp_path: Path
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    settings = make_settings(policy_dir=folder)
    checks = files.checks(look_at(patient, settings))
    assert "no *.cedar file" in (await find(checks, "policies")).text
    (folder / "mine.cedar").write_text("permit whoever", encoding="utf-8")
    finding = await find(checks, "policies")
    assert finding.state == "failed"
    assert "do not parse" in finding.text


async def test_files_that_are_not_there_mean_defaults_and_a_warning(patient: Patient, tmp_path: Path) -> None:
    settings = patient.settings.model_copy(
        update={"house_file": tmp_path / "no-house", "directory_file": tmp_path / "no-directory"}
    )
    checks = files.checks(look_at(patient, settings))
    for name, setting in (("house rules", "HOUSE_FILE"), ("directory", "DIRECTORY_FILE")):
        finding = await find(checks, name)
        assert finding.state == "warning"
        assert setting in finding.fix


async def test_nobody_to_approve_has_failed(patient: Patient) -> None:
    settings = patient.settings.model_copy(update={"approvers": ()})
    finding = await find(files.checks(look_at(patient, settings)), "approvers")
    assert finding.state == "failed"
    assert "APPROVERS" in finding.fix


async def test_a_folder_that_can_not_be_made_has_failed(
    patient: Patient, make_settings: SettingsMade, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    finding = await find(files.checks(look_at(patient, make_settings(var_dir=file / "var"))), "folder for state")
    assert finding.state == "failed"
    assert f"{file} is no folder" in finding.text
    assert "VAR_DIR" in finding.fix


async def test_a_folder_to_which_nothing_can_be_written_has_failed(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    finding = await find(files.checks(patient), "folder for state")
    assert finding.state == "failed"
    assert "read-only to this user" in finding.text


@pytest.mark.parametrize(("free", "state"), [(10 * 1024**3, "ok"), (1024**3, "warning"), (1024**2, "failed")])
async def test_a_full_disk_is_told(patient: Patient, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, free))
    assert (await find(files.checks(patient), "folder for state")).state == state


async def test_a_database_that_is_not_there_is_offered_the_migration_and_not_made(
    patient: Patient, make_settings: SettingsMade, tmp_path: Path
) -> None:
    checks = databases.checks(look_at(patient, make_settings(var_dir=tmp_path / "new")))
    for name in ("database", "migrations"):
        finding = await find(checks, name)
        assert finding.state == "failed"
        assert finding.fix.startswith("python -m bot migrate")
    assert (await find(checks, "workflow database")).state == "warning"
    assert not (tmp_path / "new").exists()


async def test_a_file_that_is_no_database_has_failed(patient: Patient) -> None:
    for name in ("quartermaster.sqlite", "quartermaster-workflows.sqlite"):
        (patient.settings.var_dir / name).write_bytes(b"no database at all, whatever its name says" * 100)
    checks = databases.checks(patient)
    finding = await find(checks, "database")
    assert finding.state == "failed"
    assert "not a database" in finding.text
    assert (await find(checks, "migrations")).state == "warning"
    assert (await find(checks, "workflow database")).state == "failed"


async def test_an_empty_database_is_offered_the_migration(patient: Patient) -> None:
    file = patient.settings.var_dir / "quartermaster.sqlite"
    migrate(f"sqlite:///{file}", "base")
    finding = await find(databases.checks(patient), "migrations")
    assert finding.state == "failed"
    assert finding.fix == "python -m bot migrate"


async def test_a_database_of_a_newer_version_is_not_to_be_migrated(patient: Patient) -> None:
    with sqlite3.connect(patient.settings.var_dir / "quartermaster.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    finding = await find(databases.checks(patient), "migrations")
    assert finding.state == "failed"
    assert "newer" in finding.text
    assert "migrate" not in finding.fix


async def test_a_server_that_does_not_answer_is_named_without_its_password(
    patient: Patient, make_settings: SettingsMade
) -> None:
    settings = make_settings(database_url="postgresql://qm:hidden@127.0.0.1:1/qm")
    finding = await find(databases.checks(look_at(patient, settings)), "database")
    assert finding.state == "failed"
    assert "127.0.0.1:1" in finding.text
    assert "hidden" not in finding.text + finding.fix
    assert "DATABASE_URL" in finding.fix


@pytest.mark.postgres
async def test_a_server_with_an_empty_database_answers_and_wants_the_migration(
    patient: Patient, make_settings: SettingsMade, postgres_url: str
) -> None:
    migrate(postgres_url, "base")
    checks = databases.checks(look_at(patient, make_settings(database_url=postgres_url)))
    assert (await find(checks, "database")).state == "ok"
    assert (await find(checks, "migrations")).fix == "python -m bot migrate"
    assert (await find(checks, "workflow database")).state == "warning"
