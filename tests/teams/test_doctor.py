"""What the doctor says of Teams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.teams.doctor import checks
from bot.doctor import Finding, Patient
from bot.doctor.examining import examine
from bot.main import build_cloud
from bot.settings import Settings
from sandbox.teams.framework import BotFramework
from tests.support.stage.teams import TeamsSide


@pytest.fixture(scope="module")
def framework() -> Iterator[BotFramework]:
    """The stand-in."""
    made = BotFramework()
    yield made
    made.close()


async def find(name: str, tmp_path: Path, **given: Any) -> Finding:
    settings = Settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path, **given)
    found = [check for check in checks(Patient(settings, build_cloud(settings))) if check.name == name]
    (result,) = await examine(found)
    return result.finding


async def test_without_settings_teams_is_off_and_that_is_well(tmp_path: Path) -> None:
    for name in ("teams", "teams keys"):
        finding = await find(name, tmp_path)
        assert (finding.state, finding.text[:3]) == ("ok", "off")


async def test_all_is_well_when_there_is_a_token_and_keys(framework: BotFramework, tmp_path: Path) -> None:
    side = TeamsSide(framework, framework.tenant())
    finding = await find("teams", tmp_path, **side.settings)
    assert finding.state == "ok"
    assert side.tenant.id in finding.text
    assert "/api/messages" in finding.text
    assert (await find("teams keys", tmp_path, **side.settings)).state == "ok"


async def test_a_lapsed_secret_is_told_with_what_mends_it(framework: BotFramework, tmp_path: Path) -> None:
    side = TeamsSide(framework, framework.tenant())
    finding = await find("teams", tmp_path, **{**side.settings, "teams_app_secret": "a-lapsed-secret"})
    assert finding.state == "failed"
    assert "invalid_client" in finding.text
    assert "TEAMS_APP_SECRET" in finding.fix
    assert "a-lapsed-secret" not in str(finding)


async def test_keys_that_cannot_be_fetched_are_told_with_where(framework: BotFramework, tmp_path: Path) -> None:
    side = TeamsSide(framework, framework.tenant())
    finding = await find("teams keys", tmp_path, **{**side.settings, "teams_openid_url": f"{framework.url}/nowhere"})
    assert finding.state == "failed"
    assert "/nowhere" in finding.text
