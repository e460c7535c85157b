"""What OAuth refuses to start with."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.install import build_install
from bot.clock import SystemClock
from bot.errors import SettingsError
from bot.main import build_cloud, build_services
from bot.settings import load_settings
from tests.slack.install.conftest import KEY

OAUTH = {
    "aws_endpoint_url": "http://127.0.0.1:1",
    "slack_client_id": "1.2",
    "slack_client_secret": "s",
    "slack_signing_secret": "s",
    "slack_allowed_teams": "T0001",
}
ELSEWHERE = {
    "public_url": "https://qm.corp.example",
    "smtp_url": "smtp://mail",
    "api_keys": "a-long-random-key",
}


def build(tmp_path: Any, **overrides: Any) -> Any:
    settings = load_settings(**OAUTH | {"var_dir": tmp_path} | overrides)
    return build_install(build_services(settings, SystemClock(), build_cloud(settings)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"slack_allowed_teams": ""}, "SLACK_ALLOWED_TEAMS is not"),
        ({"slack_allowed_teams": "Corp"}, "'Corp' is no id"),
        ({"slack_client_secret": ""}, "belong together"),
        ({"slack_client_id": ""}, "belong together"),
        ({"slack_bot_token": "xoxb-1"}, "one is for a single workspace"),
        ({"slack_token_key": "too-short"}, "openssl rand -base64 32"),
        (ELSEWHERE, "SLACK_TOKEN_KEY is not set"),
        (ELSEWHERE | {"slack_token_key": KEY, "public_url": "http://qm.corp.example"}, "https only"),
        ({"slack_signing_secret": ""}, "no event could come in"),
    ],
)
def test_what_would_be_unsafe_or_deaf_is_refused(tmp_path: Any, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build(tmp_path, **wrong)
    assert said in caught.value.sentence()


def test_without_a_client_id_there_are_no_routes(tmp_path: Any) -> None:
    off = {"slack_client_id": "", "slack_client_secret": "", "slack_signing_secret": "", "slack_allowed_teams": ""}
    assert build(tmp_path, **off) is None


def test_with_everything_set_there_are_two_routes(tmp_path: Any) -> None:
    install = build(tmp_path, slack_token_key=KEY, **ELSEWHERE)
    assert [route.path for route in install.router.routes] == ["/slack/install", "/slack/oauth_redirect"]
