"""What people see of insights, in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.card import Card, Text
from bot.causes import Cause
from bot.insights import Event, Gap, Insight
from bot.words import lasting

MARKS = {"HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}
REFERENCE = re.compile(r"insight ([\w-]{1,100})_(\d{12})_([a-z]{2}-[a-z-]+-\d)\b")
_NUMBERED = re.compile(r"Insight (\d+)")
Name = Callable[[str], str]
FEW = 5
"""Places named for one reason."""


def reference_to(insight: Insight) -> str:
    """Return the words that name one insight for good; `REFERENCE` reads them back."""
    return f"insight {insight.id}_{insight.account}_{insight.region}"


def references_in(card: Card) -> list[tuple[str, str, str]]:
    """Return (id, account, Region) of the insights that a card's buttons name, in their order."""
    found = [match.groups() for button in card.buttons if (match := REFERENCE.search(button.value))]
    return list(dict.fromkeys((g[0], g[1], g[2]) for g in found))


def numbers_in(card: Card) -> dict[int, tuple[str, str, str]]:
    """Return (id, account, Region) of the insights that a list shows by the numbers beside them."""
    found = ((_NUMBERED.fullmatch(b.title), REFERENCE.search(b.value)) for b in card.buttons)
    return {int(title[1]): (of[1], of[2], of[3]) for title, of in found if title and of}


def when(moment: datetime) -> str:
    """Return a time for people, in UTC."""
    return f"{moment.day} {moment:%b %H:%M} UTC"


def kind_of(insight: Insight) -> str:
    """Return whether it is of now or of what is to come, in DevOps Guru's own words."""
    return "proactive" if insight.is_proactive else "reactive"


def state_of(insight: Insight, now: datetime) -> str:
    """Return whether it is open, and since when."""
    if insight.end is None:
        return f"open for {lasting(insight.lasted(now))}"
    return f"closed after {lasting(insight.lasted(now))}"


def row_of(number: int, insight: Insight, now: datetime, account: str) -> tuple[str, ...]:
    """Return an insight as a row of a list."""
    return (str(number), MARKS[insight.severity], insight.name, account, insight.region, state_of(insight, now))


def timeline(events: Sequence[Event], insight: Insight) -> list[tuple[str, str, str]]:
    """Return (when, what, where), oldest first, with the insight's own beginning and end among them."""
    rows = [
        (e.at, f"{e.name} ({e.kind.replace('_', ' ').casefold()})", ", ".join((e.source, *e.resources))) for e in events
    ]
    rows.append((insight.start, "▶ the insight opens", ""))
    if insight.end is not None:
        rows.append((insight.end, "■ the insight closes", ""))
    return [(when(at), what, where) for at, what, where in sorted(rows)]


def gap_lines(gaps: Sequence[Gap], account: Name) -> list[str]:
    """Return a line for each reason: what is not watched because of it."""
    reasons: dict[str, list[Gap]] = {}
    for gap in gaps:
        reasons.setdefault(gap.why, []).append(gap)
    return [f"Not watched: {_gaps(found, account)} ({why})." for why, found in reasons.items()]


def _gaps(gaps: Sequence[Gap], account: Name) -> str:
    """Return places in words: "stack a of Webshop Test in us-east-1", an account in all its Regions once."""
    regions: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        regions.setdefault((gap.account, gap.stack), []).append(gap.region)
    shown = []
    for (who, stack), where in list(regions.items())[:FEW]:
        what = f"stack {stack} of {account(who)}" if stack else account(who) if who else ""
        places = " and ".join(filter(None, (", ".join(where[:-1]), where[-1])))
        shown.append(f"{what} in {places}" if what else places)
    more = f"; {len(regions) - FEW} more" if len(regions) > FEW else ""
    return "; ".join(shown) + more


def still_reading(card: Card, pending: int) -> Card:
    """Return a card of first results, which says that more is to come."""
    more = "some parts" if pending == 1 else f"{pending:,} parts"
    note = Text(f"⏳ First results: {more} of the organization are still being read. The rest follows by itself.")
    return replace(card, items=(note, *card.items))


def cause_rows(causes: Sequence[Cause], insight: Insight) -> list[tuple[str, str]]:
    """Return what of ours came before an insight, as rows of facts: “Caused by” what was done in order to."""
    return [("Caused by" if cause.is_certain else "Came after", words_of_cause(cause, insight)) for cause in causes]


def words_of_cause(cause: Cause, insight: Insight) -> str:
    """Return one of them: “request qm-7k3m9qxa on the same account, 5 min before”."""
    what = "a running experiment" if cause.kind == "experiment" else "request"
    of = f"{what} {cause.request}".strip()
    return f"{of} on the same {place_of_cause(cause)}, {lasting(insight.start - cause.at)} before"


def place_of_cause(cause: Cause) -> str:
    """Return what kind of thing both touch: “account” or “stack”."""
    return cause.where.partition(" ")[0]


def mark_of_causes(causes: Sequence[Cause]) -> str:
    """Return what the title of an insight begins with that an experiment brings about; empty for any other."""
    is_meant = any(cause.kind == "experiment" and cause.is_certain for cause in causes)
    return "During an experiment: " if is_meant else ""


def deployment_before(events: Sequence[Event], insight: Insight) -> str:
    """Return a sentence about the deployment that came just before, empty when there was none."""
    before = [e for e in events if e.is_deployment and e.at <= insight.start]
    if not before:
        return ""
    last = max(before, key=lambda event: event.at)
    what = ", ".join(last.resources) or last.source
    return f"A deployment came {lasting(insight.start - last.at)} before it: {last.name} of {what}, {when(last.at)}."
