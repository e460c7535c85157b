"""What people say about the form itself, and trouble that must not cost them their answers."""

from __future__ import annotations

import pytest

from tests.support.stage import Speaker, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_refused_name_keeps_the_earlier_one_and_asks_again(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n1@corp.example")
    await ana.says("call it abc")
    ana.hears("Create the Sandbox account abc in OU Demos")
    await ana.says("name it " + "y" * 51)
    ana.hears("51 characters", "Or say “skip” to keep abc")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("skip")
    ana.hears("Create the Sandbox account abc in OU Demos")


async def test_a_name_that_is_refused_at_first_is_asked_for(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n2@corp.example named " + "x" * 60)
    ana.hears("60 characters", "What should the account name be?")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("team-n2")
    ana.hears("Create the Sandbox account team-n2 in OU Demos")


async def test_which_of_two_ous_is_asked_with_those_two(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Prod for root-n3@corp.example")
    ana.hears("There are 2 OUs called “Prod”", "choose Workloads/Prod or Platform/Prod")
    ana.does_not_hear("Experiment or Demos")


async def test_a_question_about_the_choices_is_answered_and_costs_no_try(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    for _ in range(5):
        await ana.says("which OUs are there?")
        ana.hears("Experiment, Demos", "Workloads/Test", "hat e-mail should I use")


async def test_starting_over_asks_everything_again(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says("start over")
    ana.hears("what account type do you want? Production or Sandbox?")


async def test_a_second_yes_tells_how_the_request_stands(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n4@corp.example")
    await ana.says("yes")
    await ana.says("yes")
    ana.hears(f"Your request {ana.request} is waiting for approval")


async def test_a_second_yes_is_about_this_conversation(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n4a@corp.example")
    await ana.says("yes")
    elsewhere = stage.speaker("Ana Lopez", email=ana.email)
    await elsewhere.says("I need a sandbox account in Demos for root-n4b@corp.example")
    await elsewhere.says("yes")
    assert elsewhere.request != ana.request
    await ana.says("yes")
    ana.hears(f"Your request {ana.request} is waiting for approval")
    third = stage.speaker("Ana Lopez", email=ana.email)
    await third.says("yes")
    third.hears("There is no question open. Tell me what you need")


async def test_an_address_in_an_open_request_is_told_before_the_plan(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n5@corp.example")
    await ana.says("yes")
    cy = stage.speaker("Cy Moss", email="cy-n5@corp.example")
    await cy.says("I need a sandbox account in Experiment for root-n5@corp.example")
    cy.hears("root-n5@corp.example is already part of an open request", "hat e-mail should I use")
    cy.does_not_hear("Shall I go ahead?")
    cy.does_not_hear(ana.request)


async def test_trouble_at_aws_is_told_in_plain_words_and_costs_no_answers(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n6@corp.example")
    await stage.switches_on("access_denied", operations=["GetServiceQuota"])
    await ana.says("yes")
    ana.hears("AWS refused GetServiceQuota", "Nothing was placed", "Please tell your platform team", "say “continue”")
    ana.does_not_hear("arn:aws")
    await stage.switches_off("access_denied")
    await ana.says("continue")
    ana.hears("Create the Sandbox account root-n6-sandbox in OU Demos", "Shall I go ahead?")


async def test_repeating_an_answer_moves_nothing(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-n7@corp.example")
    await ana.says("sandbox")
    ana.does_not_hear("instead of Demos")
    ana.hears("Please say yes or no", "in OU Demos")


@pytest.mark.parametrize(
    "words",
    ["yes and call it {}", "yes, and please name it {}", "go ahead and call it {}", "ok, but the name should be {}"],
)
@pytest.mark.parametrize("name", ["root-n8", "root-n8-team", "team-one"])
async def test_a_yes_that_names_the_account_does_not_place_it_by_another_name(
    ana: Speaker, words: str, name: str
) -> None:
    await ana.says("I need a sandbox account in Demos for root-n8@corp.example")
    await ana.says(words.format(name))
    ana.hears(f"Create the Sandbox account {name} in OU Demos", "Shall I go ahead?")
    ana.does_not_hear("is placed")


@pytest.mark.parametrize("said", ["team-y", "team y", "ok@corp.example", "demos-go"])
async def test_a_name_with_a_yes_in_it_places_nothing(ana: Speaker, said: str) -> None:
    await ana.says("I need a sandbox account in Demos for team-y@corp.example")
    ana.hears("Shall I go ahead?")
    await ana.says(said)
    ana.does_not_hear("is placed")
    await ana.says("my requests")
    ana.hears("You have no requests yet")
