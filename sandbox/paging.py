"""Real paging: opaque tokens, bound to the listing they continue."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

Entry = TypeVar("Entry")


class BadPageToken(ValueError):
    """A page token that this listing didn't hand out."""


def take_page(
    entries: Sequence[Entry], *, size: int, token: str | None, listing: Any
) -> tuple[list[Entry], str | None]:
    """One page of entries and the token of the next, None on the last.

    `listing` identifies what is listed (the parameters without token and size): a token continues only the
    listing it comes from, else BadPageToken.
    """
    scope = hashlib.sha256(json.dumps(listing, sort_keys=True, default=str).encode()).hexdigest()[:16]
    start = _read(token, scope) if token else 0
    page = list(entries[start : start + size])
    end = start + len(page)
    if end >= len(entries):
        return page, None
    return page, base64.b64encode(f"{scope}:{end}".encode()).decode()


def _read(token: str, scope: str) -> int:
    try:
        token_scope, _, position = base64.b64decode(token, validate=True).decode().partition(":")
        start = int(position)
    except ValueError as error:
        raise BadPageToken(token) from error
    if token_scope != scope or start < 0:
        raise BadPageToken(token)
    return start
