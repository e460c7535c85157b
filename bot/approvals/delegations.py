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
from bot.people import People, checked_email, mailbox_of
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
    named_by: str = ""
    """Who said so, where it was not the approver; what they asked for is not decided by whom they named."""

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether it is in force."""
        return self.since <= moment < self.until

    def counts_for(self, requester: str) -> bool:
        """Tell whether it counts for what somebody asked for: nobody chooses who decides about their own requests."""
        return not self.named_by or mailbox_of(self.named_by) != mailbox_of(requester)


class Delegations:
    """Keeps who is away; naming another replaces what was said for the same time."""

    def __init__(self, database: Database, clock: Clock, policy: Policy, people: People, audit: Audit) -> None:
        self._database, self._clock, self._policy = database, clock, policy
        self._people, self._audit = people, audit

    async def name(
        self,
        by: Person,
        delegate: str,
        until: datetime,
        *,
        since: datetime | None = None,
        channel: str = "",
        absent: str = "",
    ) -> Delegation:
        """Record that somebody is away until then, and who stands in ("" for nobody). Times are aware.

        `absent` is the address of who is away, where that is not who says so: then policy (action "delegate-for") has
        to let them, and they can't name themselves. Raises Invalid (dates, oneself, somebody who is away as well) or
        Refused (policy, action "delegate").
        """
        away = await self._absent(by, absent, channel)
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
            if mailbox_of(stand_in) == mailbox_of(away.email):
                raise Invalid("Nobody stands in for themselves.", field="delegate", next_step="Name somebody else.")
            if mailbox_of(stand_in) == mailbox_of(by.email):
                raise Invalid(
                    "Who names a stand-in for somebody else can't take the place.",
                    field="delegate",
                    next_step="Name somebody else, or have another operator name you.",
                )
            self._policy.may_delegate(away, stand_in, channel=channel).require()
        named_by = "" if away == by else by.email
        made = Delegation("dg_" + secrets.token_hex(12), away.email, stand_in, begin, until, named_by)

        async def work(transaction: Transaction) -> None:
            theirs = await self._rows(transaction.connection, delegations.c.approver == stand_in)
            absent = next((d for d in theirs if d.since < until and begin < d.until), None)
            if stand_in and absent:
                raise Conflict(
                    f"{stand_in} is away until {iso(absent.until)} as well, and nobody stands in for a stand-in.",
                    next_step="Name somebody else.",
                )
            mine = (delegations.c.approver == away.email, delegations.c.ended_at.is_(None))
            overlapping = (delegations.c.since < until, delegations.c.until > begin)
            await transaction.execute(update(delegations).where(*mine, *overlapping).values(ended_at=now))
            await transaction.execute(insert(delegations).values(**vars(made), created_at=now))
            payload = {"delegate": stand_in, "since": iso(begin), "until": iso(until), "surface": channel}
            payload |= {"absent": away.email} if named_by else {}
            await self._audit.record(transaction, "delegation.named", person_id=by.id, payload=payload)

        await self._database.write(work)
        return made

    async def _absent(self, by: Person, absent: str, channel: str) -> Person:
        away = await self._people.of_email(checked_email(absent, field="absent")) if absent else by
        if away.email == by.email:
            return by
        self._policy.may_delegate_for(by, away.email, channel=channel).require()
        return away

    async def end(self, by: Person, delegation_id: str = "", *, channel: str = "") -> int:
        """End one delegation, or all of the person's own; return how many.

        Raises NotFound for those of others, but for whoever may name their stand-ins.
        """
        now = self._clock.now()

        async def work(transaction: Transaction) -> int:
            mine = [delegations.c.ended_at.is_(None), delegations.c.until > now]
            absent = by.email
            if delegation_id:
                mine.append(delegations.c.id == delegation_id)
                found = await self._rows(transaction.connection, *mine)
                if found and self._policy.may_delegate_for(by, found[0].approver, channel=channel).allowed:
                    absent = found[0].approver
            mine.append(delegations.c.approver == absent)
            ended = (await transaction.execute(update(delegations).where(*mine).values(ended_at=now))).rowcount
            if delegation_id and not ended:
                raise NotFound("There is no such delegation of yours.")
            if ended:
                payload = {"ended": ended, "surface": channel, **({"absent": absent} if absent != by.email else {})}
                await self._audit.record(transaction, "delegation.ended", person_id=by.id, payload=payload)
            return int(ended)

        return await self._database.write(work)

    async def concerning(self, person: Person) -> list[Delegation]:
        """Return those in force or ahead that the person named, or in which they stand in."""
        async with self._database.read() as connection:
            mine = or_(delegations.c.approver == person.email, delegations.c.delegate == person.email)
            return await self._rows(connection, mine)

    async def of_others(self, person: Person) -> list[Delegation]:
        """Return those in force or ahead of people whose stand-ins the person may name."""
        async with self._database.read() as connection:
            found = await self._rows(connection, delegations.c.approver != person.email)
        may = {a: self._policy.may_delegate_for(person, a).allowed for a in {d.approver for d in found}}
        return [d for d in found if may[d.approver]]

    async def begun(self, since: datetime) -> list[Delegation]:
        """Return those with somebody who stands in that have begun after a moment, and hold now."""
        async with self._database.read() as connection:
            found = await self._rows(connection, delegations.c.since > since, delegations.c.delegate != "")
        return [d for d in found if d.holds_at(self._clock.now())]

    async def standing_in(self, connection: AsyncConnection, person: str) -> list[Delegation]:
        """Return the absences in which a person stands in now."""
        now = self._clock.now()
        return [d for d in await self._rows(connection, delegations.c.delegate == person) if d.holds_at(now)]

    async def of_approvers(
        self, connection: AsyncConnection, approvers: Iterable[str], requester: str
    ) -> dict[str, Delegation]:
        """Return which of these approvers are away now, by address, as far as that counts for what somebody asked."""
        now = self._clock.now()
        found = await self._rows(connection, delegations.c.approver.in_(list(approvers)))
        return {d.approver: d for d in found if d.holds_at(now) and d.counts_for(requester)}

    async def _rows(self, connection: AsyncConnection, *conditions: Any) -> list[Delegation]:
        open_ones = (delegations.c.ended_at.is_(None), delegations.c.until > self._clock.now())
        query = select(delegations).where(*conditions, *open_ones).order_by(delegations.c.since, delegations.c.id)
        rows = (await connection.execute(query)).all()
        return [Delegation(r.id, r.approver, r.delegate, r.since, r.until, r.named_by) for r in rows]
