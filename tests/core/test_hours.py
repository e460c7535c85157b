"""Working hours: what counts, what does not, and what can't be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import SettingsError
from bot.hours import WorkingHours


def hours(text: str = "Mon-Fri 09:00-17:00 Europe/Berlin DE-BE") -> WorkingHours:
    found = WorkingHours.parse(text)
    assert found is not None
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "working", "due"),
    [
        ("2026-11-23 09:00", 4, "2026-11-23 13:00"),  # a Monday; Berlin is an hour ahead
        ("2026-11-23 14:00", 4, "2026-11-24 10:00"),  # two hours are left of the day
        ("2026-11-27 15:00", 2, "2026-11-30 09:00"),  # Friday evening: on Monday
        ("2026-11-28 12:00", 8, "2026-11-30 16:00"),  # Saturday
        ("2026-12-24 14:00", 3, "2026-12-28 09:00"),  # Christmas on a Friday, and the weekend
        ("2026-10-23 14:00", 2, "2026-10-26 09:00"),  # over the end of summer time
        ("2026-11-23 03:00", 8, "2026-11-23 16:00"),  # before work begins
        ("2026-11-23 08:00", 0, "2026-11-23 08:00"),
    ],
)
def test_only_working_time_passes(since: str, working: float, due: str) -> None:
    assert hours().add(at(since), timedelta(hours=working)) == at(due)


def test_time_between_is_what_adding_gave() -> None:
    since = at("2026-12-23 11:30")
    for minutes in range(0, 4000, 77):
        duration = timedelta(minutes=minutes)
        assert hours().between(since, hours().add(since, duration)) == duration


def test_holidays_are_the_subdivisions_own() -> None:
    womens_day = at("2026-03-09 00:00").replace(day=8, year=2027)  # a Monday; a holiday in Berlin, not in Bavaria
    assert hours().is_holiday(womens_day.date())
    assert not hours("Mon-Fri 09:00-17:00 Europe/Berlin DE-BY").is_holiday(womens_day.date())
    assert not hours("Mon-Fri 09:00-17:00 Europe/Berlin").is_holiday(womens_day.date())


def test_days_may_be_listed_and_wrap() -> None:
    assert hours("Sun-Thu 08:00-16:00 Asia/Dubai").days == {6, 0, 1, 2, 3}
    assert hours("Mon,Wed,Fri 08:00-16:00 UTC").days == {0, 2, 4}


def test_unset_means_that_every_hour_counts() -> None:
    assert WorkingHours.parse("  ") is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("nine to five", "can't be read"),
        ("Mon-Fri 09:00-17:00 Europe/Nowhere", "no time zone"),
        ("Mon-Fri 17:00-09:00 UTC", "not before"),
        ("Mon-Fri 09:00-25:00 UTC", "no times of a day"),
        ("Foo-Fri 09:00-17:00 UTC", "no days"),
        ("Mon-Fri 09:00-17:00 UTC XX", "holidays of XX"),
        ("Mon-Fri 09:00-17:00 UTC DE-QQ", "holidays of DE-QQ"),
    ],
)
def test_what_can_not_be_meant_is_named_with_an_example(text: str, fault: str) -> None:
    with pytest.raises(SettingsError) as caught:
        WorkingHours.parse(text)
    assert fault in caught.value.detail
    assert "Mon-Fri 09:00-17:00 Europe/Berlin DE-BE" in caught.value.next_step
