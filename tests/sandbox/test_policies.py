"""Roles with inline policies are held to them; everybody else may do everything, as before."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import MANAGEMENT_ACCOUNT, account_arn, unit_arn, unit_id
from tests.sandbox.landing import Aws
from tests.sandbox.roles import assume, make_role, policy, tags

PLAYGROUND = "555566667777"
ROLE = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/Mover"
SESSION = f"arn:aws:sts::{MANAGEMENT_ACCOUNT}:assumed-role/Mover/bot"


def refusal(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return dict(caught.value.response["Error"])


def test_a_call_outside_the_policy_is_refused_naming_principal_and_action(aws: Aws) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Action": "organizations:List*"}))
    organizations = aws.client("organizations", **keys)

    assert organizations.list_accounts()["Accounts"]
    error = refusal(organizations.close_account, AccountId=PLAYGROUND)
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"] == (
        f"User: {SESSION} is not authorized to perform: organizations:CloseAccount "
        f"on resource: {account_arn(PLAYGROUND)} "
        "because no identity-based policy allows the organizations:CloseAccount action"
    )
    described = aws.client("organizations").describe_account(AccountId=PLAYGROUND)["Account"]
    assert described["Status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("servicecatalog", "search_products", "AccessDeniedException"),
        ("sns", "list_topics", "AuthorizationError"),
        ("cloudformation", "list_stacks", "AccessDenied"),
        ("iam", "list_role_policies", "AccessDenied"),
        ("resourcegroupstaggingapi", "get_resources", "AccessDeniedException"),
        ("sqs", "list_queues", "AccessDeniedException"),
    ],
)
def test_every_service_refuses_in_its_own_code(aws: Aws, service: str, operation: str, code: str) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Action": "organizations:*"}))
    parameters = {"RoleName": "Mover"} if service == "iam" else {}

    error = refusal(getattr(aws.client(service, **keys), operation), **parameters)
    assert error["Code"] == code
    assert f"User: {SESSION} is not authorized to perform: " in error["Message"]


def test_asking_who_one_is_needs_no_permission(aws: Aws) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Effect": "Deny", "Action": "*"}))

    assert aws.client("sts", **keys).get_caller_identity()["Arn"] == SESSION


def test_an_explicit_denial_outweighs_a_permission(aws: Aws) -> None:
    statements = ({"Action": "organizations:*"}, {"Effect": "Deny", "Action": "organizations:Close*"})
    organizations = aws.client("organizations", **assume(aws, make_role(aws, "Mover", *statements)))

    error = refusal(organizations.close_account, AccountId=PLAYGROUND)
    assert error["Message"].endswith("with an explicit deny in an identity-based policy")
    assert organizations.list_roots()["Roots"]


def test_every_resource_of_a_call_must_be_allowed(aws: Aws) -> None:
    moved = {
        "AccountId": PLAYGROUND,
        "SourceParentId": unit_id("sandb0x1"),
        "DestinationParentId": unit_id("dem0dem0"),
    }
    allowed = [account_arn(PLAYGROUND), unit_arn(unit_id("sandb0x1"))]
    arn = make_role(aws, "Mover", {"Action": "organizations:MoveAccount", "Resource": allowed})
    organizations = aws.client("organizations", **assume(aws, arn))

    error = refusal(organizations.move_account, **moved)
    assert f"on resource: {unit_arn(unit_id('dem0dem0'))}" in error["Message"]
    wider = policy({"Action": "organizations:MoveAccount", "Resource": "arn:aws:organizations::*:*/o-*/*"})
    aws.client("iam").put_role_policy(RoleName="Mover", PolicyName="own", PolicyDocument=wider)
    organizations.move_account(**moved)


@pytest.mark.parametrize(
    ("resource", "is_allowed"),
    [
        ("*", True),
        (f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:*", True),
        ("arn:aws:organizations::*:*", True),
        (f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/*", False),
        ("arn:aws:servicecatalog:*:*:*", False),
    ],
)
def test_a_call_without_a_resource_fits_only_patterns_that_cover_its_service(
    aws: Aws, resource: str, is_allowed: bool
) -> None:
    arn = make_role(aws, "Mover", {"Action": "organizations:ListRoots", "Resource": resource})
    organizations = aws.client("organizations", **assume(aws, arn))

    if is_allowed:
        assert organizations.list_roots()["Roots"]
    else:
        assert refusal(organizations.list_roots)["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("statement", "is_allowed"),
    [
        ({"Action": "organizations:listroots"}, True),
        ({"Action": "organizations:List?oots"}, True),
        ({"Action": ["sns:*", "*"]}, True),
        ({"NotAction": "organizations:Close*"}, True),
        ({"NotAction": "organizations:List*"}, False),
        ({"Action": "organizations:ListRoot"}, False),
        ({"Action": "*", "NotResource": "arn:aws:sns:*:*:*"}, True),
        ({"Action": "*", "NotResource": "arn:aws:organizations::*:*"}, False),
        ({"Action": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}, True),
        ({"Action": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}}, False),
        ({"Action": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}}, False),
        ({"Action": "*", "Condition": {"StringLike": {"aws:PrincipalTag/request": "req-*"}}}, True),
        ({"Action": "*", "Condition": {"StringLike": {"AWS:principaltag/REQUEST": "req-?"}}}, True),
        ({"Action": "*", "Condition": {"StringLike": {"aws:PrincipalTag/request": "REQ-*"}}}, False),
        ({"Action": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/other": "x"}}}, False),
        ({"Action": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalTag/other": "x"}}}, True),
        ({"Action": "*", "Condition": {"Null": {"aws:PrincipalTag/request": "false"}}}, True),
        ({"Action": "*", "Condition": {"Null": {"aws:PrincipalTag/request": "true"}}}, False),
        ({"Action": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "platform"}}}, True),
        ({"Action": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Mo*"}}}, True),
        (
            {
                "Action": "*",
                "Condition": {
                    "StringLike": {"aws:PrincipalTag/request": "req-*"},
                    "StringEquals": {"aws:PrincipalAccount": "999999999999"},
                },
            },
            False,
        ),
    ],
)
def test_evaluates_what_a_statement_says(aws: Aws, statement: dict[str, Any], is_allowed: bool) -> None:
    arn = make_role(aws, "Mover", statement, Tags=tags(team="platform", request="from the role"))
    organizations = aws.client("organizations", **assume(aws, arn, Tags=tags(request="req-7")))

    if is_allowed:
        assert organizations.list_roots()["Roots"]
    else:
        assert refusal(organizations.list_roots)["Code"] == "AccessDeniedException"


def test_conditions_see_the_tags_in_the_request(aws: Aws) -> None:
    condition = {"StringLike": {"aws:RequestTag/owner": "*@corp.example"}}
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["owner", "team"]}}
    arn = make_role(aws, "Mover", {"Action": "organizations:TagResource", "Condition": {**condition, **only}})
    organizations = aws.client("organizations", **assume(aws, arn))

    organizations.tag_resource(ResourceId=PLAYGROUND, Tags=tags(owner="ana@corp.example", team="x"))
    for refused in (tags(owner="ana@elsewhere.example"), tags(team="x"), tags(owner="a@corp.example", colour="red")):
        error = refusal(organizations.tag_resource, ResourceId=PLAYGROUND, Tags=refused)
        assert error["Code"] == "AccessDeniedException"


def test_policy_variables_are_filled_in(aws: Aws) -> None:
    resource = account_arn("${aws:PrincipalTag/account}")
    arn = make_role(aws, "Mover", {"Action": "organizations:DescribeAccount", "Resource": resource})

    tagged = aws.client("organizations", **assume(aws, arn, Tags=tags(account=PLAYGROUND)))
    assert tagged.describe_account(AccountId=PLAYGROUND)["Account"]["Name"] == "Playground"
    assert refusal(tagged.describe_account, AccountId="666677778888")["Code"] == "AccessDeniedException"
    untagged = aws.client("organizations", **assume(aws, arn))
    assert refusal(untagged.describe_account, AccountId=PLAYGROUND)["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("service", "call", "parameters", "resource"),
    [
        (
            "servicecatalog",
            "describe_product",
            {"Id": "prod-encryptedbuckt"},
            f"arn:aws:catalog:us-east-1:{MANAGEMENT_ACCOUNT}:product/prod-encryptedbuckt",
        ),
        ("iam", "get_role", {"RoleName": "Mover"}, ROLE),
        (
            "sns",
            "publish",
            {
                "TopicArn": f"arn:aws:sns:us-east-1:{MANAGEMENT_ACCOUNT}:quartermaster-approvals",
                "Message": "Please",
            },
            f"arn:aws:sns:us-east-1:{MANAGEMENT_ACCOUNT}:quartermaster-*",
        ),
        (
            "sesv2",
            "send_email",
            {
                "FromEmailAddress": "Bot <bot@corp.example>",
                "Destination": {"ToAddresses": ["ana@corp.example"]},
                "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
            },
            f"arn:aws:ses:us-east-1:{MANAGEMENT_ACCOUNT}:identity/corp.example",
        ),
    ],
)
def test_derives_resources_from_parameters(
    aws: Aws, service: str, call: str, parameters: dict[str, Any], resource: str
) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Action": "*", "Resource": resource}))
    getattr(aws.client(service, **keys), call)(**parameters)

    elsewhere = policy({"Action": "*", "Resource": resource.replace("us-east-1", "eu-west-1").replace("role/M", "x")})
    aws.client("iam").put_role_policy(RoleName="Mover", PolicyName="own", PolicyDocument=elsewhere)
    assert "not authorized to perform" in refusal(getattr(aws.client(service, **keys), call), **parameters)["Message"]


def test_a_session_policy_only_takes_away(aws: Aws) -> None:
    narrow = policy({"Action": ["organizations:ListRoots", "sns:*"]})
    held = make_role(aws, "Mover", {"Action": "organizations:List*"})
    organizations = aws.client("organizations", **assume(aws, held, Policy=narrow))

    assert organizations.list_roots()["Roots"]
    assert "because no session policy allows" in refusal(organizations.list_accounts)["Message"]
    sns = aws.client("sns", **assume(aws, held, Policy=narrow))
    assert "because no identity-based policy allows" in refusal(sns.list_topics)["Message"]
    free = assume(aws, f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/NeverMade", Policy=narrow)
    assert "because no session policy" in refusal(aws.client("organizations", **free).list_accounts)["Message"]


def test_roles_that_do_not_exist_or_have_no_policy_may_do_everything(aws: Aws) -> None:
    for arn in (f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/NeverMade", make_role(aws, "Empty")):
        assert aws.client("organizations", **assume(aws, arn)).list_accounts()["Accounts"]
    assert aws.client("organizations").list_accounts()["Accounts"]


def test_a_change_of_policy_holds_for_sessions_under_way(aws: Aws) -> None:
    organizations = aws.client("organizations", **assume(aws, make_role(aws, "Mover", {"Action": "sns:*"})))
    assert refusal(organizations.list_roots)["Code"] == "AccessDeniedException"
    aws.client("iam").put_role_policy(
        RoleName="Mover", PolicyName="more", PolicyDocument=policy({"Action": "organizations:*"})
    )

    assert organizations.list_roots()["Roots"]


def test_a_role_that_was_made_can_be_looked_at(aws: Aws) -> None:
    iam = aws.client("iam")
    document = {"Action": "organizations:*"}
    arn = make_role(aws, "Mover", document, Path="/quartermaster/", Tags=tags(team="x"), MaxSessionDuration=7200)
    iam.tag_role(RoleName="Mover", Tags=tags(team="y", cost=""))
    for name in ("b", "c"):
        iam.put_role_policy(RoleName="Mover", PolicyName=name, PolicyDocument=policy(document))

    role = iam.get_role(RoleName="Mover")["Role"]
    assert role["Arn"] == arn == f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/quartermaster/Mover"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"].endswith(":root")
    assert (role["MaxSessionDuration"], role["Tags"]) == (7200, tags(team="y", cost=""))
    pages = list(iam.get_paginator("list_role_policies").paginate(RoleName="Mover", PaginationConfig={"PageSize": 2}))
    assert [page["PolicyNames"] for page in pages] == [["b", "c"], ["own"]]
    found = iam.get_role_policy(RoleName="Mover", PolicyName="b")["PolicyDocument"]
    assert found["Statement"][0]["Action"] == "organizations:*"
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_role(RoleName="Mover")
    for name in ("b", "c", "own"):
        iam.delete_role_policy(RoleName="Mover", PolicyName=name)
    iam.delete_role(RoleName="Mover")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="Mover")


def test_roles_belong_to_their_account(aws: Aws) -> None:
    make_role(aws, "Mover")
    keys = assume(aws, f"arn:aws:iam::{PLAYGROUND}:role/Administrator")

    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws.client("iam", **keys).get_role(RoleName="Mover")


def test_iam_answers_its_own_errors(aws: Aws) -> None:
    iam = aws.client("iam")
    make_role(aws, "Mover", {"Action": "*"})

    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        make_role(aws, "MOVER")
    for call in (iam.get_role_policy, iam.delete_role_policy):
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            call(RoleName="Mover", PolicyName="never")
    too_long = policy(*[{"Action": f"service{number:05d}:Operation"} for number in range(300)])
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.put_role_policy(RoleName="Mover", PolicyName="long", PolicyDocument=too_long)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("nonsense", "not JSON"),
        ("[]", "must be an object"),
        ('{"Version": "2008-10-17", "Statement": []}', "2012-10-17"),
        ('{"Version": "2012-10-17", "Statement": []}', "must have a Statement"),
        (policy({"Action": "sns:*", "Effect": "Maybe"}), "Effect"),
        (policy({}), "either Action or NotAction"),
        (policy({"Action": "sns:*", "NotAction": "ses:*"}), "either Action or NotAction"),
        (policy({"Action": "sns"}), "service:Operation"),
        (policy({"Action": "sns:*", "Resource": "everything"}), "ARNs"),
        (policy({"Action": "sns:*", "Principal": "*"}), "Principal"),
        (policy({"Action": "sns:*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}), "IpAddress"),
        (policy({"Action": "sns:*", "Condition": {"StringEquals": "x"}}), "condition keys"),
        (policy({"Action": "sns:*", "Resource": 7}), "list of texts"),
    ],
)
def test_refuses_a_policy_that_it_could_not_simulate(aws: Aws, document: str, words: str) -> None:
    iam = aws.client("iam")
    make_role(aws, "Mover")

    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException, match=words):
        iam.put_role_policy(RoleName="Mover", PolicyName="own", PolicyDocument=document)
    assert iam.list_role_policies(RoleName="Mover")["PolicyNames"] == []


_BUDGET = {
    "AccountId": MANAGEMENT_ACCOUNT,
    "Budget": {
        "BudgetName": "team-x",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"},
    },
}
_CONTACT = {
    "AccountId": PLAYGROUND,
    "AlternateContactType": "BILLING",
    "Name": "Ana",
    "Title": "Owner",
    "EmailAddress": "ana@corp.example",
    "PhoneNumber": "+31 20 555 0100",
}


@pytest.mark.parametrize(
    ("service", "call", "parameters", "action", "resource"),
    [
        (
            "budgets",
            "create_budget",
            _BUDGET,
            "budgets:ModifyBudget",
            f"arn:aws:budgets::{MANAGEMENT_ACCOUNT}:budget/team-*",
        ),
        ("budgets", "describe_budgets", {"AccountId": MANAGEMENT_ACCOUNT}, "budgets:ViewBudget", "*"),
        (
            "account",
            "put_alternate_contact",
            _CONTACT,
            "account:PutAlternateContact",
            f"arn:aws:account::{MANAGEMENT_ACCOUNT}:account/o-*/{PLAYGROUND}",
        ),
        ("sso-admin", "list_instances", {}, "sso:ListInstances", "*"),
        ("service-quotas", "list_service_quotas", {"ServiceCode": "organizations"}, "servicequotas:List*", "*"),
        ("resourcegroupstaggingapi", "get_resources", {}, "tag:GetResources", "*"),
        ("controltower", "list_enabled_baselines", {}, "controltower:ListEnabledBaselines", "*"),
    ],
)
def test_actions_are_called_as_iam_calls_them(
    aws: Aws, service: str, call: str, parameters: dict[str, Any], action: str, resource: str
) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Action": action, "Resource": resource}))
    getattr(aws.client(service, **keys), call)(**parameters)

    other = assume(aws, make_role(aws, "Other", {"NotAction": action}))
    assert (
        f"not authorized to perform: {action.split(':')[0]}:"
        in (refusal(getattr(aws.client(service, **other), call), **parameters)["Message"])
    )


def test_a_role_with_a_path_is_found_under_its_whole_arn(aws: Aws) -> None:
    allowed = {"Action": "iam:*", "Resource": f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/quartermaster/*"}
    arn = make_role(aws, "Mover", allowed, Path="/quartermaster/")
    make_role(aws, "Elsewhere")
    iam = aws.client("iam", **assume(aws, arn))

    assert iam.get_role(RoleName="Mover")["Role"]["Path"] == "/quartermaster/"
    assert refusal(iam.get_role, RoleName="Elsewhere")["Code"] == "AccessDenied"


def test_a_call_that_is_malformed_is_told_so_first(aws: Aws) -> None:
    keys = assume(aws, make_role(aws, "Mover", {"Action": "sns:*"}))

    error = refusal(aws.client("organizations", **keys).describe_account, AccountId="nonsense")
    assert error["Code"] == "InvalidInputException"
