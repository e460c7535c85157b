"""``python -m sandbox --accounts N --ous M`` as a process, and what of the organization survives a kill."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.growth import grown_account_id
from sandbox.landing_zone import ROOT_ID
from tests.sandbox.landing import Aws
from tests.sandbox.roles import assume, make_role, tags
from tests.sandbox.test_process import Process
from tests.sandbox.test_products import BUCKET, outputs
from tests.sandbox.test_products import order as order_product

_CLOSED = grown_account_id(3)


@pytest.fixture
def processes() -> Iterator[Process]:
    started = Process()
    yield started
    for process in started.running:
        process.kill()
        process.communicate()


def names(aws: Aws) -> list[str]:
    pages = aws.client("organizations").get_paginator("list_accounts").paginate()
    return [account["Name"] for page in pages for account in page["Accounts"]]


def state_of(aws: Aws, account: str) -> Any:
    return aws.client("organizations").describe_account(AccountId=account)["Account"]["State"]


def test_the_organization_survives_a_kill(processes: Process, tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "sandbox.sqlite"), "--speed", "0")
    process, before = processes.start("--accounts", "40", "--ous", "20", *options)
    assert len(names(before)) == 41
    below_root = before.client("organizations").list_children(ParentId=ROOT_ID, ChildType="ORGANIZATIONAL_UNIT")
    assert len(below_root["Children"]) > 7
    arn = make_role(before, "Held", {"Action": "organizations:List*"})
    keys = assume(before, arn, Tags=tags(request="req-7"))
    before.client("organizations").close_account(AccountId=_CLOSED)
    record = order_product(before, "reports", "prod-encryptedbuckt", BUCKET)
    before.advance(2)
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    # The state that was kept goes before the size that is asked for.
    _, after = processes.start("--accounts", "50", *options)
    assert len(names(after)) == 41
    held = after.client("organizations", **keys)
    assert held.list_roots()["Roots"]
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        held.close_account(AccountId=grown_account_id(4))
    assert after.get("calls?operation=ListRoots")[0]["tags"] == {"request": "req-7"}
    assert state_of(after, _CLOSED) == "PENDING_CLOSURE"
    after.advance(5 * 60)
    assert state_of(after, _CLOSED) == "CLOSED"
    assert after.record(record["RecordId"])["Status"] == "SUCCEEDED"
    stack = outputs(after, "reports")["CloudformationStackARN"]
    described = after.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    before.close()
    after.close()


def test_says_which_sizes_there_are(processes: Process) -> None:
    process = processes.launch("--port", "0", "--accounts", "0")
    _, complaint = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "can be seeded with 1 to 10,000 accounts" in complaint
