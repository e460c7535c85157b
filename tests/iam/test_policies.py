"""What the tool writes: the guide is up to date, planning only looks, work needs a request's session."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adapters.aws.cloud import _READS
from sandbox.policies import read_policy
from tools import iam
from tools.calls import MANAGEMENT, MEMBER, OWN, Call, find_calls
from tools.permissions import FACTS, Names, UnknownOperation, actions_of, is_read

FENCED = re.compile(r"```json\n(.*?)```", re.DOTALL)


def call(service: str, operation: str, role: str = MANAGEMENT) -> Call:
    return Call("orders", service, operation, role, "somewhere")


def actions_in(policy: dict[str, object]) -> set[str]:
    statements = policy["Statement"]
    assert isinstance(statements, list)
    return {action for statement in statements for action in statement["Action"]}


def test_the_guide_holds_the_policies_of_the_code() -> None:
    assert iam.main(["check"]) == 0


def test_a_guide_that_is_out_of_date_is_found_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = iam.GUIDE.read_text(encoding="utf-8").replace("organizations:ListRoots", "organizations:ListEverything")
    guide = tmp_path / "aws.md"
    guide.write_text(old, encoding="utf-8")
    monkeypatch.setattr(iam, "GUIDE", guide)
    assert iam.main(["check"]) == 1
    assert "python -m tools.iam write" in capsys.readouterr().err
    assert iam.main(["write"]) == 0
    assert "ListEverything" not in guide.read_text(encoding="utf-8")
    assert iam.main(["check"]) == 0
    guide.write_text("# no markers", encoding="utf-8")
    assert iam.main(["check"]) == 1


def test_every_policy_in_the_guide_is_one_that_iam_takes() -> None:
    documents = FENCED.findall(iam.GUIDE.read_text(encoding="utf-8"))
    assert len(documents) > 4
    for document in documents:
        statements = json.loads(document)["Statement"]
        sids = [statement["Sid"] for statement in statements if "Sid" in statement]
        assert len(set(sids)) == len(sids)
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
        read_policy(json.dumps({"Statement": statements}), is_trust_policy="Principal" in statements[0])


def test_the_management_roles_inline_policy_is_not_too_long() -> None:
    whole = json.dumps(iam.whole_policy(MANAGEMENT, Names()), separators=(",", ":"))
    assert len(whole) <= 10_240


def test_every_call_of_the_code_is_in_the_policy_of_its_role() -> None:
    for role in (OWN, MANAGEMENT, MEMBER):
        allowed = actions_in(iam.whole_policy(role, Names()))
        assert {a for c in find_calls() if c.role == role for a in actions_of(c)} <= allowed


def test_planning_only_looks() -> None:
    planning = actions_in(iam.whole_policy(MANAGEMENT, Names(), phases=(iam.PLANNING,)))
    assert "organizations:ListAccounts" in planning
    assert all(is_read(action.partition(":")[2]) for action in planning - {"sts:AssumeRole", "sts:TagSession"})


def test_what_planning_may_call_is_what_observe_mode_lets_through() -> None:
    for found in find_calls():
        assert bool(_READS.match(found.operation)) == is_read(found.operation), found


def test_changes_are_held_to_sessions_of_a_request() -> None:
    policy = iam.policy_of([call("organizations", "ListRoots"), call("organizations", "CloseAccount")])
    by_action = {action: s for s in policy["Statement"] for action in s["Action"]}
    assert "Condition" not in by_action["organizations:ListRoots"]
    condition = by_action["organizations:CloseAccount"]["Condition"]
    assert condition == {"StringLike": {"aws:PrincipalTag/quartermaster-request": "qm-*"}}


def test_resources_are_named_where_aws_takes_them() -> None:
    names = Names(region="eu-west-1", management="111122223333", organization="o-a1b2c3d4e5")
    policy = iam.policy_of([call("organizations", "CloseAccount"), call("servicecatalog", "DescribeRecord")], names)
    by_action = {action: s["Resource"] for s in policy["Statement"] for action in s["Action"]}
    assert by_action["organizations:CloseAccount"] == ("arn:aws:organizations::111122223333:account/o-a1b2c3d4e5/*")
    assert by_action["servicecatalog:DescribeRecord"] == "*"


@pytest.mark.parametrize(
    ("service", "operation", "actions"),
    [
        ("sso-admin", "ListInstances", ("sso:ListInstances",)),
        ("service-quotas", "GetServiceQuota", ("servicequotas:GetServiceQuota",)),
        ("resourcegroupstaggingapi", "GetResources", ("tag:GetResources",)),
        ("lexv2-runtime", "RecognizeText", ("lex:RecognizeText",)),
        ("sesv2", "SendEmail", ("ses:SendEmail",)),
        ("budgets", "CreateBudget", ("budgets:ModifyBudget",)),
        ("budgets", "DescribeBudget", ("budgets:ViewBudget",)),
        ("budgets", "ListTagsForResource", ("budgets:ListTagsForResource",)),
        ("ce", "GetCostAndUsage", ("ce:GetCostAndUsage",)),
        ("sts", "GetCallerIdentity", ()),
    ],
)
def test_actions_have_the_prefix_that_iam_knows(service: str, operation: str, actions: tuple[str, ...]) -> None:
    assert actions_of(call(service, operation)) == actions


@pytest.mark.parametrize(
    ("service", "operation"), [("organizations", "ListEverything"), ("organisations", "ListRoots")]
)
def test_a_call_that_aws_does_not_have_is_refused(service: str, operation: str) -> None:
    with pytest.raises(UnknownOperation):
        actions_of(call(service, operation))


def test_what_aws_does_on_account_of_a_launch_is_told_as_a_fact() -> None:
    policy = iam.policy_of([call("servicecatalog", "ProvisionProduct")])
    within = next(s for s in policy["Statement"] if s["Sid"] == "WithinAccountFactory")
    assert "controltower:CreateManagedAccount" in within["Action"]
    assert "Condition" in within
    source = FACTS["servicecatalog:ProvisionProduct"].source
    assert source in iam.GUIDE.read_text(encoding="utf-8")


def test_show_prints_a_policy_with_the_houses_own_names(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["show", "management", "--region", "eu-west-1", "--management", "111122223333", "--organization", "o-1"]
    assert iam.main(given) == 0
    shown = capsys.readouterr().out
    assert "arn:aws:catalog:eu-west-1:111122223333:product/*" in shown
    assert "MANAGEMENT_ACCOUNT" not in shown
    assert json.loads(shown) == iam.whole_policy(
        MANAGEMENT, Names(region="eu-west-1", management="111122223333", organization="o-1")
    )


def test_the_management_role_may_assume_the_member_role_once_something_uses_it() -> None:
    calls = [call("organizations", "ListRoots"), call("config", "DescribeConfigurationRecorders", MEMBER)]
    first = iam.whole_policy(MANAGEMENT, Names(member_role="Inside"), calls=calls)["Statement"][0]
    assert first["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert first["Resource"] == "arn:aws:iam::*:role/Inside"
    without = iam.whole_policy(MANAGEMENT, Names(), calls=calls[:1])
    assert "sts:AssumeRole" not in actions_in(without)
