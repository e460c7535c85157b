"""Where a guess could end what somebody needs, the bot asks back, with buttons, and does nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.dialogue import doubting
from bot.dialogue.doubting import CERTAIN, LIKELY, ask_back, chosen, is_doubtful, offer
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


async def test_a_doubtful_wish_to_end_something_opens_no_form(talks: Talks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubting, "CERTAIN", 1.01)  # however sure it is of these words
    reached = await talks.play(Sentence(("close the account",), "fresh", "nothing", None, "", held_out=False))
    assert reached.then == "nothing"
    assert "Did you mean: closing of an account?" in reached.texts[0]
    assert "Nothing was done" in reached.texts[0]


def test_what_was_not_understood_is_offered_as_what_is_likely_and_allowed_and_near(registry: Registry) -> None:
    ranked = (("StopEverything", 0.4), ("CloseAccount", 0.3), ("AccountSpend", 0.1), ("MyAccounts", 0.05))
    mine = [intent for name, intent in registry.intents.items() if name != "StopEverything"]
    answer = offer(Turn("FallbackIntent", alternatives=ranked), "nuke it", mine)
    assert answer is not None
    assert answer.card is not None
    titles = [button.title for button in answer.card.buttons]
    assert titles == [
        *(registry.intents[n].definition.title for n in ("CloseAccount", "AccountSpend")),
        "Something else",
    ]
    found = chosen(answer.card.buttons[0].value, registry)
    assert found is not None
    assert (found[0].definition.name, found[1]) == ("CloseAccount", "nuke it")
    unlikely = Turn("FallbackIntent", alternatives=(("CloseAccount", LIKELY - 0.01),))
    assert offer(unlikely, "nuke it", mine) is None


@pytest.mark.parametrize(
    "value",
    ["", "null", "[]", "{}", '{"intent": "None"}', '{"intent": "Help", "text": " "}', '{"intent": {}, "text": 1}'],
)
def test_a_button_that_nobody_offered_means_nothing(registry: Registry, value: str) -> None:
    assert chosen(value, registry) is None
