"""Who stands in for whom while they are away. A place is taken directly: nobody stands in for a stand-in.

What somebody asked for is never decided in their own place, so that no delegation makes a self-approval; and a place
is taken once, by its holder or by who stands in, so that two people never become three approvals.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock, iso
from bot.database import Database, Transaction
from bot.database.tables import delegations
from bot.errors import Conflict, Invalid, NotFound
from bot.people import People, mailbox_of
from bot.policy import Policy

LONGEST = timedelta(days=90)
"""For longer an approver is better replaced in the directory."""


@dataclass(frozen=True)
class Delegation:
    """`approver` is away from `since` until `until` (UTC); `delegate` stands in, empty where nobody does."""

    id: str
    approver: str
    delegate: str
    since: datetime
    until: datetime

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether it is in force."""
        return self.since <= moment < self.until


class Delegations:
    """Keeps who is away; naming another replaces what was said for the same time."""

    def __init__(self, database: Database, clock: Clock, policy: Policy, people: People, audit: Audit) -> None:
        self._database, self._clock, self._policy = database, clock, policy
        self._people, self._audit = people, audit

    async def name(
        self, by: Person, delegate: str, until: datetime, *, since: datetime | None = None, channel: str = ""
    ) -> Delegation:
        """Record that somebody is away until then, and who stands in ("" for nobody). Times are aware.

        Raises Invalid (dates, oneself, somebody who is away as well) or Refused (policy, action "delegate").
        """
        now = self._clock.now()
        begin = max(since or now, now)
        if until <= begin:
            raise Invalid("That is over before it begins.", field="until", next_step="Say until when you are away.")
        if until - begin > LONGEST:
            raise Invalid(
                f"That is longer than {LONGEST.days} days.",
                field="until",
                next_step="Ask your platform team to name another approver instead.",
            )
        stand_in = ""
        if delegate:
            stand_in = (await self._people.of_email(delegate)).email
            if mailbox_of(stand_in) == mailbox_of(by.email):
                raise Invalid("You can't stand in for yourself.", field="delegate")
            self._policy.may_delegate(by, stand_in, channel=channel).require()
        made = Delegation("dg_" + secrets.token_hex(12), by.email, stand_in, begin, until)

        async def work(transaction: Transaction) -> None:
            theirs = await self._rows(transaction.connection, delegations.c.approver == stand_in)
            absent = next((d for d in theirs if d.since < until and begin < d.until), None)
            if stand_in and absent:
                raise Conflict(
                    f"{stand_in} is away until {iso(absent.until)} as well, and nobody stands in for a stand-in.",
                    next_step="Name somebody else.",
                )
            mine = (delegations.c.approver == by.email, delegations.c.ended_at.is_(None))
            overlapping = (delegations.c.since < until, delegations.c.until > begin)
            await transaction.execute(update(delegations).where(*mine, *overlapping).values(ended_at=now))
            await transaction.execute(insert(delegations).values(**vars(made), created_at=now))
            payload = {"delegate": stand_in, "since": iso(begin), "until": iso(until), "surface": channel}
            await self._audit.record(transaction, "delegation.named", person_id=by.id, payload=payload)

        await self._database.write(work)
        return made

    async def end(self, by: Person, delegation_id: str = "", *, channel: str = "") -> int:
        """End one of the person's own delegations, or all of them; return how many. Raises NotFound for others'."""
        now = self._clock.now()

        async def work(transaction: Transaction) -> int:
            mine = [delegations.c.approver == by.email, delegations.c.ended_at.is_(None), delegations.c.until > now]
            if delegation_id:
                mine.append(delegations.c.id == delegation_id)
            ended = (await transaction.execute(update(delegations).where(*mine).values(ended_at=now))).rowcount
            if delegation_id and not ended:
                raise NotFound("There is no such delegation of yours.")
            if ended:
                payload = {"ended": ended, "surface": channel}
                await self._audit.record(transaction, "delegation.ended", person_id=by.id, payload=payload)
            return int(ended)

        return await self._database.write(work)

    async def concerning(self, person: Person) -> list[Delegation]:
        """Return those in force or ahead that the person named, or in which they stand in."""
        async with self._database.read() as connection:
            mine = or_(delegations.c.approver == person.email, delegations.c.delegate == person.email)
            return await self._rows(connection, mine)

    async def begun(self, since: datetime) -> list[Delegation]:
        """Return those with somebody who stands in that have begun after a moment, and hold now."""
        async with self._database.read() as connection:
            found = await self._rows(connection, delegations.c.since > since, delegations.c.delegate != "")
        return [d for d in found if d.holds_at(self._clock.now())]

    async def stood_in_for(self, connection: AsyncConnection, person: str) -> tuple[str, ...]:
        """Return the addresses of those for whom a person stands in now."""
        now = self._clock.now()
        found = await self._rows(connection, delegations.c.delegate == person)
        return tuple(dict.fromkeys(d.approver for d in found if d.holds_at(now)))

    async def of_approvers(self, connection: AsyncConnection, approvers: Iterable[str]) -> dict[str, Delegation]:
        """Return which of these approvers are away now, by address."""
        now = self._clock.now()
        found = await self._rows(connection, delegations.c.approver.in_(list(approvers)))
        return {d.approver: d for d in found if d.holds_at(now)}

    async def _rows(self, connection: AsyncConnection, *conditions: Any) -> list[Delegation]:
        open_ones = (delegations.c.ended_at.is_(None), delegations.c.until > self._clock.now())
        query = select(delegations).where(*conditions, *open_ones).order_by(delegations.c.since, delegations.c.id)
        rows = (await connection.execute(query)).all()
        return [Delegation(r.id, r.approver, r.delegate, r.since, r.until) for r in rows]
