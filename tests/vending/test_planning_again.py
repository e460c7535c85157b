"""A plan made again keeps the name that was approved, while it is free and still fits."""

from __future__ import annotations

from intents.account_vending.planning import plan_account
from tests.vending.test_planning import FACTS, facts

FIRST = plan_account(FACTS).effects["provisioned_product_name"]
SECOND = plan_account(facts(product_names=[FIRST])).effects["provisioned_product_name"]


def test_a_name_that_got_free_is_no_reason_to_plan_otherwise() -> None:
    approved = plan_account(facts(product_names=[FIRST]))
    again = plan_account(facts(product_names=[], planned_name=SECOND))
    assert f"{FIRST}-2" == SECOND
    assert again.digest == approved.digest


def test_an_approved_name_that_was_taken_is_replaced() -> None:
    again = plan_account(facts(product_names=[FIRST, SECOND], planned_name=SECOND))
    assert again.effects["provisioned_product_name"] == f"{FIRST}-3"


def test_a_planned_name_of_another_account_is_not_kept() -> None:
    for foreign in ("other-aaaaaa", FIRST + "-x", FIRST[:-1], ""):
        assert plan_account(facts(planned_name=foreign)).effects["provisioned_product_name"] == FIRST
