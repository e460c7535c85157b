"""What the doctor says of Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.doctor import checks
from adapters.slack.install.scopes import SCOPES
from bot.doctor import Finding, Patient
from bot.doctor.examining import examine
from bot.main import build_cloud
from bot.settings import Settings
from tests.support.slack.oauth_server import Grant, OAuthServer, serve_oauth
from tests.support.slack.socket_server import APP_TOKEN, SocketServer, serve_sockets

TOKEN = "xoxb-token-of-tests"


@pytest.fixture
async def slack() -> AsyncIterator[OAuthServer]:
    """Slack, with the app in it."""
    async with serve_oauth() as server:
        server.live[TOKEN] = Grant(scope=",".join(SCOPES))
        yield server


@pytest.fixture
async def sockets() -> AsyncIterator[SocketServer]:
    """Slack's Socket Mode."""
    async with serve_sockets() as server:
        yield server


async def find(name: str, tmp_path: Path, **given: Any) -> Finding:
    settings = Settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path, **given)
    found = [check for check in checks(Patient(settings, build_cloud(settings))) if check.name == name]
    (result,) = await examine(found)
    return result.finding


async def test_without_settings_slack_is_off_and_that_is_well(tmp_path: Path) -> None:
    for name in ("slack", "slack events"):
        finding = await find(name, tmp_path)
        assert (finding.state, finding.text[:3]) == ("ok", "off")


async def test_a_good_token_is_told_with_its_workspace(slack: OAuthServer, tmp_path: Path) -> None:
    given = {"slack_bot_token": TOKEN, "slack_signing_secret": "s", "slack_api_url": slack.url}
    finding = await find("slack", tmp_path, **given)
    assert finding.state == "ok"
    assert "Corp (T0001), with all its scopes" in finding.text
    assert TOKEN not in str(finding)
    assert "/slack/events" in (await find("slack events", tmp_path, **given)).text


async def test_lacking_scopes_are_named_with_what_mends_them(slack: OAuthServer, tmp_path: Path) -> None:
    slack.live[TOKEN] = Grant(scope=",".join(s for s in SCOPES if s not in ("im:write", "files:write")))
    given = {"slack_bot_token": TOKEN, "slack_signing_secret": "s", "slack_api_url": slack.url}
    finding = await find("slack", tmp_path, **given)
    assert finding.state == "failed"
    assert "lacks the scopes files:write, im:write" in finding.text
    assert "python -m bot slack manifest" in finding.fix


async def test_a_dead_token_is_told(slack: OAuthServer, tmp_path: Path) -> None:
    slack.kill(TOKEN)
    given = {"slack_bot_token": TOKEN, "slack_signing_secret": "s", "slack_api_url": slack.url}
    finding = await find("slack", tmp_path, **given)
    assert (finding.state, "token_revoked" in finding.text) == ("failed", True)


async def test_socket_mode_is_tried_without_opening_a_connection(sockets: SocketServer, tmp_path: Path) -> None:
    given = {"slack_bot_token": TOKEN, "slack_app_token": APP_TOKEN, "slack_api_url": sockets.url}
    assert (await find("slack events", tmp_path, **given)).state == "ok"
    assert sockets.opened == 0
    sockets.refusals = [(200, "invalid_auth")]
    finding = await find("slack events", tmp_path, **given)
    assert (finding.state, "invalid_auth" in finding.text) == ("failed", True)
    assert "connections:write" in finding.fix


async def test_a_slack_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    given = {"slack_bot_token": TOKEN, "slack_app_token": APP_TOKEN, "slack_api_url": "http://127.0.0.1:1/api/"}
    for name in ("slack", "slack events"):
        assert (await find(name, tmp_path, **given)).state == "failed"


async def test_oauth_without_a_key_is_told_with_what_makes_one(tmp_path: Path) -> None:
    given = {
        "slack_client_id": "1.2",
        "slack_client_secret": "s",
        "slack_signing_secret": "s",
        "slack_allowed_teams": "T0001",
        "public_url": "https://qm.corp.example",
    }
    finding = await find("slack", tmp_path, **given)
    assert (finding.state, finding.fix) == ("failed", "Make one: openssl rand -base64 32")
    key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    finding = await find("slack", tmp_path, **given, slack_token_key=key)
    assert finding.text == "T0001 may install it at https://qm.corp.example/slack/install"
