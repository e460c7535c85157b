"""The plan follows from the facts alone; its digest changes with what is done, never with what is checked."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.organization import Organization, Unit
from bot.plan import Plan, difference
from intents.account_vending.naming import (
    checked_account_name,
    checked_root_email,
    derived_account_name,
    product_name,
    slug,
)
from intents.account_vending.planning import plan_account

FACTS: dict[str, Any] = {
    "slots": {"AccountType": "Sandbox", "RootEmail": "team-x+aws@corp.example", "AccountOU": "Demos"},
    "requester": {"email": "ana@corp.example", "first_name": "Ana", "last_name": "Lopez"},
    "account_name": "team-x-aws-sandbox",
    "unit": {"id": "ou-c0rp-demos123", "path": "Demos", "value": "Demos"},
    "email_owner": None,
    "product": {"id": "prod-1", "artifact_id": "pa-1", "artifact_name": "4.0", "path_id": "lp-1", "path_name": "P"},
    "product_names": ["other"],
    "changing": [],
    "accounts": 11,
    "quota": 60,
    "capacity": 5,
    "region": "us-east-1",
    "tier": "standard",
}


def facts(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(FACTS), **changes}


def test_the_effects_are_the_call_in_full() -> None:
    plan = plan_account(FACTS)
    assert not plan.problems
    assert plan.effects["parameters"] == {
        "AccountEmail": "team-x+aws@corp.example",
        "AccountName": "team-x-aws-sandbox",
        "ManagedOrganizationalUnit": "Demos",
        "SSOUserEmail": "ana@corp.example",
        "SSOUserFirstName": "Ana",
        "SSOUserLastName": "Lopez",
    }
    assert (plan.effects["product_id"], plan.effects["artifact_id"], plan.effects["path_id"]) == (
        "prod-1",
        "pa-1",
        "lp-1",
    )


@pytest.mark.parametrize(
    ("change", "check", "slot"),
    [
        ({"product": {"error": "not shared"}}, "Account Factory", ""),
        ({"unit": {"error": "There are 2 OUs called “Prod”.", "next_step": "Say which."}}, "OU", "AccountOU"),
        ({"email_owner": {"Id": "123456789012", "Name": "old"}}, "Root e-mail", "RootEmail"),
        ({"account_name": "x" * 51}, "Account name", "AccountName"),
        ({"account_name": "rm -rf /;"}, "Account name", "AccountName"),
        ({"accounts": 60}, "Account quota", ""),
        ({"accounts": 58, "changing": ["a", "b"]}, "Account quota", ""),
    ],
)
def test_each_problem_names_itself_and_its_slot(change: dict[str, Any], check: str, slot: str) -> None:
    problems = plan_account(facts(**change)).problems
    assert [(p.name, p.slot) for p in problems] == [(check, slot)]
    assert problems[0].next_step


def test_a_full_control_tower_waits_and_does_not_refuse() -> None:
    plan = plan_account(facts(changing=["a", "b", "c", "d", "e"]))
    assert not plan.problems
    assert [c.result for c in plan.checks if c.name == "Control Tower"] == ["waits"]


@pytest.mark.parametrize(
    "change",
    [
        {"product": {**FACTS["product"], "artifact_id": "pa-2"}},
        {"product": {**FACTS["product"], "path_id": "lp-2"}},
        {"unit": {"id": "ou-c0rp-other123", "path": "Demos", "value": "Demos"}},
        {"account_name": "another"},
        {"region": "eu-west-1"},
        {"requester": {**FACTS["requester"], "email": "eve@corp.example"}},
        {"slots": {**FACTS["slots"], "RootEmail": "other@corp.example"}},
    ],
)
def test_whatever_would_be_done_otherwise_changes_the_digest(change: dict[str, Any]) -> None:
    assert plan_account(facts(**change)).digest != plan_account(FACTS).digest


@given(
    st.integers(0, 100),
    st.integers(1, 100),
    st.integers(1, 10),
    st.lists(st.text("abc-", min_size=1, max_size=5), max_size=8),
)
def test_checks_never_change_the_digest(accounts: int, quota: int, capacity: int, changing: list[str]) -> None:
    other = plan_account(facts(accounts=accounts, quota=quota, capacity=capacity, changing=changing))
    assert other.digest == plan_account(FACTS).digest


def test_a_plan_survives_the_database() -> None:
    plan = plan_account(FACTS)
    again = Plan.from_dict(json.loads(json.dumps(plan.as_dict())))
    assert again == plan
    assert again.digest == plan.digest


def test_the_difference_of_two_plans_is_shown_in_words() -> None:
    new = plan_account(facts(product={**FACTS["product"], "artifact_id": "pa-2", "artifact_name": "5.0"}))
    rows = difference(plan_account(FACTS), new)
    assert rows == (("Product", "Account Factory, version 4.0", "Account Factory, version 5.0"),)


def test_a_change_that_no_detail_shows_is_still_named() -> None:
    new = plan_account(facts(product={**FACTS["product"], "path_id": "lp-2"}))
    assert difference(plan_account(FACTS), new)


@given(st.emails())
def test_a_derived_name_is_always_valid(email: str) -> None:
    assert checked_account_name(derived_account_name(email, "Production"))


@given(st.text(min_size=1, max_size=80), st.emails(), st.frozensets(st.text(max_size=20), max_size=4))
def test_a_product_name_is_always_valid_and_free(name: str, email: str, taken: frozenset[str]) -> None:
    first = product_name(name, email, taken)
    second = product_name(name, email, taken | {first})
    assert first not in taken
    assert second != first
    for made in (first, second):
        assert len(made) <= 128
        assert made[0].isalnum()
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.text(max_size=120))
def test_names_are_accepted_or_explained(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert 0 < len(checked_account_name(text)) <= 50


def test_root_addresses_have_6_to_64_characters() -> None:
    assert checked_root_email("a@b.io") == "a@b.io"
    for wrong in ("a@b.c", "x" * 60 + "@b.io"):
        with pytest.raises(Invalid, match="6 to 64"):
            checked_root_email(wrong)


def test_slugs_are_plain() -> None:
    assert slug("Ünïcödé  & Söhne!") == "unicode-sohne"


UNITS = (
    Unit("ou-c0rp-aaaaaaaa", "Workloads", "Workloads", True),
    Unit("ou-c0rp-bbbbbbbb", "Prod", "Workloads/Prod", True),
    Unit("ou-c0rp-cccccccc", "Platform", "Platform", True),
    Unit("ou-c0rp-dddddddd", "Prod", "Platform/Prod", True),
    Unit("ou-c0rp-eeeeeeee", "Legacy", "Legacy", False),
    Unit("ou-c0rp-ffffffff", "Security", "Security", True),
    Unit("ou-c0rp-gggggggg", "Keys", "Security/Keys", True),
)
ORGANIZATION = Organization(UNITS, ({"Id": "1", "Name": "a", "Email": "Root@Corp.example", "Status": "SUSPENDED"},))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Workloads", "Workloads"),
        ("workloads ", "Workloads"),
        ("the Workloads OU", "Workloads"),
        ("Workloads/Prod", "Workloads/Prod"),
        ("workloads / prod", "Workloads/Prod"),
        ("Platform > Prod", "Platform/Prod"),
        ("ou-c0rp-dddddddd", "Platform/Prod"),
        ("Prod (ou-c0rp-bbbbbbbb)", "Workloads/Prod"),
    ],
)
def test_an_ou_is_found_by_path_id_or_name(text: str, path: str) -> None:
    assert ORGANIZATION.find(text, ("Security",)).path == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Prod", r"There are 2 OUs called “Prod”\."),
        ("Nowhere", "There is no OU called"),
        ("Legacy", "not registered with Control Tower"),
        ("Security", "No accounts are vended into Security"),
        ("Security/Keys", "No accounts are vended into Security/Keys"),
        ("", "There is no OU called"),
    ],
)
def test_an_ou_is_never_guessed(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        ORGANIZATION.find(text, ("Security",))


def test_nested_ous_are_named_as_account_factory_wants_them() -> None:
    assert UNITS[0].managed_value == "Workloads"
    assert UNITS[1].managed_value == "Prod (ou-c0rp-bbbbbbbb)"


def test_the_address_of_a_closed_account_is_not_free() -> None:
    assert ORGANIZATION.owner_of("root@corp.example") is not None
