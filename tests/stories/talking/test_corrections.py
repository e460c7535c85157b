"""Corrections, slips and questions back while a form is open: none of them costs the order or a try unexplained."""

from __future__ import annotations

import pytest

from tests.support.stage import Speaker
from tests.support.theatre import on_every_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION_TYPE = "hat account type do you want?"
QUESTION_EMAIL = "hat e-mail should I use for the root account?"


@on_every_channel
async def test_a_no_with_a_value_that_there_is_not_keeps_the_order(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for kept@corp.example")
    await ana.says("no, make that Gold")
    ana.hears("“Gold” is not one of Production or Sandbox", "Create the Sandbox account", "in OU Demos")
    await ana.says("no, make that Production")
    ana.hears("Account type: Production instead of Sandbox", "Create the Production account")


@pytest.mark.parametrize("words", ["no, the other one", "no, not the right thing", "nope, something else"])
async def test_a_no_that_goes_on_keeps_the_order(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for goes-on@corp.example")
    await ana.says(words)
    ana.hears("Please say yes or no, or tell me what to change", "in OU Demos", "Shall I go ahead?")


@pytest.mark.parametrize(
    "words", ["no", "Nope.", "no thanks", "no, thank you", "don't do it", "please don't", "rather not"]
)
async def test_a_plain_no_declines_the_plan(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for declined@corp.example")
    await ana.says(words)
    ana.hears("OK, nothing was ordered.")


async def test_a_no_that_goes_on_is_no_address_and_no_try(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for words in ("no, make that Gold", "no, the other one", "no, make that Gold", "no, the other one"):
        await ana.says(words)
        ana.hears(QUESTION_EMAIL)
        ana.does_not_hear("is not an e-mail address")
    await ana.says("after-all@corp.example")
    ana.hears("Create the Sandbox account after-all-sandbox in OU Demos")


@pytest.mark.parametrize("address", ["foo..bar@corp.example", "ü@corp.example", "foo@localhost", "'<x>'@corp.example"])
async def test_what_is_no_address_is_explained_within_a_sentence(ana: Speaker, address: str) -> None:
    await ana.says(f"sandbox account in demos for {address}")
    ana.hears(f"“{address}” is not an e-mail address", QUESTION_EMAIL)
    await ana.says("good@corp.example")
    ana.hears("Create the Sandbox account good-sandbox in OU Demos")


@on_every_channel
async def test_an_account_type_that_there_is_not_is_explained_within_a_sentence(ana: Speaker) -> None:
    await ana.says("I need a gold account in Demos")
    ana.hears("“gold” is not one of Production or Sandbox", QUESTION_TYPE)
    await ana.says("sandbox")
    ana.hears(QUESTION_EMAIL)


@pytest.mark.parametrize(
    "sentence", ["I need a new account", "I need an AWS account", "I want a new AWS account please"]
)
async def test_a_new_account_is_no_type_of_account(ana: Speaker, sentence: str) -> None:
    await ana.says(sentence)
    ana.hears(QUESTION_TYPE)
    ana.does_not_hear("is not one of")


@on_every_channel
@pytest.mark.parametrize("words", ["change the e-mail to foo..bar@corp.example", "'<x>'@corp.example"])
async def test_a_refused_address_leaves_the_good_one(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for first@corp.example")
    await ana.says(words)
    ana.hears("is not an e-mail address", QUESTION_EMAIL, "say “keep” to keep first@corp.example")
    await ana.says("keep")
    ana.hears("Create the Sandbox account first-sandbox in OU Demos", "first@corp.example")


async def test_an_address_is_never_the_rest_of_something_longer(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for garbage in ("'<x>'@corp.example", 'a!b"c@corp.example', "use (x)y@corp.example please"):
        await ana.says(garbage)
        ana.hears("is not an e-mail address", QUESTION_EMAIL)
        ana.does_not_hear("Shall I go ahead?")


@pytest.mark.parametrize(
    "words",
    [
        "'whole@corp.example'",
        "<whole@corp.example>",
        "<mailto:whole@corp.example|whole@corp.example>",
        "it is (whole@corp.example).",
        "e-mail:whole@corp.example!",
        "Ana <whole@corp.example>",
    ],
)
async def test_an_address_is_taken_out_of_what_surrounds_it(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says(words)
    ana.hears("Create the Sandbox account whole-sandbox in OU Demos", "Root e-mail", "whole@corp.example")


@pytest.mark.parametrize("path", ["Workloads / Test", "workloads > test", "Workloads/Test"])
async def test_a_path_with_blanks_is_one_value(ana: Speaker, path: str) -> None:
    await ana.says("I need a production account in Workloads/Test for path@corp.example")
    await ana.says(path)
    ana.hears("I have that", "Create the Production account", "in OU Workloads/Test")
    ana.does_not_hear("instead of")


@pytest.mark.parametrize("word", ["Sandbox", "Sandbx"])
@pytest.mark.parametrize("opening", ["I need a production account", "I need a production account in Demos"])
async def test_a_value_of_two_slots_corrects_the_one_that_is_named_first(ana: Speaker, opening: str, word: str) -> None:
    await ana.says(opening)
    await ana.says(word)
    ana.hears("Account type: Sandbox instead of Production", QUESTION_EMAIL)
    ana.does_not_hear("OU: Sandbox", "is not an e-mail address")


async def test_a_misspelt_value_is_said_back(ana: Speaker) -> None:
    await ana.says("I need an account")
    await ana.says("Prodction")
    ana.hears("I read “Prodction” as Production", QUESTION_EMAIL)
    await ana.says("Prodction")
    ana.hears("I have that. Account type: Production", QUESTION_EMAIL)


@pytest.mark.parametrize("words", ["yes", "ok", "Sure."])
async def test_a_yes_is_no_account_name(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for yes-name@corp.example named -abc")
    await ana.says(words)
    ana.hears("does not tell me the account name", "What should the account name be?")
    await ana.says("skip")
    ana.hears("Create the Sandbox account yes-name-sandbox in OU Demos")


@pytest.mark.parametrize("words", ["no", "nope", "skip", "no thanks"])
async def test_a_no_leaves_the_account_name_to_the_bot(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for no-name@corp.example named -abc")
    await ana.says(words)
    ana.hears("Create the Sandbox account no-name-sandbox in OU Demos")


async def test_saying_it_again_costs_no_try(ana: Speaker) -> None:
    await ana.says("I need an account for again@corp.example")
    for words in ("new account", "again@corp.example", "I need an account for again@corp.example"):
        await ana.says(words)
        ana.hears("I have that", QUESTION_TYPE)
        ana.does_not_hear("is not one of")


@on_every_channel
async def test_a_question_back_is_answered_and_costs_no_try(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for words in ("why do you need that?", "what is that for?", "why?", "what for?"):
        await ana.says(words)
        ana.hears("AWS ties every account to an e-mail address of its own", QUESTION_EMAIL, "restricted access mailbox")
        ana.does_not_hear("is not an e-mail address")


async def test_the_bare_wish_said_again_begins_anew_with_the_first_question(ana: Speaker) -> None:
    for _ in range(2):
        await ana.says("Hi, I would like a new account please!")
        ana.hears("Hi Ana Lopez, what account type do you want? Production or Sandbox?")
