"""What a workflow is made of: segments of steps that end by saying what to wait for.

A segment is an ordinary async function of a `Run`. It ends with one of the results below, which are
recorded in one transaction together with what the requester is told. Waiting is a row: nothing sleeps
inside a workflow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.card import Card, StepMark
from bot.database import Transaction
from bot.plan import Plan


@dataclass(frozen=True)
class Notice:
    """Something the requester hears; `key` makes it once per request."""

    key: str
    text: str
    card: Card | None = None


@dataclass(frozen=True)
class Wait:
    """Go on with segment `then` when the watcher of `kind` finds `key` ready, or at `due` for kind "timer"."""

    kind: str
    key: str
    then: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    due: datetime | None = None
    state: Literal["queued", "running"] | None = None
    """State that the request has while it waits."""
    notice: Notice | None = None


@dataclass(frozen=True)
class Done:
    """The request succeeded, or was stopped. `yields` goes into the outcome (vending: account_id)."""

    notice: Notice
    text: str
    next_step: str = ""
    yields: Mapping[str, Any] = field(default_factory=dict)
    state: Literal["succeeded", "stopped"] = "succeeded"


@dataclass(frozen=True)
class Failed:
    """The request failed for good: why, and what the person can do next."""

    notice: Notice
    text: str
    next_step: str
    yields: Mapping[str, Any] = field(default_factory=dict)
    retry: Mapping[str, Any] | None = None
    """Where an operator's retry goes on: {"segment": name, "payload": JSON}. None: it can only be asked again."""


SegmentResult = Wait | Done | Failed | Plan
"""A Plan is another than the approved one, found before the first change: the approvers are asked again."""


@dataclass(frozen=True)
class Waiting:
    """One row that a watcher looks at; `since` is when the wait began, `payload` with what verdicts have added."""

    seq: int
    request_id: str
    key: str
    payload: Mapping[str, Any]
    since: datetime
    noticed: bool
    number: int
    """Place among the waits of this kind, oldest first, from 1."""


@dataclass(frozen=True)
class Verdict:
    """What a watcher says of one row: ready (start the segment), or not yet, perhaps with a notice.

    Each notice of a row is sent once, told apart by its key. `payload` is added to the row's, ready or not.
    """

    ready: bool
    payload: Mapping[str, Any] = field(default_factory=dict)
    notice: Notice | None = None
    state: Literal["queued", "running"] | None = None
    progress: Sequence[tuple[StepMark, str, str]] | None = None
    """How far the work is, shown live on the request's card: (mark, name, sentence). None: as before."""
    admits: Callable[[Transaction], Awaitable[bool]] | None = None
    """Of a ready row: asked in the transaction that lets it go on. When it says no, the row is looked at again."""


@dataclass(frozen=True)
class Watcher:
    """Looks at all waiting rows of one kind at once, every `every` of business time.

    `look` must be cheap to repeat and must change nothing; rows missing from its answer are not ready.
    One replica at a time runs it.
    """

    kind: str
    every: timedelta
    look: Callable[[Sequence[Waiting]], Awaitable[Mapping[int, Verdict]]]
