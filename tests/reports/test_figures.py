"""Medians, percentiles, reasons, and how they are shown."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from intents.reports.figures import (
    AccountEvent,
    FailureCount,
    Leaver,
    Report,
    Spending,
    duration_words,
    reason_of,
    spread_of,
)
from intents.reports.months import Month
from intents.reports.showing import HEAD, card_of, csv_of, facts_of

OCTOBER = Month(2026, 10)


def minutes(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


@pytest.mark.parametrize(
    ("times", "median", "p90"),
    [
        ((7,), 7, 7),
        ((3, 1), 2, 3),
        ((9, 1, 2), 2, 9),
        (tuple(range(1, 11)), 5.5, 9),
        (tuple(range(1, 21)), 10.5, 18),
    ],
)
def test_a_spread_is_the_median_and_the_nearest_rank_of_90_percent(
    times: tuple[float, ...], median: float, p90: float
) -> None:
    spread = spread_of(minutes(*times))
    assert (spread.count, spread.median, spread.p90) == (len(times), *minutes(median, p90))


def test_nothing_has_no_spread() -> None:
    assert spread_of([]).median is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12, "12 s"),
        (60, "1 min"),
        (3599, "1 h"),
        (11_100, "3 h 5 min"),
        (48 * 3600, "2 days"),
        (76 * 3600, "3 days 4 h"),
    ],
)
def test_times_are_told_as_people_say_them(seconds: int, words: str) -> None:
    assert duration_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("ThrottlingException: Rate exceeded for account 1234", "ThrottlingException"),
        ("Nothing was done: the OU is gone. Ask again.", "Nothing was done: the OU is gone"),
        ("", "no reason given"),
    ],
)
def test_reasons_leave_out_what_differs_each_time(error: str, reason: str) -> None:
    assert reason_of(error) == reason


def whole() -> Report:
    moment = datetime(2026, 10, 5, 9, tzinfo=UTC)
    return Report(
        OCTOBER,
        opened=(AccountEvent("123456789012", "=cmd()", "ana@corp.example", moment, "qm-7k3m9qxa"),),
        closed=(AccountEvent("210987654321", "old", "", moment),),
        asked=3,
        ended={"succeeded": 2, "failed": 1},
        ready=spread_of(minutes(40, 50)),
        approval=spread_of(minutes(90)),
        in_working_time=True,
        spending=(
            Spending("123456789012", "=cmd()", "Sandbox", Decimal("1234.5")),
            Spending("555566667777", "Playground", "", Decimal("9000")),
        ),
        failures=(FailureCount("order the account", "ThrottlingException", 2),),
        leavers=(Leaver("gone@corp.example", ("555566667777",), ("qm-2x2x2x2x",)),),
        notes=("Something could not be read.",),
    )


def test_the_card_tells_everything_in_words() -> None:
    text = card_of(whole(), link="http://127.0.0.1/r.csv").as_text()
    for words in (
        "Report for October 2026",
        "3 asked; 1 failed, 2 done",
        "median 45 min, 90 % within 50 min (2)",
        "Time in approval (working hours)",
        "$1,234.50",
        "Spent by accounts of no type",
        "ThrottlingException",
        "gone@corp.example",
        "Something could not be read.",
        "http://127.0.0.1/r.csv",
    ):
        assert words in text, words


def test_account_types_come_first_and_what_has_none_last() -> None:
    names = [name for name, _ in facts_of(whole()) if name.startswith("Spent")]
    assert names == ["Spent by Sandbox", "Spent by accounts of no type"]


def test_long_lists_are_cut_in_the_card_but_not_in_the_csv() -> None:
    leavers = tuple(Leaver(f"gone{n}@corp.example", ("555566667777",), ()) for n in range(25))
    report = Report(OCTOBER, leavers=leavers)
    text = card_of(report).as_text()
    assert "gone9@" in text
    assert "gone10@" not in text
    assert "And 15 more" in text
    assert csv_of(report).count("gone") == 25


def test_the_csv_has_one_figure_a_row_that_no_spreadsheet_takes_for_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(whole()))))
    assert tuple(rows[0]) == HEAD
    found = {(row["section"], row["item"]): row for row in rows}
    assert found["opened", "total"]["value"] == "1"
    opened = found["opened", "'=cmd()"]
    assert (opened["account"], opened["owner"], opened["request"]) == (
        "123456789012",
        "ana@corp.example",
        "qm-7k3m9qxa",
    )
    assert opened["at"] == "2026-10-05T09:00:00.000Z"
    assert found["request to ready", "median"]["value"] == "2700"
    assert found["time in approval", "p90"]["unit"] == "working seconds"
    assert found["spend by type", "Sandbox"]["value"] == "1234.50"
    assert found["failures", "order the account: ThrottlingException"]["value"] == "2"
    assert found["left behind", "account"]["owner"] == "gone@corp.example"
    assert found["left behind", "open request"]["request"] == "qm-2x2x2x2x"
    assert ("note", "Something could not be read.") in found


def test_a_month_in_which_nothing_happened_is_told_too() -> None:
    text = card_of(Report(OCTOBER)).as_text()
    assert "Accounts opened: 0" in " ".join(text.split())
    assert "What failed" not in text
