"""Closing accounts: what is refused, the states on the way, the quota, and what never comes back."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.growth import grown_account_id
from sandbox.landing_zone import MANAGEMENT_ACCOUNT, ROOT_ID, unit_id
from sandbox.server import Sandbox
from tests.sandbox.landing import Aws
from tests.sandbox.test_process import cli

ACCOUNT = "555566667777"
_HOUR = 60.0
_DAY = 24 * _HOUR


def states(aws: Aws, account: str = ACCOUNT) -> tuple[str, str]:
    described = aws.client("organizations").describe_account(AccountId=account)["Account"]
    return described["Status"], described["State"]


def refusal(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return dict(caught.value.response)


def test_an_account_is_closed_in_hours_and_gone_in_ninety_days(aws: Aws) -> None:
    organizations = aws.client("organizations")
    assert states(aws) == ("ACTIVE", "ACTIVE")

    organizations.close_account(AccountId=ACCOUNT)
    assert states(aws) == ("PENDING_CLOSURE", "PENDING_CLOSURE")
    aws.advance(3 * _HOUR)
    assert states(aws) == ("PENDING_CLOSURE", "PENDING_CLOSURE")
    aws.advance(2 * _HOUR)
    assert states(aws) == ("SUSPENDED", "CLOSED")
    aws.advance(89 * _DAY)
    assert ACCOUNT in [account["Id"] for account in organizations.list_accounts()["Accounts"]]
    aws.advance(2 * _DAY)

    assert refusal(organizations.describe_account, AccountId=ACCOUNT)["Error"]["Code"] == "AccountNotFoundException"
    assert ACCOUNT not in [account["Id"] for account in organizations.list_accounts()["Accounts"]]


@pytest.mark.parametrize("hours", [0, 5])
def test_a_closed_account_is_not_closed_again(aws: Aws, hours: int) -> None:
    organizations = aws.client("organizations")
    organizations.close_account(AccountId=ACCOUNT)
    aws.advance(hours * _HOUR)

    with pytest.raises(organizations.exceptions.AccountAlreadyClosedException):
        organizations.close_account(AccountId=ACCOUNT)


def test_refuses_the_management_account_and_unknown_ones(aws: Aws) -> None:
    organizations = aws.client("organizations")

    refused = refusal(organizations.close_account, AccountId=MANAGEMENT_ACCOUNT)
    assert refused["Error"]["Code"] == "ConstraintViolationException"
    assert refused["Reason"] == "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
    with pytest.raises(organizations.exceptions.AccountNotFoundException):
        organizations.close_account(AccountId="999999999999")
    with pytest.raises(organizations.exceptions.InvalidInputException):
        organizations.close_account(AccountId="nonsense")


@pytest.mark.parametrize(("accounts", "quota"), [(40, 10), (130, 13)])
def test_a_tenth_of_the_members_and_at_least_ten_may_be_closed_in_thirty_days(accounts: int, quota: int) -> None:
    with Sandbox(speed=0, accounts=accounts) as sandbox:
        aws = Aws(sandbox.url)
        organizations = aws.client("organizations")
        for number in range(quota):
            organizations.close_account(AccountId=grown_account_id(number))
        another = {"AccountId": grown_account_id(quota)}

        refused = refusal(organizations.close_account, **another)
        assert refused["Error"]["Code"] == "ConstraintViolationException"
        assert refused["Reason"] == "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
        aws.advance(29 * _DAY)
        assert refusal(organizations.close_account, **another)["Reason"] == "CLOSE_ACCOUNT_QUOTA_EXCEEDED"
        assert states(aws, grown_account_id(quota)) == ("ACTIVE", "ACTIVE")
        aws.advance(1.1 * _DAY)
        organizations.close_account(**another)
        aws.close()


def test_the_root_address_of_a_closed_account_is_never_free_again(aws: Aws) -> None:
    aws.client("organizations").close_account(AccountId=ACCOUNT)
    for days, name in ((1, "soon"), (120, "late")):
        aws.advance(days * _DAY)
        record = aws.order(name, values={"AccountEmail": "Playground@corp.example"})
        aws.advance(30)
        assert aws.record(record["RecordId"])["RecordErrors"][0]["Code"] == "EmailAlreadyExists"


def test_nobody_gets_into_a_closed_account(aws: Aws) -> None:
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Reader", "RoleSessionName": "bot"}
    aws.client("sts").assume_role(**role)
    aws.client("organizations").close_account(AccountId=ACCOUNT)
    aws.advance(5 * _HOUR)

    assert refusal(aws.client("sts").assume_role, **role)["Error"]["Code"] == "AccessDenied"


def test_only_the_management_account_closes(aws: Aws) -> None:
    role = {"RoleArn": "arn:aws:iam::666677778888:role/Reader", "RoleSessionName": "bot"}
    given = aws.client("sts").assume_role(**role)["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }

    refused = refusal(aws.client("organizations", **keys).close_account, AccountId=ACCOUNT)
    assert refused["Error"]["Code"] == "AccessDeniedException"
    assert states(aws) == ("ACTIVE", "ACTIVE")


def test_account_factory_does_not_update_a_closed_account(aws: Aws) -> None:
    aws.client("organizations").close_account(AccountId=ACCOUNT)
    record = aws.client("servicecatalog").update_provisioned_product(
        ProvisionedProductName="playground",
        UpdateToken="late",
        ProvisioningParameters=[{"Key": "ManagedOrganizationalUnit", "Value": "Demos"}],
    )["RecordDetail"]
    aws.advance(20)

    assert aws.record(record["RecordId"])["RecordErrors"][0]["Code"] == "InvalidAccountState"
    assert aws.product("playground")["Status"] == "TAINTED"


def test_unmanaging_comes_before_closing(aws: Aws) -> None:
    catalog, organizations = aws.client("servicecatalog"), aws.client("organizations")
    catalog.terminate_provisioned_product(ProvisionedProductName="playground", TerminateToken="end")
    aws.advance(10)
    assert states(aws) == ("ACTIVE", "ACTIVE")
    assert organizations.list_parents(ChildId=ACCOUNT)["Parents"] == [{"Id": ROOT_ID, "Type": "ROOT"}]

    organizations.close_account(AccountId=ACCOUNT)
    aws.advance(5 * _HOUR)
    assert states(aws) == ("SUSPENDED", "CLOSED")


def test_the_stock_cli_closes_an_account(aws: Aws) -> None:
    # Closing prints nothing, which is no JSON.
    closing = ("organizations", "close-account", "--account-id", ACCOUNT)
    with pytest.raises(json.JSONDecodeError):
        cli(aws.url, *closing)

    assert states(aws) == ("PENDING_CLOSURE", "PENDING_CLOSURE")
    assert "(AccountAlreadyClosedException)" in cli(aws.url, *closing)
    described = cli(aws.url, "organizations", "describe-account", "--account-id", ACCOUNT)
    assert described["Account"]["State"] == "PENDING_CLOSURE"


def test_moving_checks_both_ends(aws: Aws) -> None:
    organizations = aws.client("organizations")
    home = unit_id("sandb0x1")
    move = {"AccountId": ACCOUNT, "SourceParentId": home}
    for destination, error in (
        (home, organizations.exceptions.DuplicateAccountException),
        ("ou-c0rp-99999999", organizations.exceptions.DestinationParentNotFoundException),
    ):
        with pytest.raises(error):
            organizations.move_account(**move, DestinationParentId=destination)
    with pytest.raises(organizations.exceptions.AccountNotFoundException):
        organizations.move_account(**{**move, "AccountId": "999999999999"}, DestinationParentId=ROOT_ID)


def test_lists_the_one_policy_there_is(aws: Aws) -> None:
    organizations = aws.client("organizations")
    kind = {"Filter": "SERVICE_CONTROL_POLICY"}

    assert [policy["Name"] for policy in organizations.list_policies(**kind)["Policies"]] == ["FullAWSAccess"]
    attached = organizations.list_policies_for_target(TargetId=ACCOUNT, **kind)["Policies"]
    assert [policy["AwsManaged"] for policy in attached] == [True]
    assert organizations.list_policies(Filter="TAG_POLICY")["Policies"] == []
    with pytest.raises(organizations.exceptions.TargetNotFoundException):
        organizations.list_policies_for_target(TargetId="999999999999", **kind)
