"""Closing an account: shows what is inside, refuses while something runs, and is followed until AWS has closed it."""

from __future__ import annotations

from tests.stories.accounts import (
    DEMO_BOOTH,
    OLD_INTRANET,
    PLAYGROUND,
    WEBSHOP,
    is_approved,
    parent_of,
    status_of,
    tag,
)
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, on_every_database

ROOT = "r-c0rp"


async def is_being_closed(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Have the playground closed as far as AWS has accepted it; return the request."""
    tag(stage, PLAYGROUND, owner="ana@corp.example", account_type="Sandbox")
    await ana.says("close the account Playground")
    ana.hears(
        "Close the account Playground for good", "playground@corp.example; it can never be used for another account"
    )
    ana.hears("Resources inside", "1 × ec2 instance, 1 × s3 bucket", "Spend of 30 days", "$")
    ana.hears("Account Factory lets go of it first", "AWS keeps the closed account for 90 days")
    request = await is_approved(ana, bo)
    await ana.hears_later("is asked to let go of the account")
    assert status_of(stage, PLAYGROUND) == "ACTIVE"
    await stage.advance(minutes=10)
    await ana.hears_later(f"AWS is closing the account Playground ({PLAYGROUND}) (PENDING_CLOSURE)")
    assert status_of(stage, PLAYGROUND) == "PENDING_CLOSURE"
    assert parent_of(stage, PLAYGROUND) == ROOT
    return request


async def closes(stage: Stage, ana: Speaker, bo: Approver) -> None:
    """Have the playground closed."""
    request = await is_being_closed(stage, ana, bo)
    await stage.advance(hours=5)
    await ana.hears_later("is closed (SUSPENDED)", "For 90 days AWS Support can reopen it")
    await stage.reaches(request, "succeeded")
    assert len(await stage.calls("CloseAccount")) == len(await stage.calls("TerminateProvisionedProduct")) == 1
    await ana.heard_once("is asked to let go of the account", "(PENDING_CLOSURE)", "is closed (SUSPENDED)")


@on_every_channel
async def test_an_account_is_unmanaged_closed_and_followed_to_its_end(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await closes(stage, ana, bo)


@on_every_database
async def test_a_closing_is_carried_out_on_every_database(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await closes(stage, ana, bo)


async def test_the_root_address_is_never_taken_again_also_when_the_account_is_gone(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await closes(stage, ana, bo)
    for _ in range(2):
        await ana.says("I need a sandbox account in Demos for playground@corp.example")
        ana.hears("playground@corp.example is already the root address of account 555566667777")
        await ana.says("never mind")
        await stage.advance(days=100)
        listed = stage.aws("organizations").list_accounts()["Accounts"]
        assert PLAYGROUND not in [account["Id"] for account in listed]
        await stage.application.services.organization.changed()


async def test_an_account_that_account_factory_did_not_make_is_closed_at_once(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    tag(stage, OLD_INTRANET, owner="ana@corp.example")
    await ana.says(f"close account {OLD_INTRANET}")
    ana.hears("Unmanaging", "is not needed")
    await is_approved(ana, bo)
    await ana.hears_later("(PENDING_CLOSURE)")
    assert await stage.calls("TerminateProvisionedProduct") == []


@on_every_channel
async def test_while_deployments_remain_nothing_is_closed(stage: Stage, ana: Speaker) -> None:
    tag(stage, WEBSHOP, owner="ana@corp.example")
    await ana.says("close the account Webshop Prod")
    ana.hears("Deployments are still inside: webshop-prod (us-east-1)", "Have these stacks deleted and ask again")
    ana.does_not_hear("Shall I go ahead?", "StackSet-AWSControlTower")


async def test_an_account_that_can_not_be_looked_into_is_not_closed(stage: Stage, ana: Speaker) -> None:
    tag(stage, PLAYGROUND, owner="ana@corp.example")
    await stage.switches_on("access_denied", operations=["ListStacks"])
    await ana.says("close the account Playground")
    ana.hears("I can't look inside the account (AccessDenied)", "MEMBER_ROLE_NAME")
    ana.does_not_hear("Shall I go ahead?")


async def test_what_was_deployed_since_the_approval_is_not_destroyed(
    theatre: Theatre, stage: Stage, ana: Speaker, bo: Approver
) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("close the account Demo Booth")
    await ana.presses("Yes, go ahead")
    await bo.opens_the_mail(about=ana.request)
    world = theatre.sandbox.world
    with world.lock:
        next(s for s in world.zone.stacks.values() if s.name == "webshop-test").account_id = DEMO_BOOTH
        world.changed()
    await bo.approves()
    await ana.hears_later("Deployments are still inside: webshop-test (us-east-1)")
    assert status_of(stage, DEMO_BOOTH) == "ACTIVE"


async def test_the_quota_of_closings_is_checked_and_told(stage: Stage, ana: Speaker, bo: Approver) -> None:
    organizations = stage.aws("organizations")
    tag(stage, OLD_INTRANET, owner="ana@corp.example")
    await ana.says(f"close account {OLD_INTRANET}")
    ana.hears("0 of 10 closings that AWS allows in 30 days are used")
    await ana.says("never mind")
    closed = 0
    for account in organizations.list_accounts()["Accounts"]:
        if account["Id"] not in (OLD_INTRANET, "111122223333") and account["Status"] == "ACTIVE" and closed < 9:
            organizations.close_account(AccountId=account["Id"])
            closed += 1
    await stage.application.services.organization.changed()
    await ana.says(f"close account {OLD_INTRANET}")
    ana.hears("9 of 10 closings that AWS allows in 30 days are used")


async def test_a_second_change_of_an_account_waits_for_the_first(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_being_closed(stage, ana, bo)
    cy = stage.speaker("Bo Lee")
    await cy.says(f"move account {PLAYGROUND} to Demos")
    cy.does_not_hear("Shall I go ahead?")
    cy.hears("is being closed already")
