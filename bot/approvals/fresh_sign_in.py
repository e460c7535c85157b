"""Fresh sign-ins: that somebody has just proved at the identity provider who they are, in this very session.

A decision that asks for one is refused in a session that was left open, on a stolen laptop, or by a forwarded mail. Who
signs people in (the console) records the proof; who takes decisions looks for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.activity import Person
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import fresh_sign_ins
from bot.rows import put

LEEWAY = timedelta(minutes=1)
"""How far the identity provider's clock may be ahead of ours."""


@dataclass(frozen=True)
class FreshSignIn:
    """One proof: when the identity provider last asked for credentials (`auth_time`), and how well (`acr`)."""

    at: datetime
    acr: str


class FreshSignIns:
    """Keeps the newest proof of each session; sessions are stored hashed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def record(self, person: Person, session: str, at: datetime, acr: str = "") -> None:
        """Remember that the person proved who they are, for one session (its secret id) alone.

        `at` is the moment of the proof by the identity provider's word (the claim auth_time), never that of our call
        alone; `acr` is its claim of that name, empty if there is none. Repeating it replaces what was known.
        """

        async def work(transaction: Transaction) -> None:
            row = {"session": _hash(session), "person_id": person.id, "at": at, "acr": acr[:200]}
            await put(transaction, fresh_sign_ins, row, on=["session"])

        await self._database.write(work)

    async def find(self, person: Person, session: str, *, within: timedelta, acr: str = "") -> FreshSignIn | None:
        """Return the session's proof if it is this person's, no older than that, and as good as `acr` asks for."""
        if not session:
            return None
        mine = (fresh_sign_ins.c.session == _hash(session), fresh_sign_ins.c.person_id == person.id)
        async with self._database.read() as connection:
            row = (await connection.execute(select(fresh_sign_ins).where(*mine))).first()
        now = self._clock.wall()
        if row is None or not (now - within <= row.at <= now + LEEWAY) or (acr and row.acr != acr):
            return None
        return FreshSignIn(row.at, row.acr)


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()
