"""Reading the record: pages for people, and all that matches, as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select

from bot.clock import iso
from bot.database import Database
from bot.database.tables import audit, audit_payloads, people, requests
from bot.paging import Page, decode_cursor, encode_cursor

READ_AT_ONCE = 2_000
"""Rows that a stream reads at a time; no transaction stays open between, so a slow reader holds up nothing."""


@dataclass(frozen=True)
class Wanted:
    """Which entries: by whom (an e-mail address), about which request, of which kind, from when to before when.

    `owner` limits to requests asked with that REST key; `kind` may be a whole one (approval.approve) or its first
    part (approval).
    """

    person: str = ""
    request: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    owner: str | None = None


async def read_page(database: Database, wanted: Wanted, cursor: str, limit: int) -> Page[dict[str, Any]]:
    """Return entries newest first. Raises Invalid for a cursor that isn't ours."""
    query = matching(_entries(), wanted).order_by(audit.c.seq.desc()).limit(limit + 1)
    if cursor:
        query = query.where(audit.c.seq < int(decode_cursor(cursor, 1)[0]))
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    following = encode_cursor(str(rows[limit - 1].seq)) if len(rows) > limit else ""
    return Page(tuple(_entry(r) for r in rows[:limit]), following)


async def read_all(database: Database, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    """Yield all that match, oldest first, with all that their hashes and their payloads' digests are made of.

    Rows that are written meanwhile are left out.
    """
    async with database.read() as connection:
        end = (await connection.execute(select(audit.c.seq).order_by(audit.c.seq.desc()).limit(1))).scalar() or 0
    query = matching(_entries(audit_payloads.c.salt, audit_payloads.c.erased_at), wanted).order_by(audit.c.seq)
    last = 0
    while last < end:
        page = query.where(audit.c.seq > last, audit.c.seq <= end).limit(READ_AT_ONCE)
        async with database.read() as connection:
            rows = (await connection.execute(page)).all()
        if not rows:
            return
        for row in rows:
            yield whole_entry(row)
        last = rows[-1].seq


def matching(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """Return the query with what the filter asks for."""
    if wanted.person:
        query = query.where(people.c.email == wanted.person.strip().casefold())
    if wanted.request:
        query = query.where(audit.c.request_id == wanted.request)
    if wanted.kind:
        query = query.where((audit.c.kind == wanted.kind) | audit.c.kind.startswith(f"{wanted.kind}.", autoescape=True))
    if wanted.since:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until:
        query = query.where(audit.c.at < wanted.until)
    if wanted.owner is not None:
        query = query.where(requests.c.owner == wanted.owner)
    return query


def all_entries() -> Select[Any]:
    """Return the query for every row with all that its hash is made of."""
    return _entries(audit_payloads.c.salt, audit_payloads.c.erased_at)


def whole_entry(row: Row[Any]) -> dict[str, Any]:
    """Return a row of `all_entries` as exports show it; not sealed yet, it has neither position nor hash."""
    return {
        "position": row.position,
        "seq": row.seq,
        "at": iso(row.at),
        "kind": row.kind,
        "person_id": row.person_id,
        "person": row.email or "",
        "request_id": row.request_id,
        "payload": row.payload,
        "salt": row.salt,
        "payload_digest": row.payload_digest,
        "erased_at": iso(row.erased_at),
        "hash": row.hash,
    }


def _entries(*more: ColumnElement[Any]) -> Select[Any]:
    return (
        select(audit, audit_payloads.c.payload, people.c.email, *more)
        .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .outerjoin(people, people.c.id == audit.c.person_id)
        .outerjoin(requests, requests.c.id == audit.c.request_id)
    )


def _entry(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.seq,
        "at": iso(row.at),
        "kind": row.kind,
        "person": row.email or "",
        "request": row.request_id,
        "payload": row.payload or {},
        "digest": row.payload_digest,
        "hash": row.hash or "",
    }
