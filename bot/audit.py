"""The record: append-only rows, chained by digest, with their payloads apart.

A row is written in the transaction of what it records. One leased sealer then gives rows their position
and hash: hash = SHA-256(previous hash + canonical JSON of the row). A row names people by our opaque id and
its payload by salted digest, so personal data can be erased (payload and people row) and the chain holds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, insert, null, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person, clean_text
from bot.clock import Clock, iso
from bot.database import Database, Transaction
from bot.database.tables import audit, audit_head, audit_payloads, people, requests
from bot.errors import Conflict, Invalid, NotFound, Unavailable
from bot.paging import Page, decode_cursor, encode_cursor
from bot.plan import canonical
from bot.rows import put

GENESIS = "0" * 64
SEAL_BATCH = 500
SEALER = 0x5EA1
"""Key of PostgreSQL's advisory lock under which rows are chained."""
ERASED = "audit.erased"
"""Kind of the row that accounts for an erased payload: who erased it, and why."""


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `fault` is empty when all is intact, else it names the first bad row or request."""

    sealed: int
    unsealed: int
    erased: int
    fault: str = ""


class Audit:
    """Writes, seals, lists and verifies the record."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def record(
        self,
        transaction: Transaction,
        kind: str,
        *,
        person_id: str = "",
        request_id: str = "",
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Append one row in the caller's transaction. `payload` holds JSON types and never a secret."""
        salt = secrets.token_hex(16)
        content = dict(payload or {})
        result = await transaction.execute(
            insert(audit)
            .values(
                at=self._clock.now(),
                kind=kind,
                person_id=person_id,
                request_id=request_id,
                payload_digest=payload_digest(salt, content),
            )
            .returning(audit.c.seq)
        )
        seq = result.scalar_one()
        await transaction.execute(insert(audit_payloads).values(seq=seq, salt=salt, payload=content))

    async def record_step(
        self,
        transaction: Transaction,
        *,
        request_id: str,
        digest: str,
        step: str,
        state: str,
        aws_request_ids: Sequence[str],
        error: str | None = None,
    ) -> None:
        """Append how a step on AWS ended; `digest` is that of the plan it carries out, the ids are what AWS logs."""
        payload: dict[str, Any] = {"step": step, "digest": digest, "aws_request_ids": list(aws_request_ids)}
        if error:
            payload["error"] = error
        await self.record(transaction, f"step.{state}", request_id=request_id, payload=payload)

    async def erase(self, seq: int, by: Person | str, reason: str) -> None:
        """Erase a row's payload for good and record who did and why, in one transaction; the chain holds.

        `by` is a person, or the name of an operator of the machine, who need not be one of the people. Whether
        they may is the caller's question. Raises Invalid (no reason, or the row itself accounts for an
        erasure), NotFound, or Conflict when the payload is erased already.
        """
        reason = clean_text(reason)
        if not reason:
            raise Invalid("reason: say why the payload is erased.", field="reason")

        async def work(transaction: Transaction) -> None:
            row = (await transaction.execute(select(audit).where(audit.c.seq == seq))).first()
            if row is None:
                raise NotFound(f"There is no row {seq} in the audit.")
            if row.kind == ERASED:
                raise Invalid(f"seq: row {seq} accounts for an erasure itself and stays.", field="seq")
            still_there = (audit_payloads.c.seq == seq) & audit_payloads.c.erased_at.is_(None)
            gone = {"payload": null(), "salt": "", "erased_at": self._clock.now()}
            if not (await transaction.execute(update(audit_payloads).where(still_there).values(**gone))).rowcount:
                raise Conflict(f"The payload of row {seq} is erased already.")
            payload = {"seq": seq, "reason": reason}
            if isinstance(by, str):
                payload["operator"] = clean_text(by)
            person_id = "" if isinstance(by, str) else by.id
            await self.record(transaction, ERASED, person_id=person_id, request_id=row.request_id, payload=payload)

        await self._database.write(work)

    async def seal(self) -> int:
        """Chain the rows that wait for it; return how many. Only the holder of the sealer's lease calls this."""

        async def work(transaction: Transaction) -> int:
            if transaction.connection.dialect.name == "postgresql":
                # A replica that was frozen while it held the lease may seal beside its successor.
                await transaction.execute(select(func.pg_advisory_xact_lock(SEALER)))
            head = (await transaction.execute(select(audit_head).where(audit_head.c.id == 1))).first()
            position, previous = (head.position, head.hash) if head else (0, GENESIS)
            waiting = select(audit).where(audit.c.position.is_(None)).order_by(audit.c.seq).limit(SEAL_BATCH)
            rows = (await transaction.execute(waiting)).all()
            for row in rows:
                position += 1
                previous = chain(previous, row, position)
                await transaction.execute(
                    update(audit).where(audit.c.seq == row.seq).values(position=position, hash=previous)
                )
            if rows:
                await put(transaction, audit_head, {"id": 1, "position": position, "hash": previous}, on=["id"])
            return len(rows)

        async with self._database.read() as connection:
            unsealed = (
                await connection.execute(select(audit.c.seq).where(audit.c.position.is_(None)).limit(1))
            ).first()
        return await self._database.write(work) if unsealed else 0

    async def list(
        self,
        *,
        person: str = "",
        request: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str = "",
        limit: int = 50,
        owner: str | None = None,
    ) -> Page[dict[str, Any]]:
        """Return entries newest first; `person` is an e-mail, `owner` limits to requests asked with that REST key."""
        query = _entries().order_by(audit.c.seq.desc()).limit(limit + 1)
        if person:
            query = query.where(people.c.email == person.strip().casefold())
        if request:
            query = query.where(audit.c.request_id == request)
        if since:
            query = query.where(audit.c.at >= since)
        if until:
            query = query.where(audit.c.at < until)
        if owner is not None:
            query = query.where(requests.c.owner == owner)
        if cursor:
            query = query.where(audit.c.seq < int(decode_cursor(cursor, 1)[0]))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        following = encode_cursor(str(rows[limit - 1].seq)) if len(rows) > limit else ""
        return Page(tuple(_entry(r) for r in rows[:limit]), following)

    async def export(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every row, oldest first, with all that its hash and its payload's digest are made of.

        One moment of the database; rows not sealed yet have no position and no hash. Raises Unavailable when
        there is no record to read.
        """
        query = _entries(audit_payloads.c.salt, audit_payloads.c.erased_at).order_by(
            audit.c.position.is_(None), audit.c.position, audit.c.seq
        )
        try:
            async with self._database.read() as connection, connection.stream(query) as rows:
                async for row in rows:
                    yield {
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
        except DBAPIError as error:
            raise unreadable(error) from error

    async def verify(self) -> Verification:
        """Recompute the whole chain; finds changed, missing, added and reordered rows.

        Also finds payloads that were erased without a row that says who did, and requests that have no row at
        all, as after somebody emptied the record together with its head.

        Reads one moment of the database, so it may run while rows are sealed. Raises Unavailable when there
        is no record to read: that says nothing about its being intact.
        """
        try:
            return await self._verify()
        except DBAPIError as error:
            raise unreadable(error) from error

    async def _verify(self) -> Verification:
        position, previous, erased = 0, GENESIS, 0
        async with self._database.read() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            head = (await connection.execute(select(audit_head).where(audit_head.c.id == 1))).first()
            unsealed = (
                await connection.execute(select(func.count()).select_from(audit).where(audit.c.position.is_(None)))
            ).scalar_one()
            query = (
                select(audit, audit_payloads.c.salt, audit_payloads.c.payload, audit_payloads.c.erased_at)
                .outerjoin(audit_payloads, audit_payloads.c.seq == audit.c.seq)
                .where(audit.c.position.is_not(None))
                .order_by(audit.c.position)
            )
            accounted = await _accounted_erasures(connection)
            async with connection.stream(query) as rows:
                async for row in rows:
                    fault = _fault_of(row, position + 1, previous)
                    if not fault and row.erased_at is not None and row.seq not in accounted:
                        fault = (
                            f"payload of row {row.seq} at position {position + 1} was erased without an {ERASED} row"
                        )
                    if fault:
                        return Verification(position, unsealed, erased, fault)
                    position, previous = position + 1, row.hash
                    erased += row.erased_at is not None
            unrecorded = await _request_without_rows(connection)
        expected = (head.position, head.hash) if head else (0, GENESIS)
        if (position, previous) != expected:
            fault = f"the chain ends at position {position}, the head says {expected[0]}"
        else:
            fault = f"request {unrecorded} has no row" if unrecorded else ""
        return Verification(position, unsealed, erased, fault)


def unreadable(error: DBAPIError) -> Unavailable:
    """Return what to tell of a record that can't be read."""
    return Unavailable(
        f"The record can't be read: {str(error.orig).partition(chr(10))[0].rstrip('.')}.",
        next_step="Check DATABASE_URL; an empty database gets its tables from python -m bot migrate.",
    )


async def _accounted_erasures(connection: AsyncConnection) -> frozenset[int]:
    """Return the rows whose erased payloads are accounted for; a row that accounts may wait for its seal still."""
    query = (
        select(audit.c.payload_digest, audit_payloads.c.salt, audit_payloads.c.payload)
        .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .where(audit.c.kind == ERASED, audit_payloads.c.erased_at.is_(None))
    )
    rows = (await connection.execute(query)).all()
    intact = [r.payload for r in rows if payload_digest(r.salt, r.payload) == r.payload_digest]
    return frozenset(payload["seq"] for payload in intact if isinstance(payload, dict) and "seq" in payload)


async def _request_without_rows(connection: AsyncConnection) -> str:
    """Return the first request that the record knows nothing of, empty when there is none."""
    query = (
        select(requests.c.id)
        .where(~exists().where(audit.c.request_id == requests.c.id))
        .order_by(requests.c.created_at, requests.c.id)
        .limit(1)
    )
    return (await connection.execute(query)).scalar() or ""


def _fault_of(row: Row[Any], position: int, previous: str) -> str:
    """Return what is wrong with the row that should stand at a position after the hash `previous`; "" if nothing."""
    if row.position != position:
        return f"row at position {position} is missing"
    if row.hash != chain(previous, row, position):
        return f"row {row.seq} at position {position} was changed or moved"
    if row.erased_at is not None:
        intact = row.payload is None  # erased is erased: nothing may stand there in its place
    else:
        intact = row.salt is not None and payload_digest(row.salt, row.payload) == row.payload_digest
    return "" if intact else f"payload of row {row.seq} at position {position} was changed"


def payload_digest(salt: str, payload: Any) -> str:
    """Return the digest that a row keeps of its payload, in hex."""
    return hashlib.sha256(salt.encode() + canonical(payload)).hexdigest()


def chain(previous: str, row: Row[Any], position: int) -> str:
    """Return the hash of a row at a position after the row with hash `previous`."""
    content = {
        "position": position,
        "seq": row.seq,
        "at": iso(row.at),
        "kind": row.kind,
        "person_id": row.person_id,
        "request_id": row.request_id,
        "payload_digest": row.payload_digest,
    }
    return hashlib.sha256(previous.encode() + canonical(content)).hexdigest()


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
