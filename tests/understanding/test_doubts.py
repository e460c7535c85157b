"""Where a guess could end what somebody needs, the bot asks back, with buttons, and does nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue.doubting import CERTAIN, ask_back, is_doubtful
from bot.intent import Change, Registry
from bot.recognizer import Turn
from tests.understanding.talks import Sentence, Talks, open_talks


@pytest.fixture
async def talks(tmp_path: Path) -> AsyncIterator[Talks]:
    async with open_talks(tmp_path) as talks:
        yield talks


@pytest.fixture
def registry(talks: Talks) -> Registry:
    return talks.registry


def closing(registry: Registry) -> Change:
    return registry.change("CloseAccount")


@pytest.mark.parametrize(
    ("confidence", "alternatives", "slots", "doubtful"),
    [
        (CERTAIN - 0.01, (), {}, True),
        (CERTAIN, (), {}, False),
        (0.95, (("ProductTermination", 0.5),), {}, True),
        (0.95, (("ProductTermination", 0.5),), {"Account": "Demo Booth"}, False),
        (0.95, (("ProductTermination", 0.4),), {}, False),
        (0.0, (), {}, False),
    ],
)
def test_closing_is_asked_back_when_it_is_unsure_or_another_intent_is_near(
    registry: Registry,
    confidence: float,
    alternatives: tuple[tuple[str, float], ...],
    slots: dict[str, str],
    doubtful: bool,
) -> None:
    heard = Turn("CloseAccount", slots, confidence=confidence, alternatives=alternatives)
    assert is_doubtful(heard, closing(registry)) is doubtful
    assert not is_doubtful(Turn("AWSAccountVending", confidence=0.41), registry.change("AWSAccountVending"))


def test_the_question_offers_both_intents_and_keeps_what_was_said(registry: Registry) -> None:
    heard = Turn("CloseAccount", confidence=0.6, alternatives=(("ProductTermination", 0.5), ("MyAccounts", 0.4)))
    answer = ask_back(heard, closing(registry), {"Account": "Demo Booth"}, registry)
    assert "Did you mean: closing of an account · product termination · list of your accounts?" in answer.text
    assert answer.card is not None
    first, second, third, other = answer.card.buttons
    assert json.loads(first.value) == {"intent": "CloseAccount", "slots": {"Account": "Demo Booth"}}
    assert (first.verb, second.verb, third.verb, other.value) == ("submit", "submit", "say", "help")


async def test_a_doubtful_wish_to_end_something_opens_no_form(talks: Talks) -> None:
    reached = await talks.play(Sentence(("wipe the account",), "fresh", "nothing", None, "", held_out=False))
    assert reached.then == "nothing"
    assert "Did you mean: closing of an account?" in reached.texts[0]
    assert "Nothing was done" in reached.texts[0]
