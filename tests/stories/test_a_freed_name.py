"""A name with a number, approved while the plain one was taken, stays when the plain one gets free."""

from __future__ import annotations

from tests.stories.errands import asks_for_an_account
from tests.stories.test_a_changing_world import somebody_makes_an_account
from tests.support.stage import Approver, Speaker, Stage


async def test_a_name_freed_after_the_approval_does_not_ask_the_approvers_again(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    ana.hears("Provisioned product: ")
    name = ana.last_heard.partition("Provisioned product: ")[2].split()[0]
    await ana.says("cancel")
    somebody_makes_an_account(stage, name, "cy-own@corp.example")
    await stage.advance(minutes=25)
    order = await asks_for_an_account(ana)
    assert (await stage.view(order))["plan"]["effects"]["provisioned_product_name"] == f"{name}-2"
    await bo.opens_the_mail(about=order)
    catalog = stage.aws("servicecatalog")
    catalog.terminate_provisioned_product(ProvisionedProductName=name, TerminateToken="tidying-up")
    await stage.advance(minutes=25)
    await bo.approves()
    await ana.hears_later("is ordered")
    ana.does_not_hear("the plan has changed since it was approved")
    [_, call] = await stage.calls("ProvisionProduct")
    assert call["params"]["ProvisionedProductName"] == f"{name}-2"
