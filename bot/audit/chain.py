"""How rows are chained: what a hash is made of, the same for writing, verifying and for others who check an export."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Row

from bot.clock import iso
from bot.plan import canonical

GENESIS = "0" * 64
"""The hash before the first row."""


def payload_digest(salt: str, payload: Any) -> str:
    """Return the digest that a row keeps of its payload, in hex."""
    return hashlib.sha256(salt.encode() + canonical(payload)).hexdigest()


def chain(previous: str, row: Row[Any], position: int) -> str:
    """Return the hash of a row at a position after the row with hash `previous`."""
    return chained(
        previous, position, row.seq, iso(row.at), row.kind, row.person_id, row.request_id, row.payload_digest
    )


def chained(
    previous: str,
    position: int,
    seq: int,
    at: str | None,
    kind: str,
    person_id: str,
    request_id: str,
    digest: str,
) -> str:
    """Return the same of a row in its parts; `at` as `bot.clock.iso` writes it."""
    content = {
        "position": position,
        "seq": seq,
        "at": at,
        "kind": kind,
        "person_id": person_id,
        "request_id": request_id,
        "payload_digest": digest,
    }
    return hashlib.sha256(previous.encode() + canonical(content)).hexdigest()
