"""Plans follow from facts: what is in the digest, what refuses, what stays as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intents.products.catalog import choose_path, choose_version
from intents.products.planning import days_since, derived_name, plan_order, plan_termination, plan_update
from intents.products.provisioned import WITHHELD, without_secrets
from intents.products.rules import find_breaches

RULE = json.dumps(
    {
        "MicroInOneZone": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Class"}, "micro"]},
            "Assertions": [
                {"Assert": {"Fn::Contains": [["false"], {"Ref": "MultiAz"}]}, "AssertDescription": "One zone only."}
            ],
        }
    }
)
PARAMETERS = [
    {"ParameterKey": "Class", "DefaultValue": "micro"},
    {"ParameterKey": "MultiAz", "ParameterConstraints": {"AllowedValues": ["true", "false"]}},
    {"ParameterKey": "Password", "IsNoEcho": True},
]


def order_facts(**changed: Any) -> dict[str, Any]:
    slots = {"Product": "Database", "MultiAz": "false", "Password": "{{resolve:secretsmanager:db}}"}
    facts = {
        "slots": slots | changed.pop("slots", {}),
        "requester": "ana@corp.example",
        "region": "us-east-1",
        "product": {"id": "prod-1", "name": "Database"},
        "version": {"id": "pa-1", "name": "2.0", "guidance": "DEFAULT"},
        "path": {"id": "lpv3-1", "name": "Platform"},
        "parameters": PARAMETERS,
        "rules": [RULE],
        "tags": {},
        "name": "database-ana",
        "taken": False,
    }
    return facts | changed


def update_facts(**changed: Any) -> dict[str, Any]:
    subject = {
        "id": "pp-1",
        "name": "db",
        "product": "Database",
        "product_id": "prod-1",
        "version": "1.0",
        "version_id": "pa-0",
        "status": "AVAILABLE",
        "owner": "ana@corp.example",
    }
    facts = order_facts() | {
        "slots": {"ProvisionedProduct": "db", "MultiAz": "true"},
        "subject": subject,
        "refusal": "",
        "version": {"id": "pa-0", "name": "1.0", "guidance": "DEFAULT"},
        "before": {"Class": "large", "MultiAz": "false", "Password": "****"},
    }
    return facts | changed


def test_an_order_resolves_everything_and_takes_its_name_for_itself() -> None:
    plan = plan_order(order_facts())
    assert plan.problems == ()
    assert plan.effects["parameters"] == {
        "Class": "micro",
        "MultiAz": "false",
        "Password": "{{resolve:secretsmanager:db}}",
    }
    assert plan.effects["tags"] == {"owner": "ana@corp.example"}
    assert ("Password", "secret, read from secretsmanager:db") in plan.details
    assert [(t.kind, t.name) for t in plan.touches if t.exclusive] == [("provisioned-product", "database-ana")]


@pytest.mark.parametrize(
    ("changed", "slot"),
    [
        ({"slots": {"MultiAz": "maybe"}}, "MultiAz"),
        ({"slots": {"MultiAz": "true"}}, "MultiAz"),
        ({"taken": True}, "Name"),
        ({"taken": True, "slots": {"ProvisionedName": "database-ana"}}, "ProvisionedName"),
        ({"name": "-bad"}, "Name"),
        ({"product": {"error": "It is gone.", "field": "Product"}}, "Product"),
        ({"version": {"error": "It is retired.", "field": "Version"}}, "Version"),
    ],
)
def test_an_order_that_aws_would_refuse_asks_again_for_what_is_at_fault(changed: dict[str, Any], slot: str) -> None:
    assert plan_order(order_facts(**changed)).problems[0].slot == slot


def test_an_update_changes_what_is_named_and_keeps_the_rest() -> None:
    plan = plan_update(update_facts())
    assert plan.problems == ()
    assert plan.effects["parameters"] == {"MultiAz": "true"}
    assert plan.effects["previous"] == ["Class", "Password"]
    assert ("MultiAz", "false → true") in plan.details


def test_an_update_is_held_to_rules_over_what_stays() -> None:
    plan = plan_update(update_facts(before={"Class": "micro", "MultiAz": "false", "Password": "****"}))
    assert [p.sentence for p in plan.problems] == ["One zone only."]


def test_an_update_that_changes_nothing_is_refused() -> None:
    plan = plan_update(update_facts(slots={"ProvisionedProduct": "db", "MultiAz": "false"}))
    assert [p.slot for p in plan.problems] == ["Change"]


def test_a_new_version_leaves_its_new_defaults_alone() -> None:
    facts = update_facts(
        slots={"ProvisionedProduct": "db", "Version": "2.0"},
        version={"id": "pa-1", "name": "2.0", "guidance": "DEFAULT"},
        before={"MultiAz": "false"},
    )
    plan = plan_update(facts)
    assert plan.problems == ()
    assert (plan.effects["parameters"], plan.effects["previous"]) == ({}, ["MultiAz"])
    assert ("Version", "1.0 → 2.0") in plan.details


def test_what_would_be_lost_is_part_of_what_is_approved() -> None:
    facts = update_facts(resources=["AWS::S3::Bucket logs"], users=[])
    more = facts | {"resources": ["AWS::KMS::Key k", "AWS::S3::Bucket logs"]}
    plan = plan_termination(facts)
    assert plan.digest != plan_termination(more).digest
    assert ("Lost 1", "AWS::S3::Bucket logs") in plan.details


@pytest.mark.parametrize(
    "changed",
    [
        {"users": ["web-stack"]},
        {"refusal": "Only its owner may."},
        {"subject": update_facts()["subject"] | {"status": "UNDER_CHANGE"}},
        {"subject": {"error": "There is no product db any more.", "field": "ProvisionedProduct"}},
    ],
)
def test_a_termination_is_refused_when_it_must_not_be(changed: dict[str, Any]) -> None:
    assert plan_termination(update_facts(resources=[], users=[]) | changed).problems


def test_a_termination_says_when_contents_could_not_be_read() -> None:
    plan = plan_termination(update_facts(resources=None, users=None))
    assert ("Would be lost for good", "could not be read") in plan.details
    assert not plan.problems


def test_the_newest_version_that_is_not_deprecated_is_taken_unless_one_is_named() -> None:
    versions = [
        {"id": "pa-1", "name": "1.0", "guidance": "DEFAULT"},
        {"id": "pa-2", "name": "2.0", "guidance": "DEFAULT"},
        {"id": "pa-3", "name": "v3", "guidance": "DEPRECATED"},
    ]
    assert choose_version(versions, "")["id"] == "pa-2"
    assert choose_version(versions, "version 1.0")["id"] == "pa-1"
    assert choose_version(versions, "3")["id"] == "pa-3"


def test_several_launch_paths_are_asked_about() -> None:
    paths = [{"id": "lp-1", "name": "Platform"}, {"id": "lp-2", "name": "Sales"}]
    assert choose_path(paths, "sales")["id"] == "lp-2"
    with pytest.raises(Exception, match="several paths"):
        choose_path(paths, "")


def test_a_derived_name_is_free_and_short_enough() -> None:
    assert derived_name("Encrypted S3 bucket", "ana@corp.example", frozenset()) == "encrypted-s3-bucket-ana"
    taken = frozenset({"Encrypted-S3-bucket-ana", "encrypted-s3-bucket-ana-2"})
    assert derived_name("Encrypted S3 bucket", "ana@corp.example", taken) == "encrypted-s3-bucket-ana-3"
    assert len(derived_name("x" * 300, "ana@corp.example", frozenset())) <= 128


@pytest.mark.parametrize(
    ("output", "is_withheld"),
    [
        ({"OutputKey": "MasterPassword", "OutputValue": "hunter2"}, True),
        ({"OutputKey": "Value", "Description": "The API key", "OutputValue": "abc"}, True),
        ({"OutputKey": "Echo", "OutputValue": "{{resolve:secretsmanager:db}}"}, True),
        ({"OutputKey": "Own", "OutputValue": "plain"}, True),
        ({"OutputKey": "SecretArn", "OutputValue": "arn:aws:secretsmanager:us-east-1:1:secret:db"}, False),
        ({"OutputKey": "Endpoint", "OutputValue": "db.example"}, False),
    ],
)
def test_outputs_that_are_secret_are_withheld(output: dict[str, str], is_withheld: bool) -> None:
    (shown,) = without_secrets([output], frozenset({"Own"}))
    assert (shown["OutputValue"] == WITHHELD) is is_withheld


def test_rules_that_can_not_be_evaluated_are_left_to_aws() -> None:
    told = {"R": {"Assertions": [{"Assert": {"Fn::ValueOf": ["x", "y"]}}]}}
    assert find_breaches(json.dumps(told), {}) == []
    assert find_breaches("no json", {}) == []


def test_age_is_told_in_days() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    assert days_since((now - timedelta(days=3)).isoformat(), now) == "3 days old"
    assert days_since("", now) == ""
