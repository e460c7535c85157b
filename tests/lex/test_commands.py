"""`python -m bot lex diff|deploy|rollback|policy` as an operator types them."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from botocore.credentials import Credentials

import adapters.lex.building.lexapi
import bot.commands.lex
from adapters.aws.cloud import BotoCloud
from adapters.lex.building import ProgressBar
from adapters.lex.building.role import SUFFIX
from bot.commands import main
from bot.errors import CloudError
from bot.settings import load_settings
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.server import Sandbox
from tests.lex.conftest import PAINT, READS, Rig, intent

Lex = Callable[..., int]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands set up the process' logging, to a stream that ends with the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Sandbox, dict[str, Any]]]:
    """A sandboxed AWS in which time flies, named by the environment, and the definition that is deployed to it."""
    definition = copy.deepcopy(PAINT)
    monkeypatch.setattr(bot.commands.lex, "lex_definition", lambda *_, **__: definition)
    monkeypatch.setattr(adapters.lex.building.lexapi, "FIRST_LOOK", 0.01)
    with Sandbox(speed=100_000) as sandbox:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
        monkeypatch.setenv("VAR_DIR", str(tmp_path))
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        # A new role is waited for; this one is there.
        iam = boto3.client("iam", endpoint_url=sandbox.url, **keys)
        iam.create_service_linked_role(AWSServiceName="lexv2.amazonaws.com", CustomSuffix=SUFFIX)
        iam.close()
        yield sandbox, definition


def test_diff_deploy_and_rollback(shop: tuple[Sandbox, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    sandbox, definition = shop

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["lex", *words])
        told = capsys.readouterr()
        return status, told.out, told.err

    status, out, _ = run("diff")
    assert status == 1
    assert out.splitlines()[-4:] == [
        "create the bot and its locale",
        "build",
        "create a version",
        "point the alias at it",
    ]
    status, out, err = run("deploy")
    assert status == 0
    assert "production is version 1." in out
    assert "1/" in err, "progress is told"
    settings = dict(line.split("=") for line in out.splitlines() if line.startswith("LEX_"))
    assert sorted(settings) == ["LEX_BOT_ALIAS_ID", "LEX_BOT_ID"]
    status, out, _ = run("diff")
    assert (status, out) == (0, "Nothing to change.\n")
    definition["intents"].append(intent("Leave", "good bye"))
    status, out, _ = run("diff")
    assert status == 1
    assert out.splitlines() == ["create intent Leave", "build", "create a version", "move the alias production"]
    assert run("deploy")[0] == 0
    definition["intents"].pop()
    _, out, _ = run("deploy")
    assert "stays, though no longer wanted: intent Leave (--prune deletes it)" in out
    assert run("rollback")[1] == "production was version 2 and is version 1.\n"
    status, _, err = run("rollback")
    assert status == 2
    assert "No earlier version than 1 is left." in err
    sandbox.faults.switch("build_failed", True, {"times": 1})
    definition["intents"][0]["sampleUtterances"].append({"utterance": "good day to you"})
    status, _, err = run("deploy")
    assert status == 2
    assert "utterance: 'good day to you'" in err
    assert "The alias production is where it was." in err


def test_a_deployer_with_the_printed_policy_can_deploy_and_do_no_more(
    rig: Rig, lex_client: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["lex", "policy", "--account", MANAGEMENT_ACCOUNT]) == 0
    policy = json.loads(capsys.readouterr().out)
    iam, sts = lex_client("iam"), lex_client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": MANAGEMENT_ACCOUNT}, "Action": "sts:AssumeRole"}
    name = f"Deployer-{rig.name}"
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="lex", PolicyDocument=json.dumps(policy))
    rig.forget_calls()
    cloud = BotoCloud(load_settings(aws_endpoint_url=rig.sandbox.url, var_dir=tmp_path))
    cloud.grants._own = _keys(sts.assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"])
    try:
        assert asyncio.run(rig.deployer(cloud=cloud).deploy(prune=True)).version == "1"
        calls = [c for c in rig.sandbox.calls.entries() if c["role"] == role]
        assert {c["operation"] for c in calls if not c["operation"].startswith(READS)} >= {
            "CreateBot",
            "CreateBotAlias",
        }
        assert [c["operation"] for c in calls if c["status"] == 403] == []
        with pytest.raises(CloudError) as caught:
            asyncio.run(cloud.call("lexv2-models", "DeleteBot", botId=rig.bot_id()))
        assert caught.value.missing_permission == "lex:DeleteBot"
    finally:
        cloud.close()


def _keys(granted: dict[str, Any]) -> Credentials:
    return Credentials(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])


def test_the_bots_own_policy_lets_it_talk_to_one_alias(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEX_BOT_ID", "ABCDEFGHIJ")
    monkeypatch.setenv("LEX_BOT_ALIAS_ID", "KLMNOPQRST")
    monkeypatch.setenv("LEX_REGION", "eu-west-1")
    assert main(["lex", "policy", "--for", "bot", "--account", "111122223333"]) == 0
    policy = json.loads(capsys.readouterr().out)
    alias = "arn:aws:lex:eu-west-1:111122223333:bot-alias/ABCDEFGHIJ/KLMNOPQRST"
    assert {statement["Resource"] for statement in policy["Statement"]} == {alias}
    assert "lex:RecognizeText" in [action for statement in policy["Statement"] for action in statement["Action"]]


def test_in_a_terminal_the_bar_stays_on_its_line_and_grows() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    bar = ProgressBar(stream)
    bar.begin(2)
    bar.step("create intent Greet")
    bar.step("build")
    bar.end()
    assert "\n" not in stream.getvalue()
    first, second = (part.count("█") for part in stream.getvalue().split("\r")[1:3])
    assert (first, second) == (0, 14)
    assert "2/2 build" in stream.getvalue()
