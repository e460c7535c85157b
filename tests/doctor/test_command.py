"""The command as people and programs run it: beside a running bot, and on an installation where nothing works."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bot.doctor import Check, Finding, ok
from bot.doctor.examining import examine, in_thread
from tests.doctor.conftest import ROOT
from tests.email.relay import FakeRelay, running_relay
from tests.support.stage import Theatre
from tests.support.theatre import theatre

__all__ = ["theatre"]


def files_in(folder: Path) -> list[str]:
    return sorted(str(file) for file in folder.rglob("*"))


async def run(*arguments: str, folder: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    def work() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", "doctor", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
            capture_output=True,
            text=True,
            timeout=100,
        )

    return await asyncio.to_thread(work)


async def test_beside_a_running_bot_all_is_well_and_nothing_is_changed(theatre: Theatre, tmp_path: Path) -> None:
    async with running_relay(FakeRelay()) as relay, theatre.open_stage(tmp_path) as stage:
        before = files_in(tmp_path)
        calls = len((await stage._sandbox.get("/_sandbox/calls")).json())
        ended = await run(
            AWS_ENDPOINT_URL=theatre.sandbox.url,
            VAR_DIR=str(tmp_path),
            APPROVERS="bo@corp.example",
            SMTP_URL=f"smtp://127.0.0.1:{relay.port}",
        )
        lines = ended.stdout.splitlines()
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert [line for line in lines[:-1] if not line.startswith("ok ")] == []
        assert lines[-1] == f"{len(lines) - 1} ok."
        asked = (await stage._sandbox.get("/_sandbox/calls")).json()[calls:]
        assert asked
        assert all(c["operation"].startswith(("List", "Get", "Describe", "Search", "AssumeRole")) for c in asked)
        assert files_in(tmp_path) == before


async def test_where_nothing_works_each_failure_comes_with_its_fix(tmp_path: Path) -> None:
    settings = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "VAR_DIR": str(tmp_path / "var"),
        "HOUSE_FILE": str(tmp_path / "nowhere.yml"),
        "APPROVAL_HOURS": "never",
        "SMTP_URL": "smtp://127.0.0.1:1",
    }
    ended = await run("--json", folder=tmp_path, **settings)
    assert ended.returncode == 1, ended.stderr
    found = {entry["name"]: entry for entry in json.loads(ended.stdout)}
    assert {"settings", "policies", "database", "migrations", "clock", "AWS identity", "mail"} <= {
        name for name, entry in found.items() if entry["state"] == "failed"
    }
    for entry in found.values():
        assert set(entry) == {"name", "state", "text", "fix", "seconds"}
        assert entry["state"] != "failed" or entry["fix"], entry
        assert entry["seconds"] < 15
    assert not (tmp_path / "var").exists()


async def test_the_sandbox_that_run_has_started_is_found_by_its_port(theatre: Theatre, tmp_path: Path) -> None:
    port = int(theatre.sandbox.url.rpartition(":")[2]) - 1
    ended = await run("--json", PORT=str(port), VAR_DIR=str(tmp_path))
    found = {entry["name"]: entry for entry in json.loads(ended.stdout)}
    assert found["settings"]["state"] == "ok"
    assert "sandbox's" in found["clock"]["text"]


async def test_a_check_that_hangs_is_broken_off_and_holds_up_no_other() -> None:
    never = asyncio.Event()

    async def hangs() -> Finding:
        await never.wait()
        return ok("never")

    async def breaks() -> Finding:
        raise ZeroDivisionError("a fault of our own")

    async def works() -> Finding:
        return await in_thread(lambda: ok("works"))

    checks = [Check("hangs", hangs), Check("breaks", breaks), Check("works", works)]
    found = await examine(checks, limit=0.2)
    assert [result.finding.state for result in found] == ["failed", "failed", "ok"]
    assert "no answer within 0.2 s" in found[0].finding.text
    assert "ZeroDivisionError: a fault of our own" in found[1].finding.text


async def test_an_adapter_that_can_not_be_loaded_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.commands import doctor
    from bot.settings import Settings

    broken = ModuleType("adapters.email.doctor")
    monkeypatch.setitem(sys.modules, broken.__name__, broken)
    checks = {check.name: check for check in doctor._gather(Settings(aws_endpoint_url="http://127.0.0.1:1"))}
    assert "REST" in checks
    found = await checks["email"].look()
    assert found.state == "failed"
    assert "has no attribute 'checks'" in found.text
