"""boto3 behind the port: errors, paging, retries, roles, observe mode. Over HTTP against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.aws import BotoCloud, grants, sandbox_clock
from bot.cloud import acting_for, seen_request_ids
from bot.errors import CloudError
from bot.settings import load_settings
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(speed=0).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def cloud(sandbox: Sandbox) -> Iterator[BotoCloud]:
    httpx.post(f"{sandbox.url}/_sandbox/reset").raise_for_status()
    cloud = BotoCloud(load_settings(aws_endpoint_url=sandbox.url))
    yield cloud
    cloud.close()


def fault(sandbox: Sandbox, name: str, **options: Any) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"name": name, "on": True, **options}).raise_for_status()


def calls(sandbox: Sandbox, operation: str) -> list[Any]:
    answer = httpx.get(f"{sandbox.url}/_sandbox/calls", params={"operation": operation})
    return list(answer.json())


def advance(sandbox: Sandbox, seconds: float) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/clock", json={"advance": seconds}).raise_for_status()


async def test_calls_and_remembers_the_request_id(cloud: BotoCloud) -> None:
    ids: list[str] = []
    token = seen_request_ids.set(ids)
    answer = await cloud.call("organizations", "DescribeOrganization")
    seen_request_ids.reset(token)
    assert answer["Organization"]["MasterAccountId"] == "111122223333"
    assert len(ids) == 1
    assert "ResponseMetadata" not in answer


async def test_reads_all_pages(cloud: BotoCloud) -> None:
    accounts = [a async for a in cloud.pages("organizations", "ListAccounts", "Accounts", MaxResults=2)]
    assert len(accounts) == len({a["Id"] for a in accounts}) == 11


async def test_reads_a_listing_that_has_no_pages(cloud: BotoCloud) -> None:
    found = [p async for p in cloud.pages("servicecatalog", "SearchProducts", "ProductViewSummaries")]
    assert found


async def test_reads_all_pages_where_botocore_describes_none(cloud: BotoCloud, sandbox: Sandbox) -> None:
    wanted: dict[str, Any] = {"AccessLevelFilter": {"Key": "Account", "Value": "self"}, "PageSize": 1}
    found = [
        p async for p in cloud.pages("servicecatalog", "SearchProvisionedProducts", "ProvisionedProducts", **wanted)
    ]
    assert len(found) == len({p["Id"] for p in found}) > 1
    assert len(calls(sandbox, "SearchProvisionedProducts")) >= len(found)


async def test_an_error_carries_aws_words_and_the_request_id(cloud: BotoCloud) -> None:
    with pytest.raises(CloudError) as caught:
        await cloud.call("servicecatalog", "DescribeRecord", Id="rec-nowhere12345")
    assert caught.value.code == "ResourceNotFoundException"
    assert caught.value.operation == "DescribeRecord"
    assert caught.value.request_id
    assert not caught.value.retryable


async def test_throttling_is_survived_by_the_sdk(cloud: BotoCloud, sandbox: Sandbox) -> None:
    fault(sandbox, "throttling", operations=["ListRoots"], times=2)
    assert (await cloud.call("organizations", "ListRoots"))["Roots"]


async def test_throttling_that_stays_is_retryable(cloud: BotoCloud, sandbox: Sandbox) -> None:
    fault(sandbox, "throttling", operations=["ListRoots"], rate=1)
    with pytest.raises(CloudError) as caught:
        await cloud.call("organizations", "ListRoots")
    assert caught.value.retryable


async def test_each_services_own_code_for_throttling_is_retryable(cloud: BotoCloud, sandbox: Sandbox) -> None:
    sandbox.faults.switch("throttling", True, {})
    for service, operation in (("organizations", "ListRoots"), ("sso-admin", "ListInstances")):
        with pytest.raises(CloudError) as caught:
            await cloud.call(service, operation)
        assert caught.value.retryable, caught.value.code


async def test_refused_access_is_not_retryable(cloud: BotoCloud, sandbox: Sandbox) -> None:
    fault(sandbox, "access_denied", operations=["ListRoots"])
    with pytest.raises(CloudError) as caught:
        await cloud.call("organizations", "ListRoots")
    assert not caught.value.retryable


async def test_a_lex_turn_is_sent_once_whatever_happens(cloud: BotoCloud, sandbox: Sandbox) -> None:
    fault(sandbox, "server_error", operations=["RecognizeText"])
    bot = {"botId": "ABCDEFGHIJ", "botAliasId": "TSTALIASID", "localeId": "en_US", "sessionId": "s-1"}
    with pytest.raises(CloudError):
        await cloud.call("lexv2-runtime", "RecognizeText", text="hello", **bot)
    assert len(calls(sandbox, "RecognizeText")) == 1


async def test_what_takes_no_token_is_sent_once_whatever_happens(cloud: BotoCloud, sandbox: Sandbox) -> None:
    fault(sandbox, "server_error", operations=["CreateDeployment", "ListDeployments"])
    with pytest.raises(CloudError) as caught:
        await cloud.call("codedeploy", "CreateDeployment", applicationName="shop-prices")
    assert caught.value.retryable  # by who looks first for what came of it
    assert len(calls(sandbox, "CreateDeployment")) == 1
    with pytest.raises(CloudError):
        await cloud.call("codedeploy", "ListDeployments")
    assert len(calls(sandbox, "ListDeployments")) > 1


async def test_nobody_at_home_is_retryable() -> None:
    cloud = BotoCloud(load_settings(aws_endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(CloudError) as caught:
        await cloud.call("organizations", "ListRoots")
    assert caught.value.retryable
    cloud.close()


async def test_an_unknown_operation_and_a_wrong_parameter_are_told_apart_from_aws(cloud: BotoCloud) -> None:
    with pytest.raises(CloudError, match="NoSuchOperation"):
        await cloud.call("organizations", "MakeCoffee")
    with pytest.raises(CloudError, match="ParamValidationError"):
        await cloud.call("organizations", "DescribeAccount", AccountId=7)


async def test_observe_mode_changes_nothing(sandbox: Sandbox) -> None:
    cloud = BotoCloud(load_settings(aws_endpoint_url=sandbox.url, mode="observe"))
    assert (await cloud.call("organizations", "ListRoots"))["Roots"]
    for service, operation, parameters in (
        ("servicecatalog", "ProvisionProduct", {"ProvisionedProductName": "x", "ProvisionToken": "t"}),
        ("organizations", "CloseAccount", {"AccountId": "111122223333"}),
        ("organizations", "MoveAccount", {}),
    ):
        with pytest.raises(CloudError, match="ObserveMode"):
            await cloud.call(service, operation, **parameters)
    cloud.close()


async def test_assumes_the_role_it_is_given(cloud: BotoCloud) -> None:
    role = "arn:aws:iam::111122223333:role/quartermaster"
    answer = await cloud.call("sts", "GetCallerIdentity", role=role)
    assert answer["Account"] == "111122223333"
    assert "assumed-role" in answer["Arn"] or "quartermaster" in answer["Arn"]


async def test_reads_the_sandbox_clock(sandbox: Sandbox) -> None:
    read = sandbox_clock(load_settings(aws_endpoint_url=sandbox.url))
    before, speed = await read()
    advance(sandbox, 3600)
    after, _ = await read()
    assert speed == 0
    assert (after - before).total_seconds() == 3600
    with pytest.raises(CloudError):
        await sandbox_clock(load_settings(aws_endpoint_url="http://127.0.0.1:9"))()


async def test_a_workers_session_carries_its_request_through_a_chain_of_roles(
    cloud: BotoCloud, sandbox: Sandbox
) -> None:
    accounts = (await cloud.call("organizations", "ListAccounts"))["Accounts"]
    member = next(a["Id"] for a in accounts if a["Id"] != "111122223333" and a["Status"] == "ACTIVE")
    chain = f"arn:aws:iam::111122223333:role/Management>arn:aws:iam::{member}:role/AWSControlTowerExecution"
    for request in ("qm-22222222", "qm-33333333", ""):
        token = acting_for.set(request)
        await cloud.call("sts", "GetCallerIdentity", role=chain)
        acting_for.reset(token)
    made = calls(sandbox, "GetCallerIdentity")
    assert [c["tags"] for c in made] == [
        {"quartermaster-request": "qm-22222222"},
        {"quartermaster-request": "qm-33333333"},
        {},
    ]
    assert {c["account"] for c in made} == {member}
    assert all(c["role"].endswith("role/AWSControlTowerExecution") for c in made)


async def test_one_client_signs_for_every_role_and_request(cloud: BotoCloud, sandbox: Sandbox) -> None:
    roles = [f"arn:aws:iam::111122223333:role/{name}" for name in ("One", "Two")]

    async def ask(role: str, request: str) -> None:
        acting_for.set(request)
        await cloud.call("sts", "GetCallerIdentity", role=role)

    wanted = [(role, f"qm-{n:08}") for n in range(6) for role in (*roles, "")]
    await asyncio.gather(*(asyncio.create_task(ask(*one)) for one in wanted))
    made = [(c["role"], c["tags"].get("quartermaster-request")) for c in calls(sandbox, "GetCallerIdentity")]
    assert sorted(made, key=str) == sorted(((r, t) if r else ("", None) for r, t in wanted), key=str)
    assert len(cloud._clients) == 1
    assert len(calls(sandbox, "AssumeRole")) == 12


async def test_sessions_used_longest_ago_are_let_go(cloud: BotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MOST", 3)
    for number in range(6):
        token = acting_for.set(f"qm-{number:08}")
        await cloud.call("sts", "GetCallerIdentity", role="arn:aws:iam::111122223333:role/Management")
        acting_for.reset(token)
    assert len(cloud.grants) == 3


async def test_a_session_is_asked_for_once_by_many_and_anew_when_it_ends(
    cloud: BotoCloud, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws:iam::111122223333:role/Management"
    await asyncio.gather(*(cloud.call("sts", "GetCallerIdentity", role=role) for _ in range(8)))
    assert len(calls(sandbox, "AssumeRole")) == 1
    monkeypatch.setattr(grants, "EARLY", timedelta(hours=2))
    await cloud.call("sts", "GetCallerIdentity", role=role)
    assert len(calls(sandbox, "AssumeRole")) == 1, "it has not ended yet"
    cloud.grants._kept.clear()
    for _ in range(2):
        await cloud.call("sts", "GetCallerIdentity", role=role)
    assert len(calls(sandbox, "AssumeRole")) == 3, "a session that ends soon serves nobody"


async def test_a_refused_role_is_told_and_asked_for_again(cloud: BotoCloud, sandbox: Sandbox) -> None:
    role = "arn:aws:iam::111122223333:role/Management"
    fault(sandbox, "access_denied", operations=["AssumeRole"], times=1)
    with pytest.raises(CloudError) as caught:
        await cloud.call("sts", "GetCallerIdentity", role=role)
    assert caught.value.code.startswith("AccessDenied")
    await cloud.call("sts", "GetCallerIdentity", role=role)


async def test_without_credentials_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    settings = load_settings(
        smtp_url="smtp://127.0.0.1:9",
        aws_endpoint_url="",
        public_url="https://bot.corp.example",
        approvers="bo@corp.example",
        mail_from="bot@corp.example",
    )
    assert not settings.is_sandbox
    cloud = BotoCloud(settings)
    with pytest.raises(CloudError, match="NoCredentials"):
        await cloud.call("sts", "GetCallerIdentity")
    cloud.close()
