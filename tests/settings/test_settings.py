"""What is refused at start, with a sentence that says what would do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.house import load_house
from bot.settings import ApiKey, Settings, check, load_settings

ROOT = Path(__file__).parents[2]
SANDBOX = "http://127.0.0.1:8001"


def test_the_embedded_default_is_accepted() -> None:
    settings = load_settings(aws_endpoint_url=SANDBOX)
    assert settings.is_sandbox
    assert settings.is_embedded


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": "0.0.0.0", "aws_endpoint_url": SANDBOX, "smtp_url": "smtp://mail"}, "open to others"),
        ({"public_url": "https://qm.corp.example", "aws_endpoint_url": SANDBOX}, "SMTP_URL is not set"),
        (
            {"public_url": "https://qm.corp.example", "aws_endpoint_url": SANDBOX, "smtp_url": "smtp://m"},
            "open to others",
        ),
        ({}, "SMTP_URL is not set"),
        ({"smtp_url": "http://mail"}, "SMTP_URL must start with"),
        ({"smtp_url": "smtp://m", "public_url": "ftp://x"}, "PUBLIC_URL must be"),
        ({"smtp_url": "smtp://m", "oidc_issuer": "https://id"}, "OIDC_CLIENT_ID"),
        ({"smtp_url": "smtp://m", "lex_bot_id": "ABCDEFGHIJ"}, "belong together"),
        ({"smtp_url": "smtp://m", "approvers": "bo"}, "not an e-mail address"),
        ({"smtp_url": "smtp://m", "api_keys": "short:owner"}, "fewer than 8"),
        ({"smtp_url": "smtp://m", "approval_hours": "0"}, "APPROVAL_HOURS"),
        ({"smtp_url": "smtp://m", "port": "70000"}, "PORT"),
        ({"smtp_url": "smtp://m", "mode": "maybe"}, "MODE"),
    ],
)
def test_refuses_at_start(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(**wrong)


@pytest.mark.parametrize(
    "safe",
    [
        {"host": "0.0.0.0", "api_keys": "a-long-key", "smtp_url": "smtp://m", "aws_endpoint_url": SANDBOX},
        {"host": "0.0.0.0", "smtp_url": "smtp://m"},
    ],
)
def test_is_never_embedded_off_loopback(safe: dict[str, str]) -> None:
    assert not load_settings(**safe).is_embedded


def test_real_aws_is_never_embedded() -> None:
    assert not load_settings(smtp_url="smtp://m").is_embedded
    assert not load_settings(smtp_url="smtp://m", aws_endpoint_url="https://vpce.amazonaws.com").is_embedded


def test_the_process_says_which_setting_is_wrong_and_ends() -> None:
    environment = {**os.environ, "APPROVAL_HOURS": "soon", "SMTP_URL": "smtp://127.0.0.1:1"}
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "APPROVAL_HOURS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_speaks_for_its_domain_alone() -> None:
    key = ApiKey.parse("s3cret-key:ci:Corp.Example")
    assert (key.owner, key.domain) == ("ci", "corp.example")
    assert key.may_speak_for("ana@corp.example")
    assert not key.may_speak_for("ana@evil.example")
    assert not key.may_speak_for("ana@corp.example.evil.example")
    assert not key.may_speak_for("ana@notcorp.example")


def test_two_keys_without_an_owner_are_two_owners() -> None:
    assert ApiKey.parse("first-key").owner != ApiKey.parse("other-key").owner


def test_settings_do_not_change() -> None:
    settings = load_settings(aws_endpoint_url=SANDBOX)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_is_in_the_readmes_table_with_meaning_and_default() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `{name.upper()}` | {field.description} |" in readme, name


def test_an_unknown_entry_in_house_yml_is_named(tmp_path: Path) -> None:
    house = tmp_path / "house.yml"
    house.write_text("account_types: [{name: Sandbox, colour: red}]", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"account_types\.0\.colour"):
        load_house(house)


def test_house_yml_as_shipped_is_valid() -> None:
    assert [t.name for t in load_house(ROOT / "house.yml").account_types] == ["Production", "Sandbox"]


def test_check_accepts_what_load_gives() -> None:
    check(load_settings(aws_endpoint_url=SANDBOX))
