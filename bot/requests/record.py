"""What a request is, and in which states it can be."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from bot.activity import Person
from bot.errors import NotFound
from bot.plan import Plan
from bot.policy import Subject

State = Literal[
    "awaiting_approval",
    "approved",
    "queued",
    "running",
    "paused",
    "stopping",
    "succeeded",
    "failed",
    "stopped",
    "rejected",
    "expired",
    "cancelled",
]
STATES: tuple[State, ...] = get_args(State)
OPEN_STATES: tuple[State, ...] = ("awaiting_approval", "approved", "queued", "running", "paused", "stopping")
STATE_WORDS: dict[str, str] = {
    "awaiting_approval": "waiting for approval",
    "approved": "approved",
    "queued": "waiting in the queue",
    "running": "being carried out",
    "paused": "paused",
    "stopping": "being stopped",
    "succeeded": "done",
    "failed": "failed",
    "stopped": "stopped",
    "rejected": "rejected",
    "expired": "expired",
    "cancelled": "cancelled",
}

PROGRESS = "progress"
"""Note on a request: how far its work is, as [mark, name, sentence] lines."""
OFFERS = "offers"
"""Note on a request: what its card offers to say while it is under way, as [title, text] pairs."""
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no letters or digits that people mix up
_ID = re.compile(rf"(?:qm-)?([{_ALPHABET}]{{8}})")


def new_request_id() -> str:
    """Return a fresh id such as qm-7k3m9qxa: short enough to type, not a secret.

    There is a digit in it: eight letters, typed without “qm-”, would be taken for a word.
    """
    while True:
        drawn = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        if not drawn.isalpha():
            return "qm-" + drawn


def request_id_of(text: str) -> str:
    """Return the id meant by what a person typed; raises NotFound when it can't be one."""
    found = _ID.fullmatch(text.strip().casefold().lstrip("#"))
    if not found:
        raise NotFound(
            f"“{text.strip()[:40]}” is not the id of a request; ids look like qm-7k3m9qxa.",
            next_step="Say “my requests” to see yours.",
        )
    return "qm-" + found[1]


@dataclass(frozen=True)
class RequestRecord:
    """One request as it stands. `version` counts the plans that were put up for approval, from 1."""

    id: str
    intent: str
    state: State
    requester: Person
    owner: str
    conversation: str
    tier: str
    slots: dict[str, str]
    plan: Plan
    digest: str
    version: int
    notes: dict[str, Any]
    outcome: dict[str, Any] | None
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def subject(self) -> Subject:
        """Return the request as policies see it."""
        return Subject(
            self.id,
            self.intent,
            self.tier,
            self.requester.email,
            tuple(self.notes.get("approvers", ())),
            self.slots,
            self.plan.account,
            self.plan.monthly_usd,
            self.plan.stacks,
        )

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state not in OPEN_STATES


@dataclass(frozen=True)
class Filter:
    """Which requests to list. `owner` limits to those asked with that REST key ("" is a key-less one)."""

    state: tuple[str, ...] = ()
    intent: str = ""
    requester: str = ""
    since: datetime | None = None
    until: datetime | None = None
    owner: str | None = None
    person_id: str = ""
    conversation: str = ""
    waits_for: str = ""
    account: str = ""
    """An account's id, or its root address: what the request touches, or has made."""
    cursor: str = ""
    limit: int = 50


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a request's history."""

    at: datetime
    title: str
    detail: str = ""
    tone: Literal["neutral", "good", "warning", "bad"] = "neutral"


def no_request(request_id: str) -> NotFound:
    """Return what is raised about a request that does not exist, or that the person may not know of: the same words."""
    return NotFound(f"There is no request {request_id}.", next_step="Say “my requests” to see yours.")
