"""Erasing what the record says about people, and keeping it when the law wants it kept.

Only payloads go, and what names the person; rows and their digests stay, so the chain holds. Every erasure is
accounted for by a row that says who did it, and why. What a legal hold is on is not erased by anything here.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, insert, null, or_, select, update

from bot.activity import Person, clean_text
from bot.audit import ERASED, Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import (
    api_keys,
    approvals,
    audit,
    audit_holds,
    audit_payloads,
    console_sessions,
    conversations,
    delegations,
    fresh_sign_ins,
    identities,
    messages,
    people,
    requests,
    sessions,
)
from bot.errors import Conflict, Invalid, NotFound
from bot.requests.record import OPEN_STATES, request_id_of

BATCH = 500
"""Rows whose payloads go in one transaction, and which one row accounts for."""

By = Person | str
"""A person, or the name of an operator of the machine, who need not be one of the people."""


@dataclass(frozen=True)
class Hold:
    """A legal hold: on one request, on all about one person, or (both empty) on everything."""

    id: str
    request_id: str
    person_id: str
    reason: str
    placed_at: datetime

    @property
    def about(self) -> str:
        """What it is on, in words."""
        return self.request_id or self.person_id or "everything"


class Erasing:
    """Erases, holds and releases; whether the caller may is their own question."""

    def __init__(self, database: Database, clock: Clock, audit: Audit) -> None:
        self._database, self._clock, self._record = database, clock, audit.record

    # ------------------------------------------------------------------------------ erasing

    async def erase_row(self, seq: int, by: By, reason: str) -> None:
        """Erase a row's payload for good and record who did and why, in one transaction; the chain holds.

        Raises Invalid (no reason, or the row itself accounts for an erasure), NotFound, or Conflict when the payload
        is erased already or a legal hold is on it.
        """
        reason = _reason(reason, "why the payload is erased")

        async def work(transaction: Transaction) -> None:
            row = (await transaction.execute(select(audit).where(audit.c.seq == seq))).first()
            if row is None:
                raise NotFound(f"There is no row {seq} in the audit.")
            if row.kind == ERASED:
                raise Invalid(f"seq: row {seq} accounts for an erasure itself and stays.", field="seq")
            held = (await transaction.execute(select(audit.c.seq).where(audit.c.seq == seq, _is_held()))).first()
            if held:
                raise Conflict(f"A legal hold is on row {seq}, so it stays.", next_step=_SEE_HOLDS)
            if not await self._erase(transaction, [seq]):
                raise Conflict(f"The payload of row {seq} is erased already.")
            payload = {"seq": seq, "reason": reason, **_operator(by)}
            await self._record(
                transaction, ERASED, person_id=_person_id(by), request_id=row.request_id, payload=payload
            )

        await self._database.write(work)

    async def erase_person(self, person: Person, by: By, reason: str) -> int:
        """Erase what is kept about a person: payloads of what they did and asked for, their talks, names and ways in.

        Their address becomes one that nobody has; requests keep their plans, whose digests were approved. Returns the
        number of payloads erased. Repeating it after a crash goes on. Raises Invalid (no reason) or Conflict: they
        have a request open, or a legal hold is on something of theirs.
        """
        reason = _reason(reason, "why the person is erased")
        theirs = or_(
            audit.c.person_id == person.id,
            audit.c.request_id.in_(select(requests.c.id).where(requests.c.person_id == person.id)),
        )
        async with self._database.read() as connection:
            mine = (requests.c.person_id == person.id, requests.c.state.in_(OPEN_STATES))
            if open_one := (await connection.execute(select(requests.c.id).where(*mine).limit(1))).scalar():
                raise Conflict(f"{person.email} still has the request {open_one} open.", next_step="Cancel it first.")
            if (await connection.execute(select(audit.c.seq).where(theirs, _is_held()).limit(1))).first():
                raise Conflict(f"A legal hold is on what is kept about {person.email}.", next_step=_SEE_HOLDS)
        count = await self._erase_all(theirs, by, reason)

        async def forget(transaction: Transaction) -> None:
            await _forget(transaction, person)
            payload = {"erased": person.id, "reason": reason, **_operator(by)}
            await self._record(transaction, "person.erased", person_id=_person_id(by), payload=payload)

        await self._database.write(forget)
        return count

    async def expire(self, days: int, *, most: int = 20_000) -> int:
        """Erase payloads older than so many days that no hold is on; return how many, at most about `most` a call."""
        before = self._clock.now() - timedelta(days=days)
        return await self._erase_all(
            and_(audit.c.at < before, ~_is_held()), "retention", f"older than {days} days", most=most
        )

    async def _erase_all(self, which: ColumnElement[bool], by: By, reason: str, *, most: int = 10**9) -> int:
        """Erase in transactions of a batch each, every one with the row that accounts for it."""

        async def work(transaction: Transaction) -> int:
            query = (
                select(audit.c.seq)
                .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
                .where(which, audit.c.kind != ERASED, audit_payloads.c.erased_at.is_(None))
                .order_by(audit.c.seq)
                .limit(BATCH)
            )
            seqs = list((await transaction.execute(query)).scalars())
            if seqs:
                await self._erase(transaction, seqs)
                payload = {"seqs": seqs, "reason": reason, **_operator(by)}
                await self._record(transaction, ERASED, person_id=_person_id(by), payload=payload)
            return len(seqs)

        count = 0
        while (erased := await self._database.write(work)) and (count := count + erased) < most:
            pass
        return count

    async def _erase(self, transaction: Transaction, seqs: Sequence[int]) -> bool:
        # The salt goes as well: left behind it would let guesses be checked.
        gone = {"payload": null(), "salt": "", "erased_at": self._clock.now()}
        still_there = (audit_payloads.c.seq.in_(seqs), audit_payloads.c.erased_at.is_(None))
        result = await transaction.execute(update(audit_payloads).where(*still_there).values(**gone))
        return bool(result.rowcount)

    # ------------------------------------------------------------------------------ legal holds

    async def hold(self, by: By, reason: str, *, request_id: str = "", person: Person | None = None) -> Hold:
        """Keep what is about a request or a person, or everything, from being erased; return the hold."""
        reason = _reason(reason, "why it is held")
        known = request_id_of(request_id) if request_id else ""
        person_id = person.id if person else ""
        hold = Hold("hold_" + secrets.token_hex(4), known, person_id, reason, self._clock.now())

        async def work(transaction: Transaction) -> None:
            if known and not (await transaction.execute(select(requests.c.id).where(requests.c.id == known))).first():
                raise NotFound(f"There is no request {known}.")
            row = {"id": hold.id, "request_id": known, "person_id": person_id, "reason": reason}
            await transaction.execute(insert(audit_holds).values(**row, placed_at=hold.placed_at))
            payload = {"hold": hold.id, "about": hold.about, "reason": reason, **_operator(by)}
            await self._record(transaction, "audit.held", person_id=_person_id(by), request_id=known, payload=payload)

        await self._database.write(work)
        return hold

    async def release(self, hold_id: str, by: By, reason: str) -> None:
        """Lift a hold; raises NotFound when there is none of that id."""
        reason = _reason(reason, "why it is released")

        async def work(transaction: Transaction) -> None:
            standing = (audit_holds.c.id == hold_id, audit_holds.c.lifted_at.is_(None))
            result = await transaction.execute(update(audit_holds).where(*standing).values(lifted_at=self._clock.now()))
            if not result.rowcount:
                raise NotFound(f"There is no hold {hold_id}.", next_step=_SEE_HOLDS)
            payload = {"hold": hold_id, "reason": reason, **_operator(by)}
            await self._record(transaction, "audit.released", person_id=_person_id(by), payload=payload)

        await self._database.write(work)

    async def holds(self) -> list[Hold]:
        """Return the holds that stand, oldest first."""
        query = select(audit_holds).where(audit_holds.c.lifted_at.is_(None)).order_by(audit_holds.c.placed_at)
        async with self._database.read() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return [Hold(r.id, r.request_id, r.person_id, r.reason, r.placed_at) for r in rows]


_SEE_HOLDS = "See python -m bot audit holds."


def _is_held() -> ColumnElement[bool]:
    """Return the condition under which a row of the audit is under a hold."""
    hold = audit_holds
    everything = and_(hold.c.request_id == "", hold.c.person_id == "")
    request = and_(hold.c.request_id != "", hold.c.request_id == audit.c.request_id)
    asked = select(requests.c.id).where(requests.c.person_id == hold.c.person_id).correlate(hold)
    person = and_(hold.c.person_id != "", or_(hold.c.person_id == audit.c.person_id, audit.c.request_id.in_(asked)))
    return exists().where(hold.c.lifted_at.is_(None), or_(everything, request, person)).correlate(audit)


async def _forget(transaction: Transaction, person: Person) -> None:
    """Take away a person's name, address, ways in and talks; the row of their id stays, without them."""
    nobody = f"{person.id}@erased.invalid"
    names = {"email": nobody, "name": "", "given_name": "", "family_name": ""}
    await transaction.execute(update(people).where(people.c.id == person.id).values(**names))
    for table in (identities, fresh_sign_ins, console_sessions, api_keys, sessions):
        await transaction.execute(delete(table).where(table.c.person_id == person.id))
    talks = select(conversations.c.id).where(conversations.c.person_id == person.id)
    await transaction.execute(delete(messages).where(messages.c.conversation.in_(talks)))
    named = (approvals.c.approver, approvals.c.in_place_of, delegations.c.approver, delegations.c.delegate)
    for column in (*named, delegations.c.named_by):
        mine = update(column.table).where(column == person.email)
        await transaction.execute(mine.values({column: nobody}))
    asked = select(requests.c.id, requests.c.notes).where(requests.c.person_id == person.id)
    for row in (await transaction.execute(asked)).all():
        notes = {name: value for name, value in row.notes.items() if name != "requester"}
        await transaction.execute(update(requests).where(requests.c.id == row.id).values(notes=notes))


def _reason(text: str, what: str) -> str:
    reason = clean_text(text)
    if not reason:
        raise Invalid(f"reason: say {what}.", field="reason")
    return reason


def _operator(by: By) -> dict[str, str]:
    return {"operator": clean_text(by)} if isinstance(by, str) else {}


def _person_id(by: By) -> str:
    return "" if isinstance(by, str) else by.id
