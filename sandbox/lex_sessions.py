"""Conversations with Lex V2 bots, and how many an alias holds at once.

A session ends when nothing was said for as long as the bot allows, in simulated time. They live in memory only.
"""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sandbox.errors import AwsError
from sandbox.lex_model import TEST_ALIAS

MOST_SESSIONS = 10_000
AT_ONCE, AT_ONCE_ON_TEST_ALIAS = 50, 2
"""Conversations in text at the same moment; the quota holds for each operation by itself."""


@dataclass
class LexSession:
    """One conversation: Lex's sessionState, what was said last, and the id under which the engine knows it."""

    state: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    interpretations: list[dict[str, Any]] = field(default_factory=list)
    engine_id: str = field(default_factory=lambda: secrets.token_hex(16))
    used_at: float = 0.0

    def joined(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The state that a turn starts from: what is given replaces its part, what is left out is kept.

        Intent and dialogAction belong together: giving either drops the other's old value.
        """
        kept = dict(self.state)
        if "intent" in given or "dialogAction" in given:
            kept.pop("intent", None)
            kept.pop("dialogAction", None)
        return {**kept, **given}


class LexSessions:
    """All sessions, by bot alias, locale and session id; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sessions: OrderedDict[str, LexSession] = OrderedDict()
        self._busy: Counter[tuple[str, str]] = Counter()

    def find(self, key: str, now: float, idle_seconds: float) -> LexSession | None:
        """The session, or None when there is none or it has ended."""
        with self._lock:
            found = self._sessions.get(key)
            if found is not None and now - found.used_at > idle_seconds:
                del self._sessions[key]
                found = None
            return found

    def keep(self, key: str, session: LexSession, now: float) -> None:
        """Keep a session as the one used last."""
        with self._lock:
            session.used_at = now
            self._sessions[key] = session
            self._sessions.move_to_end(key)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)

    def end(self, key: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(key, None)

    @contextmanager
    def conversing(self, alias_key: str, alias_id: str, operation: str) -> Iterator[None]:
        """Take one of the alias's places for a call; ThrottlingException when all are taken."""
        place = (alias_key, operation)
        most = AT_ONCE_ON_TEST_ALIAS if alias_id == TEST_ALIAS else AT_ONCE
        with self._lock:
            if self._busy[place] >= most:
                raise AwsError("ThrottlingException", f"Rate exceeded: {most} {operation} calls at once", status=429)
            self._busy[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[place] -= 1
