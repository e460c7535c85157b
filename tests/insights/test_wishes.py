"""What is wished of watches that there are, word by word."""

from __future__ import annotations

import pytest

from bot.errors import Invalid
from bot.quiet import QuietHours
from intents.insights.wishes import Wish, read_wish

NIGHT = QuietHours("22:00", "07:00")
WORKING = QuietHours(working="Mon-Fri 09:00-17:00 UTC")


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("don't bother us at night", Wish(NIGHT, False, "")),
        ("Please don\u2019t bother us at night any more.", Wish(NIGHT, False, "")),
        ("never wake me overnight", Wish(NIGHT, True, "")),
        ("can you be quiet at night?", Wish(NIGHT, False, "")),
        ("keep quiet at night", Wish(NIGHT, False, "")),
        ("let us sleep at night", Wish(NIGHT, False, "")),
        ("don't bother us at night again", Wish(NIGHT, False, "")),
        ("stop telling us about lambda insights at night", Wish(NIGHT, False, "lambda insights")),
        ("don't tell us about insights in Production at night", Wish(NIGHT, False, "insights in production")),
        (
            "don't bother us at night unless it's high severity",
            Wish(QuietHours("22:00", "07:00", pierced=True), False, ""),
        ),
        ("don't disturb us between 10 pm and 6:30", Wish(QuietHours("22:00", "06:30"), False, "")),
        ("quiet hours from 23:00 to 8:00 Berlin time", Wish(QuietHours("23:00", "08:00", "Europe/Berlin"), False, "")),
        ("leave us alone outside working hours", Wish(WORKING, False, "")),
        ("only tell us during working hours", Wish(WORKING, False, "")),
        ("tell us only during working hours", Wish(WORKING, False, "")),
        ("end the quiet hours", Wish(None, False, "")),
        ("no quiet hours any more", Wish(None, False, "")),
        ("end my quiet hours", Wish(None, True, "")),
        ("you may bother us at night again", Wish(None, False, "")),
        ("tell us about lambda insights at night again", Wish(None, False, "lambda insights")),
    ],
)
def test_quiet_hours_are_wished_for_or_ended(said: str, wish: Wish) -> None:
    assert read_wish(said) == wish


@pytest.mark.parametrize(
    "said",
    [
        "tell us here about insights in Production, quiet from 22:00 to 7:00",
        "tell us here about lambda insights, but not at night",
        "tell #ops about insights during working hours",
        "don't bother us",
        "don't bother us during working hours",
        "stop telling us about insights",
        "be quiet about this for 2 hours",
        "mute this until 7:00",
        "when are the quiet hours?",
        "why don't you tell us at night?",
        "what happened at night?",
    ],
)
def test_orders_and_questions_are_no_wishes(said: str) -> None:
    assert read_wish(said) is None


def test_hours_that_can_not_be_are_refused() -> None:
    with pytest.raises(Invalid, match="never be told"):
        read_wish("don't bother us from 8:00 to 8 am")
