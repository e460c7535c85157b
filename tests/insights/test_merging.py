"""The same trouble told by two sources is shown once; what may be something else is shown beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.insights import CLOUDWATCH, Insight
from intents.insights.merging import merge_same

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
GURU = Insight("A1", "6" * 12, "us-east-1", "p50", "MEDIUM", False, NOW, None, "", ("shop",), ("LAMBDA",))
ALARM = replace(GURU, id="cw-1", source=CLOUDWATCH, severity="HIGH", start=NOW + timedelta(minutes=5), stacks=("Shop",))


def test_an_alarm_about_an_insight_is_shown_with_it_as_the_graver_of_both() -> None:
    (shown,) = merge_same([ALARM, GURU])
    assert (shown.id, shown.also, shown.severity) == ("A1", ("cw-1",), "HIGH")


@pytest.mark.parametrize(
    "changed",
    [
        {"account": "7" * 12},
        {"region": "eu-west-1"},
        {"stacks": ()},
        {"stacks": ("till",)},
        {"services": ("RDS",)},
        {"start": NOW + timedelta(hours=2)},
        {"end": NOW + timedelta(hours=2)},
    ],
)
def test_what_is_elsewhere_or_at_another_time_is_something_else(changed: dict[str, object]) -> None:
    other = replace(ALARM, **changed)  # type: ignore[arg-type]
    assert merge_same([GURU, other]) == [GURU, other]


def test_an_alarm_joins_the_nearest_and_alarms_alone_stay_as_they_are() -> None:
    earlier = replace(GURU, id="A0", start=NOW - timedelta(minutes=40))
    assert [(i.id, i.also) for i in merge_same([earlier, GURU, ALARM])] == [("A0", ()), ("A1", ("cw-1",))]
    assert merge_same([ALARM]) == [ALARM]
