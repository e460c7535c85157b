"""What is not understood is offered as what it may mean, and the sentence is taken for what is chosen."""

from __future__ import annotations

from tests.support.stage import Speaker, Stage
from tests.support.theatre import on_every_channel

UNCLEAR = "I need a prod db"
UNCLEAR_QUESTION = "444466667777, whose baby is that?"


@on_every_channel
async def test_a_sentence_is_taken_for_what_its_speaker_chooses(stage: Stage, ana: Speaker) -> None:
    await ana.says(UNCLEAR)
    ana.hears("I am not sure what you mean", "product order", "Nothing was done")
    await ana.presses("product order")
    ana.hears("PostgreSQL")
    assert await stage.requests() == []


async def test_a_choice_in_the_midst_of_an_order_lays_that_aside(stage: Stage, ana: Speaker) -> None:
    await ana.says(UNCLEAR)
    await ana.says("I need a sandbox account in Demos")
    ana.hears("e-mail")
    await ana.presses("product order")
    ana.hears("PostgreSQL", "I have laid your account order aside")
    await ana.says("cancel")
    await ana.says("continue")
    ana.hears("e-mail")


async def test_a_question_keeps_the_names_in_it(stage: Stage, ana: Speaker) -> None:
    await ana.says(UNCLEAR_QUESTION)
    await ana.presses("owner of an account")
    ana.hears("Demo Booth", "nobody is named as its owner")


async def test_what_is_like_nothing_is_offered_nothing(stage: Stage, ana: Speaker) -> None:
    await ana.says("flibber the gribbets")
    ana.hears("Sorry, I did not understand that")
    assert not ana.sees_button("Something else")
