"""Answers come in any order and any sentence, and are corrected in mid-form and at the confirmation."""

from __future__ import annotations

import pytest

from tests.support.stage import Speaker
from tests.support.theatre import on_every_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION_TYPE = "hat account type do you want?"
QUESTION_EMAIL = "hat e-mail should I use for the root account?"
QUESTION_OU = "hat is the OU this account should belong to?"


async def test_answers_given_ahead_are_not_asked_for_again(ana: Speaker) -> None:
    await ana.says("I need an account in Experiment")
    ana.hears(QUESTION_TYPE)
    await ana.says("a production one, and the root address is ahead@corp.example")
    ana.hears("Create the Production account", "in OU Experiment", "ahead@corp.example")


async def test_the_address_may_come_first(ana: Speaker) -> None:
    await ana.says("open an account with the address first@corp.example")
    ana.hears(QUESTION_TYPE)
    await ana.says("Sandbox")
    ana.hears(QUESTION_OU)
    ana.does_not_hear(QUESTION_EMAIL)
    await ana.says("put it in Demos")
    ana.hears("first@corp.example")


async def test_another_answer_than_the_one_asked_for_is_taken(ana: Speaker) -> None:
    await ana.says("I want a new account")
    ana.hears(QUESTION_TYPE)
    await ana.says("put it in Demos")
    ana.hears(QUESTION_TYPE)
    await ana.says("use other@corp.example")
    ana.hears(QUESTION_TYPE)
    await ana.says("Production please")
    ana.hears("Create the Production account", "in OU Demos", "other@corp.example")


@pytest.mark.parametrize(
    ("word", "account_type"),
    [
        ("prod", "Production"),
        ("PRODUCTION", "Production"),
        ("the live one", "Production"),
        ("playground", "Sandbox"),
        ("sbx", "Sandbox"),
        ("a sand box please", "Sandbox"),
        ("Sandbxo", "Sandbox"),
        ("prodution", "Production"),
    ],
)
async def test_account_types_are_known_by_other_names_and_with_typing_errors(
    ana: Speaker, word: str, account_type: str
) -> None:
    await ana.says("I need an account in Demos for words@corp.example")
    ana.hears(QUESTION_TYPE)
    await ana.says(word)
    ana.hears(f"Create the {account_type} account", "in OU Demos")


async def test_a_sandbox_account_may_be_in_the_sandbox_ou(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in the Sandbox OU for both@corp.example")
    ana.hears("Create the Sandbox account", "in OU Sandbox")


async def test_the_type_alone_does_not_name_the_ou(ana: Speaker) -> None:
    await ana.says("I need a sandbox account for alone@corp.example")
    ana.hears(QUESTION_OU)
    await ana.says("Sandbox")
    ana.hears("Create the Sandbox account", "in OU Sandbox")


@on_every_channel
async def test_an_answer_is_corrected_in_mid_form(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    ana.hears(QUESTION_EMAIL)
    await ana.says("no, make that Production")
    ana.hears("Production instead of Sandbox", QUESTION_EMAIL)
    await ana.says("correct@corp.example")
    ana.hears(QUESTION_OU)
    await ana.says("sorry, the e-mail is corrected@corp.example")
    ana.hears("corrected@corp.example instead of correct@corp.example", QUESTION_OU)
    await ana.says("Demos")
    ana.hears("Create the Production account", "corrected@corp.example")


@on_every_channel
async def test_the_plan_is_corrected_before_the_yes(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for plan@corp.example")
    ana.hears("in OU Demos")
    await ana.says("no, put it in Experiment")
    ana.hears("Experiment instead of Demos", "in OU Experiment")
    await ana.says("make it production")
    ana.hears("Create the Production account", "in OU Experiment")
    await ana.says("call it research-lab")
    ana.hears("Create the Production account research-lab in OU Experiment")
    await ana.says("no")
    ana.hears("nothing was ordered")


async def test_the_address_is_corrected_before_the_yes(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for wrong@corp.example")
    ana.hears("wrong@corp.example")
    await ana.says("use right@corp.example instead")
    ana.hears("right@corp.example instead of wrong@corp.example", "Create the Sandbox account right-sandbox")


async def test_a_stale_button_does_nothing(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for stale@corp.example")
    await ana.says("make it production")
    ana.hears("Create the Production account")
    await ana.says("cancel")
    await ana.presses("Yes, go ahead")
    ana.hears("no longer current")
    ana.does_not_hear("is placed")


async def test_the_account_may_be_named(ana: Speaker) -> None:
    await ana.says("I need a sandbox account named data-lab in Demos for named@corp.example")
    ana.hears("Create the Sandbox account data-lab in OU Demos", "named@corp.example")


async def test_a_name_that_is_too_long_is_explained(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for long@corp.example")
    await ana.says(f"call it {'long-' * 12}name")
    ana.hears("64 characters", "50")
    await ana.says("call it short-name")
    ana.hears("Create the Sandbox account short-name in OU Demos")


async def test_a_derived_name_fits(ana: Speaker) -> None:
    await ana.says(f"I need a sandbox account in Demos for {'a' * 50}@corp.example")
    ana.hears("Create the Sandbox account aaaa", "in OU Demos", "50 of 50 characters")


async def test_words_around_an_address_do_not_matter(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    ana.hears(QUESTION_EMAIL)
    await ana.says("Well, I think <mailto:team.x+aws@corp.example|team.x+aws@corp.example>, thanks!")
    ana.hears("team.x+aws@corp.example", "no account of the organization uses it")


@pytest.mark.parametrize("yes", ["yes", "Yes please!", "yep", "sure, go ahead", "ok", "do it", "sounds good", "y"])
async def test_people_say_yes_in_many_ways(ana: Speaker, yes: str) -> None:
    await ana.says(f"I need a sandbox account in Demos for {ana.email.replace('ana', 'yes')}")
    await ana.says(yes)
    ana.hears("is placed")


@pytest.mark.parametrize("no", ["no", "nope", "No, thanks", "don't", "rather not", "n"])
async def test_people_say_no_in_many_ways_and_nothing_is_ordered(ana: Speaker, no: str) -> None:
    await ana.says(f"I need a sandbox account in Demos for {ana.email.replace('ana', 'no')}")
    await ana.says(no)
    ana.hears("nothing was ordered")
    await ana.says("my requests")
    ana.hears("You have no requests yet")
