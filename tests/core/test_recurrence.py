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
    ["tonight", "in two weeks", "on 24.12. at 10:00",
     "every second Tuesday at 10:00", "every fifth Tuesday at 10:00", "on 31 February at 10:00",
     "on Friday",
     "every month at 10:00", "every hour", "every Tuesday", "every Tuesday at 25:00",
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
        ("run it on Tuesday", ("on Tuesday", "run it")),
        ("run it today for 5 minutes", None),
        ("run x on checkout-staging on the 3rd of December at 10:00 for 15 minutes",
         ("on the 3rd of December at 10:00", "run x on checkout-staging for 15 minutes")),
        ("run x tomorrow 9 am", ("tomorrow 9 am", "run x")),
        ("run x every second Friday at 16:00 Europe/Berlin from 4 December",
         ("every second Friday from 4 December at 16:00 Europe/Berlin", "run x")),
        ("run x on on-friday-shop for 10 minutes", None),
        ("run x tonight for 10 minutes", ("tonight", "run x for 10 minutes")),
        ("run x on 24.12. at 10:00", ("on 24.12. at 10:00", "run x")),
        ("run x in two weeks", ("in two weeks", "run x")),
        ("run x at 10:00", ("at 10:00", "run x")),
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


THURSDAY = "2026-11-26T09:30"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("on 3 December at 10:00", "on 2026-12-03 at 10:00 UTC"),
        ("on March 3rd at 10:00 Berlin time", "on 2027-03-03 at 10:00 Europe/Berlin"),
        ("2026-12-24 at noon", "on 2026-12-24 at 12:00 UTC"),
        ("tomorrow at 8:00", "on 2026-11-27 at 08:00 UTC"),
        ("on Thursday at 10:00", "on 2026-11-26 at 10:00 UTC"),
        ("on Thursday at 9:00", "on 2026-12-03 at 09:00 UTC"),
        ("next Thursday at 10:00", "on 2026-12-03 at 10:00 UTC"),
        ("every second Friday at 16:00 Europe/Berlin", "every second Friday from 2026-11-27 at 16:00 Europe/Berlin"),
        ("every two weeks on Mon and Thu at 9:00", "every second Monday and Thursday from 2026-11-30 at 09:00 UTC"),
        ("fortnightly on Thursdays at 9:00 starting 10 December", "every second Thursday from 2026-12-10 at 09:00 UTC"),
        ("every Friday from 1 January at 9:00", "every Friday from 2027-01-01 at 09:00 UTC"),
    ],
)
def test_days_are_the_next_ones_from_now_on_and_are_read_back(said: str, words: str) -> None:
    read = read_recurrence(said, now=at(THURSDAY))
    assert read.words == words
    assert read_recurrence(read.words) == read


@pytest.mark.parametrize("said", ["today at 9:00", "on 2026-11-25 at 9:00", "on 3 December 2031 at 9:00"])
def test_what_is_over_or_years_ahead_is_refused(said: str) -> None:
    with pytest.raises(Invalid, match=r"is over|more than a year ahead"):
        read_recurrence(said, now=at(THURSDAY))


def test_every_second_week_counts_from_its_first_over_new_year_and_a_date_comes_once() -> None:
    fridays = read_recurrence("every second Friday from 2026-12-04 at 16:00 Europe/Berlin")
    days = [f"{moment:%m-%d %H}" for moment in islice(fridays.upcoming(at(THURSDAY)), 4)]
    assert days == ["12-04 15", "12-18 15", "01-01 15", "01-15 15"]
    assert list(read_recurrence("on 2026-12-03 at 10:00").upcoming(at(THURSDAY))) == [at("2026-12-03T10:00")]
