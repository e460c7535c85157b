"""The report as a card, as a mail's rows, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.card import Card, Facts, Item, Link, Table, Text
from bot.clock import iso
from bot.requests.record import STATE_WORDS
from intents.reports.figures import AccountEvent, Report, Spread, duration_words

FEW = 10
"""Rows of a table in a card; the CSV has all."""
HEAD = ("section", "item", "value", "unit", "at", "account", "owner", "request")
Row = tuple[str, str, str, str, str, str, str, str]


def facts_of(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the figures as name and value, for cards and mails."""
    ended = ", ".join(f"{count} {STATE_WORDS[state]}" for state, count in sorted(report.ended.items()))
    kind = " (working hours)" if report.in_working_time else ""
    return (
        ("Accounts opened", _counted(report.opened)),
        ("Accounts closed", _counted(report.closed)),
        ("Requests", f"{report.asked} asked" + (f"; {ended}" if ended else "")),
        ("Request to ready", _spread_words(report.ready)),
        (f"Time in approval{kind}", _spread_words(report.approval)),
        *((f"Spent by {name or 'accounts of no type'}", dollars(report.spent(name))) for name in report.kinds),
    )


def card_of(report: Report, *, link: str = "") -> Card:
    """Return the report as people read it; `link` leads to the CSV."""
    items: list[Item] = [Facts(facts_of(report))]
    if report.failures:
        rows = [(f.what, f.reason, str(f.count)) for f in report.failures]
        items += _table("What failed:", ("What", "Why", "Times"), rows)
    if report.leavers:
        rows = [(le.email, ", ".join(le.accounts) or "–", ", ".join(le.requests) or "–") for le in report.leavers]
        items += _table(
            "Neither in Identity Center nor in the directory, but theirs:",
            ("Who", "Accounts", "Open requests"),
            rows,
        )
    items += [Text(note, subtle=True) for note in report.notes]
    if link:
        items.append(Link("As CSV", link))
    return Card(f"Report for {report.month.title}", tuple(items), tone="warning" if report.notes else "neutral")


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[Item]:
    shown: list[Item] = [Text(title), Table(head, tuple(rows[:FEW]))]
    if len(rows) > FEW:
        shown.append(Text(f"And {len(rows) - FEW} more; the CSV has all.", subtle=True))
    return shown


def _counted(events: Sequence[AccountEvent]) -> str:
    names = ", ".join(f"{e.name or e.account_id}" for e in events[:3])
    more = f" and {len(events) - 3} more" if len(events) > 3 else ""
    return f"{len(events)}" + (f": {names}{more}" if events else "")


def _spread_words(spread: Spread) -> str:
    if not spread.count:
        return "–"
    return f"median {duration_words(spread.median)}, 90 % within {duration_words(spread.p90)} ({spread.count})"


def dollars(amount: Decimal) -> str:
    """Return an amount for people, such as $1,234.50."""
    return f"${amount:,.2f}"


def csv_of(report: Report) -> str:
    """Return the whole report as CSV (RFC 4180), one figure a row, times in seconds and money in US dollars."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEAD)
    writer.writerows([_harmless(cell) for cell in row] for row in _rows(report))
    return written.getvalue()


def _rows(report: Report) -> Iterator[Row]:
    for section, events in (("opened", report.opened), ("closed", report.closed)):
        yield _row(section, "total", str(len(events)), "accounts")
        for event in events:
            yield _event(section, event)
    yield _row("requests", "asked", str(report.asked), "requests")
    for state, count in sorted(report.ended.items()):
        yield _row("requests", state, str(count), "requests")
    for section, spread in (("request to ready", report.ready), ("time in approval", report.approval)):
        yield _row(section, "count", str(spread.count), "requests")
        for name, time in (("median", spread.median), ("p90", spread.p90)):
            yield _row(section, name, _seconds(time), "working seconds" if _is_working(report, section) else "seconds")
    for kind in report.kinds:
        yield _row("spend by type", kind or "no type", f"{report.spent(kind):.2f}", "USD")
    for one in report.spending:
        yield _row("spend", one.kind or "no type", f"{one.dollars:.2f}", "USD", account=one.account_id)
    for failure in report.failures:
        yield _row("failures", f"{failure.what}: {failure.reason}", str(failure.count), "times")
    for leaver in report.leavers:
        for account in leaver.accounts:
            yield _row("left behind", "account", "", "", account=account, owner=leaver.email)
        for request in leaver.requests:
            yield _row("left behind", "open request", "", "", owner=leaver.email, request=request)
    for note in report.notes:
        yield _row("note", note, "", "")


def _row(
    section: str,
    item: str,
    value: str,
    unit: str,
    *,
    at: datetime | None = None,
    account: str = "",
    owner: str = "",
    request: str = "",
) -> Row:
    return section, item, value, unit, iso(at) or "", account, owner, request


def _event(section: str, event: AccountEvent) -> Row:
    return _row(
        section, event.name, "", "", at=event.at, account=event.account_id, owner=event.owner, request=event.request
    )


def _is_working(report: Report, section: str) -> bool:
    return report.in_working_time and section == "time in approval"


def _seconds(time: timedelta | None) -> str:
    return "" if time is None else str(round(time.total_seconds()))


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: names are what somebody typed."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
