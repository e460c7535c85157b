"""What people order of a watch, word by word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import Invalid
from bot.quiet import QuietHours
from intents.insights.orders import HERE, OWN, is_ending, is_order, read_order, read_until

NOW = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("said", "room", "rest"),
    [
        ("tell #ops about high severity insights in Production", "ops", "high severity insights in production"),
        ("Hey, please tell us here about lambda insights", HERE, "lambda insights"),
        (
            "could you tell me when a high severity insight opens in eu-central-1?",
            OWN,
            "a high severity insight opens in eu-central-1",
        ),
        ("let me know about new insights", OWN, "new insights"),
        ("keep us posted on insights for Webshop Prod", HERE, "insights for webshop prod"),
        ("tell me here about insights of the stack shop", HERE, "insights of the stack shop"),
    ],
)
def test_a_room_and_what_it_is_about(said: str, room: str, rest: str) -> None:
    assert is_order(said)
    order = read_order(said)
    assert (order.room, " ".join(order.rest.rstrip("?").split()), order.quiet) == (room, rest, None)


@pytest.mark.parametrize(
    ("said", "quiet"),
    [
        ("quiet from 22:00 to 7:00 Berlin time", QuietHours("22:00", "07:00", "Europe/Berlin")),
        ("except between 10 pm and 6 am, but high severity always", QuietHours("22:00", "06:00", pierced=True)),
        ("but not at night unless it is high", QuietHours("22:00", "07:00", pierced=True)),
        ("quiet 18:30-08:00 America/New_York", QuietHours("18:30", "08:00", "America/New_York")),
        ("only during working hours", QuietHours(working="Mon-Fri 09:00-17:00 UTC")),
    ],
)
def test_quiet_hours_leave_nothing_behind_that_narrows(said: str, quiet: QuietHours) -> None:
    order = read_order(f"tell us here about insights in Workloads, {said}")
    assert order.quiet == quiet
    assert " ".join(order.rest.strip(" ,").split()) == "insights in workloads"


@pytest.mark.parametrize("said", ["quiet from 25:00 to 7:00", "quiet from 22:00 to 7:00 Nowhere/Land"])
def test_hours_that_can_not_be_are_refused(said: str) -> None:
    with pytest.raises(Invalid):
        read_order(f"tell us here about insights, {said}")


def test_quiet_hours_go_over_midnight_in_their_own_zone_and_working_hours_over_weekends() -> None:
    night = QuietHours("22:00", "07:00", "Europe/Berlin")
    assert night.until(datetime(2026, 11, 23, 20, 59, tzinfo=UTC)) is None
    assert night.until(datetime(2026, 11, 23, 21, 0, tzinfo=UTC)) == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert night.until(datetime(2026, 11, 24, 5, 59, tzinfo=UTC)) == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert night.until(datetime(2026, 7, 1, 20, 30, tzinfo=UTC)) == datetime(2026, 7, 2, 5, 0, tzinfo=UTC)
    working = QuietHours(working="Mon-Fri 09:00-17:00 UTC")
    assert working.until(datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) is None
    assert working.until(datetime(2026, 11, 27, 17, 30, tzinfo=UTC)) == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("mute this for 2 hours", datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        ("mute it for a day", datetime(2026, 11, 24, 16, 30, tzinfo=UTC)),
        ("mute account Webshop Prod until tomorrow", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("mute that until Monday at 8:00", datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        ("mute it until 15:00", datetime(2026, 11, 24, 15, 0, tzinfo=UTC)),
        ("mute this", None),
    ],
)
def test_until_when(said: str, until: datetime | None) -> None:
    assert read_until(said, NOW) == until


def test_what_is_no_order_is_not_taken_for_one() -> None:
    for said in (
        "should I tell #ops about it?",
        "don't tell #ops about insights",
        "why do you tell us about insights?",
    ):
        assert not is_order(said)
    assert is_ending("don't tell us about insights any more")
    assert not is_ending("did you stop telling us about insights?")
    with pytest.raises(Invalid, match="30 days"):
        read_until("mute this for 40 days", NOW)
