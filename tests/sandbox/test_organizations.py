"""Organizations: the tree, real paging, and AWS's own errors."""

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import ACCOUNTS, MANAGEMENT_ACCOUNT, ROOT_ID, unit_id
from tests.sandbox.landing import Aws


def test_pages_through_all_accounts_without_gap_or_double(aws: Aws) -> None:
    pages = list(aws.client("organizations").get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 4}))

    assert [len(page["Accounts"]) for page in pages] == [4, 4, 3]
    assert [account["Id"] for page in pages for account in page["Accounts"]] == [entry[0] for entry in ACCOUNTS]


def test_has_two_units_of_one_name_under_different_parents(aws: Aws) -> None:
    organizations = aws.client("organizations")
    tops = organizations.list_organizational_units_for_parent(ParentId=ROOT_ID)["OrganizationalUnits"]
    below = {
        top["Name"]: [
            unit["Name"]
            for unit in organizations.list_organizational_units_for_parent(ParentId=top["Id"])["OrganizationalUnits"]
        ]
        for top in tops
    }

    assert below["Workloads"] == below["Platform"] == ["Prod", "Test"]
    assert {"Security", "Experiment", "Demos", "Sandbox", "Legacy"} <= set(below)


def test_refuses_a_page_token_of_another_listing(aws: Aws) -> None:
    organizations = aws.client("organizations")
    token = organizations.list_accounts(MaxResults=2)["NextToken"]

    for foreign in (token, "nonsense", "AAAA"):
        with pytest.raises(organizations.exceptions.InvalidInputException):
            organizations.list_children(ParentId=ROOT_ID, ChildType="ACCOUNT", NextToken=foreign)


def test_moves_an_account_only_from_where_it_is(aws: Aws) -> None:
    organizations = aws.client("organizations")
    move = {"AccountId": "555566667777", "DestinationParentId": unit_id("dem0dem0")}
    with pytest.raises(organizations.exceptions.SourceParentNotFoundException):
        organizations.move_account(**move, SourceParentId=ROOT_ID)

    organizations.move_account(**move, SourceParentId=unit_id("sandb0x1"))

    assert organizations.list_parents(ChildId="555566667777")["Parents"] == [
        {"Id": unit_id("dem0dem0"), "Type": "ORGANIZATIONAL_UNIT"}
    ]
    listed = organizations.list_accounts_for_parent(ParentId=unit_id("dem0dem0"))["Accounts"]
    assert "555566667777" in [account["Id"] for account in listed]


def test_keeps_tags(aws: Aws) -> None:
    organizations = aws.client("organizations")
    organizations.tag_resource(ResourceId="555566667777", Tags=[{"Key": "team", "Value": "x"}])
    organizations.tag_resource(
        ResourceId="555566667777", Tags=[{"Key": "team", "Value": "y"}, {"Key": "cost", "Value": ""}]
    )
    organizations.untag_resource(ResourceId="555566667777", TagKeys=["cost", "never there"])

    tags = organizations.list_tags_for_resource(ResourceId="555566667777")["Tags"]
    assert tags == [{"Key": "team", "Value": "y"}]


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("describe_account", {"AccountId": "nonsense"}, "InvalidInputException"),
        ("list_parents", {"ChildId": "999999999999"}, "ChildNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": "ou-c0rp-99999999"}, "ParentNotFoundException"),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": "ou-c0rp-99999999"},
            "OrganizationalUnitNotFoundException",
        ),
        ("list_tags_for_resource", {"ResourceId": "999999999999"}, "TargetNotFoundException"),
    ],
)
def test_answers_errors_as_organizations_does(aws: Aws, operation: str, parameters: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws.client("organizations"), operation)(**parameters)

    assert caught.value.response["Error"]["Code"] == code


def test_tells_the_organization_and_its_management_account(aws: Aws) -> None:
    organization = aws.client("organizations").describe_organization()["Organization"]

    assert organization["MasterAccountId"] == MANAGEMENT_ACCOUNT
    assert organization["FeatureSet"] == "ALL"
