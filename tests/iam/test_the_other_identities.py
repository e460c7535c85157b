"""The bot's own identity and the member role do with their written policies; the sandbox refuses everything else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from botocore.credentials import Credentials

from adapters.aws.cloud import BotoCloud
from bot.errors import CloudError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from tests.iam.conftest import NAMES, Held, OpenHeld, trust_policy
from tests.stories import accounts, codedeploy, test_account_closing
from tests.stories.errands import asks_for_an_account, is_ordered, see_it_through
from tests.stories.releases import WEB, is_called, is_rolling, knows, stands
from tools.calls import MEMBER, OWN
from tools.iam import whole_policy

OWN_ROLE = "Quartermaster"
LOOKING = "QuartermasterLook"
TOPIC = "approvals"


async def calls_of(held: Held, arn: str) -> list[dict[str, Any]]:
    """Return the calls that a role has made, oldest first."""
    answer = await held.stage._sandbox.get("/_sandbox/calls")
    return [call for call in answer.json() if call["role"] == arn]


def refused(calls: list[dict[str, Any]]) -> list[str]:
    return [call["operation"] for call in calls if "Denied" in str(call["error"]) or call["status"] == 403]


def in_account(held: Held, account: str) -> Any:
    """Return an IAM client within a member account, as whoever set it up has one."""
    sts = held.stage.aws("sts")
    role = f"arn:aws:iam::{account}:role/AWSControlTowerExecution"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="setup")["Credentials"]
    return boto3.client(
        "iam",
        endpoint_url=sts.meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def make_role(iam: Any, name: str, trust: str, policy: Mapping[str, Any]) -> None:
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="quartermaster", PolicyDocument=json.dumps(policy))


@pytest.fixture
async def own(open_held: OpenHeld) -> AsyncIterator[tuple[Held, str]]:
    """A bot whose own identity is a role with exactly the written policy, and that role's ARN."""
    topic = f"arn:aws:sns:us-east-1:{MANAGEMENT_ACCOUNT}:{TOPIC}"
    arn = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/{OWN_ROLE}"
    async with open_held(trusted=arn, sns_approval_topic_arn=topic) as held:
        stage = held.stage
        stage.aws("sns").create_topic(Name=TOPIC)
        names = replace(NAMES, management_role=held.arn, topic=TOPIC)
        make_role(stage.aws("iam"), OWN_ROLE, trust_policy(), whole_policy(OWN, names))
        keys = stage.aws("sts").assume_role(RoleArn=arn, RoleSessionName="task")["Credentials"]
        grants = cast(BotoCloud, stage.application.cloud).grants
        grants._own = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        grants._kept.clear()
        yield held, arn


async def test_the_bots_own_identity_assumes_its_role_and_notifies_and_nothing_else(own: tuple[Held, str]) -> None:
    held, arn = own
    ana, bo = held.stage.speaker("Ana Lopez"), held.stage.approver()
    await asks_for_an_account(ana)
    await see_it_through(held.stage, ana, bo)
    calls = await calls_of(held, arn)
    assert {call["operation"] for call in calls} == {"AssumeRole", "Publish"}
    assert not refused(calls)
    cloud = held.stage.application.cloud
    for service, operation, action in (
        ("organizations", "ListAccounts", "organizations:ListAccounts"),
        ("servicecatalog", "SearchProducts", "servicecatalog:SearchProducts"),
        ("sns", "ListTopics", "sns:ListTopics"),
    ):
        with pytest.raises(CloudError) as caught:
            await cloud.call(service, operation)
        assert caught.value.missing_permission == action
    other = f"arn:aws:iam::{accounts.PLAYGROUND}:role/AWSControlTowerExecution"
    with pytest.raises(CloudError) as caught:
        await cloud.call("organizations", "ListRoots", role=other)
    assert caught.value.missing_permission == "sts:AssumeRole"


