"""Control Tower works on five accounts at once: the sixth waits, knows its place, and gets its turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.accounts import DEMO_BOOTH, PLAYGROUND, tag
from tests.stories.errands import asks_for_an_account
from tests.stories.test_a_changing_world import new_version
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel

__all__ = ["new_version"]


async def five_are_under_way(stage: Stage, bo: Approver) -> list[Speaker]:
    """Have five accounts ordered by five people."""
    people = [stage.speaker(f"Person{number} Lopez") for number in range(1, 6)]
    for number, person in enumerate(people, 1):
        request = await asks_for_an_account(person, f"busy-{number}@corp.example")
        await bo.opens_the_mail(about=request)
        await bo.approves()
        await person.hears_later("is ordered")
    return people


def five_are_under_way_elsewhere(stage: Stage) -> None:
    """Have five accounts ordered by somebody who does not use the bot: each takes a place as well."""
    catalog = stage.aws("servicecatalog")
    [product] = catalog.search_products(Filters={"FullTextSearch": ["AWS Control Tower Account Factory"]})[
        "ProductViewSummaries"
    ]
    artifacts = catalog.describe_product(Id=product["ProductId"])["ProvisioningArtifacts"]
    for number in range(1, 6):
        wanted = {
            "AccountName": f"busy-{number}",
            "AccountEmail": f"busy-{number}@corp.example",
            "ManagedOrganizationalUnit": "Demos",
            "SSOUserEmail": "somebody@corp.example",
            "SSOUserFirstName": "Some",
            "SSOUserLastName": "Body",
        }
        catalog.provision_product(
            ProductId=product["ProductId"],
            ProvisioningArtifactId=artifacts[-1]["Id"],
            ProvisionedProductName=f"busy-{number}",
            ProvisioningParameters=[{"Key": key, "Value": value} for key, value in wanted.items()],
            ProvisionToken=f"busy-{number}",
        )


async def test_the_sixth_order_queues_and_later_runs(stage: Stage, ana: Speaker, bo: Approver) -> None:
    others = await five_are_under_way(stage, bo)
    await ana.says("I need a sandbox account in Demos for sixth@corp.example")
    ana.hears("this one will queue")
    await ana.says("yes")
    sixth = ana.request
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is queued", "number 1 in line", "likely begin about")
    assert (await stage.view(sixth))["state"] == "queued"
    assert len(await stage.calls("ProvisionProduct")) == 5
    await ana.heard_once("is queued")
    await ana.says(f"status of {sixth}")
    ana.hears("Waiting in the queue")
    await places_are_free_again(stage, others)
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    await ana.heard_once("is ordered", "is ready:")


async def places_are_free_again(stage: Stage, others: list[Speaker]) -> None:
    """Let the others' accounts get ready, and the watcher of places look once more."""
    await stage.advance(minutes=25)
    for other in others:
        await other.hears_later("is ready:")
    await stage.advance(minutes=1)


async def test_a_queued_order_is_cancelled(stage: Stage, ana: Speaker, bo: Approver) -> None:
    five_are_under_way_elsewhere(stage)
    sixth = await asks_for_an_account(ana, "sixth@corp.example")
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is queued")
    await ana.says(f"cancel {sixth}")
    ana.hears(f"{sixth} is cancelled")
    await stage.advance(minutes=25)
    await asks_for_an_account(ana, "seventh@corp.example")
    await bo.opens_the_mail(about=ana.request)
    await bo.approves()
    await ana.hears_later("is ordered")
    assert (await stage.view(sixth))["state"] == "cancelled"
    assert len(await stage.calls("ProvisionProduct")) == 6


