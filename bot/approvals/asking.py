"""Putting a request up for approval: who is asked, reminders, escalation, expiry."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from bot.approvals.counting import decided_rows, undecided_rows
from bot.approvals.office import APPROVERS, ESCALATED, FREED, REQUIREMENT, Office, is_same_person
from bot.card import Card, Text
from bot.clock import iso
from bot.database import Transaction
from bot.database.tables import approvals, waits
from bot.plan import Plan
from bot.policy import Requirement
from bot.requests import RequestRecord
from bot.rows import insert_new

EXPIRY = "approval-expiry"
"""Kind of the waiting row that lets an approval lapse."""
REMINDER = "approval-reminder"
"""Kind of the waiting row at half time."""
ESCALATION = "approval-escalation"
"""Kind of the waiting row after which others are asked as well."""
LATE = 0.75
"""Share of the approval's time after which others are asked, where nobody says when."""


class Asking:
    """Asks people; see Approvals."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def notes(self, plan: Plan, requester: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Return what is noted on a request that is put up: what is demanded, and who is asked."""
        whom = self._office.whom(plan, requester, values)
        return {APPROVERS: list(whom.approvers), REQUIREMENT: whom.requirement.as_list(), ESCALATED: [], FREED: []}

    async def ask(self, transaction: Transaction, record: RequestRecord) -> None:
        """Put a request's current version up for approval: rows, mails, and the rows that fire later.

        What needs nobody's approval goes on at once, and is recorded as that.
        """
        office = self._office
        whom = office.whom_of(record)
        if whom.requirement.is_none:
            await self._go_on(transaction, record, whom.requirement)
            return
        now = office.clock.now()
        await self.put_up(transaction, record, whom.approvers)
        notice = {"kind": "approval_notice", "request_id": record.id, "version": record.version}
        for address in whom.shared:
            key = f"{record.id}:{record.version}:notice:{address}"
            await office.outbox.put(
                transaction, key[:255], "email", {**notice, "to": address}, pace=f"email:{address}"[:255]
            )
        if office.topic:
            await office.outbox.put(transaction, f"{record.id}:{record.version}:sns", "sns", notice, pace="sns")
        await office.requests.end_waits(transaction, record.id)
        fires = [(EXPIRY, record.expires_at), (REMINDER, office.after(now, office.hours / 2))]
        if whom.then:
            fires.append((ESCALATION, office.after(now, whom.after or office.hours * LATE)))
        for kind, due in fires:
            await self._wait(transaction, record, kind, due)

    async def put_up(self, transaction: Transaction, record: RequestRecord, seats: Iterable[str]) -> list[str]:
        """Ask the holders of these seats, or who stands in for them; return who was asked that was not before."""
        office = self._office
        seats = list(seats)
        absences = await office.delegations.of_approvers(transaction.connection, seats, record.requester.email)
        asked = []
        for seat in seats:
            if is_same_person(seat, record.requester.email):
                continue  # four eyes: asking them would be no use, nor asking who stands in for them
            absence = absences.get(seat)
            person = (absence.delegate if absence else "") or seat
            if is_same_person(person, record.requester.email):
                person = seat
            approval_id = "ap_" + secrets.token_hex(12)
            row = {
                "id": approval_id,
                "request_id": record.id,
                "version": record.version,
                "approver": person,
                "in_place_of": seat if person != seat else None,
                "asked_at": office.clock.now(),
            }
            if not await insert_new(transaction, approvals, row, on=["request_id", "version", "approver"]):
                continue
            asked.append(person)
            key = f"{record.id}:{record.version}:approval:{person}"
            payload: dict[str, Any] = {"kind": "approval", "approval_id": approval_id}
            await office.outbox.put(transaction, key[:255], "email", payload, pace=f"email:{person}"[:255])
        return asked

    async def ask_stand_in(self, transaction: Transaction, record: RequestRecord, approver: str) -> bool:
        """Ask who stands in for an approver from now on about a request that waits; tell whether anybody was."""
        if approver not in self._office.whom_of(record).approvers:
            return False
        if not await self.put_up(transaction, record, (approver,)):
            return False
        await self._office.requests.changed(transaction, record.id)
        return True

    async def _go_on(self, transaction: Transaction, record: RequestRecord, requirement: Requirement) -> None:
        part = requirement.parts[0]
        await self._office.requests.move(transaction, record.id, ("awaiting_approval",), "approved", expires_at=None)
        await self._office.audit.record(
            transaction,
            "approval.not_needed",
            person_id=record.requester.id,
            request_id=record.id,
            payload={
                "version": record.version,
                "digest": record.digest,
                "policy": part.policy,
                "reason": part.reason,
                "policies": self._office.policy.version,
            },
        )
        await self.start(transaction, record)

    async def start(self, transaction: Transaction, record: RequestRecord) -> None:
        """Write the row that starts the workflow, in the decision's own transaction."""
        await transaction.execute(
            insert(waits).values(
                request_id=record.id,
                kind="timer",
                key=f"{record.id}:{record.version}:replan",
                segment="replan",
                payload={},
                attempt=0,
                due_at=self._office.clock.now(),
                noticed=False,
            )
        )
        transaction.then(lambda: self._office.signals.set("scheduler"))

    async def _wait(
        self, transaction: Transaction, record: RequestRecord, kind: str, due: datetime | None, approver: str = ""
    ) -> None:
        await transaction.execute(
            insert(waits).values(
                request_id=record.id,
                kind=kind,
                key=f"{record.id}:{record.version}",
                segment="",
                payload={"version": record.version, **({"approver": approver} if approver else {})},
                attempt=0,
                due_at=due,
                noticed=False,
            )
        )

    async def remind(self, transaction: Transaction, record: RequestRecord, version: int, approver: str = "") -> bool:
        """Ask those again at half time who have not decided, if that would still add something; tell whether any was.

        Who does not work at that hour is reminded when they next do, unless it lapses before.
        """
        if record.version != version or record.state != "awaiting_approval":
            return False
        office = self._office
        rows = await undecided_rows(transaction.connection, office, record)
        now, was_reminded = office.clock.now(), False
        for row in rows:
            if approver and row.approver != approver:
                continue
            hours = office.directory.hours_of(row.approver)
            due = hours.next(now) if hours else now
            if due > now and record.expires_at is not None and due < record.expires_at:
                await self._wait(transaction, record, REMINDER, due, row.approver)
                continue
            key = f"{record.id}:{version}:reminder:{row.approver}"
            payload = {"kind": "approval", "approval_id": row.id, "reminder": True}
            await office.outbox.put(transaction, key[:255], "email", payload, pace=f"email:{row.approver}"[:255])
            was_reminded = True
        return was_reminded

    async def escalate(self, transaction: Transaction, record: RequestRecord, version: int) -> bool:
        """Ask those who come next as well, since nobody decided in time; tell whether anybody was."""
        if record.version != version or record.state != "awaiting_approval" or record.notes.get(ESCALATED):
            return False
        office = self._office
        names = office.whom_of(record).then
        people = office.directory.expand(names)
        known = [*record.notes.get(APPROVERS, ()), *(p for p in people if p not in record.notes.get(APPROVERS, ()))]
        await office.requests.note(transaction, record.id, **{ESCALATED: list(names), APPROVERS: known})
        current = await office.requests.read(transaction.connection, record.id)
        if current is None:
            return False
        asked = await self.put_up(transaction, current, people)
        if not asked:
            return False
        await office.audit.record(
            transaction, "approval.escalated", request_id=record.id, payload={"version": version, "asked": asked}
        )
        rows = await decided_rows(transaction.connection, record.id, version)
        nobody = "Not enough people have" if rows else "Nobody has"
        were = "was" if len(asked) == 1 else "were"
        text = f"{nobody} decided about request {record.id} yet, so {' and '.join(asked)} {were} asked as well."
        until = (iso(record.expires_at) or "")[:16].replace("T", " ")
        card = Card(
            f"Still waiting for approval: {record.plan.summary}",
            (Text(text), Text(f"It lapses on {until} UTC.", subtle=True)),
            request=record.id,
        )
        await office.conversations.notify(
            transaction, record.conversation, f"{record.id}:{version}:escalated", text, card, record.id
        )
        await office.requests.changed(transaction, record.id)
        return True
