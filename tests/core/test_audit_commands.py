"""The record's commands: an erasure names its operator, an export can be checked by others, steps are in it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.audit import Audit
from bot.database import Database, Transaction
from bot.database.migrating import migrate, newest_revision, revision_of
from bot.locking import ProcessLock
from tests.core.clock import HandClock
from tests.restart.nursery import run_command


def command(url: str, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot …` on a database."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "SMTP_URL": "smtp://127.0.0.1:9", "USER": "mallory"}
    return run_command(list(arguments), {**environment, **(more or {})})


async def written(url: str, clock: HandClock) -> None:
    """Make a database with three sealed rows and one that waits for its seal."""
    await asyncio.to_thread(migrate, url)
    database = Database(url)
    await database.start()
    audit = Audit(database, clock)

    async def work(transaction: Transaction) -> None:
        for n in range(3):
            payload = {"n": n, "words": "ä “quoted”\n"}
            await audit.record(transaction, "request.placed", person_id="p_1", request_id="QM-1", payload=payload)

    async def step(transaction: Transaction) -> None:
        await audit.record_step(
            transaction,
            request_id="QM-1",
            digest="d" * 64,
            step="order the account",
            state="failed",
            aws_request_ids=["r-1", "r-2"],
            error="Throttling: Rate exceeded",
        )

    await database.write(work)
    await audit.seal()
    await database.write(step)
    await database.close()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def exported(url: str) -> list[dict[str, Any]]:
    """Return the record as the command prints it."""
    done = command(url, "audit", "export")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


CHAINED = ("position", "seq", "at", "kind", "person_id", "request_id", "payload_digest")


def follow_the_chain(rows: list[dict[str, Any]]) -> None:
    """Check an export by nothing but what docs/audit.md says."""
    previous = "0" * 64
    for row in rows:
        if row["erased_at"] is None:
            assert row["payload_digest"] == hashlib.sha256(row["salt"].encode() + canonical(row["payload"])).hexdigest()
        if row["hash"] is None:
            continue
        previous = hashlib.sha256(previous.encode() + canonical({name: row[name] for name in CHAINED})).hexdigest()
        assert row["hash"] == previous


async def test_an_export_has_all_rows_and_can_be_checked_without_the_bot(database_url: str, clock: HandClock) -> None:
    await written(database_url, clock)
    rows = await asyncio.to_thread(exported, database_url)
    assert [row["position"] for row in rows] == [1, 2, 3, None]
    assert rows[0]["payload"] == {"n": 0, "words": "ä “quoted”\n"}
    follow_the_chain(rows)


async def test_a_step_is_recorded_with_what_aws_logged_and_the_digest(database_url: str, clock: HandClock) -> None:
    await written(database_url, clock)
    row = (await asyncio.to_thread(exported, database_url))[-1]
    assert (row["kind"], row["request_id"]) == ("step.failed", "QM-1")
    assert row["payload"] == {
        "step": "order the account",
        "digest": "d" * 64,
        "aws_request_ids": ["r-1", "r-2"],
        "error": "Throttling: Rate exceeded",
    }


async def test_an_erasure_names_the_operator_and_leaves_the_chain_intact(database_url: str, clock: HandClock) -> None:
    await written(database_url, clock)
    seq = (await asyncio.to_thread(exported, database_url))[1]["seq"]
    done = await asyncio.to_thread(
        command, database_url, "audit", "erase", "--seq", str(seq), "--reason", " asked by letter "
    )
    operator = pwd.getpwuid(os.getuid()).pw_name
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"The payload of row {seq} is erased; the record says that {operator} did so, and why.\n"
    verified = await asyncio.to_thread(command, database_url, "audit", "verify")
    assert verified.stdout == "The audit is intact: 3 rows, 2 newer not sealed yet, 1 with erased payload.\n"
    rows = await asyncio.to_thread(exported, database_url)
    follow_the_chain(rows)
    assert (rows[1]["payload"], rows[1]["salt"]) == (None, "")
    assert rows[1]["erased_at"]
    account = rows[-1]
    assert account["kind"] == "audit.erased"
    assert account["payload"] == {"seq": seq, "reason": "asked by letter", "operator": operator}


async def test_an_erasure_that_is_refused_says_why_in_one_line(database_url: str, clock: HandClock) -> None:
    await written(database_url, clock)
    for arguments, said in (
        (("--seq", "999", "--reason", "letter"), "There is no row 999 in the audit."),
        (("--seq", "1", "--reason", "  "), "say why the payload is erased"),
    ):
        done = await asyncio.to_thread(command, database_url, "audit", "erase", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("deed", [("export",), ("erase", "--seq", "1", "--reason", "letter")], ids=["export", "erase"])
def test_a_database_without_tables_is_told_in_one_line(database_url: str, deed: tuple[str, ...]) -> None:
    done = command(database_url, "audit", *deed)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "migrate" in done.stderr


@pytest.mark.parametrize("revision", ["base", "head"])
def test_the_file_of_a_running_bot_is_not_migrated(tmp_path: Path, revision: str) -> None:
    file = tmp_path / "quartermaster.sqlite"
    url = f"sqlite:///{file}"
    assert command(url, "migrate").returncode == 0
    lock = ProcessLock(file)
    lock.take()
    try:
        refused = command(url, "migrate", revision)
    finally:
        lock.release()
    assert refused.returncode == 2
    assert "Another Quartermaster already uses the database" in refused.stderr
    assert refused.stderr.endswith("Stop it first, then migrate.\n")
    assert revision_of(url) == newest_revision()
    assert command(url, "migrate", "base").returncode == 0
    assert revision_of(url) == ""
