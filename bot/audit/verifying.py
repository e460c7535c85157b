"""Verifying the whole record: its rows, its head, its erasures, and what was anchored outside of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.exc import DBAPIError

from bot.audit.anchors import Anchor
from bot.audit.chain import GENESIS, payload_digest
from bot.audit.stretches import check_stretch, connect, verify_rows
from bot.database.tables import audit, audit_head, audit_payloads, requests
from bot.errors import Unavailable

ERASED = "audit.erased"
"""Kind of the row that accounts for erased payloads: whose, who erased them, and why."""


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `fault` is empty when all is intact, else it names the first bad row, request or anchor.

    `sealed` counts the rows that are intact before it, `anchored` is the newest position that an anchor vouches for.
    """

    sealed: int
    unsealed: int
    erased: int
    fault: str = ""
    anchored: int = 0


@dataclass(frozen=True)
class _Ends:
    """Where the chain ends by its rows, and by its head."""

    last: int
    last_hash: str
    head: int
    head_hash: str
    unsealed: int
    misplaced: int | None
    """A row at a position where none belongs."""


def verify_record(url: str, anchors: Iterable[Anchor] = ()) -> Verification:
    """Recompute the whole chain; finds changed, missing, added and reordered rows, and an end that was cut off.

    Also finds payloads that were erased without a row that says who did, and requests that have no row at all, as
    after somebody emptied the record together with its head. What somebody rewrote as a whole, head included, is
    found by `anchors`. The bot may run meanwhile. Raises Unavailable when there is no record to read: that says
    nothing about its being intact. Takes long; call it in a thread.
    """
    try:
        return _verify(url, sorted(anchors, key=lambda a: (a.position, a.at)))
    except DBAPIError as error:
        raise unreadable(error) from error


def _verify(url: str, anchors: Sequence[Anchor]) -> Verification:
    with connect(url) as connection:
        ends = _ends(connection)
    position, fault = 0, ""
    erased: list[tuple[int, int]] = []
    for stretch in verify_rows(url, ends.last):
        position, fault = stretch.position, stretch.fault
        erased += stretch.erased
    with connect(url) as connection:
        if not fault:  # the rows that were sealed meanwhile
            before, ends = ends, _ends(connection)
            if ends.last > before.last:
                stretch = check_stretch(url, before.last, ends.last)
                position, fault = stretch.position, stretch.fault
                erased += stretch.erased
        accounted = _accounted_erasures(connection)
        secret = next(((seq, at) for seq, at in erased if seq not in accounted), None)
        if secret is not None:
            position = secret[1] - 1
            fault = f"payload of row {secret[0]} at position {secret[1]} was erased without an {ERASED} row"
        fault = fault or _fault_of_ends(ends) or _fault_of_anchors(connection, ends, anchors)
        if not fault and (unrecorded := _request_without_rows(connection)):
            fault = f"request {unrecorded} has no row"
    anchored = max((a.position for a in anchors), default=0)
    return Verification(position, ends.unsealed, len(erased), fault, anchored)


def unreadable(error: DBAPIError) -> Unavailable:
    """Return what to tell of a record that can't be read."""
    return Unavailable(
        f"The record can't be read: {str(error.orig).partition(chr(10))[0].rstrip('.')}.",
        next_step="Check DATABASE_URL; an empty database gets its tables from python -m bot migrate.",
    )


def _ends(connection: Connection) -> _Ends:
    """Return both ends in one statement, which sees one moment."""
    rows = audit.alias()
    last = select(rows.c.hash).order_by(rows.c.position.desc()).where(rows.c.position.is_not(None)).limit(1)
    found: Any = connection.execute(
        select(
            select(func.max(audit.c.position)).scalar_subquery().label("last"),
            last.scalar_subquery().label("last_hash"),
            select(audit_head.c.position).where(audit_head.c.id == 1).scalar_subquery().label("head"),
            select(audit_head.c.hash).where(audit_head.c.id == 1).scalar_subquery().label("head_hash"),
            select(func.count()).select_from(audit).where(audit.c.position.is_(None)).scalar_subquery().label("new"),
            select(func.min(audit.c.seq)).where(audit.c.position < 1).scalar_subquery().label("misplaced"),
        )
    ).one()
    return _Ends(
        max(found.last or 0, 0),
        (found.last_hash or "") if found.last else GENESIS,
        found.head or 0,
        found.head_hash or GENESIS,
        found.new,
        found.misplaced,
    )


def _fault_of_ends(ends: _Ends) -> str:
    if ends.misplaced is not None:
        return f"row {ends.misplaced} stands at a position before the first"
    if (ends.last, ends.last_hash) != (ends.head, ends.head_hash):
        return f"the chain ends at position {ends.last}, the head says {ends.head}"
    return ""


def _fault_of_anchors(connection: Connection, ends: _Ends, anchors: Sequence[Anchor]) -> str:
    """Return what the anchors say against a chain that is intact in itself; "" if nothing."""
    vouched = 0
    for anchor in anchors:
        if anchor.position > ends.last:
            return (
                f"the end was cut off: the chain ends at position {ends.last}, "
                f"and at {anchor.at} it was anchored at position {anchor.position}"
            )
        stored = connection.execute(select(audit.c.hash).where(audit.c.position == anchor.position)).scalar()
        if stored != anchor.hash:
            return (
                f"rows between positions {vouched + 1} and {anchor.position} were rewritten "
                f"after they were anchored at {anchor.at}"
            )
        vouched = anchor.position
    return ""


def _accounted_erasures(connection: Connection) -> frozenset[int]:
    """Return the rows whose erased payloads are accounted for; a row that accounts may wait for its seal still."""
    query = (
        select(audit.c.payload_digest, audit_payloads.c.salt, audit_payloads.c.payload)
        .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .where(audit.c.kind == ERASED, audit_payloads.c.erased_at.is_(None))
    )
    found: set[int] = set()
    for row in connection.execute(query):
        if payload_digest(row.salt, row.payload) != row.payload_digest or not isinstance(row.payload, dict):
            continue
        found.update([row.payload["seq"]] if "seq" in row.payload else row.payload.get("seqs", ()))
    return frozenset(found)


def _request_without_rows(connection: Connection) -> str:
    """Return the first request that the record knows nothing of, empty when there is none."""
    query = (
        select(requests.c.id)
        .where(~exists().where(audit.c.request_id == requests.c.id))
        .order_by(requests.c.created_at, requests.c.id)
        .limit(1)
    )
    return connection.execute(query).scalar() or ""
