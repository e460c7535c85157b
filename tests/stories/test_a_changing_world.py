"""Between the plan and the work the world may change: nothing is done that was not approved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox import landing_zone, products
from tests.stories.errands import asks_for_an_account
from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel


def somebody_makes_an_account(stage: Stage, name: str, mailbox: str) -> None:
    """Order an account behind the bot's back, as an administrator would in the AWS console."""
    stage.aws("servicecatalog").provision_product(
        ProductId=landing_zone.ACCOUNT_FACTORY_PRODUCT,
        ProvisioningArtifactId=landing_zone.ACCOUNT_FACTORY_ARTIFACT,
        PathId=landing_zone.ACCOUNT_FACTORY_PATH,
        ProvisionedProductName=name,
        ProvisionToken=f"behind-the-back-{name}",
        ProvisioningParameters=[
            {"Key": "AccountEmail", "Value": mailbox},
            {"Key": "AccountName", "Value": name},
            {"Key": "ManagedOrganizationalUnit", "Value": "Demos"},
            {"Key": "SSOUserEmail", "Value": "cy@corp.example"},
            {"Key": "SSOUserFirstName", "Value": "Cy"},
            {"Key": "SSOUserLastName", "Value": "Young"},
        ],
    )


@pytest.fixture
def new_version() -> Iterator[str]:
    """While the test runs, Account Factory has a newer version than the one seeded."""
    factory = products.PRODUCTS[0]
    old = factory.artifacts
    newer = replace(old[-1], id="pa-ctafnewest005", name="5.0", created_at=old[-1].created_at + 86_400)
    object.__setattr__(factory, "artifacts", (*old[:-1], replace(old[-1], guidance="DEPRECATED"), newer))
    yield newer.id
    object.__setattr__(factory, "artifacts", old)


async def test_an_address_taken_after_the_approval_is_told_and_nothing_is_ordered(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await asks_for_an_account(ana, "taken@corp.example")
    await bo.opens_the_mail(about=request)
    somebody_makes_an_account(stage, "quicker", "taken@corp.example")
    await stage.advance(minutes=25)
    await bo.approves()
    await ana.hears_later("Nothing was done", "taken@corp.example is already the root address of account")
    assert (await stage.view(request))["state"] == "failed"
    assert len(await stage.calls("ProvisionProduct")) == 1


async def test_an_address_taken_before_the_yes_is_told(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for taken@corp.example")
    ana.hears("Shall I go ahead?")
    somebody_makes_an_account(stage, "quicker", "taken@corp.example")
    await stage.advance(minutes=25)
    await ana.says("yes")
    ana.hears("taken@corp.example is already the root address of account", "hat e-mail should I use")
    assert await stage.requests() == []


@on_every_channel
async def test_a_changed_plan_is_put_up_again_with_the_difference(
    stage: Stage, ana: Speaker, bo: Approver, request: pytest.FixtureRequest
) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    first_link = bo.path
    request.getfixturevalue("new_version")
    await bo.approves()
    await ana.hears_later("the plan has changed since it was approved", "the approvers are asked again", "4.0", "5.0")
    assert await stage.calls("ProvisionProduct") == []
    view = await stage.view(order)
    assert (view["state"], view["version"]) == ("awaiting_approval", 2)
    await bo.opens_the_mail(about=order)
    assert bo.path != first_link
    bo.reads("version 5.0")
    await bo.approves()
    await ana.hears_later("is ordered")
    [call] = await stage.calls("ProvisionProduct")
    assert call["params"]["ProvisioningArtifactId"] == "pa-ctafnewest005"
    await stage.advance(minutes=25)
    await ana.hears_later("Ready: team-x-sandbox")


async def test_the_old_link_does_not_approve_the_new_plan(
    stage: Stage, ana: Speaker, bo: Approver, request: pytest.FixtureRequest
) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    request.getfixturevalue("new_version")
    await bo.approves()
    await ana.hears_later("the approvers are asked again")
    assert await bo.decides("approve") in (409, 410)
    assert (await stage.view(order))["state"] == "awaiting_approval"
    assert await stage.calls("ProvisionProduct") == []


async def test_a_name_of_the_order_taken_after_the_approval_asks_again(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await asks_for_an_account(ana)
    name = (await stage.view(order))["plan"]["effects"]["provisioned_product_name"]
    await bo.opens_the_mail(about=order)
    somebody_makes_an_account(stage, name, "cy-own@corp.example")
    await bo.approves()
    await ana.hears_later(
        "the plan has changed since it was approved", "the approvers are asked again", f"{name} → {name}-2"
    )
    await bo.opens_the_mail(about=order)
    await bo.approves()
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")


async def test_two_people_ask_for_one_address_at_once_and_one_order_comes_of_it(stage: Stage, bo: Approver) -> None:
    ana, cy = stage.speaker("Ana Lopez"), stage.speaker("Cy Young")
    for person in (ana, cy):
        await person.says("I need a sandbox account in Demos for same@corp.example")
        person.hears("Shall I go ahead?")
    await asyncio.gather(ana.says("yes"), cy.says("yes"))
    [order] = await stage.requests()
    winner, loser = (ana, cy) if order["requester"] == ana.email else (cy, ana)
    winner.hears("is placed")
    loser.hears("part of")
    await bo.opens_the_mail(about=order["id"])
    await bo.approves()
    await winner.hears_later("is ordered")
    await stage.advance(minutes=25)
    await winner.hears_later("is ready:")
    assert len(await stage.calls("ProvisionProduct")) == 1
    assert len(await stage.requests()) == 1


async def test_the_loser_of_an_address_gets_on_with_another(stage: Stage) -> None:
    ana, cy = stage.speaker("Ana Lopez"), stage.speaker("Cy Young")
    await asks_for_an_account(ana, "same@corp.example")
    await cy.says("I need a sandbox account in Demos for Same@Corp.Example")
    cy.hears("same@corp.example is already part of")
    await cy.says("use other@corp.example")
    cy.hears("Create the Sandbox account other-sandbox in OU Demos")
    await cy.says("yes")
    cy.hears("is placed")


async def test_a_used_up_quota_is_told_before_approvers_are_bothered(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("quota")
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    ana.hears("has used 11 of its 11 accounts", "raise the quota")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("yes")
    ana.does_not_hear("is placed")
    assert await bo.mails() == []
    assert await stage.requests() == []


async def test_what_the_quota_stopped_is_continued_when_it_is_raised(stage: Stage, ana: Speaker) -> None:
    await stage.switches_on("quota")
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    ana.hears("continue")
    await stage.switches_off("quota")
    await ana.says("continue")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos")


async def test_a_quota_used_up_after_the_approval_is_told(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("quota")
    await bo.approves()
    await ana.hears_later("Nothing was done", "accounts", "raise the quota")
    assert await stage.calls("ProvisionProduct") == []
