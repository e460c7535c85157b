"""A form is abandoned, left for another question, or laid aside and taken up again."""

from __future__ import annotations

import pytest

from tests.support.stage import Speaker, Stage
from tests.support.theatre import on_every_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION_TYPE = "hat account type do you want?"
QUESTION_EMAIL = "hat e-mail should I use for the root account?"
QUESTION_OU = "hat is the OU this account should belong to?"


@on_every_channel
@pytest.mark.parametrize("word", ["cancel", "Never mind."])
async def test_a_form_is_abandoned(ana: Speaker, word: str) -> None:
    await ana.says("I need a sandbox account")
    await ana.says(word)
    ana.hears("dropped", "Nothing was done")
    await ana.says("Demos")
    ana.does_not_hear(QUESTION_TYPE, QUESTION_EMAIL)


@pytest.mark.parametrize(
    "word",
    [
        "stop",
        "forget it",
        "abort",
        "nevermind",
        "never mind, thanks",
        "please cancel",
        "never mind, cancel that",
        "I changed my mind, forget it",
    ],
)
async def test_a_form_is_abandoned_in_other_words(ana: Speaker, word: str) -> None:
    await ana.says("I need a sandbox account")
    ana.hears(QUESTION_EMAIL)
    await ana.says(word)
    ana.hears("Nothing was done")


async def test_the_plan_is_abandoned(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for dropped@corp.example")
    await ana.says("cancel")
    ana.hears("Nothing was done")
    await ana.says("yes")
    ana.does_not_hear("is placed")
    await ana.says("my requests")
    ana.hears("You have no requests yet")


async def test_beginning_anew_with_nothing_open_says_so(ana: Speaker) -> None:
    await ana.says("start over")
    ana.hears("Nothing is open", "Tell me what you need")


async def test_cancelling_nothing_says_so(ana: Speaker) -> None:
    await ana.says("cancel")
    ana.hears("nothing half-done")


async def test_cancel_it_with_nothing_half_done_shows_how_to_withdraw_what_was_asked_for_here(ana: Speaker) -> None:
    await ana.says(f"I need a sandbox account in Demos for withdrawn-{ana.email}")
    await ana.says("yes")
    request = ana.request
    await ana.says("cancel it")
    ana.hears(f"Your request {request} is waiting for approval; say “cancel {request}” to withdraw it.")
    await ana.says("withdraw my last request")
    ana.hears("This one?", request)
    await ana.says(f"cancel {request}")
    ana.hears(f"Request {request} is cancelled")
    await ana.says("cancel it")
    ana.hears("nothing half-done")
    ana.does_not_hear("withdraw it")


@pytest.mark.parametrize("words", ["thx bye", "Thanks, mate!", "cheers"])
async def test_leave_is_taken_politely(ana: Speaker, words: str) -> None:
    await ana.says(words)
    ana.hears("You're welcome")


@on_every_channel
async def test_help_in_mid_form_comes_back_to_the_question(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    ana.hears(QUESTION_EMAIL)
    await ana.says("help")
    ana.hears("What I can do", "Back to your account order", QUESTION_EMAIL)
    await ana.says("helped@corp.example")
    ana.hears(QUESTION_OU)


async def test_my_requests_in_mid_form_comes_back_to_the_question(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await ana.says("my requests")
    ana.hears("You have no requests yet", QUESTION_EMAIL)


async def test_the_status_of_a_request_in_mid_form_comes_back_to_the_question(ana: Speaker) -> None:
    await ana.says(f"I need a sandbox account in Demos for status-{ana.email}")
    await ana.says("yes")
    request = ana.request
    await ana.says("I need a production account")
    ana.hears(QUESTION_EMAIL)
    await ana.says(f"status of {request}")
    ana.hears("Waiting for approval", request, QUESTION_EMAIL)
    await ana.says(f"second-{ana.email}")
    ana.hears(QUESTION_OU)


async def test_another_question_at_the_plan_comes_back_to_it(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for aside@corp.example")
    await ana.says("what can you do?")
    ana.hears("What I can do", "shall I go ahead?")
    await ana.says("no")
    ana.hears("nothing was ordered")


async def test_four_wrong_answers_end_with_a_way_out(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for wrong in ("not-an-address", "still not one", "nor this"):
        await ana.says(wrong)
        ana.hears("is not an e-mail address", QUESTION_EMAIL)
    await ana.says("really not")
    ana.hears("is not an e-mail address", "nothing was ordered", "continue")
    ana.does_not_hear(QUESTION_EMAIL)


async def test_what_was_given_up_is_continued(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    for _ in range(4):
        await ana.says("not-an-address")
    await ana.says("continue")
    ana.hears(QUESTION_EMAIL)
    await ana.says("continued@corp.example")
    ana.hears("Create the Sandbox account continued-sandbox in OU Demos")


async def test_the_tries_begin_anew_with_a_right_answer(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    for _ in range(3):
        await ana.says("not-an-address")
    await ana.says("right-at-last@corp.example")
    for _ in range(3):
        await ana.says("no-such-unit")
        ana.hears("There is no OU", QUESTION_OU)
    await ana.says("Demos")
    ana.hears("Create the Sandbox account")


async def test_continuing_nothing_says_so(ana: Speaker) -> None:
    await ana.says("continue")
    ana.hears("nothing to go on with")


@on_every_channel
async def test_what_is_not_understood_is_answered_with_what_would_be(ana: Speaker) -> None:
    await ana.says("the quick brown fox jumps over the lazy dog")
    ana.hears("What would you like to do?", "help")


async def test_two_conversations_of_one_person_are_two_forms(ana: Speaker, stage: Stage) -> None:
    again = stage.speaker("Ana Lopez", email=ana.email)
    await ana.says("I need a sandbox account")
    await again.says("I need a production account in Demos")
    await ana.says("one@corp.example")
    ana.hears(QUESTION_OU)
    await again.says("two@corp.example")
    again.hears("Create the Production account")


async def test_a_word_that_is_near_cancelling_cancels_nothing_and_drops_nothing(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    await ana.says("go back")
    ana.hears("hat e-mail should I use")
