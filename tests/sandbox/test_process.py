"""``python -m sandbox`` as a process: the stock AWS CLI, kill -9 and restart, and a clean end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.store import SqliteStore, UnusableState
from tests.sandbox.landing import Aws
from tests.sandbox.test_lex import BOT, GREETING

_ROOT = Path(__file__).parents[2]


class Process:
    """A sandbox of its own; `start` returns once it says that it listens."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *options: str) -> tuple[subprocess.Popen[str], Aws]:
        process = self.launch("--port", "0", *options)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:"), line
        return process, Aws(line.split()[-1])

    def launch(self, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *options],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process


@pytest.fixture
def sandboxes() -> Iterator[Process]:
    started = Process()
    yield started
    for process in started.running:
        process.kill()
        process.communicate()


def cli(url: str, *arguments: str) -> Any:
    command = [str(Path(sys.executable).parent / "aws"), "--endpoint-url", url, "--output", "json", *arguments]
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_answers_the_stock_cli(aws: Aws) -> None:
    listed = cli(aws.url, "organizations", "list-accounts", "--page-size", "4", "--query", "Accounts[].Name")
    assert len(listed) == 11
    first = cli(aws.url, "organizations", "list-accounts", "--max-items", "3")
    assert len(first["Accounts"]) == 3
    assert first["NextToken"]
    found = cli(aws.url, "servicecatalog", "search-products", "--filters", "FullTextSearch=factory")
    assert [product["Name"] for product in found["ProductViewSummaries"]] == ["AWS Control Tower Account Factory"]
    refused = cli(aws.url, "organizations", "describe-account", "--account-id", "999999999999")
    assert "(AccountNotFoundException)" in refused


def test_everything_survives_a_kill(sandboxes: Process, tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "deep" / "sandbox.sqlite"), "--speed", "60")
    process, before = sandboxes.start(*options)
    before.post("lex", **BOT, definition=GREETING)
    record = before.order()
    topic = before.client("sns").create_topic(Name="kept")["TopicArn"]
    before.client("organizations").tag_resource(ResourceId="555566667777", Tags=[{"Key": "team", "Value": "x"}])
    role = before.client("sts").assume_role(RoleArn="arn:aws:iam::555566667777:role/Reader", RoleSessionName="bot")[
        "Credentials"
    ]
    before.advance(11)
    account = before.account_called("team-x")
    last_seen = datetime.fromisoformat(before.get("clock")["now"])
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    _, after = sandboxes.start(*options)
    assert datetime.fromisoformat(after.get("clock")["now"]) >= last_seen
    assert after.order()["RecordId"] == record["RecordId"]
    assert after.account_called("team-x")["Id"] == account["Id"]
    assert topic in [entry["TopicArn"] for entry in after.client("sns").list_topics()["Topics"]]
    tags = after.client("organizations").list_tags_for_resource(ResourceId="555566667777")["Tags"]
    assert tags == [{"Key": "team", "Value": "x"}]
    as_role = after.client(
        "sts",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    assert as_role.get_caller_identity()["Account"] == "555566667777"
    answer = after.client("lexv2-runtime").recognize_text(**BOT, sessionId="s-1", text="good morning")
    assert answer["sessionState"]["intent"]["name"] == "Greet"
    after.advance(30)
    assert after.record(record["RecordId"])["Status"] == "SUCCEEDED"
    before.close()
    after.close()


def test_an_order_cut_off_by_a_kill_is_there_once(sandboxes: Process, tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "sandbox.sqlite"))
    process, before = sandboxes.start(*options)
    before.post("faults", name="connection_reset", on=True, operation="ProvisionProduct", when="after")
    with pytest.raises(Exception, match="closed"):
        before.order()
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    _, after = sandboxes.start(*options)
    after.order()
    assert len(after.client("servicecatalog").list_record_history()["RecordDetails"]) == 1
    with pytest.raises(ClientError, match="already exists"):
        after.order(ProvisionToken="another")
    before.close()
    after.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_when_told(sandboxes: Process, number: signal.Signals) -> None:
    process, _ = sandboxes.start()
    process.send_signal(number)

    assert process.wait(5) == 0
    assert process.communicate() == ("", "")


def test_ends_when_its_parent_is_gone(sandboxes: Process) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, _ = sandboxes.start("--parent", str(parent.pid))
    assert process.poll() is None
    # Killed and not yet waited for: its id is still taken, by a zombie.
    parent.kill()

    assert process.wait(10) == 0
    parent.communicate()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "0", "--host", "0.0.0.0"), "loopback only"),
        (("--port", "70000"), "a port is from 0"),
        (("--port", "0", "--speed", "-1"), "speed must be"),
        (("--port", "0", "--lex-definition", "/nowhere.json"), "nowhere.json"),
    ],
)
def test_says_why_it_does_not_start(sandboxes: Process, options: tuple[str, ...], words: str) -> None:
    process = sandboxes.launch(*options)
    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 2
    assert words in complaint
    assert "Traceback" not in complaint


def test_refuses_a_state_that_another_sandbox_uses(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "sandbox.sqlite")
    first.save("clock", {"now": 1})
    with pytest.raises(UnusableState, match="Another sandbox"):
        SqliteStore(tmp_path / "sandbox.sqlite")
    first.close()
    again = SqliteStore(tmp_path / "sandbox.sqlite")
    assert again.load("clock") == {"now": 1}
    again.close()


def test_refuses_a_state_that_is_none(sandboxes: Process, tmp_path: Path) -> None:
    (tmp_path / "broken.sqlite").write_text("this is no database" * 100)
    process = sandboxes.launch("--port", "0", "--state", str(tmp_path / "broken.sqlite"))
    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "can't be used" in complaint
