"""What comes again: read from words, and reckoned over the days on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from bot.errors import Invalid
from bot.recurrence import find_recurrence, read_recurrence


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("every Tuesday 10:00", "every Tuesday at 10:00 UTC"),
        ("every tue at 10am Europe/Berlin", "every Tuesday at 10:00 Europe/Berlin"),
        ("at 22:30 Berlin time every Mon, Wed and Friday", "every Monday, Wednesday and Friday at 22:30 Europe/Berlin"),
        ("daily at noon", "every day at 12:00 UTC"),
        ("each weekday at 9 am", "every weekday at 09:00 UTC"),
        ("on Thursdays at 7:05 UTC", "every Thursday at 07:05 UTC"),
        ("weekly on Sat and Sun at midnight", "every Saturday and Sunday at 00:00 UTC"),
        ("every working day at 8:15", "every weekday at 08:15 UTC"),
        ("every first Monday of the month at 9:00", "every first Monday of the month at 09:00 UTC"),
        ("on the last fri of each month, 4 pm Berlin time", "every last Friday of the month at 16:00 Europe/Berlin"),
    ],
)  # fmt: skip
def test_words_are_read_and_read_back(said: str, words: str) -> None:
    read = read_recurrence(said)
    assert read.words == words
    assert read_recurrence(read.words) == read


def test_without_a_zone_it_is_that_of_the_working_hours() -> None:
    assert read_recurrence("every Tuesday 10:00", "Mon-Fri 09:00-17:00 Europe/Berlin").zone == "Europe/Berlin"


@pytest.mark.parametrize(
    "said",
    ["every second Tuesday at 10:00", "every month at 10:00", "every hour", "every Tuesday", "every Tuesday at 25:00",
     "every Tuesday at 10:00 CET", "every Tuesday at 10:00 Mars time", "hourly", "at 10:00"],
)  # fmt: skip
def test_what_is_not_days_of_the_week_at_a_time_in_a_known_zone_is_refused(said: str) -> None:
    with pytest.raises(Invalid):
        read_recurrence(said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run the AZ outage experiment on checkout-staging every Tuesday at 10:00 for 15 minutes",
         ("every Tuesday at 10:00", "run the AZ outage experiment on checkout-staging for 15 minutes")),
        ("every Tuesday 10:00 in staging", ("every Tuesday 10:00", "in staging")),
        ("at 10:00 CET on Mondays run x", ("on Mondays at 10:00 CET", "run x")),
        ("run it every month", ("every month", "run it")),
        ("run the AZ outage experiment for 15 minutes", None),
        ("run it on Tuesday", None),
    ],
)  # fmt: skip
def test_its_words_are_found_in_a_sentence(text: str, found: tuple[str, str] | None) -> None:
    assert find_recurrence(text) == found


def test_a_time_that_clocks_leave_out_or_show_twice_comes_once() -> None:
    berlin = read_recurrence("every Sunday at 02:30 Europe/Berlin")
    spring = list(islice(berlin.upcoming(at("2026-03-21 12:00")), 3))
    assert spring == [at("2026-03-22 01:30"), at("2026-03-29 01:30"), at("2026-04-05 00:30")]
    autumn = list(islice(berlin.upcoming(at("2026-10-24 12:00")), 2))
    assert autumn == [at("2026-10-25 00:30"), at("2026-11-01 01:30")]


def test_it_stays_at_its_local_time_when_the_clocks_change_and_never_now() -> None:
    berlin = read_recurrence("every Tuesday at 10:00 Europe/Berlin")
    assert berlin.after(at("2026-03-24 08:59")) == at("2026-03-24 09:00")
    assert berlin.after(at("2026-03-24 09:00")) == at("2026-03-31 08:00")
    assert berlin.local(at("2026-03-31 08:00")) == "Tue 31 Mar 2026 10:00 Europe/Berlin (08:00 UTC)"


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("the first Monday of the month at 9:00", ["2027-02-01", "2027-03-01", "2027-04-05"]),
        ("the 3rd Sunday of every month at 9:00", ["2027-01-17", "2027-02-21", "2027-03-21"]),
        ("every last Friday of the month at 9:00", ["2027-01-29", "2027-02-26", "2027-03-26"]),
    ],
)
def test_a_day_of_the_month_comes_once_in_each(said: str, days: list[str]) -> None:
    found = islice(read_recurrence(said).upcoming(at("2027-01-04T09:00")), 3)
    assert [f"{moment:%Y-%m-%d}" for moment in found] == days
