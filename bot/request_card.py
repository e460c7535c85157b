"""One request as its card shows it: plan, who must approve, progress, outcome; always from the rows as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from bot.approvals.glass import BROKEN
from bot.approvals.office import CHANGES, requirement_of
from bot.approvals.views import status_of
from bot.card import Button, Card, Checks, Facts, Item, Link, StepMark, Text, Tone
from bot.clock import iso
from bot.conversations import Message, message_of
from bot.database.tables import approvals, messages, steps
from bot.errors import without_arns
from bot.people import shown
from bot.requests import STATE_WORDS, RequestRecord
from bot.requests.record import OFFERS, PROGRESS
from bot.requests.store import CANCELLABLE
from bot.services import Services
from bot.stopping import STOP, UNDER_WAY, stoppable

Audience = Literal["requester", "approver", "reader"]
"""Whom a copy is for: the one who asked, those who decide, or somebody who asked how it stands."""
NEWS = 6
"""Pieces of news that a card shows, the newest in full."""
STEPS = 12
_TONES: dict[str, Tone] = {
    "succeeded": "good",
    "failed": "bad",
    "rejected": "bad",
    "expired": "warning",
    "stopped": "warning",
}
_MARKS: dict[str, StepMark] = {"succeeded": "done", "running": "running", "failed": "failed"}
_SAID_IN_NEWS = ("Outcome", "What next")
"""What the newest piece of news mostly says as well; then it isn't said twice."""
ENDED = {
    "succeeded": "is done",
    "failed": "has failed",
    "rejected": "was rejected",
    "expired": "has lapsed",
    "cancelled": "was cancelled",
    "stopped": "was stopped",
}
"""What is said of a request that is over, after its name."""


@dataclass(frozen=True)
class Story:
    """What has happened to a request so far."""

    asked: tuple[str, ...]
    decided: tuple[tuple[str, str, str], ...]
    """Who decided about any version, what, and why."""
    steps: tuple[tuple[str, str, str], ...]
    news: tuple[Message, ...]


def _decider(row: Any) -> str:
    return f"{row.approver} (in the place of {row.in_place_of})" if row.in_place_of else str(row.approver)


async def story_of(services: Services, record: RequestRecord) -> Story:
    """Read what a card tells beyond the request itself."""
    async with services.database.read() as connection:
        rows = (await connection.execute(select(approvals).where(approvals.c.request_id == record.id))).all()
        done = select(steps).where(steps.c.request_id == record.id).order_by(steps.c.seq)
        carried = (await connection.execute(done)).all()
        told = (messages.c.request_id == record.id, messages.c.notice.is_not(None))
        news = (await connection.execute(select(messages).where(*told).order_by(messages.c.seq))).all()
    return Story(
        asked=tuple(r.approver for r in rows if r.version == record.version and r.decision is None),
        decided=tuple((_decider(r), r.decision, r.reason or "") for r in rows if r.decision is not None),
        steps=tuple((s.name, s.state, s.error or "") for s in carried),
        news=tuple(message_of(m) for m in news),
    )


def card_of(
    services: Services, record: RequestRecord, story: Story, *, channel: str, audience: Audience, said: str = ""
) -> Card:
    """Return the card for its requester, or for those who are asked to approve it.

    `said` are the words with which it was first shown; they stand until there is news. The verbs of approvers' buttons
    begin with the channel's name, since the adapter itself takes decisions: “slack_approve” and “slack_reject”.
    """
    console = services.settings.public_url
    stops = stoppable(services, record)
    stop_word = stops.stop_word if stops else ""
    if audience == "reader":
        return _brief(record, channel, console, stop_word)
    status = status_of(record, record.version, False, services.clock.now())
    is_open = status == "open"
    items: list[Item] = []
    if audience == "approver":
        title = ("Approval needed" if is_open else STATE_WORDS[record.state].capitalize()) + f": {record.plan.summary}"
        items += [] if is_open else _news(story.news[-1:])
    else:
        newest = story.news[-1].card if story.news else None
        title = newest.title if newest else f"{STATE_WORDS[record.state].capitalize()}: {record.plan.summary}"
        items += _news(story.news) or ([Text(said)] if said and is_open else [])
    told = {row for item in items if isinstance(item, Facts) for row in item.rows}
    if is_open and audience == "approver" and record.notes.get(CHANGES):
        items.append(Text("The plan has changed since it was approved:"))
        items.append(Facts(tuple((name, f"{before} → {after}") for name, before, after in record.notes[CHANGES])))
    items.append(Facts(tuple(row for row in record.plan.details if tuple(row) not in told)))
    if is_open and record.plan.checks:
        marks: dict[str, StepMark] = {"ok": "done", "waits": "waiting", "fails": "failed"}
        items.append(Checks(tuple((marks[c.result], c.name, c.sentence) for c in record.plan.checks)))
    words = " ".join(item.text for item in items if isinstance(item, Text))
    about = _about(record, story, is_open)
    items.append(Facts(tuple((n, v) for n, v in about if n not in _SAID_IN_NEWS or v not in words)))
    has_failed = record.state == "failed" and any(state == "failed" for _, state, _ in story.steps)
    if story.steps and (record.state == "running" or has_failed):
        items.append(
            Checks(tuple((_MARKS.get(s, "waiting"), n, without_arns(e) or s) for n, s, e in story.steps[-STEPS:]))
        )
    if progress := record.notes.get(PROGRESS):
        items.append(Checks(tuple((line[0], line[1], line[2]) for line in progress)))
    items.append(_link(record, console))
    return Card(
        title=title,
        items=tuple(items),
        buttons=_buttons(record, channel, audience, is_open, stop_word),
        tone=_TONES.get(record.state, "neutral"),
        request=record.id,
    )


