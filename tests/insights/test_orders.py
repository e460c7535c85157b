"""What people order of a watch, word by word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Invalid
from bot.quiet import QuietHours
from bot.rooms import Room
from bot.watches import INSIGHTS, Held, Watch, about_account, about_insight
from intents.insights.orders import HERE, OWN, is_ending, is_order, read_order, read_until
from intents.insights.watching import put_off_until

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


@pytest.mark.parametrize(
    "said", ["quiet from 25:00 to 7:00", "quiet from 22:00 to 7:00 Nowhere/Land", "quiet from 8:00 to 8 am"]
)
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


def test_quiet_hours_end_by_the_wall_clock_on_the_days_on_which_it_is_changed() -> None:
    night = QuietHours("22:00", "07:00", "Europe/Berlin")
    spring, autumn = datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    assert night.until(spring) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    assert night.until(autumn) == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    # 02:30 is left out in spring, and there twice in autumn: the first time counts.
    early = QuietHours("02:30", "04:00", "Europe/Berlin")
    assert early.until(datetime(2026, 3, 29, 1, 45, tzinfo=UTC)) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    assert early.until(datetime(2026, 10, 25, 1, 15, tzinfo=UTC)) == datetime(2026, 10, 25, 3, 0, tzinfo=UTC)


def test_what_was_held_back_waits_for_what_was_muted_since_then() -> None:
    held = Held("k", "w", about_insight("A1"), "", f"insight A1_{'6' * 12}_us-east-1", NOW, NOW)
    watch = Watch("w", INSIGHTS, Room("rest:1", "here"), "", {}, QuietHours("16:00", "17:00"), "p", NOW)
    later = NOW + timedelta(hours=3)
    assert put_off_until(watch, held, {}, NOW) == NOW.replace(hour=17, minute=0)
    assert put_off_until(watch, held, {about_insight("A1"): later}, NOW) == later
    assert put_off_until(watch, held, {about_account("6" * 12): later}, NOW) == later
    assert put_off_until(replace(watch, quiet=None), held, {about_insight("A2"): later}, NOW) is None


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
