"""How often a run is looked at of which nobody tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from intents.releases.pacing import MOST_PAUSE, expected_seconds, next_look

BEGUN = datetime(2026, 11, 25, 10, tzinfo=UTC)
MOST_LOOKS = 4
"""Beside them a run takes two calls: a look at what was before, and its start."""


def _looks(seconds: float, expected: float) -> list[datetime]:
    """Return when a run of that length is looked at, the last time after its end."""
    looks = [next_look(BEGUN, expected, BEGUN)]
    while looks[-1] < BEGUN + timedelta(seconds=seconds):
        looks.append(next_look(BEGUN, expected, looks[-1]))
    return looks


def test_a_run_of_twenty_minutes_of_which_nothing_is_known_is_looked_at_four_times() -> None:
    assert len(_looks(1_200, 0)) == MOST_LOOKS


def test_a_run_that_takes_as_long_as_the_last_one_is_looked_at_twice_and_seen_at_once() -> None:
    looks = _looks(1_000, 1_000)
    assert len(looks) == 2
    assert looks[-1] - BEGUN < timedelta(seconds=1_040)


@given(st.floats(120, 3_600), st.floats(0, 10_800))
def test_looks_go_on_and_are_neither_frequent_nor_rare(expected: float, after: float) -> None:
    now = BEGUN + timedelta(seconds=after)
    pause = next_look(BEGUN, expected, now) - now
    assert pause >= timedelta(seconds=30)
    assert pause <= max(MOST_PAUSE, timedelta(seconds=expected * 0.55))


def test_the_last_good_run_tells_what_to_expect_within_bounds() -> None:
    for lasted, expected in ((400, 400), (1, 120), (90_000, 3_600)):
        assert expected_seconds({"startTime": BEGUN, "lastUpdateTime": BEGUN + timedelta(seconds=lasted)}) == expected
    assert expected_seconds(None) == 600
