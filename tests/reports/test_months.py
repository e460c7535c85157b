"""Months are those of the business clock's zone; a report comes due on the first working day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.errors import Invalid, NotFound
from bot.hours import WorkingHours
from intents.reports.months import Month, due_at, due_between, month_of, zone_of

TODAY = date(2026, 11, 23)
BERLIN = WorkingHours.parse("Mon-Fri 09:00-17:00 Europe/Berlin DE-BE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", "2026-10"),
        ("last month", "2026-10"),
        ("this month", "2026-11"),
        ("October", "2026-10"),
        ("oct", "2026-10"),
        ("Oct. 2025", "2025-10"),
        ("November", "2026-11"),
        ("December", "2025-12"),
        ("the month of March?", "2026-03"),
        ("2026-10", "2026-10"),
        ("10/2026", "2026-10"),
        ("2025 1", "2025-01"),
    ],
)
def test_understands_the_month_that_is_meant(said: str, meant: str) -> None:
    assert month_of(said, TODAY).key == meant


@pytest.mark.parametrize("said", ["smarch", "ju", "2026-13", "2026", "1999-12", "yesterday", "October 26th"])
def test_what_is_no_month_is_refused_with_what_would_do(said: str) -> None:
    with pytest.raises(Invalid, match="is no month") as caught:
        month_of(said, TODAY)
    assert "2026-10" in caught.value.next_step


@pytest.mark.parametrize("said", ["2026-12", "December 2026", "1/2027"])
def test_a_month_ahead_is_refused(said: str) -> None:
    with pytest.raises(NotFound, match="has not begun"):
        month_of(said, TODAY)


def test_a_month_begins_and_ends_at_midnight_of_its_zone() -> None:
    assert BERLIN
    begin, end = Month(2026, 10).bounds(zone_of(BERLIN))
    assert (begin, end) == (at("2026-09-30T22:00"), at("2026-10-31T23:00"))
    assert Month(2026, 12).bounds(zone_of(None)) == (at("2026-12-01T00:00"), at("2027-01-01T00:00"))


@pytest.mark.parametrize(
    ("month", "hours", "due"),
    [
        (Month(2026, 12), None, "2026-12-01T00:00"),
        (Month(2026, 11), None, "2026-11-02T00:00"),  # the first is a Sunday
        (Month(2026, 11), BERLIN, "2026-11-02T08:00"),
        (Month(2027, 1), BERLIN, "2027-01-04T08:00"),  # New Year's Day, then a weekend
        (Month(2026, 5), BERLIN, "2026-05-04T07:00"),  # Labour Day is a Friday
    ],
)
def test_the_report_is_due_on_the_first_working_day(month: Month, hours: WorkingHours | None, due: str) -> None:
    assert due_at(month, hours) == at(due)


def test_each_month_comes_due_once() -> None:
    due = due_at(Month(2026, 11), BERLIN)
    assert due_between(at("2026-11-02T07:00"), at("2026-11-02T07:59"), BERLIN) == []
    assert due_between(at("2026-11-02T07:59"), due, BERLIN) == [Month(2026, 10)]
    assert due_between(due, at("2026-11-30T12:00"), BERLIN) == []


def test_months_that_were_missed_are_made_up_for_but_not_more_than_a_year() -> None:
    missed = due_between(at("2026-09-15T00:00"), at("2026-12-24T00:00"), None)
    assert missed == [Month(2026, 9), Month(2026, 10), Month(2026, 11)]
    assert len(due_between(at("2020-01-01T00:00"), at("2026-12-24T00:00"), None)) == 12
