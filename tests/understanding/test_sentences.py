"""Sentences of people who have not read the definitions reach what they mean, in the shipped bot.

A third of the sentences is held out: neither the engine nor the utterances were tuned on them, so their share
tells how strangers fare. Look at the failures of the others only.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.understanding.talks import Sentence, Talks, open_talks, read_sentences

SENTENCES = read_sentences()
TUNED = [sentence for sentence in SENTENCES if not sentence.held_out]
HELD_OUT = [sentence for sentence in SENTENCES if sentence.held_out]
UNDERSTOOD = {"tuned": 0.98, "held out": 0.93}
"""Shares that are reached; a change that loses more than a sentence shows here."""


@pytest.fixture
async def talks(tmp_path: Path) -> AsyncIterator[Talks]:
    async with open_talks(tmp_path) as talks:
        yield talks


@pytest.mark.parametrize("sentences", [pytest.param(TUNED, id="tuned"), pytest.param(HELD_OUT, id="held out")])
async def test_people_reach_what_they_mean(
    talks: Talks, sentences: list[Sentence], request: pytest.FixtureRequest
) -> None:
    lost = []
    for sentence in sentences:
        reached = await talks.play(sentence)
        if not reached.satisfies(sentence):
            lost.append(f"{' | '.join(sentence.says)}: {reached.then} {dict(reached.slots)}")
    least = UNDERSTOOD[request.node.callspec.id]
    assert 1 - len(lost) / len(sentences) >= least, "\n".join(lost)


ENDINGS = (
    "close account 1234",
    "delete my account",
    "cancel my account",
    "terminate the sandbox account",
    "please remove the production account in Demos",
    "can you shut down our AWS account",
    "I'd like to close a sandbox account for ops@corp.example",
    "we want to get rid of an account",
    "decommission the Experiment account",
    "I no longer need my sandbox account",
    "how do I delete an account in Workloads/Prod?",
)


@pytest.mark.parametrize("text", ENDINGS)
async def test_ending_an_account_opens_no_order(talks: Talks, text: str) -> None:
    reached = await talks.play(_said("fresh", text))
    assert reached.then in {"nothing", "CancelRequest", "asks Account"}  # the closing asks which account


@pytest.mark.parametrize(
    ("text", "kind"),
    [("prod", "Production"), ("live", "Production"), ("Prod please", "Production"), ("test", "Sandbox")],
)
async def test_type_asked_for_is_a_type_also_when_an_ou_is_called_so(talks: Talks, text: str, kind: str) -> None:
    reached = await talks.play(_said("type", text))
    assert (reached.then, reached.slots) == ("asks RootEmail", {"AccountType": kind})


async def test_ambiguous_ou_is_asked_about_and_never_guessed(talks: Talks) -> None:
    reached = await talks.play(_said("ou", "prod"))
    assert reached.then == "asks AccountOU"
    assert any("Platform/Prod" in text and "Workloads/Prod" in text for text in reached.texts)


@pytest.mark.parametrize("text", ["Demos or Experiment", "either Experiment or Demos, you choose"])
async def test_alternatives_are_no_choice(talks: Talks, text: str) -> None:
    reached = await talks.play(_said("ou", text))
    assert reached.then == "asks AccountOU"


@pytest.mark.parametrize("start", ["type", "email", "ou", "confirm"])
@pytest.mark.parametrize("text", ["cancel this order please", "I changed my mind", "I don't need an account any more"])
async def test_forms_are_left_in_a_sentence_from_every_question(talks: Talks, start: str, text: str) -> None:
    assert (await talks.play(_said(start, text))).then == "dropped"


@pytest.mark.parametrize("text", ["forget Demos, use Experiment", "never mind Demos, take Experiment"])
async def test_giving_up_a_value_is_not_giving_up_the_form(talks: Talks, text: str) -> None:
    reached = await talks.play(_said("confirm", text))
    assert (reached.then, reached.slots["AccountOU"]) == ("ready", "Experiment")


def test_held_out_sentences_are_a_third() -> None:
    assert len(SENTENCES) >= 150
    assert len(HELD_OUT) == len(SENTENCES) // 3
    assert len({json.dumps([s.start, s.says]) for s in SENTENCES}) == len(SENTENCES)


def _said(start: str, text: str) -> Sentence:
    return Sentence((text,), start, "", None, "", held_out=False)
