"""Times in words are stretches of the past, counted from the business clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import Invalid
from intents.insights.when import read_span

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "slots", "since", "until"),
    [
        ("past 12h", {"Window": "PT12H"}, "2026-11-25T02:30", "2026-11-25T14:30"),
        ("1w", {"Window": "P1W"}, "2026-11-18T14:30", "2026-11-25T14:30"),
        ("insights 1m", {"Window": "PT1M"}, "2026-10-26T14:30", "2026-11-25T14:30"),
        ("the past 5 minutes", {"Window": "PT5M"}, "2026-11-25T14:25", "2026-11-25T14:30"),
        ("in the last week", {"Day": "2026-W47"}, "2026-11-18T14:30", "2026-11-25T14:30"),
        # The recogniser's own day may be another than that of the business clock.
        ("yesterday", {"Day": "2020-01-01"}, "2026-11-24T00:00", "2026-11-25T00:00"),
        ("since Monday", {"Day": "2026-11-30"}, "2026-11-23T00:00", "2026-11-25T14:30"),
        ("since Wednesday", {}, "2026-11-18T00:00", "2026-11-25T14:30"),
        ("on Nov 20", {"Day": "2027-11-20"}, "2026-11-20T00:00", "2026-11-21T00:00"),
        ("since 2026-10-01", {"Day": "2026-10-01"}, "2026-10-01T00:00", "2026-11-25T14:30"),
        ("between 1 November and 10 November", {"Day": "2027-11-01"}, "2026-11-01T00:00", "2026-11-11T00:00"),
        ("from Nov 1st to Nov 10th, 2026", {}, "2026-11-01T00:00", "2026-11-11T00:00"),
        ("from 1 to 10 November", {}, "2026-11-01T00:00", "2026-11-11T00:00"),
        ("since the 3rd", {"Day": "2026-12-03"}, "2026-11-03T00:00", "2026-11-25T14:30"),
        ("on the 30th", {}, "2026-10-30T00:00", "2026-10-31T00:00"),
        ("from the 3rd to the 10th", {}, "2026-11-03T00:00", "2026-11-11T00:00"),
        ("on 3.11.", {}, "2026-11-03T00:00", "2026-11-04T00:00"),
        ("in October", {"Day": "2027-10"}, "2026-10-01T00:00", "2026-11-01T00:00"),
        ("since October", {}, "2026-10-01T00:00", "2026-11-25T14:30"),
        ("before yesterday", {"Day": "2020-01-01"}, "2026-05-29T14:30", "2026-11-24T00:00"),
        ("older than 3 days", {"Window": "P3D"}, "2026-05-29T14:30", "2026-11-22T14:30"),
        ("from yesterday", {}, "2026-11-24T00:00", "2026-11-25T00:00"),
        ("from yesterday on", {}, "2026-11-24T00:00", "2026-11-25T14:30"),
        ("since this morning", {}, "2026-11-25T00:00", "2026-11-25T14:30"),
        ("180 days", {"Window": "P180D"}, "2026-05-29T14:30", "2026-11-25T14:30"),
    ],
)
def test_times_in_words_are_understood(text: str, slots: dict[str, str], since: str, until: str) -> None:
    span = read_span(text, slots, NOW)
    assert span is not None
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in (span.since, span.until)] == [since, until]


def test_a_sentence_without_a_time_names_none() -> None:
    assert read_span("what's wrong in production?", {}, NOW) is None


@pytest.mark.parametrize(
    ("text", "slots", "why"),
    [
        ("200 days", {"Window": "P200D"}, "kept for 180 days"),
        ("since 2025-01-01", {"Day": "2025-01-01"}, "kept for 180 days"),
        ("in 2025", {}, "kept for 180 days"),
        ("on November 31", {"Day": "2026-12-01"}, "no November 31"),
        ("since 2026-11-31", {}, "no 2026-11-31"),
        ("on 2027-01-01", {"Day": "2027-01-01"}, "lies ahead"),
        ("99999999999 years", {"Window": "P99999999999Y"}, "kept for 180 days"),
    ],
)
def test_times_that_can_not_be_are_refused(text: str, slots: dict[str, str], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_span(text, slots, NOW)
