"""The engine's own memory of conversations, for callers that send no session state."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation between turns, in Lex's terms.

    `misses` counts the answers in a row that did not fit the question asked; Lex keeps it out of the wire.
    """

    intent: Mapping[str, Any] | None = None
    dialog_action: Mapping[str, Any] = field(default_factory=lambda: {"type": "None"})
    attributes: Mapping[str, str] = field(default_factory=dict)
    active_contexts: tuple[Mapping[str, Any], ...] = ()
    hints: Mapping[str, Any] = field(default_factory=dict)
    misses: int = 0


class SessionStore:
    """Sessions by id: idle ones expire, and past `limit` the longest idle one goes first. Thread-safe."""

    def __init__(self, *, idle_seconds: float, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds = idle_seconds
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    def get(self, session_id: str) -> Session:
        """The conversation so far, or a fresh one."""
        with self._lock:
            self._drop_expired()
            entry = self._sessions.get(session_id)
            return entry[1] if entry is not None else Session()

    def put(self, session_id: str, session: Session) -> None:
        """Remember a conversation and make it the most recently used."""
        with self._lock:
            self._sessions[session_id] = (self._clock(), session)
            self._sessions.move_to_end(session_id)
            self._drop_expired()
            while len(self._sessions) > self._limit:
                self._sessions.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._sessions)

    def _drop_expired(self) -> None:
        oldest_allowed = self._clock() - self._idle_seconds
        while self._sessions:
            last_used, _ = next(iter(self._sessions.values()))
            if last_used >= oldest_allowed:
                return
            self._sessions.popitem(last=False)
