"""Writes and seals the record, and hands out what is read from it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from bot.audit.anchors import Anchor
from bot.audit.chain import GENESIS, chain, payload_digest
from bot.audit.reading import Wanted, all_entries, read_all, read_page, whole_entry
from bot.audit.verifying import Verification, unreadable, verify_record
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import audit, audit_head, audit_payloads
from bot.paging import Page
from bot.rows import put

SEAL_BATCH = 500
SEALER = 0x5EA1
"""Key of PostgreSQL's advisory lock under which rows are chained."""


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

    async def head(self) -> tuple[int, str]:
        """Return the newest position and its hash; (0, GENESIS) while nothing is sealed."""
        async with self._database.read() as connection:
            head = (await connection.execute(select(audit_head).where(audit_head.c.id == 1))).first()
        return (head.position, head.hash) if head else (0, GENESIS)

    async def list(
        self,
        *,
        person: str = "",
        request: str = "",
        kind: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str = "",
        limit: int = 50,
        owner: str | None = None,
    ) -> Page[dict[str, Any]]:
        """Return entries newest first; `person` is an e-mail, `owner` limits to requests asked with that REST key."""
        return await read_page(
            self._database, Wanted(person, request, kind, since, until, owner), cursor=cursor, limit=limit
        )

    def stream(self, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
        """Yield all that match, oldest first, however many they are; see `bot.audit.reading.read_all`."""
        return read_all(self._database, wanted)

    async def export(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every row, oldest first, with all that its hash and its payload's digest are made of.

        One moment of the database; rows not sealed yet have no position and no hash. Raises Unavailable when
        there is no record to read.
        """
        query = all_entries().order_by(audit.c.position.is_(None), audit.c.position, audit.c.seq)
        try:
            async with self._database.read() as connection, connection.stream(query) as rows:
                async for row in rows:
                    yield whole_entry(row)
        except DBAPIError as error:
            raise unreadable(error) from error

    async def verify(self, anchors: Iterable[Anchor] = ()) -> Verification:
        """Recompute the whole chain beside everything else; see `bot.audit.verifying.verify_record`."""
        url = self._database.url.render_as_string(hide_password=False)
        return await asyncio.to_thread(verify_record, url, tuple(anchors))
