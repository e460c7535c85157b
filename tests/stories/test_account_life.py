"""An account is moved, handed over and brought up to date: planned, approved, and told when it is done."""

from __future__ import annotations

import pytest

from tests.stories.accounts import (
    AUDIT,
    DEMO_BOOTH,
    DEMOS,
    EXPERIMENT,
    LOG_ARCHIVE,
    MANAGEMENT,
    OLD_INTRANET,
    PLAYGROUND,
    is_approved,
    parent_of,
    tag,
    tags_of,
)
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, on_every_database


async def moves(stage: Stage, ana: Speaker, bo: Approver) -> None:
    """Have an account of Account Factory's moved."""
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", account_type="Sandbox")
    await ana.says("move the account Demo Booth to Experiment")
    ana.hears("Move the account Demo Booth to the OU Experiment", DEMO_BOOTH, "Account Factory updates the product")
    await is_approved(ana, bo)
    await ana.hears_later("is asked to move the account")
    assert parent_of(stage, DEMO_BOOTH) == DEMOS
    await stage.advance(minutes=15)
    await ana.hears_later(f"The account Demo Booth ({DEMO_BOOTH}) is in the OU Experiment now")
    assert parent_of(stage, DEMO_BOOTH) == EXPERIMENT


@on_every_channel
async def test_an_account_of_account_factory_is_moved_by_its_product(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await moves(stage, ana, bo)
    assert len(await stage.calls("UpdateProvisionedProduct")) == 1
    assert await stage.calls("MoveAccount") == []
    await ana.heard_once("is asked to move the account", "is in the OU Experiment now")


@on_every_database
async def test_a_move_is_carried_out_on_every_database(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await moves(stage, ana, bo)


async def test_an_account_older_than_account_factory_is_moved_by_organizations(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    tag(stage, OLD_INTRANET, owner="ana@corp.example")
    await ana.says("move account Old Intranet to Demos")
    ana.hears("Organizations moves it; Control Tower governs it only once it is enrolled")
    await is_approved(ana, bo)
    await ana.hears_later("is in the OU Demos now")
    assert parent_of(stage, OLD_INTRANET) == DEMOS


async def test_of_two_ous_of_one_name_none_is_guessed(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says(f"move account {DEMO_BOOTH} to Prod")
    ana.hears("There are 2 OUs called", "Platform/Prod")
    await ana.says("Platform/Prod")
    ana.hears("Move the account Demo Booth to the OU Platform/Prod")


async def test_an_owner_who_can_sign_in_is_checked(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("change the owner of Demo Booth to cy@corp.example")
    ana.hears("Make cy@corp.example the owner of the account Demo Booth", "Identity Center")
    await ana.says("no")
    ana.hears("the owner stays")
    assert tags_of(stage, DEMO_BOOTH) == {"owner": "ana@corp.example"}


@on_every_channel
async def test_a_new_owner_is_named_and_one_without_a_user_is_told(stage: Stage, ana: Speaker, bo: Approver) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", cost_centre="cc-7")
    await ana.says("change the owner of Demo Booth to nobody.yet@corp.example")
    ana.hears("Make nobody.yet@corp.example the owner of the account Demo Booth")
    ana.hears("Identity Center has no user with the address nobody.yet@corp.example")
    await is_approved(ana, bo)
    await ana.hears_later("is nobody.yet@corp.example now")
    assert tags_of(stage, DEMO_BOOTH) == {"owner": "nobody.yet@corp.example", "cost-centre": "cc-7"}
    await ana.says("who owns Demo Booth?")
    ana.hears("nobody.yet@corp.example")


@on_every_channel
async def test_it_is_the_account_that_was_spoken_of_and_the_plan_names_it(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("who owns Demo Booth?")
    for said, plan in (
        ("close it", "Close the account Demo Booth for good"),
        ("move it to Experiment", "Move the account Demo Booth to the OU Experiment"),
        ("update it", "Update the account Demo Booth with Account Factory"),
        ("give it to cy@corp.example", "Make cy@corp.example the owner of the account Demo Booth"),
    ):
        await ana.says(said)
        ana.hears(plan)
        await ana.says("no")


async def test_it_is_asked_about_when_no_account_was_spoken_of(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("close it")
    ana.hears("Which account should I close?")


async def test_an_owner_of_ones_own_is_named_by_me(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("change the owner of Demo Booth")
    await ana.says("me")
    ana.hears("ana@corp.example is the owner already")


@on_every_channel
async def test_an_account_is_brought_up_to_date(stage: Stage, ana: Speaker, bo: Approver) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("update the account Demo Booth")
    ana.hears("Update the account Demo Booth with Account Factory")
    await is_approved(ana, bo)
    await ana.hears_later("is asked to update the account")
    await stage.advance(minutes=15)
    await ana.hears_later("is up to date with Account Factory")


@on_every_channel
async def test_what_is_called_by_its_name_alone_is_an_account_when_no_product_has_that_name(
    stage: Stage, ana: Speaker
) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("update Demo Booth")
    ana.hears("Update the account Demo Booth with Account Factory")
    await ana.says("no")
    await ana.says("terminate Demo Booth")
    ana.hears("Close the account Demo Booth for good")
    await ana.says("no")
    await ana.says("update my data warehouse")
    ana.hears("product")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("shut down Demo Booth", "Close the account Demo Booth for good"),
        ("we don't need the account Demo Booth anymore", "Close the account Demo Booth for good"),
        ("shut down my account", "Which account should I close?"),
        ("can you shut down our AWS account", "does not say which one"),
        ("give Demo Booth to cy@corp.example", "Make cy@corp.example the owner of the account Demo Booth"),
    ],
)
async def test_words_that_people_have_for_it_are_understood(stage: Stage, ana: Speaker, said: str, heard: str) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says(said)
    ana.hears(heard)
    if "hich" in heard:
        assert ana.sees_button(f"Demo Booth ({DEMO_BOOTH})")


async def test_an_update_that_fails_is_retried_by_an_operator(stage: Stage, ana: Speaker, bo: Approver) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await stage.switches_on("tainted", times=1)
    await ana.says("update the account Demo Booth")
    request = await is_approved(ana, bo)
    await ana.hears_later("is asked to update the account")
    await stage.advance(minutes=15)
    await ana.hears_later("Control Tower could not update the account", f"an operator can retry {request}")
    operator = stage.speaker("Bo Lee")
    await operator.says(f"retry {request}")
    await ana.hears_later("is asked to update the account")
    await stage.advance(minutes=15)
    await ana.hears_later("is up to date with Account Factory")
    assert len(await stage.calls("UpdateProvisionedProduct")) == 2


async def is_being_updated(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Have Control Tower asked to update the demo booth; return the request."""
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", account_type="Sandbox")
    await ana.says("update the account Demo Booth")
    request = await is_approved(ana, bo)
    await ana.hears_later("is asked to update the account")
    return request


async def test_an_operation_that_takes_far_too_long_is_told_once_and_followed(
    theatre: Theatre, stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await is_being_updated(stage, ana, bo)
    world = theatre.sandbox.world
    with world.lock:
        [record] = [r for r in world.zone.records.values() if r.due is not None]
        record.created_at += 6 * 3600.0  # its stages count from then
        record.due = record.created_at
        world.changed()
    await stage.advance(hours=3)
    await ana.hears_later(f"Control Tower has worked on request {request} for more than two hours", "platform team")
    await stage.advance(minutes=1)
    await stage.advance(hours=4)
    await ana.hears_later("is up to date with Account Factory")
    await ana.heard_once("for more than two hours", "is up to date with Account Factory")


async def test_an_operation_that_aws_does_not_let_us_follow_is_told_once_and_not_sent_again(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await is_being_updated(stage, ana, bo)
    await stage.switches_on("access_denied", operations=["DescribeRecord"])
    await stage.advance(minutes=1)
    await ana.hears_later(f"Control Tower works on request {request}, but AWS can't be asked about it")
    ana.hears("DescribeRecord: AccessDenied", "platform team", "Don't ask for it a second time")
    await stage.switches_off("access_denied")
    await stage.advance(minutes=15)
    await ana.hears_later("is up to date with Account Factory")
    await ana.heard_once("can't be asked about it")
    assert len(await stage.calls("UpdateProvisionedProduct")) == 1


async def test_what_account_factory_did_not_make_can_not_be_updated(stage: Stage, ana: Speaker) -> None:
    tag(stage, OLD_INTRANET, owner="ana@corp.example")
    await ana.says("update account Old Intranet")
    ana.hears("was not made by Account Factory", "Ask your platform team to enroll it")


@on_every_channel
async def test_other_peoples_accounts_are_left_alone(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="cy@corp.example")
    for sentence in ("close the account Demo Booth", "renew the account Demo Booth", "update the account Demo Booth"):
        await ana.says(sentence)
        ana.hears("You may not ask for this about Demo Booth", "An account's owner, and operators")
        ana.does_not_hear("Shall I go ahead?")
    await ana.says("yes")
    ana.hears("There is no question open")
    await ana.says("why?")
    ana.does_not_hear("Demo Booth")


@pytest.mark.parametrize("account", [MANAGEMENT, LOG_ARCHIVE, AUDIT])
async def test_the_accounts_that_hold_the_landing_zone_are_never_moved_or_closed(stage: Stage, account: str) -> None:
    operator = stage.speaker("Bo Lee")
    for sentence in (f"close account {account}", f"move account {account} to Demos"):
        await operator.says(sentence)
        operator.hears("it is never moved or closed from here")
        operator.does_not_hear("Shall I go ahead?")
        await operator.says("never mind")


async def test_which_account_is_meant_is_offered_and_not_guessed(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    tag(stage, PLAYGROUND, owner="ana@corp.example")
    await ana.says("I want to close an account")
    ana.hears("Which account should I close?")
    assert ana.sees_button(f"Demo Booth ({DEMO_BOOTH})")
    await ana.presses(f"Playground ({PLAYGROUND})")
    ana.hears("Close the account Playground for good")
