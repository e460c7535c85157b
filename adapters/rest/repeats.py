"""Idempotency-Key: a call that is sent again gets the answer it got, and does nothing twice.

After draft-ietf-httpapi-idempotency-key-header. Only a fingerprint of the body is kept, never the body.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Header, Request
from pydantic import AfterValidator
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.rest.bodies import Posted
from adapters.rest.callers import Caller
from adapters.rest.problems import InvalidFields
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import idempotency
from bot.plan import canonical
from bot.rows import insert_new

HEADER = "Idempotency-Key"
KEPT = timedelta(days=3)
"""How long an answer is given again; REST callers retry within minutes, queues within a day or two."""
POLL = 0.1
"""Seconds between looks for the answer to the same call, which somebody else is working on."""

_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def _checked(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise ValueError("must be 1 to 255 printable ASCII characters, such as a UUID")
    return key


# Documented in words, below: that a key may not be used for two different calls is nothing a schema can say,
# and a client that fills in the parameter from its schema alone would do just that.
IdempotencyKey = Annotated[str | None, AfterValidator(_checked), Header(alias=HEADER, include_in_schema=False)]

DOCUMENTED = (
    f"The header `{HEADER}` (1 to 255 printable ASCII characters, such as a UUID) makes the call safe to "
    f"send again: for {KEPT.days} days the same call with the same key gets the same answer and does nothing "
    "twice. The same key with another call is answered 422."
)
"""For the description of every route that takes the header."""


@dataclass(frozen=True)
class Claim:
    """One call that may be a repeat. `name` is the same for every repeat, and new without a key."""

    name: str
    scope: str = ""
    key: str = ""
    is_first: bool = True
    answer: dict[str, Any] | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether the caller sent a key."""
        return bool(self.key)


class Repeats:
    """Remembers which calls came with a key, and what they were answered."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def claim(self, caller: Caller, request: Request, key: str | None, posted: Posted) -> Claim:
        """Return the claim on this call; raises InvalidFields when the key was used for another one."""
        if key is None:
            return Claim("rest:" + secrets.token_hex(20))
        if len(request.headers.getlist(HEADER)) > 1:
            raise InvalidFields([(HEADER, "is sent more than once; send it once")])
        fingerprint = _fingerprint(request, posted)
        scope = f"rest:{caller.mark}"
        row = {"scope": scope, "key": key, "fingerprint": fingerprint, "created_at": self._clock.wall()}

        async def keep(transaction: Transaction) -> tuple[bool, Any]:
            fresh = await insert_new(transaction, idempotency, row, on=["scope", "key"])
            return fresh, await _row(transaction.connection, scope, key)

        fresh, known = await self._database.write(keep)
        if known.fingerprint != fingerprint:
            problem = "was sent before with another call; use a new key for each call"
            raise InvalidFields([(HEADER, problem)])
        name = hashlib.sha256(canonical([scope, key, fingerprint])).hexdigest()
        return Claim(f"rest:{name[:40]}", scope, key, fresh, known.body)

    async def keep(self, claim: Claim, answer: dict[str, Any]) -> dict[str, Any]:
        """Keep the answer unless there is one already; return the one that is kept."""
        if not claim.is_repeatable:
            return answer

        async def work(transaction: Transaction) -> dict[str, Any]:
            mine = (idempotency.c.scope == claim.scope) & (idempotency.c.key == claim.key)
            unanswered = mine & idempotency.c.status.is_(None)
            await transaction.execute(update(idempotency).where(unanswered).values(status=200, body=answer))
            row = await _row(transaction.connection, claim.scope, claim.key)
            kept: dict[str, Any] = row.body if row else answer
            return kept

        return await self._database.write(work)

    async def first_answer(self, claim: Claim, timeout: float) -> dict[str, Any] | None:
        """Wait for the answer to the first of simultaneous calls; None when it was lost and does not come."""
        if claim.is_first or claim.answer is not None:
            return claim.answer
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            await asyncio.sleep(POLL)
            async with self._database.read() as connection:
                row = await _row(connection, claim.scope, claim.key)
            if row and row.body is not None:
                answer: dict[str, Any] = row.body
                return answer
        return None

    async def forget_old(self) -> None:
        """Remove what is older than KEPT."""
        oldest = self._clock.wall() - KEPT

        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(idempotency).where(idempotency.c.created_at < oldest))

        await self._database.write(work)


def _fingerprint(request: Request, posted: Posted) -> str:
    call = [request.method, request.url.path, posted.value]
    return hashlib.sha256(canonical(call)).hexdigest()


async def _row(connection: AsyncConnection, scope: str, key: str) -> Any:
    query = select(idempotency).where(idempotency.c.scope == scope, idempotency.c.key == key)
    return (await connection.execute(query)).first()
