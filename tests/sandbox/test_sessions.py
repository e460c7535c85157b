"""AssumeRole: whom a role trusts, what a session carries, and what the call log shows of it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from tests.sandbox.landing import Aws
from tests.sandbox.roles import EVERYBODY_HERE, assume, make_role, policy, tags

HUB = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/Hub"
MEMBER = "arn:aws:iam::555566667777:role/NeverMade"


def refusal(call: Any, *arguments: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return dict(caught.value.response["Error"])


def test_the_call_log_shows_role_and_session_tags(aws: Aws) -> None:
    arn = make_role(aws, "Hub")
    keys = assume(aws, arn, Tags=tags(request="req-7", capability="vending"))
    aws.client("organizations", **keys).list_roots()
    aws.client("organizations").list_roots()

    tagged, plain = aws.get("calls?operation=ListRoots")
    assert (tagged["role"], tagged["tags"]) == (arn, {"request": "req-7", "capability": "vending"})
    assert (plain["role"], plain["tags"]) == ("", {})
    assuming = aws.get("calls?operation=AssumeRole")[0]
    assert assuming["params"]["Tags"] == tags(request="req-7", capability="vending")


def test_the_call_log_shows_who_was_refused(aws: Aws) -> None:
    arn = make_role(aws, "Hub", {"Action": "sns:*"})
    refusal(aws.client("organizations", **assume(aws, arn, Tags=tags(request="req-8"))).list_roots)

    call = aws.get("calls?operation=ListRoots")[0]
    assert (call["error"], call["role"], call["tags"]) == ("AccessDeniedException", arn, {"request": "req-8"})


def test_the_call_log_goes_on_from_a_number_or_a_time(aws: Aws) -> None:
    organizations = aws.client("organizations")
    organizations.list_roots()
    last = aws.get("calls")[-1]["number"]
    assert aws.get(f"calls?since={last}") == []
    aws.advance(5)
    since = aws.get("clock")["now"]
    organizations.list_accounts()

    assert [call["operation"] for call in aws.get(f"calls?since={last}")] == ["ListAccounts"]
    assert [call["operation"] for call in aws.get(f"calls?since={since}")] == ["ListAccounts"]
    assert aws.get(f"calls?since={last}&service=sns") == []
    assert aws.get("calls?since=2199-01-01") == []
    status, problem = aws.ask("GET", "calls?since=yesterday")
    assert (status, "ISO 8601" in problem["detail"]) == (422, True)


def test_hidden_provisioning_parameters_are_masked_in_the_log(aws: Aws) -> None:
    parameters = tags(MasterPassword="correct-horse-battery", DatabaseName="orders")
    with pytest.raises(ClientError):
        aws.client("servicecatalog").provision_product(
            ProductId="prod-nowhere",
            ProvisioningArtifactId="pa-nowhere",
            ProvisionedProductName="orders",
            ProvisioningParameters=parameters,
        )

    assert aws.get("calls")[-1]["params"]["ProvisioningParameters"] == tags(MasterPassword="***", DatabaseName="orders")


@pytest.mark.parametrize(
    ("statement", "is_trusted"),
    [
        ({"Principal": EVERYBODY_HERE, "Action": "sts:AssumeRole"}, True),
        ({"Principal": {"AWS": MANAGEMENT_ACCOUNT}, "Action": "sts:AssumeRole"}, True),
        ({"Principal": "*", "Action": "sts:*"}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:user/sandbox"}, "Action": "sts:AssumeRole"}, True),
        ({"Principal": {"AWS": "arn:aws:iam::555566667777:root"}, "Action": "sts:AssumeRole"}, False),
        ({"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}, False),
        ({"Principal": EVERYBODY_HERE, "Action": "sts:TagSession"}, False),
        (
            {
                "Principal": EVERYBODY_HERE,
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "e-1"}},
            },
            False,
        ),
    ],
)
def test_a_role_is_assumed_by_those_it_trusts(aws: Aws, statement: dict[str, Any], is_trusted: bool) -> None:
    arn = make_role(aws, "Hub", trust=policy(statement))

    if is_trusted:
        assert assume(aws, arn)
        return
    error = refusal(assume, aws, arn)
    assert error["Code"] == "AccessDenied"
    assert error["Message"].endswith(f":user/sandbox is not authorized to perform: sts:AssumeRole on resource: {arn}")


def test_trust_may_ask_for_an_external_id_and_a_session_name(aws: Aws) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "e-1"}, "StringLike": {"sts:RoleSessionName": "bot-*"}}
    trusting = {"Principal": EVERYBODY_HERE, "Action": "sts:AssumeRole", "Condition": condition}
    arn = make_role(aws, "Hub", trust=policy(trusting))

    assert assume(aws, arn, ExternalId="e-1", RoleSessionName="bot-1")
    assert refusal(assume, aws, arn, ExternalId="e-1", RoleSessionName="human")["Code"] == "AccessDenied"
    assert refusal(assume, aws, arn, ExternalId="e-2", RoleSessionName="bot-1")["Code"] == "AccessDenied"


def test_tagging_a_session_must_be_trusted_too(aws: Aws) -> None:
    arn = make_role(aws, "Hub", trust=policy({"Principal": EVERYBODY_HERE, "Action": "sts:AssumeRole"}))
    assume(aws, arn)

    error = refusal(assume, aws, arn, Tags=tags(request="req-7"))
    assert "not authorized to perform: sts:TagSession on resource" in error["Message"]
    demanding = {
        "Principal": EVERYBODY_HERE,
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringLike": {"aws:RequestTag/request": "req-*"}},
    }
    arn = make_role(aws, "Tagged", trust=policy(demanding))
    assert assume(aws, arn, Tags=tags(request="req-7"))
    for refused in ({}, {"Tags": tags(request="7")}):
        assert refusal(assume, aws, arn, **refused)["Code"] == "AccessDenied"


def test_an_assumed_role_is_trusted_by_its_role_and_needs_the_permission(aws: Aws) -> None:
    hub = make_role(aws, "Hub", {"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/Spoke*"})
    spoke = make_role(aws, "Spoke", trust=policy({"Principal": {"AWS": hub}, "Action": "sts:*"}))
    other = make_role(aws, "Other", trust=policy({"Principal": {"AWS": hub}, "Action": "sts:*"}))
    keys = assume(aws, hub)

    assert assume(aws, spoke, keys)
    assert refusal(assume, aws, spoke)["Code"] == "AccessDenied"
    assert "because no identity-based policy allows" in refusal(assume, aws, other, keys)["Message"]
    tagging = refusal(assume, aws, spoke, keys, Tags=tags(request="req-7"))
    assert "sts:TagSession" in tagging["Message"]


def test_transitive_tags_and_source_identity_go_along_the_chain(aws: Aws) -> None:
    first = assume(
        aws,
        make_role(aws, "Hub", trust=policy({"Principal": "*", "Action": "sts:*"})),
        Tags=tags(request="req-7", stage="one"),
        TransitiveTagKeys=["request"],
        SourceIdentity="ana",
    )
    second = assume(aws, MEMBER, first, Tags=tags(stage="two"))
    aws.client("sns", **second).list_topics()

    assert aws.get("calls?service=sns")[0]["tags"] == {"request": "req-7", "stage": "two"}
    answer = aws.client("sts", **second).assume_role(RoleArn=MEMBER, RoleSessionName="bot")
    assert answer["SourceIdentity"] == "ana"
    changed = refusal(assume, aws, MEMBER, second, Tags=tags(request="req-8"))
    assert (changed["Code"], "transitive" in changed["Message"]) == ("InvalidParameterValue", True)
    assert "sts:SetSourceIdentity" in refusal(assume, aws, MEMBER, second, SourceIdentity="bo")["Message"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"Tags": tags(team="x", TEAM="y")}, "InvalidParameterValue", "Duplicate tag keys"),
        ({"Tags": [{"Key": "aws:team", "Value": "x"}]}, "InvalidParameterValue", "reserved"),
        ({"Tags": tags(team="x"), "TransitiveTagKeys": ["other"]}, "InvalidParameterValue", "must be included"),
        ({"Tags": [{"Key": "k" * 129, "Value": "x"}]}, "ValidationError", "less than or equal to 128"),
        ({"Tags": [{"Key": f"k{n}", "Value": "x"} for n in range(51)]}, "ValidationError", "less than or equal to 50"),
        ({"SourceIdentity": "a b"}, "ValidationError", "regular expression"),
        ({"Policy": "nonsense"}, "MalformedPolicyDocument", "not JSON"),
        ({"Policy": policy({"Action": "sns:" + "x" * 2_048})}, "PackedPolicyTooLarge", "2048"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}, "ValidationError", "Managed policies"),
        ({"DurationSeconds": 7_200}, "ValidationError", "MaxSessionDuration"),
        ({"RoleArn": "arn:aws:iam::nonsense:role/x"}, "ValidationError", "is invalid"),
    ],
)
def test_refuses_what_a_session_can_not_be_given(aws: Aws, changes: dict[str, Any], code: str, words: str) -> None:
    error = refusal(assume, aws, make_role(aws, "Hub"), **changes)

    assert error["Code"] == code
    assert words in error["Message"]


def test_a_chained_session_lasts_an_hour_at_most(aws: Aws) -> None:
    keys = assume(aws, make_role(aws, "Hub"))

    assert "role chaining" in refusal(assume, aws, MEMBER, keys, DurationSeconds=7_200)["Message"]
    assert assume(aws, MEMBER, DurationSeconds=7_200)


def test_a_role_of_a_member_account_trusts_the_management_account(aws: Aws) -> None:
    administrator = assume(aws, MEMBER)
    iam = aws.client("iam", **administrator)
    trust = policy({"Principal": EVERYBODY_HERE, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="Reader", PolicyName="own", PolicyDocument=policy({"Action": "cloudformation:List*"}))

    keys = assume(aws, arn)
    assert aws.client("cloudformation", **keys).list_stacks()["StackSummaries"]
    assert refusal(aws.client("cloudformation", **keys).describe_stacks)["Code"] == "AccessDenied"
    assert refusal(assume, aws, arn, administrator)["Code"] == "AccessDenied"
