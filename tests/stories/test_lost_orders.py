"""An order whose answer never came is looked for by its name and token before anybody is told anything."""

from __future__ import annotations

from tests.stories.errands import asks_for_an_account
from tests.support.stage import Approver, Speaker, Stage, eventually


async def test_an_order_that_went_out_unheard_is_followed_though_aws_then_refuses(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("connection_reset", operations=["ProvisionProduct"], when="after")
    await bo.approves()

    async def has_given_up_for_now() -> bool:
        steps = [s for s in (await stage.view(order))["steps"] if s["name"] == "order the account"]
        return bool(steps) and steps[0]["attempts"] == 4 and steps[0]["state"] == "failed"

    await eventually(has_given_up_for_now, lambda: f"{order} was not tried", within=30)
    await stage.switches_off("connection_reset")
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await stage.advance(minutes=1)
    await ana.hears_later("is ordered")
    ana.does_not_hear("failed", "sk again")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    await ana.heard_once("is ordered", "is ready:")
