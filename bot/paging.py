"""Pages of long lists: opaque cursors that stay right while rows are added."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page; `next_cursor` is empty on the last."""

    items: tuple[T, ...]
    next_cursor: str


def encode_cursor(*parts: str) -> str:
    """Return an opaque cursor of these parts."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """Return the parts of a cursor; raises Invalid for one that we did not make."""
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise _bad() from error
    found = text.split("\n")
    if (
        len(found) != parts
        or not all(found)
        or "\0" in text
        or (parts == 1 and not (text.isascii() and text.isdigit()))
    ):
        raise _bad()
    if parts == 1 and len(text) > 18:
        raise _bad()
    return found


def _bad() -> Invalid:
    return Invalid(
        "cursor: this is not a cursor of ours.", field="cursor", next_step="Use the one that the last page gave."
    )