def _brief(record: RequestRecord, channel: str, console: str, stop_word: str) -> Card:
    """Return how a request stands, in place of an answer that has grown old."""
    state = STATE_WORDS[record.state]
    items = (Facts((("Request", record.id), ("State", state))), _link(record, console))
    title = f"{state.capitalize()}: {record.plan.summary}"
    buttons = _buttons(record, channel, "requester", False, stop_word)
    return Card(title, items, buttons, tone=_TONES.get(record.state, "neutral"), request=record.id)


def _link(record: RequestRecord, console: str) -> Link:
    return Link("Open it in the console", f"{console.rstrip('/')}/requests/{record.id}")


def _news(news: Sequence[Message]) -> list[Item]:
    """Return what the requester was told: the newest as it was told, what came before in small print."""
    if not news:
        return []
    newest = news[-1]
    items: list[Item] = [Text(newest.text)]
    if newest.card:
        said = newest.text.casefold()
        items += [i for i in newest.card.items if not (isinstance(i, Text) and i.text.casefold() in said)]
    return items + [Text(m.text.partition("\n")[0], subtle=True) for m in reversed(news[-NEWS:-1])]


def _about(record: RequestRecord, story: Story, is_open: bool) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = [("Request", record.id), ("Asked by", shown(record.requester))]
    if is_open:
        rows.append(("Asked to approve", ", ".join(story.asked) or "see directory"))
        requirement = requirement_of(record)
        if requirement.is_several or requirement.sign_in:
            rows.append(("Needs", requirement.words))
        rows.append(("Lapses", f"{(iso(record.expires_at) or '')[:16].replace('T', ' ')} UTC"))
    if broken := record.notes.get(BROKEN):
        rows.append(("Without approval", f"{broken['by']}: {broken['reason']}"))
    for who, decision, reason in story.decided:
        name = "Approved by" if decision == "approve" else "Rejected by"
        rows.append((name, f"{who}: {reason}" if reason else who))
    rows.append(("State", STATE_WORDS[record.state]))
    outcome: dict[str, Any] = record.outcome or {}
    if outcome.get("text") and record.state != "rejected":  # who rejected it and why stands above
        rows.append(("Outcome", str(outcome["text"])))
    if outcome.get("next"):
        rows.append(("What next", str(outcome["next"])))
    return tuple(rows)


def _buttons(
    record: RequestRecord, channel: str, audience: Audience, is_open: bool, stop_word: str
) -> tuple[Button, ...]:
    if stop_word and record.state in UNDER_WAY:
        offers = tuple(Button(title, "say", text) for title, text in record.notes.get(OFFERS, ()))
        return (*offers, Button(f"Stop the {stop_word}", STOP, record.id, "destructive"))
    if audience == "approver":
        value = f"{record.id}:{record.version}"
        both = (
            Button("Approve", f"{channel}_approve", value, "positive"),
            Button("Reject", f"{channel}_reject", value, "destructive"),
        )
        return both if is_open else ()
    if record.state == "rejected":
        return (Button("Amend and ask again", "amend", record.id),)
    if record.state not in CANCELLABLE:
        return ()
    return (Button(f"Cancel {record.id}", "cancel_request", record.id, "destructive"),)
