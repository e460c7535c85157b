"""A channel: what an adapter gives to the composition root, and what the outbox hands to a sender."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from bot.errors import QuartermasterError


@dataclass(frozen=True)
class Delivery:
    """One outbox row handed to a sender; `key` names it for ever, so a repeat can be recognised."""

    key: str
    channel: str
    payload: dict[str, Any]
    attempt: int
    is_repeat: bool = False
    """Whether an earlier try may have arrived: it failed, or nobody knows how it ended."""
    since: datetime | None = None
    """When it was handed in, by the wall clock: no try of it is older."""


class DeliveryFailed(QuartermasterError):
    """A sender could not deliver; `retry_after` is in seconds, None leaves the pace to the outbox."""

    title = "Not delivered"

    def __init__(self, detail: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retryable = retryable
        self.retry_after = retry_after


Sender = Callable[[Delivery], Awaitable[None]]
"""Delivers one row: returns when that is confirmed, raises DeliveryFailed otherwise."""


@dataclass
class Channel:
    """One adapter, built. `senders` maps outbox channel names to what delivers them."""

    name: str
    router: APIRouter | None = None
    senders: Mapping[str, Sender] = field(default_factory=dict)
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None
    ready: Callable[[], Awaitable[str]] | None = None
    """Empty when all is well, else what is wrong; shown by /readyz."""
    static: Mapping[str, Path] = field(default_factory=dict)
    """URL prefix to a folder of files."""
