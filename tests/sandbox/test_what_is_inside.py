"""What is still inside an account: its stacks, and its tagged resources."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import MANAGEMENT_ACCOUNT, account_arn
from sandbox.stacks import CONTROL_TOWER_PREFIX
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in
from tests.sandbox.roles import tags

PLAYGROUND, WEBSHOP, LEGACY = "555566667777", "666677778888", "888899990000"


def stack_names(aws: Aws, account: str, region: str = "us-east-1") -> list[str]:
    pages = client_in(aws, account, "cloudformation", region).get_paginator("list_stacks").paginate()
    return [stack["StackName"] for page in pages for stack in page["StackSummaries"]]


def test_every_governed_account_has_control_towers_stacks(aws: Aws) -> None:
    names = stack_names(aws, PLAYGROUND)
    assert len(names) == 4
    assert all(name.startswith(CONTROL_TOWER_PREFIX) for name in names)
    assert len(stack_names(aws, PLAYGROUND, "eu-central-1")) == 2
    assert stack_names(aws, PLAYGROUND, "ap-south-1") == []
    assert stack_names(aws, LEGACY) == []

    cloudformation = client_in(aws, PLAYGROUND, "cloudformation")
    resources = cloudformation.list_stack_resources(StackName=names[0])["StackResourceSummaries"]
    assert resources[0]["PhysicalResourceId"].startswith("aws-controltower-")


def test_unmanaging_takes_control_towers_stacks_away(aws: Aws) -> None:
    aws.client("servicecatalog").terminate_provisioned_product(
        ProvisionedProductName="webshop-prod", TerminateToken="end"
    )
    aws.advance(10)

    assert stack_names(aws, WEBSHOP) == ["webshop-prod"]


def test_deployments_are_listed_and_described(aws: Aws) -> None:
    cloudformation = client_in(aws, WEBSHOP, "cloudformation")
    complete = cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    assert "webshop-prod" in [stack["StackName"] for stack in complete]
    assert cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"] == []

    stack = cloudformation.describe_stacks(StackName="webshop-prod")["Stacks"][0]
    assert (stack["Description"], stack["Tags"]) == ("The web shop", tags(team="webshop"))
    assert len(cloudformation.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"]) == 3
    with pytest.raises(ClientError, match="Stack with id nowhere does not exist") as caught:
        cloudformation.describe_stacks(StackName="nowhere")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def resources(client: Any, **parameters: Any) -> list[str]:
    pages = client.get_paginator("get_resources").paginate(**parameters)
    return [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]]


def test_a_member_finds_what_is_inside_it(aws: Aws) -> None:
    inside = client_in(aws, PLAYGROUND, "resourcegroupstaggingapi")
    found = resources(inside)

    assert [arn.split(":")[2] for arn in found] == ["s3", "ec2"]
    assert resources(inside, ResourceTypeFilters=["ec2:instance"]) == found[1:]
    assert resources(inside, ResourceTypeFilters=["organizations:account"]) == []
    assert resources(client_in(aws, WEBSHOP, "resourcegroupstaggingapi"), ResourceTypeFilters=["rds:db"])
    assert resources(client_in(aws, PLAYGROUND, "resourcegroupstaggingapi", "eu-west-1")) == []


def test_the_management_account_finds_tagged_accounts_in_one_region(aws: Aws) -> None:
    organizations = aws.client("organizations")
    organizations.tag_resource(ResourceId=PLAYGROUND, Tags=tags(owner="ana@corp.example", team="x"))
    organizations.tag_resource(ResourceId=WEBSHOP, Tags=tags(owner="bo@corp.example"))
    tagging = aws.client("resourcegroupstaggingapi")
    kind = {"ResourceTypeFilters": ["organizations:account"]}

    assert resources(tagging, **kind) == [account_arn(PLAYGROUND), account_arn(WEBSHOP)]
    for filters, accounts in (
        ([{"Key": "owner"}], [PLAYGROUND, WEBSHOP]),
        ([{"Key": "owner", "Values": ["ana@corp.example", "cy@corp.example"]}], [PLAYGROUND]),
        ([{"Key": "owner"}, {"Key": "team", "Values": ["x"]}], [PLAYGROUND]),
        ([{"Key": "colour"}], []),
    ):
        assert resources(tagging, **kind, TagFilters=filters) == [account_arn(account) for account in accounts]
    named = tagging.get_resources(ResourceARNList=[account_arn(WEBSHOP)])["ResourceTagMappingList"]
    assert [entry["Tags"] for entry in named] == [tags(owner="bo@corp.example")]
    organizations.untag_resource(ResourceId=WEBSHOP, TagKeys=["owner"])
    assert resources(tagging, **kind) == [account_arn(PLAYGROUND)]
    assert resources(aws.client("resourcegroupstaggingapi", "eu-west-1"), **kind) == []


def test_pages_as_many_resources_as_asked_for(aws: Aws) -> None:
    tagging = client_in(aws, WEBSHOP, "resourcegroupstaggingapi")
    pages = list(tagging.get_paginator("get_resources").paginate(PaginationConfig={"PageSize": 2}))

    assert [len(page["ResourceTagMappingList"]) for page in pages] == [2, 1]
    assert pages[-1]["PaginationToken"] == ""


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"ResourcesPerPage": 101}, "InvalidParameterException", "from 1 to 100"),
        ({"ResourcesPerPage": 0}, "InvalidParameterException", "from 1 to 100"),
        ({"TagsPerPage": 50}, "InvalidParameterException", "from 100 to 500"),
        ({"TagFilters": [{"Values": ["x"]}]}, "InvalidParameterException", "must have a key"),
        (
            {"ResourceARNList": ["arn:aws:s3:::x"], "ResourcesPerPage": 10},
            "InvalidParameterException",
            "can't be combined",
        ),
        ({"PaginationToken": "nonsense"}, "PaginationTokenExpiredException", "PaginationToken"),
    ],
)
def test_tagging_answers_its_own_errors(aws: Aws, parameters: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        aws.client("resourcegroupstaggingapi").get_resources(**parameters)

    assert caught.value.response["Error"]["Code"] == code


def test_nothing_is_left_of_an_account_that_is_gone(aws: Aws) -> None:
    inside = client_in(aws, PLAYGROUND, "resourcegroupstaggingapi")
    aws.client("organizations").tag_resource(ResourceId=PLAYGROUND, Tags=tags(owner="ana@corp.example"))
    assert resources(inside)
    aws.client("organizations").close_account(AccountId=PLAYGROUND)
    aws.advance(91 * 24 * 60)

    assert resources(inside) == []
    assert resources(aws.client("resourcegroupstaggingapi")) == []
    assert MANAGEMENT_ACCOUNT in [entry["Id"] for entry in aws.client("organizations").list_accounts()["Accounts"]]
