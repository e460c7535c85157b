"""Asking others while a request waits: who stands in once an absence begins, and whom a free place is left to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.approvals.asking import Asking
from bot.approvals.counting import decided_rows, holders_of, seat_of, undecided_rows
from bot.approvals.delegations import Delegation
from bot.approvals.obstacles import Obstacles
from bot.approvals.office import APPROVERS, FREED, Office
from bot.card import Card, Text
from bot.clock import iso
from bot.database import Transaction
from bot.requests import Filter, RequestRecord
from bot.workflow.periodic import Job

LOOK = timedelta(minutes=5)
"""How soon after its beginning an absence is noticed, and a change of the directory."""
PAGE = 200


class AskingAgain:
    """Looks after what waits; safe to repeat, since each person is asked once about a version."""

    def __init__(self, office: Office, asking: Asking, obstacles: Obstacles) -> None:
        self._office, self._asking, self._obstacles = office, asking, obstacles
        self._seen: int | None = None
        self.job = Job("approvals.ask-again", LOOK, self.look)

    async def look(self, last: datetime) -> None:
        """Ask who stands in for those whose absence began since then, and whom places were left to."""
        for delegation in await self._office.delegations.begun(last):
            await self.begin(delegation)
        self._office.directory.refresh()
        version = self._office.directory.version
        if version != self._seen:
            await self._fill_free_places()
            self._seen = version

    async def begin(self, delegation: Delegation) -> int:
        """Tell who stands in from now on, and ask them about all that waits; return about how much of it."""
        office, asked = self._office, 0
        async for record in self._waiting(Filter(waits_for=delegation.approver)):

            async def work(transaction: Transaction, record: RequestRecord = record) -> bool:
                return await self._asking.ask_stand_in(transaction, record, delegation.approver)

            asked += await office.database.write(work)
        until = (iso(delegation.until) or "")[:16].replace("T", " ")
        payload = {
            "kind": "news",
            "to": delegation.delegate,
            "subject": f"You stand in for {delegation.approver}",
            "lines": [
                f"{delegation.approver} is away until {until} UTC and has named you to approve in their place.",
                "What waits for their approval is asked of you in mails of its own. “What waits for me?” lists it.",
            ],
            "link": {"title": "See who stands in", "url": f"{office.console_url.rstrip('/')}/away"},
        }

        async def tell(transaction: Transaction) -> None:
            pace = f"email:{delegation.delegate}"[:255]
            await office.outbox.put(transaction, f"{delegation.id}:begun", "email", payload, pace=pace)

        await office.database.write(tell)
        return asked

    async def tell_absent(self, delegation: Delegation) -> None:
        """Tell somebody that another has said they are away: nobody is replaced without hearing of it."""
        office = self._office
        since, until = ((iso(moment) or "")[:16].replace("T", " ") for moment in (delegation.since, delegation.until))
        stand_in = f"{delegation.delegate} decides" if delegation.delegate else "nobody decides"
        payload = {
            "kind": "news",
            "to": delegation.approver,
            "subject": f"{delegation.named_by} has said that you are away",
            "lines": [
                f"From {since} to {until} UTC {stand_in} in your place; {delegation.named_by} has said so.",
                "If that is not right, end it: say “I am back”, or press the button on the page below.",
            ],
            "link": {"title": "See who stands in", "url": f"{office.console_url.rstrip('/')}/away"},
        }

        async def tell(transaction: Transaction) -> None:
            pace = f"email:{delegation.approver}"[:255]
            await office.outbox.put(transaction, f"{delegation.id}:named", "email", payload, pace=pace)

        await office.database.write(tell)

    async def _fill_free_places(self) -> None:
        async for record in self._waiting(Filter(state=("awaiting_approval",))):
            if self._left(record) != record.notes.get(FREED, []):
                await self._fill(record)
            await asyncio.sleep(0)

    def _left(self, record: RequestRecord) -> list[str]:
        """Return who was asked, and would not be today."""
        today = self._office.whom_of(record).approvers
        return [seat for seat in record.notes.get(APPROVERS, []) if seat not in today]

    async def _fill(self, record: RequestRecord) -> None:
        obstacle = await self._obstacle(record)

        async def work(transaction: Transaction) -> None:
            office = self._office
            await office.requests.lock(transaction, record.id)
            current = await office.requests.read(transaction.connection, record.id)
            if current is None or current.state != "awaiting_approval" or current.version != record.version:
                return
            left = self._left(current)
            news = [seat for seat in left if seat not in current.notes.get(FREED, [])]
            known = current.notes.get(APPROVERS, [])
            today = office.whom_of(current).approvers
            others = [seat for seat in today if seat not in known] if left else []
            await office.requests.note(transaction, current.id, **{FREED: left, APPROVERS: [*known, *others]})
            if not news:
                return
            asked = await self._asking.put_up(transaction, current, others)
            rows = await decided_rows(transaction.connection, current.id, current.version)
            lost = [row.approver for row in rows if row.decision == "approve" and seat_of(row) in news]
            if lost:
                asked += await self._remind(transaction, current, news)
            payload = {"version": current.version, "left": news, "asked": asked, "lost": lost}
            await office.audit.record(transaction, "approval.asked_again", request_id=current.id, payload=payload)
            await self._tell(transaction, current, news, lost, asked, obstacle)
            await office.requests.changed(transaction, current.id)

        await self._office.database.write(work)

    async def _obstacle(self, record: RequestRecord) -> str:
        async with self._office.database.read() as connection:
            rows = await decided_rows(connection, record.id, record.version)
        whom = self._office.whom_of(record)
        holders = holders_of(self._office, record, whom, rows)
        subject = replace(record.subject, approvers=whom.approvers)
        return await self._obstacles.of_subject(whom, subject, holders, [row.approver for row in rows])

    async def _remind(self, transaction: Transaction, record: RequestRecord, left: Sequence[str]) -> list[str]:
        """Ask those once more who were asked before, have not decided, and whose approval would add something."""
        reminded = await undecided_rows(transaction.connection, self._office, record)
        for row in reminded:
            payload = {"kind": "approval", "approval_id": row.id, "reminder": True}
            key = f"{_key(record, left)}:{row.approver}"
            await self._office.outbox.put(transaction, key[:255], "email", payload, pace=f"email:{row.approver}"[:255])
        return [row.approver for row in reminded]

    async def _tell(
        self,
        transaction: Transaction,
        record: RequestRecord,
        left: Sequence[str],
        lost: Sequence[str],
        asked: Sequence[str],
        obstacle: str,
    ) -> None:
        verb = "decide" if len(left) > 1 else "decides"
        text = f"{' and '.join(left)} no longer {verb} about request {record.id}."
        if lost:
            text += f" The approval of {' and '.join(lost)} counts no more."
        if obstacle:
            text += f" {obstacle} Then cancel this request and ask again."
        elif asked:
            text += f" {' and '.join(dict.fromkeys(asked))} {'were' if len(asked) > 1 else 'was'} asked instead."
        card = Card(f"Waiting for approval: {record.plan.summary}", (Text(text),), request=record.id)
        await self._office.conversations.notify(
            transaction, record.conversation, _key(record, left), text, card, record.id
        )

    async def _waiting(self, wanted: Filter) -> AsyncIterator[RequestRecord]:
        wanted = replace(wanted, limit=PAGE)
        while True:
            page = await self._office.requests.list(wanted)
            for record in page.items:
                yield record
            if not page.next_cursor:
                return
            wanted = replace(wanted, cursor=page.next_cursor)


def _key(record: RequestRecord, left: Sequence[str]) -> str:
    who = hashlib.sha256(" ".join(left).encode()).hexdigest()[:12]
    return f"{record.id}:{record.version}:left:{who}"
