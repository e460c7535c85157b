"""Sandboxes expire: their owners are reminded, may renew, and are asked to let go when the day has come."""

from __future__ import annotations

from tests.stories.accounts import (
    DEMO_BOOTH,
    PLAYGROUND,
    WEBSHOP,
    day,
    expiry_is_looked_after,
    status_of,
    tag,
    tags_of,
)
from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.stage import Approver, Speaker, Stage, eventually
from tests.support.theatre import on_every_channel, on_every_database

RENEW = "Renew for 30 days"


async def a_sandbox_that_expires(stage: Stage, ana: Speaker, bo: Approver, days: int) -> str:
    """Have an account vended that expires in so many days; return its id."""
    request = await asks_for_an_account(ana)
    account = await see_it_through(stage, ana, bo)
    tag(
        stage,
        account,
        owner="ana@corp.example",
        account_type="Sandbox",
        expires=day(stage, days=days),
        quartermaster_request=request,
    )
    return account


async def expires(stage: Stage, ana: Speaker, bo: Approver) -> None:
    """Live through the last two weeks of a sandbox that nobody renews."""
    account = await a_sandbox_that_expires(stage, ana, bo, days=15)
    owner = stage.approver("ana@corp.example")
    await stage.advance(days=1)
    await ana.hears_later(f"({account}) expires in 14 days")
    await owner.receives_a_notice("expires in 14 days")
    owner.reads_in_the_mail(account, f"renew account {account} for 30 days")
    await stage.advance(days=7)
    await ana.hears_later("expires in 7 days")
    await stage.advance(days=6)
    await ana.hears_later("expires tomorrow")
    await stage.advance(days=1)
    await ana.hears_later("has expired on", "to close it is placed and waits for approval")
    await ana.heard_once("expires in 14 days,", "expires in 7 days,", "expires tomorrow,")
    closing = next(r for r in await stage.requests() if r["intent"] == "CloseAccount")
    assert (closing["state"], closing["requester"]) == ("awaiting_approval", "ana@corp.example")
    await bo.opens_the_mail(about=closing["id"])
    bo.reads("the service itself, because the account has expired")
    await bo.approves()
    await ana.hears_later("is asked to let go of the account")
    await stage.advance(minutes=10)
    await ana.hears_later("(PENDING_CLOSURE)")
    assert status_of(stage, account) == "PENDING_CLOSURE"


@on_every_channel
async def test_a_sandbox_that_nobody_renews_is_closed_after_approval(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await expires(stage, ana, bo)


@on_every_database
async def test_expiry_works_on_every_database(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await expires(stage, ana, bo)


@on_every_channel
async def test_the_reminder_carries_a_button_that_renews(stage: Stage, ana: Speaker, bo: Approver) -> None:
    account = await a_sandbox_that_expires(stage, ana, bo, days=8)
    until = day(stage, days=38)
    await stage.advance(days=1)
    await ana.hears_later("expires in 7 days")
    await ana.presses(RENEW)
    if "Which account should I renew?" in ana.last_heard:  # a button that was typed names no account
        await ana.presses(f"team-x-sandbox ({account})")
    ana.hears("Renew the account", "for 30 days", until, "nobody needs to approve it")
    await ana.says("yes")
    await ana.hears_later(f"stays until {until}")
    assert tags_of(stage, account)["expires"] == until


async def test_a_renewal_withdraws_the_closing_that_waits(stage: Stage, ana: Speaker, bo: Approver) -> None:
    account = await a_sandbox_that_expires(stage, ana, bo, days=1)
    await stage.advance(days=1)
    await ana.hears_later("has expired on")
    closing = next(r for r in await stage.requests() if r["intent"] == "CloseAccount")
    await ana.says(f"renew account {account} for 30 days")
    await ana.says("yes")
    await ana.hears_later("stays until", f"Request {closing['id']}, which would have closed it, is withdrawn")
    await stage.reaches(closing["id"], "cancelled")


async def test_accounts_older_than_the_bot_expire_too_and_deployments_hold_it_up(stage: Stage) -> None:
    tag(stage, WEBSHOP, owner="cy@corp.example", expires=day(stage, days=-3))
    tag(stage, PLAYGROUND, expires=day(stage, days=-3))
    tag(stage, DEMO_BOOTH, owner="cy@corp.example", expires="some day")
    await expiry_is_looked_after(stage)
    await stage.advance(hours=7)
    owner = stage.approver("cy@corp.example")
    await owner.receives_a_notice("can't be closed")
    owner.reads_in_the_mail("Deployments are still inside: webshop-prod (us-east-1)")

    async def is_asked() -> bool:
        return len(await stage.requests()) == 1

    await eventually(is_asked, lambda: "nobody was asked to close the playground")
    (closing,) = await stage.requests()
    assert closing["slots"]["Account"] == PLAYGROUND
    assert closing["requester"] == "quartermaster@corp.example"
    await stage.advance(hours=7)
    await stage.advance(hours=7)
    assert len(await stage.requests()) == 1
    assert len([m for m in await owner.mails() if "can't be closed" in m["text"]]) == 1


async def test_what_does_not_expire_is_not_renewed(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("renew the account Demo Booth")
    ana.hears("does not expire")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("no")
    ana.hears("Say “cancel” to drop it")
    await ana.says("close Demo Booth")  # another order, though any words could name an account here
    ana.hears("Close the account Demo Booth for good", "renewal of an account aside")