async def the_sixth_is_queued(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Have five accounts under way and a sixth wait for its place; return its request."""
    five_are_under_way_elsewhere(stage)
    sixth = await asks_for_an_account(ana, "sixth@corp.example")
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is queued")
    return sixth


async def test_what_changed_while_it_queued_is_asked_again(
    stage: Stage, ana: Speaker, bo: Approver, request: pytest.FixtureRequest
) -> None:
    sixth = await the_sixth_is_queued(stage, ana, bo)
    request.getfixturevalue("new_version")
    await stage.advance(minutes=25)
    await ana.hears_later("the plan has changed since it was approved", "4.0", "5.0")
    view = await stage.view(sixth)
    assert (view["state"], view["version"]) == ("awaiting_approval", 2)
    assert len(await stage.calls("ProvisionProduct")) == 5
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    await ana.heard_once("is ready:")
    assert len(await stage.calls("ProvisionProduct")) == 6


async def test_a_quota_used_up_while_it_queued_refuses(stage: Stage, ana: Speaker, bo: Approver) -> None:
    sixth = await the_sixth_is_queued(stage, ana, bo)
    await stage.switches_on("quota")
    await stage.advance(minutes=25)
    await ana.hears_later("Nothing was done", "so AWS would refuse another one")
    assert (await stage.view(sixth))["state"] == "failed"
    assert len(await stage.calls("ProvisionProduct")) == 5


async def test_places_that_can_not_be_counted_are_told_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await the_sixth_is_queued(stage, ana, bo)
    await stage.switches_on("access_denied", operations=["SearchProvisionedProducts"])
    await stage.advance(minutes=25)
    await ana.hears_later("keeps its place", "SearchProvisionedProducts: AccessDenied", "platform team should look")
    await stage.advance(minutes=1)
    await stage.switches_off("access_denied")
    await stage.advance(minutes=1)
    await ana.hears_later("is ordered")
    await ana.heard_once("keeps its place", "is ordered")


@on_every_channel
async def test_a_move_waits_for_its_place_and_gets_its_turn(stage: Stage, ana: Speaker, bo: Approver) -> None:
    five_are_under_way_elsewhere(stage)
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", account_type="Sandbox")
    await ana.says("move the account Demo Booth to Experiment")
    await ana.presses("Yes, go ahead")
    await bo.opens_the_mail(about=ana.request)
    await bo.approves()
    await ana.hears_later("is queued", "number 1 in line", "likely begin about")
    assert await stage.calls("UpdateProvisionedProduct") == []
    await stage.advance(minutes=25)
    await ana.hears_later("is asked to move the account")
    await stage.advance(minutes=15)
    await ana.hears_later("is in the OU Experiment now")
    await ana.heard_once("is queued", "is asked to move the account")


async def states_of(stage: Stage, requests: list[str]) -> list[str]:
    """Return the states of these requests."""
    return [(await stage.view(request))["state"] for request in requests]


async def sent(stage: Stage) -> int:
    """Return how many operations Control Tower was asked for."""
    asked = [f"{verb}ProvisionedProduct" for verb in ("Update", "Terminate")]
    return sum([len(await stage.calls(operation)) for operation in ("ProvisionProduct", *asked)])


async def test_an_order_an_update_and_a_closing_of_one_moment_are_sent_one_after_the_other(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with theatre.open_stage(tmp_path, control_tower_capacity=1) as stage:
        ana, cy, dee = (stage.speaker(name) for name in ("Ana Lopez", "Cy Young", "Dee Wong"))
        bo, operator = stage.approver(), stage.speaker("Bo Lee")
        tag(stage, DEMO_BOOTH, owner="cy@corp.example", account_type="Sandbox")
        tag(stage, PLAYGROUND, owner="dee@corp.example", account_type="Sandbox")
        requests = [await asks_for_an_account(ana, "together@corp.example")]
        for person, words in ((cy, "update the account Demo Booth"), (dee, "close the account Playground")):
            await person.says(words)
            await person.presses("Yes, go ahead")
            requests.append(person.request)
        await operator.says("pause changes because all are to begin at once")
        for request in requests:
            await bo.opens_the_mail(about=request)
            await bo.approves()
        await operator.says("resume changes")
        before = 0

        async def all_are_sent() -> bool:
            nonlocal before
            states = await states_of(stage, requests)
            now = await sent(stage)
            assert now <= before + 1, "two at once"
            assert states.count("queued") <= 3 - now
            before = now
            await stage.advance(minutes=4)
            return now == 3

        await eventually(all_are_sent, lambda: f"{before} of 3 are sent")
        await stage.advance(minutes=30)
        await ana.hears_later("is ready:")
        await cy.hears_later("is up to date with Account Factory")
        await dee.hears_later("(PENDING_CLOSURE)")
        assert await sent(stage) == 3
