"""Rules, answers and what is agreed, as plain functions: each refusal says what would do."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Invalid
from bot.house import AccountType, ExtraSlot
from bot.organization import Unit
from intents.account_vending.agreed import agreed_of, extras_of, rows_of
from intents.account_vending.extras import checked_answer
from intents.account_vending.planning import plan_account
from intents.account_vending.rules import checked_domain, checked_name, checked_person, checked_unit, units_of
from tests.vending.test_planning import FACTS, facts

DEMOS, PROD, TEST = (
    Unit("ou-1", "Demos", "Demos", True),
    Unit("ou-2", "Prod", "Workloads/Prod", True),
    Unit("ou-3", "Test", "Workloads/Test", True),
)
RULES = {"domains": ["corp.example"], "name_pattern": "team-.*", "name_hint": "Say “call it team-…”."}


def refusal(call: Any, *given: Any) -> str:
    with pytest.raises(Invalid) as caught:
        call(*given)
    return caught.value.sentence()


def test_a_root_address_is_held_to_the_whole_domain() -> None:
    assert checked_domain("a@corp.example", ["corp.example"]) == "a@corp.example"
    assert checked_domain("a@any.example", []) == "a@any.example"
    for address in ("a@corp.example.evil.example", "a@sub.corp.example", "a@xcorp.example"):
        assert "whoever reads the root mailbox owns the account" in refusal(checked_domain, address, ["corp.example"])


def test_a_name_must_match_as_a_whole() -> None:
    assert checked_name("team-x", "team-[a-z]") == "team-x"
    assert "Names so." in refusal(checked_name, "team-xy", "team-[a-z]", "Names so.")


def test_an_account_types_ous_are_exactly_those_that_it_names() -> None:
    kind = AccountType(name="Production", ous=("workloads/prod", "Demos"))
    assert units_of(kind, [DEMOS, PROD, TEST]) == [PROD, DEMOS]
    assert units_of(None, [DEMOS, TEST]) == [DEMOS, TEST]
    assert checked_unit(PROD, kind, [DEMOS, PROD, TEST]) == PROD
    assert "Choose Workloads/Prod or Demos." in refusal(checked_unit, TEST, kind, [DEMOS, PROD, TEST])
    assert "none of that name registered" in refusal(checked_unit, TEST, kind, [TEST])


@pytest.mark.parametrize(
    ("said", "name"), [("Ana Lopez", "Ana Lopez"), ("Lopez, Ana Maria", "Ana Maria Lopez"), ("“Bo Ek”.", "Bo Ek")]
)
def test_first_and_last_names_are_told_apart(said: str, name: str) -> None:
    assert checked_person(said) == name


@pytest.mark.parametrize("said", ["Ana", "", "a@b.example x", "7 of 9", "x" * 65 + " y"])
def test_what_is_no_first_and_last_name_is_refused(said: str) -> None:
    assert refusal(checked_person, said)


@pytest.mark.parametrize(
    ("extra", "said", "answer"),
    [
        (ExtraSlot(name="cost centre", pattern="cc-[0-9]{4}"), "CC-4711", "cc-4711"),
        (ExtraSlot(name="cost centre", pattern="cc-[0-9]{4}"), "cc-4711 owned", "cc-4711"),
        (ExtraSlot(name="owner"), "Lead@Corp.example", "lead@corp.example"),
        (ExtraSlot(name="size", kind="choice", choices=("Small", "Large")), "small", "Small"),
        (ExtraSlot(name="seats", kind="number"), "12", "12"),
        (ExtraSlot(name="project"), "“Ares IV”", "Ares IV"),
    ],
)
def test_answers_take_their_canonical_form(extra: ExtraSlot, said: str, answer: str) -> None:
    assert checked_answer(extra, said) == answer


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (ExtraSlot(name="cost centre", pattern="cc-[0-9]{4}"), "cc-1111 or cc-2222"),
        (ExtraSlot(name="owner"), "the platform team"),
        (ExtraSlot(name="size", kind="choice", choices=("Small", "Large")), "medium"),
        (ExtraSlot(name="seats", kind="number"), "a few"),
        (ExtraSlot(name="project"), "x" * 257),
        (ExtraSlot(name="project"), "<script>"),
    ],
)
def test_answers_that_can_not_be_tags_are_refused(extra: ExtraSlot, said: str) -> None:
    assert refusal(checked_answer, extra, said)


def test_the_plan_refuses_what_the_house_does_not_allow_and_names_the_slot() -> None:
    problems = plan_account(facts(rules=RULES, account_name="web")).problems
    assert [p.slot for p in problems] == ["AccountName"]
    strict = facts(rules={**RULES, "name_pattern": "", "domains": ["aws.example"]})
    assert [(p.slot, "owns the account" in p.sentence) for p in plan_account(strict).problems] == [("RootEmail", True)]


def test_an_answer_that_does_not_do_any_more_is_a_problem_of_its_slot() -> None:
    size = ExtraSlot(name="size", kind="choice", choices=("Small",))
    plan = plan_account(facts(extras=extras_of([size], {"Size": "Huge"})))
    assert [(p.name, p.slot) for p in plan.problems] == [("Size", "Size")]


FULL = AccountType.model_validate(
    {
        "name": "Sandbox",
        "expires_days": 30,
        "tags": {"data": "none", "owner": "nobody@corp.example"},
        "budget": {"monthly_usd": 99.5, "alerts": [100, 80], "notify": ["ana@corp.example", "fin@corp.example"]},
        "contacts": {"billing": {"name": "F", "title": "T", "email": "fin@corp.example", "phone": "+1 555"}},
        "access": [{"group": "devs", "permission_set": "Dev"}],
    }
)
ACCESS = [{"group": "devs", "permission_set": "Dev", "instance": "i", "group_id": "g", "permission_set_arn": "p"}]


def agreed(**changes: Any) -> dict[str, Any]:
    kind = FULL.model_copy(update=changes.pop("kind", {}))
    given = {"extras": [], "requester": "ana@corp.example", "access": ACCESS, **changes}
    return agreed_of(kind, "Sandbox", given["extras"], given["requester"], given["access"])


def test_what_is_agreed_is_resolved_and_the_requester_owns_what_nobody_else_does() -> None:
    found = agreed()
    assert found["tags"] == {"data": "none", "owner": "ana@corp.example", "account-type": "Sandbox"}
    assert found["tags_then"] == ["quartermaster-request", "expires"]
    assert found["budget"] == {
        "monthly_usd": "99.50",
        "alerts": [80, 100],
        "notify": ["ana@corp.example", "fin@corp.example"],
    }
    assert found["access"] == ACCESS
    assert found["baseline"] is True


def test_an_account_type_that_names_nothing_has_tags_alone() -> None:
    plain = agreed_of(AccountType(name="Plain", baseline=False), "Plain", [], "ana@corp.example", [])
    assert set(plain) == {"owner", "tags", "tags_then"}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": {"expires_days": 31}},
        {"kind": {"budget": None}},
        {"kind": {"tags": {"data": "secret"}}},
        {"kind": {"baseline": False}},
        {"requester": "bo@corp.example"},
        {"access": [{**ACCESS[0], "group_id": "another"}]},
        {"extras": [{"slot": "Owner", "label": "Owner", "tag": "owner", "value": "cy@corp.example", "fault": ""}]},
    ],
)
def test_whatever_a_finishing_step_would_do_otherwise_changes_the_digest(change: dict[str, Any]) -> None:
    before, after = plan_account(facts(agreed=agreed())), plan_account(facts(agreed=agreed(**change)))
    assert before.digest != after.digest


def test_all_that_is_agreed_can_be_read_in_the_plan() -> None:
    rows = dict(rows_of(agreed()))
    assert rows["Tags"] == "data: none; owner: ana@corp.example; account-type: Sandbox; quartermaster-request; expires"
    assert rows["Expires"].startswith("30 days")
    assert rows["Billing contact"] == "F, T <fin@corp.example>, +1 555"
    assert rows["Budget"] == "99.50 USD a month; at 80 % and 100 % told: ana@corp.example, fin@corp.example"
    assert rows["Access"] == "devs as Dev"


def test_access_that_can_not_be_given_refuses_the_plan_and_is_no_effect() -> None:
    missing = agreed(
        access=[{"group": "devs", "permission_set": "Dev", "error": "Identity Center has no group “devs”."}]
    )
    plan = plan_account(facts(agreed=missing))
    assert [(p.name, p.sentence) for p in plan.problems] == [("Access", "Identity Center has no group “devs”.")]
    assert "access_faults" not in plan.effects["finishing"]


def test_whether_the_user_exists_is_shown_and_changes_no_digest() -> None:
    plans = [plan_account(facts(identity={"state": state})) for state in ("exists", "absent")]
    assert [dict(p.details)["Their user"] for p in plans] == [
        "exists in Identity Center",
        "will be created in Identity Center",
    ]
    assert plans[0].digest == plans[1].digest == plan_account(FACTS).digest
