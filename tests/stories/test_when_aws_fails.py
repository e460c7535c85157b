"""AWS throttles, fails and half-finishes: what can be cured by waiting is, the rest is explained."""

from __future__ import annotations

from tests.stories.errands import asks_for_an_account, is_ordered
from tests.support.stage import Approver, Speaker, Stage


def ordered_products(stage: Stage) -> list[str]:
    """Return the names of provisioned products that the sandbox was not seeded with."""
    products = stage.aws("servicecatalog").scan_provisioned_products()["ProvisionedProducts"]
    return [product["Name"] for product in products if not product["Id"].startswith("pp-seed")]


async def test_throttling_is_survived_in_the_dialogue_and_in_the_work(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("throttling", times=3)
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("throttling", operations=["ProvisionProduct"], times=2)
    await bo.approves()
    await ana.hears_later("is ordered", within=30)
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    assert len(ordered_products(stage)) == 1


async def test_an_order_whose_answer_was_lost_is_not_ordered_twice(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("connection_reset", operations=["ProvisionProduct"], times=1, when="after")
    await bo.approves()
    await ana.hears_later("is ordered", within=30)
    assert len(ordered_products(stage)) == 1
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")


async def test_aws_that_does_not_answer_is_told_and_the_form_is_kept(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await stage.switches_on("access_denied", operations=["SearchProducts"])
    await ana.says("team-x@corp.example")
    ana.hears("AWS answered SearchProducts with AccessDeniedException")
    ana.does_not_hear("Shall I go ahead?")
    await stage.switches_off("access_denied")
    await ana.says("team-x@corp.example")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos")


async def test_a_refused_order_is_told_with_awss_own_words(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("failed", "AWS refused ProvisionProduct with AccessDeniedException", "platform team")
    view = await stage.view(order)
    assert view["state"] == "failed"
    [step] = [s for s in view["steps"] if s["name"] == "order the account"]
    assert step["state"] == "failed"
    assert "AccessDenied" in step["error"]
    assert step["aws_request_ids"]


async def test_a_failed_order_says_that_there_is_no_account(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("provisioning_failed", message="The Availability Zone is on holiday.")
    order = await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("failed", "before there was an account", "The Availability Zone is on holiday", "ask again")
    ana.does_not_hear("TAINTED")
    view = await stage.view(order)
    assert view["state"] == "failed"
    assert view["outcome"]["product_status"] == "ERROR"
    assert "account_id" not in view["outcome"]
    await ana.heard_once("before there was an account")
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_a_tainted_account_is_named_and_never_terminated(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("tainted")
    order = await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("failed", "after the account was made", "TAINTED", "update the provisioned product")
    ana.hears("Don't terminate it")
    view = await stage.view(order)
    assert view["state"] == "failed"
    assert view["outcome"]["product_status"] == "TAINTED"
    accounts = stage.aws("organizations").list_accounts()["Accounts"]
    [made] = [a["Id"] for a in accounts if a["Email"] == "team-x@corp.example"]
    await ana.says(f"status of {order}")
    ana.hears(made)
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_an_ou_that_left_control_tower_is_told_apart(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on(
        "provisioning_failed", message="The organizational unit Demos is not registered with AWS Control Tower."
    )
    await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("Ask again with an OU that is registered with Control Tower")


async def test_records_that_can_not_be_read_now_are_looked_at_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_ordered(stage, ana, bo)
    await stage.switches_on("server_error", operations=["DescribeRecord"])
    await stage.advance(minutes=25)
    await ana.says("status")
    ana.hears("Being carried out")
    await stage.switches_off("server_error")
    await stage.advance(minutes=1)
    await ana.hears_later("is ready:", within=30)
    await ana.heard_once("is ready:")
