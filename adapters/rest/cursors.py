"""Cursors that callers see: plain enough that OpenAPI can say what they look like.

A page of requests goes on after a moment (microseconds since 1970) and an id, one of the audit after a
number, one of insights after a severity, a moment (seconds) and an id.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from bot.paging import decode_cursor, encode_cursor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBLEM = "`next_cursor` of the page before; empty for the first page."


def _cursor(pattern: str) -> Any:
    schema = {"type": "string", "pattern": pattern, "description": _PROBLEM}
    return (Field(pattern=pattern), WithJsonSchema(schema))


RequestCursor = Annotated[str, *_cursor(r"^([0-9]{16}-[2-9a-z]{8})?$")]
InsightCursor = Annotated[str, *_cursor(r"^((HIGH|MEDIUM|LOW)-[0-9]{1,12}-[A-Za-z0-9_-]{1,100})?$")]
AuditCursor = Annotated[str, *_cursor(r"^([0-9]{1,18})?$")]


def request_cursor_out(cursor: str) -> str | None:
    """Return the caller's form of a cursor of the core's, None on the last page."""
    if not cursor:
        return None
    at, request_id = decode_cursor(cursor, 2)
    microseconds = (datetime.fromisoformat(at) - _EPOCH) // timedelta(microseconds=1)
    return f"{microseconds:016d}-{request_id.removeprefix('qm-')}"


def request_cursor_in(cursor: str) -> str:
    """Return the core's form of a cursor that a caller sent."""
    if not cursor:
        return ""
    microseconds, _, request_id = cursor.partition("-")
    return encode_cursor((_EPOCH + timedelta(microseconds=int(microseconds))).isoformat(), f"qm-{request_id}")


def audit_cursor_out(cursor: str) -> str | None:
    """Return the caller's form of a cursor of the core's, None on the last page."""
    return decode_cursor(cursor, 1)[0] if cursor else None


def audit_cursor_in(cursor: str) -> str:
    """Return the core's form of a cursor that a caller sent."""
    return encode_cursor(cursor) if cursor else ""


def insight_cursor_out(cursor: str) -> str | None:
    """Return the caller's form of a cursor of the core's, None on the last page."""
    return "-".join(decode_cursor(cursor, 3)) if cursor else None


def insight_cursor_in(cursor: str) -> str:
    """Return the core's form of a cursor that a caller sent."""
    return encode_cursor(*cursor.split("-", 2)) if cursor else ""
