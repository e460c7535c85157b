"""Answers that can't be used are explained with the world's own facts, and asked for again."""

from __future__ import annotations

import pytest

from tests.support.stage import Speaker
from tests.support.theatre import on_every_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION_EMAIL = "hat e-mail should I use for the root account?"
QUESTION_OU = "hat is the OU this account should belong to?"


@on_every_channel
async def test_what_is_no_address_is_explained(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says("my mailbox")
    ana.hears("is not an e-mail address", QUESTION_EMAIL)


@pytest.mark.parametrize("address", ["team@", "@corp.example", "team@corp", "team@@corp.example", "team@corp..example"])
async def test_broken_addresses_are_explained(ana: Speaker, address: str) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says(address)
    ana.hears("is not an e-mail address", QUESTION_EMAIL)
    ana.does_not_hear("Shall I go ahead?")


async def test_an_address_that_is_too_long_is_explained(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says(f"{'a' * 60}@corp.example")
    ana.hears("64", QUESTION_EMAIL)


@on_every_channel
async def test_a_taken_address_names_the_account(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says("Playground@corp.example")
    ana.hears("already the root address of account 555566667777 (Playground)", QUESTION_EMAIL)


async def test_a_taken_address_in_the_first_sentence_names_the_account(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for webshop-prod@corp.example")
    ana.hears("already the root address of account 666677778888", QUESTION_EMAIL)
    await ana.says("free@corp.example")
    ana.hears("Create the Sandbox account free-sandbox in OU Demos")


@on_every_channel
async def test_an_unknown_ou_is_answered_with_those_there_are(ana: Speaker) -> None:
    await ana.says("I need a sandbox account for unknown-ou@corp.example")
    await ana.says("Marketing")
    ana.hears("There is no OU called “Marketing”", "Experiment", "Workloads/Prod", QUESTION_OU)


async def test_an_unknown_ou_in_the_first_sentence_is_told(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in the Marketing OU for unknown@corp.example")
    ana.hears("Marketing", QUESTION_OU)


@on_every_channel
async def test_two_ous_of_one_name_are_never_guessed(ana: Speaker) -> None:
    await ana.says("I need a production account for guessed@corp.example")
    await ana.says("Prod")
    ana.hears("There are 2 OUs called “Prod”", "Workloads/Prod or Platform/Prod", QUESTION_OU)
    await ana.says("Platform/Prod")
    ana.hears("in OU Platform/Prod", "ou-c0rp-p1prod00")


@pytest.mark.parametrize(
    "answer",
    [
        "Workloads/Prod",
        "workloads / prod",
        "put it in Workloads/Prod please",
        "Workloads > Prod",
        "ou-c0rp-w1prod00",
        "Prod (ou-c0rp-w1prod00)",
        "the Workloads/Prod OU",
    ],
)
async def test_path_and_id_tell_ous_of_one_name_apart(ana: Speaker, answer: str) -> None:
    await ana.says("I need a production account for nested@corp.example")
    ana.hears(QUESTION_OU)
    await ana.says(answer)
    ana.hears("Create the Production account", "in OU Workloads/Prod", "ou-c0rp-w1prod00")


async def test_an_ambiguous_ou_in_the_first_sentence_is_asked_for(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in the Test OU for test-ou@corp.example")
    ana.hears("There are 2 OUs", "Workloads/Test or Platform/Test")
    await ana.says("Workloads/Test")
    ana.hears("Create the Sandbox account", "in OU Workloads/Test")


async def test_an_ou_that_is_not_registered_is_explained(ana: Speaker) -> None:
    await ana.says("I need a sandbox account for legacy@corp.example")
    await ana.says("Legacy")
    ana.hears("not registered with Control Tower", QUESTION_OU)


async def test_an_ou_that_the_house_excludes_is_explained(ana: Speaker) -> None:
    await ana.says("I need a sandbox account for security@corp.example")
    await ana.says("Security")
    ana.hears("No accounts are vended into Security", QUESTION_OU)
    ana.does_not_hear("Shall I go ahead?")


async def test_an_account_type_that_there_is_not_is_explained(ana: Speaker) -> None:
    await ana.says("I need a new account")
    await ana.says("Enterprise Deluxe")
    ana.hears("Production or Sandbox")


@pytest.mark.parametrize("name", ["call it -team", "call it tëam-ünit", "name it 'a/b'"])
async def test_names_that_aws_would_refuse_are_explained(ana: Speaker, name: str) -> None:
    await ana.says("I need a sandbox account in Demos for names@corp.example")
    await ana.says(name)
    ana.hears("characters that an account name can't have")


@on_every_channel
async def test_a_question_about_the_question_is_answered_and_uses_up_no_try(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for text in ("what is an e-mail?", "I don't know", "huh?", "which mail address?", "what?"):
        await ana.says(text)
        ana.hears("AWS ties every account to an e-mail address of its own", QUESTION_EMAIL)
        ana.does_not_hear("is not an e-mail address")


@on_every_channel
async def test_a_plain_yes_or_no_is_no_address_and_uses_up_no_try(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for text in ("yes", "no", "yes please", "nope", "ok"):
        await ana.says(text)
        ana.hears(f"“{text}” does not tell me the root e-mail", QUESTION_EMAIL)


async def test_a_bare_address_begins_an_order_with_it(ana: Speaker) -> None:
    await ana.says("bare-address@corp.example")
    ana.hears("what account type do you want?")
    await ana.says("Sandbox")
    ana.hears(QUESTION_OU)
    await ana.says("Demos")
    ana.hears("Create the Sandbox account bare-address-sandbox in OU Demos")


async def test_a_name_that_means_stop_is_a_name(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says("name: cancel")
    ana.does_not_hear("dropped")
    await ana.says("named-cancel@corp.example")
    ana.hears("Create the Sandbox account cancel in OU Demos")


async def test_an_address_answers_the_open_question_and_begins_no_order(ana: Speaker) -> None:
    for address in ("somebody@corp.example", "x@y"):
        await ana.says("move an account")
        await ana.says(address)
        ana.hears("There is no account", "Which account")
        ana.does_not_hear("laid your move of an account aside")
        await ana.says("cancel")


@on_every_channel
async def test_an_answer_out_of_turn_is_acknowledged(ana: Speaker) -> None:
    await ana.says("I want to create an AWS account")
    await ana.says("put it into Demos")
    ana.hears("OK, OU: Demos", "account type")


@on_every_channel
async def test_an_answer_is_replaced_by_naming_it(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for first@corp.example")
    await ana.says("change first@corp.example to second@corp.example")
    ana.hears("second@corp.example instead of first@corp.example", "Create the Sandbox account", "second@corp.example")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how long does it take?", "20 to 30 minutes"),
        ("and how long will that take", "20 to 30 minutes"),
        ("how much does it cost?", "costs nothing"),
        ("what does an account cost?", "costs nothing"),
        ("who approves it?", "are asked, never whoever orders"),
        ("who has to approve this?", "are asked, never whoever orders"),
    ],
)
async def test_what_is_asked_about_the_order_is_answered_and_the_order_goes_on(
    ana: Speaker, question: str, answer: str
) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says(question)
    ana.hears(answer, QUESTION_EMAIL)
    await ana.says("asides@corp.example")
    await ana.says(question)
    ana.hears(answer)
    await ana.says("yes")
    ana.hears("is placed")
    await ana.says(f"cancel {ana.request}")
