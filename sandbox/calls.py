"""The log of calls: what was asked of the sandboxed AWS, by whom, when, and how it ended."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

KEPT_CALLS = 10_000
_SECRET = re.compile(r"password|passphrase|secret(?!.*(arn|id|name)$)|session_?token|private_?key|tokencode", re.I)


@dataclass
class Call:
    """One call; `status` stays None for as long as it has no answer.

    `number` counts up from 1 for as long as the sandbox runs; `role` is the ARN of the role that the caller has
    assumed (else empty) and `tags` are its session tags.
    """

    service: str
    operation: str
    account: str
    region: str
    params: dict[str, Any]
    at: str
    wall: str
    request_id: str
    number: int = 0
    role: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    error: str | None = None


class CallLog:
    """The last calls, oldest first; thread-safe and bounded."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._lock = Lock()
        self._added = 0

    def add(self, call: Call) -> Call:
        """Log a call as soon as it is understood, before it has an answer."""
        with self._lock:
            self._added += 1
            call.number = self._added
            self._calls.append(call)
        return call

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def entries(
        self, service: str | None = None, operation: str | None = None, since: int | datetime | None = None
    ) -> list[dict[str, Any]]:
        """The calls as JSON, oldest first, narrowed to a service or an operation.

        `since` leaves out calls up to and including that number, or before that (simulated) time.
        """
        with self._lock:
            calls = list(self._calls)
        return [
            asdict(call)
            for call in calls
            if service in (None, call.service) and operation in (None, call.operation) and _is_since(call, since)
        ]


def _is_since(call: Call, since: int | datetime | None) -> bool:
    if since is None:
        return True
    return call.number > since if isinstance(since, int) else datetime.fromisoformat(call.at) >= since


def without_secrets(value: Any, name: str = "") -> Any:
    """Parameters as JSON values, with secrets masked by the name they go under."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Key"), str) and "Value" in value and _SECRET.search(value["Key"]):
            return {**value, "Value": "***"}
        return {str(key): without_secrets(entry, str(key)) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(entry, name) for entry in value]
    if value is not None and _SECRET.search(name):
        return "***"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
