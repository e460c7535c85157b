"""The log of calls: what was asked of the sandboxed AWS, by whom, when, and how it ended."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

KEPT_CALLS = 10_000
_SECRET = re.compile(r"password|passphrase|secret(?!.*(arn|id|name)$)|session_?token|private_?key|tokencode", re.I)


@dataclass
class Call:
    """One call; `status` stays None for as long as it has no answer."""

    service: str
    operation: str
    account: str
    region: str
    params: dict[str, Any]
    at: str
    wall: str
    request_id: str
    status: int | None = None
    error: str | None = None


class CallLog:
    """The last calls, oldest first; thread-safe and bounded."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._lock = Lock()

    def add(self, call: Call) -> Call:
        """Log a call as soon as it is understood, before it has an answer."""
        with self._lock:
            self._calls.append(call)
        return call

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def entries(self, service: str | None = None, operation: str | None = None) -> list[dict[str, Any]]:
        """The calls as JSON, oldest first, narrowed to a service or an operation."""
        with self._lock:
            calls = list(self._calls)
        return [
            asdict(call) for call in calls if service in (None, call.service) and operation in (None, call.operation)
        ]


def without_secrets(value: Any, name: str = "") -> Any:
    """Parameters as JSON values, with secrets masked by the name they go under."""
    if isinstance(value, Mapping):
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
