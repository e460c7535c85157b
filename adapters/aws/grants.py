"""Whom a call is signed as: one client serves every role, because its credentials ask at each signing who acts.

Making a client takes a twentieth of a second and some megabytes; a role is assumed anew for every request
that is carried out, in a session that carries its id.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from bot.cloud import acting_for

MOST = 4096
"""Sessions that are kept; the one used longest ago goes first."""
EARLY = timedelta(minutes=5)
"""How long before its end a session is not used any more."""

acting_as: ContextVar[str] = ContextVar("acting_as", default="")
"""The chain of roles that the call under way is made with: "first>second", empty for our own identity."""


class Grants:
    """Temporary credentials by role chain and request; any thread may ask.

    `find_own` looks for our own identity at first use. `assume(role, tag)` calls STS as whoever `acting_as` names.
    What they raise passes through.
    """

    def __init__(
        self, find_own: Callable[[], Credentials | None], assume: Callable[[str, str], Mapping[str, Any]]
    ) -> None:
        self._find_own, self._assume = find_own, assume
        self._own: Credentials | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[ReadOnlyCredentials, datetime]] = OrderedDict()
        self._under_way: dict[tuple[str, str], threading.Lock] = {}

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def current(self) -> ReadOnlyCredentials:
        """Return what a call is signed with now, in this thread."""
        chain = acting_as.get()
        if chain:
            return self._of((chain, acting_for.get()))
        if self._own is None:
            self._own = self._find_own()  # two threads may look at once; they find the same
        if self._own is None:
            raise NoCredentialsError
        frozen: ReadOnlyCredentials = self._own.get_frozen_credentials()
        return frozen

    def _of(self, key: tuple[str, str]) -> ReadOnlyCredentials:
        with self._lock:
            if known := self._find(key):
                return known
            turn = self._under_way.setdefault(key, threading.Lock())
        with turn:  # threads that want the same session wait for one call; others are not held up
            with self._lock:
                if known := self._find(key):
                    return known
            try:
                granted, end = self._ask(*key)
            finally:
                with self._lock:
                    self._under_way.pop(key, None)
            with self._lock:
                self._kept[key] = granted, end
                while len(self._kept) > MOST:
                    self._kept.popitem(last=False)
            return granted

    def _find(self, key: tuple[str, str]) -> ReadOnlyCredentials | None:
        known = self._kept.get(key)
        if known is None:
            return None
        if known[1] <= datetime.now(UTC):
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return known[0]

    def _ask(self, chain: str, tag: str) -> tuple[ReadOnlyCredentials, datetime]:
        """Assume the last role of a chain from the one before it."""
        before, _, role = chain.rpartition(">")
        token = acting_as.set(before)
        try:
            granted = self._assume(role, tag)
        finally:
            acting_as.reset(token)
        keys = ReadOnlyCredentials(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])
        return keys, granted["Expiration"] - EARLY


class ActingCredentials(Credentials):  # type: ignore[misc]  # botocore is untyped
    """Credentials whose keys depend on who acts when something is signed."""

    def __init__(self, grants: Grants) -> None:
        super().__init__("unused", "unused", method="acting")
        self._grants = grants

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys of whoever acts."""
        return self._grants.current()