async def test_the_member_role_only_looks(open_held: OpenHeld) -> None:
    async with open_held(member_role_name=LOOKING) as held:
        names = replace(NAMES, member_role=LOOKING)
        policy = whole_policy(MEMBER, names)
        held.put(whole_policy("management", names))
        make_role(in_account(held, accounts.PLAYGROUND), LOOKING, trust_policy(held.arn), policy)
        ana, bo = held.stage.speaker("Ana Lopez"), held.stage.approver()
        await test_account_closing.closes(held.stage, ana, bo)
        arn = f"arn:aws:iam::{accounts.PLAYGROUND}:role/{LOOKING}"
        looks = await calls_of(held, arn)
        assert {call["operation"] for call in looks} >= {"ListStacks", "GetResources"}
        assert not refused(looks)

        cy = held.stage.speaker("Cy Young")
        await is_ordered(held.stage, cy, bo, "fresh@corp.example")
        await held.stage.advance(minutes=15)
        listed = held.stage.aws("organizations").list_accounts()["Accounts"]
        fresh = next(account["Id"] for account in listed if account["Email"] == "fresh@corp.example")
        make_role(in_account(held, fresh), LOOKING, trust_policy(held.arn), policy)
        await held.stage.advance(minutes=10)
        await cy.hears_later("is ready:")
        checks = await calls_of(held, f"arn:aws:iam::{fresh}:role/{LOOKING}")
        assert "DescribeConfigurationRecorderStatus" in {call["operation"] for call in checks}
        assert not refused(checks)

        chain = held.stage.application.settings.member_role(fresh)
        for service, operation, action in (
            ("config", "DescribeConfigurationRecorders", "config:DescribeConfigurationRecorders"),
            ("organizations", "DescribeOrganization", "organizations:DescribeOrganization"),
        ):
            with pytest.raises(CloudError) as caught:
                await held.stage.application.cloud.call(service, operation, role=chain)
            assert caught.value.missing_permission == action


async def test_the_member_role_shifts_traffic_looks_why_it_failed_stops_and_goes_back(open_held: OpenHeld) -> None:
    async with open_held(member_role_name=LOOKING) as held:
        names = replace(NAMES, member_role=LOOKING)
        held.put(whole_policy("management", names))
        make_role(in_account(held, WEB), LOOKING, trust_policy(held.arn), whole_policy(MEMBER, names))
        stage, ana, bo = held.stage, held.stage.speaker("Ana Lopez"), held.stage.approver()
        await knows(stage, codedeploy.PRICES, codedeploy.SERVICE)
        await stage.switches_on("deployment_failed", names=["shop-prices/*"], times=1)
        request = await is_rolling(stage, ana, bo, "prices, then everyone")
        await stage.advance(minutes=4)
        await stands(stage, request, failed=1)
        await ana.says("why did pool-prices fail?")
        ana.hears("AllowTraffic", "Failed")
        await ana.says("skip the failed deployments")
        await ana.says("continue the rollout")
        await stage.advance(minutes=1)
        await stands(stage, request, running=1)
        await ana.says("stop the rollout")
        await stage.advance(seconds=10)
        await is_called(stage, "StopDeployment")
        calls = await calls_of(held, f"arn:aws:iam::{WEB}:role/{LOOKING}")
        done = {"CreateDeployment", "StopDeployment", "BatchGetDeploymentTargets", "ListVersionsByFunction"}
        assert {call["operation"] for call in calls} >= {*done, "DescribeServices", "DescribeTaskDefinition"}
        assert not refused(calls)
        begun = [call["tags"] for call in calls if call["operation"] == "CreateDeployment"]
        assert begun == [{"quartermaster-request": request}] * 2


async def test_an_account_whose_role_may_not_look_inside_is_not_closed(open_held: OpenHeld) -> None:
    async with open_held(member_role_name=LOOKING) as held:
        names = replace(NAMES, member_role=LOOKING)
        held.put(whole_policy("management", names))
        policy = whole_policy(MEMBER, names)
        for statement in policy["Statement"]:
            statement["Action"] = [action for action in statement["Action"] if action != "cloudformation:ListStacks"]
        make_role(in_account(held, accounts.PLAYGROUND), LOOKING, trust_policy(held.arn), policy)
        accounts.tag(held.stage, accounts.PLAYGROUND, owner="ana@corp.example")
        ana = held.stage.speaker("Ana Lopez")
        await ana.says("close the account Playground")
        ana.hears("I can't look inside the account", "MEMBER_ROLE_NAME")
        ana.does_not_hear("Shall I go ahead?", "arn:")
