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
REAL = {"smtp_url": "smtp://m", "approvers": "bo@corp.example", "mail_from": "qm@corp.example"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:approvals"


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
        ({"aws_endpoint_url": SANDBOX, "approvers": "@"}, "APPROVERS: .*not an e-mail address"),
        ({"aws_endpoint_url": SANDBOX, "approvers": "bo@corp.example, @"}, "APPROVERS: .*not an e-mail address"),
        ({"aws_endpoint_url": SANDBOX, "dev_user": "you@"}, "DEV_USER: .*not an e-mail address"),
        ({"aws_endpoint_url": SANDBOX, "mail_from": "nobody"}, "MAIL_FROM"),
        ({"aws_endpoint_url": SANDBOX, "sns_approval_topic_arn": "approvals"}, "SNS_APPROVAL_TOPIC_ARN"),
        ({"aws_endpoint_url": SANDBOX, "sns_approval_topic_arn": TOPIC + ":9f2c"}, "SNS_APPROVAL_TOPIC_ARN"),
        ({"aws_endpoint_url": SANDBOX, "sns_approval_topic_arn": TOPIC.replace("12:", "1:")}, "SNS_APPROVAL"),
        ({"aws_endpoint_url": SANDBOX, "sns_allowed_topics": "insights"}, "SNS_ALLOWED_TOPICS"),
        ({**REAL, "sns_cert_hosts": "sns.evil.example"}, "no host of SNS"),
        ({**REAL, "sns_cert_hosts": "amazonaws.com"}, "no host of SNS"),
        ({**REAL, "sns_cert_hosts": "*.*.amazonaws.com"}, "no host of SNS"),
        ({**REAL, "sns_cert_hosts": "127.0.0.1:8001"}, "no host of SNS"),
        ({**REAL, "sns_cert_hosts": "s3.amazonaws.com.evil.example"}, "no host of SNS"),
        ({"aws_endpoint_url": SANDBOX, "api_keys": "long-key-1:ci,long-key-1:cd"}, "the same key twice"),
        ({"aws_endpoint_url": SANDBOX, "directory_file": "no/such.yml"}, "DIRECTORY_FILE .* does not exist"),
        ({"aws_endpoint_url": SANDBOX, "house_file": "no/such.yml"}, "HOUSE_FILE .* does not exist"),
        ({"aws_endpoint_url": SANDBOX, "policy_dir": "no/such"}, "POLICY_DIR .* does not exist"),
        ({"smtp_url": "smtp://m", "mail_from": "qm@corp.example"}, "APPROVERS is not set"),
        ({"smtp_url": "smtp://m", "mail_from": "qm@corp.example", "approvers": ","}, "APPROVERS is not set"),
        ({"smtp_url": "smtp://m", "approvers": "bo@corp.example"}, "MAIL_FROM is not set"),
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
        {"host": "0.0.0.0", **REAL},
    ],
)
def test_is_never_embedded_off_loopback(safe: dict[str, str]) -> None:
    assert not load_settings(**safe).is_embedded


def test_real_aws_is_never_embedded() -> None:
    assert not load_settings(**REAL).is_embedded
    assert not load_settings(**REAL, aws_endpoint_url="https://vpce.amazonaws.com").is_embedded


def test_on_real_aws_the_directory_may_name_the_approvers_and_the_examples_are_never_asked(tmp_path: Path) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text("approvals: [{tier: production, ask: [bo@corp.example]}]", encoding="utf-8")
    chosen = {"smtp_url": "smtp://m", "mail_from": "qm@corp.example", "directory_file": str(directory)}
    assert load_settings(**chosen).approvers == ()


def test_the_sandbox_has_an_approver_of_its_own() -> None:
    assert load_settings(aws_endpoint_url=SANDBOX).approvers == ("approver@corp.example",)


def test_addresses_are_kept_in_ascii_case_folded_and_once() -> None:
    settings = load_settings(
        aws_endpoint_url=SANDBOX,
        approvers="Bo@Corp.Example, bo@corp.example, cy@stra\u00dfe.example",
        dev_user="Ana@M\u00fcnchen.example",
    )
    assert settings.approvers == ("bo@corp.example", "cy@xn--strae-oqa.example")
    assert settings.dev_user == "ana@xn--mnchen-3ya.example"


@pytest.mark.parametrize("arn", [TOPIC, TOPIC + ".fifo", TOPIC.replace("aws", "aws-us-gov", 1)])
def test_a_topic_is_known_by_its_arn(arn: str) -> None:
    assert load_settings(aws_endpoint_url=SANDBOX, sns_approval_topic_arn=arn).sns_approval_topic_arn == arn


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


def test_a_house_yml_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    house = tmp_path / "house.yml"
    house.write_bytes(b"product_name: K\xf6nto")
    with pytest.raises(SettingsError, match=r"house\.yml is not UTF-8"):
        load_house(house)


def test_house_yml_as_shipped_is_valid() -> None:
    assert [t.name for t in load_house(ROOT / "house.yml").account_types] == ["Production", "Sandbox"]


def test_check_accepts_what_load_gives() -> None:
    check(load_settings(aws_endpoint_url=SANDBOX))
