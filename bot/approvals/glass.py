"""Breaking the glass: in an emergency a request goes on without its approvers; loudly, and looked at afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from bot.activity import Person
from bot.approvals.asking import Asking
from bot.approvals.deciding import checked_reason
from bot.approvals.office import Office, is_same_person
from bot.approvals.views import require_open, unknown
from bot.card import Card, Facts, Text
from bot.database import Transaction
from bot.database.tables import broken_glass
from bot.errors import Conflict, Invalid, NotFound, Refused
from bot.people import shown
from bot.requests import RequestRecord, no_request
from bot.rows import insert_new
from bot.workflow.periodic import Job

FRESH = timedelta(minutes=5)
"""How long ago the second factor may have been given."""
BROKEN = "broken_glass"
"""Note on a request: who let it go on without its approvers, and why."""
OPERATORS = "operators"
MENTIONED = 50
"""Open reviews of which a daily mail tells."""


@dataclass(frozen=True)
class Review:
    """One request that went on without its approvers; open until somebody else has looked at it."""

    request: str
    by: str
    reason: str
    at: datetime
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    verdict: str = ""


class Glass:
    """Breaks the glass for named people, and keeps what is to be reviewed; see Approvals."""

    def __init__(self, office: Office, asking: Asking) -> None:
        self._office, self._asking = office, asking
        self.job = Job("glass.remind", timedelta(days=1), self._remind)

    async def break_glass(
        self, request_id: str, version: int, by: Person, reason: str, *, surface: str, session: str
    ) -> RequestRecord:
        """Let a waiting request go on at once; `session` is the console's, in which the person has just signed in.

        Raises Invalid (no reason), Refused (policy, action "break-glass"; or no fresh sign-in), NotFound, Conflict or
        Gone (it does not wait). Every approver and operator is told by mail, and so is the requester.
        """
        office, reason = self._office, checked_reason(reason)
        found = await office.requests.find(request_id)
        decision = office.policy.may_break_glass(by, found.subject, channel=surface).require()
        if not reason:
            raise Invalid("Say why this can't wait; everybody who should have been asked reads it.", field="reason")
        if await office.sign_ins.find(by, session, within=FRESH, acr=decision.acr) is None:
            raise Refused(
                "Breaking the glass asks for a sign-in within the last 5 minutes"
                + (f" as “{decision.acr}”." if decision.acr else "."),
                policy=decision.policy,
                next_step=f"Sign in anew with your second factor, and do it in the console: {office.page_of(found)}",
            )

        async def work(transaction: Transaction) -> None:
            await office.requests.lock(transaction, found.id)
            record = await office.requests.read(transaction.connection, found.id)
            if record is None:
                raise unknown()
            require_open(record, version, office.clock.now())
            now = office.clock.now()
            row = {"request_id": record.id, "version": version, "by": by.email, "reason": reason, "at": now}
            if not await insert_new(transaction, broken_glass, row, on=["request_id"]):
                raise Conflict(f"The glass was broken for request {record.id} before; its new plan needs approval.")
            await office.requests.note(transaction, record.id, **{BROKEN: {"by": by.email, "reason": reason}})
            await office.requests.move(
                transaction, record.id, ("awaiting_approval",), "approved", outcome=None, expires_at=None
            )
            await office.requests.end_waits(transaction, record.id)
            await office.audit.record(
                transaction,
                "glass.broken",
                person_id=by.id,
                request_id=record.id,
                payload={
                    "version": version,
                    "digest": record.digest,
                    "reason": reason,
                    "surface": surface,
                    "policy": decision.policy,
                    "policies": office.policy.version,
                },
            )
            await self._asking.start(transaction, record)
            await self._tell(transaction, record, by, reason)

        await office.database.write(work)
        office.signals.set("scheduler")
        return await office.requests.find(found.id)

    async def _tell(self, transaction: Transaction, record: RequestRecord, by: Person, reason: str) -> None:
        office, who = self._office, shown(by)
        subject = f"Without approval: {record.plan.summary}"
        lines = [
            f"{who} has broken the glass: request {record.id} goes on without its approvers.",
            f"The reason given: “{reason}”",
            "If this is not right, cancel or stop it at once. Afterwards somebody else has to review it.",
        ]
        rows = [["Request", record.id], ["Asked by", record.requester.email], ["Broken by", by.email]]
        link = {"title": "See the request", "url": office.page_of(record)}
        for address in self._owners(record):
            payload = {"kind": "news", "to": address, "subject": subject, "lines": lines, "rows": rows, "link": link}
            key = f"{record.id}:{record.version}:glass:{address}"
            await office.outbox.put(transaction, key[:255], "email", payload, pace=f"email:{address}"[:255])
        text = f"{who} has broken the glass for request {record.id}: “{reason}” {office.follows}"
        facts = Facts((("Broken by", who), ("Reason", reason), ("Review", "open")))
        card = Card(f"Without approval: {record.plan.summary}", (Text(text), facts), tone="warning", request=record.id)
        await office.conversations.notify(
            transaction, record.conversation, f"{record.id}:{record.version}:glass", text, card, record.id
        )

    def _owners(self, record: RequestRecord) -> tuple[str, ...]:
        """Return who is told: all who were to approve, and the operators."""
        asked = record.subject.approvers
        return tuple(dict.fromkeys((*asked, *self._office.directory.members(OPERATORS))))

    async def open_reviews(self, limit: int = MENTIONED) -> list[Review]:
        """Return what nobody has reviewed yet, oldest first."""
        query = select(broken_glass).where(broken_glass.c.reviewed_at.is_(None)).order_by(broken_glass.c.at)
        async with self._office.database.read() as connection:
            return [_review(row) for row in (await connection.execute(query.limit(limit))).all()]

    async def of(self, request_id: str) -> Review | None:
        """Return what is to be reviewed, or was, about a request; None when its glass was not broken."""
        query = select(broken_glass).where(broken_glass.c.request_id == request_id)
        async with self._office.database.read() as connection:
            row = (await connection.execute(query)).first()
        return _review(row) if row else None

    async def review(self, request_id: str, by: Person, verdict: str, *, surface: str) -> Review:
        """Record what somebody makes of it afterwards; once. Raises NotFound, Refused, Invalid or Conflict."""
        office, verdict = self._office, checked_reason(verdict)
        record = await office.requests.find(request_id)
        found = await self.of(record.id)
        if not office.policy.may_see(by, record.subject).allowed:
            raise no_request(record.id)
        if found is None:
            raise NotFound(f"There is nothing to review about request {record.id}.")
        if is_same_person(found.by, by.email):
            raise Refused("Who has broken the glass can't review it.", next_step="Somebody else has to look at it.")
        office.policy.may_review(by, record.subject).require()
        if not verdict:
            raise Invalid("Say what you make of it, such as “rightly so, the site was down”.", field="verdict")

        async def work(transaction: Transaction) -> None:
            open_one = (broken_glass.c.request_id == record.id, broken_glass.c.reviewed_at.is_(None))
            values = {"reviewed_by": by.email, "reviewed_at": office.clock.now(), "verdict": verdict}
            if (await transaction.execute(update(broken_glass).where(*open_one).values(**values))).rowcount != 1:
                raise Conflict(f"Request {record.id} was reviewed by {found.reviewed_by or 'somebody else'} already.")
            await office.audit.record(
                transaction,
                "glass.reviewed",
                person_id=by.id,
                request_id=record.id,
                payload={"verdict": verdict, "by": by.email, "surface": surface},
            )
            text = f"{shown(by)} has reviewed request {record.id}, for which the glass was broken: “{verdict}”"
            await office.conversations.notify(
                transaction, record.conversation, f"{record.id}:reviewed", text, None, record.id
            )

        await office.database.write(work)
        return await self.of(record.id) or found

    async def _remind(self, last: datetime) -> None:
        """Tell approvers and operators each day of what nobody has reviewed."""
        office, day = self._office, self._office.clock.now().date().isoformat()
        waiting: dict[str, list[list[str]]] = {}
        for review in await self.open_reviews():
            record = await office.requests.find(review.request)
            for address in self._owners(record):
                if not is_same_person(address, review.by) and not is_same_person(address, record.requester.email):
                    waiting.setdefault(address, []).append(
                        [review.request, f"{record.plan.summary}: “{review.reason}”"]
                    )

        async def work(transaction: Transaction) -> None:
            for address, rows in waiting.items():
                payload: dict[str, Any] = {
                    "kind": "news",
                    "to": address,
                    "subject": f"To be reviewed: {len(rows)} that went on without approval",
                    "lines": ["Somebody has to look at these. Say “review”, the request's id and what you make of it."],
                    "rows": rows,
                    "link": {"title": "Review them", "url": f"{office.console_url.rstrip('/')}/reviews"},
                }
                key = f"glass:{day}:{address}"
                await office.outbox.put(transaction, key[:255], "email", payload, pace=f"email:{address}"[:255])

        if waiting:
            await office.database.write(work)


def _review(row: Any) -> Review:
    return Review(
        row.request_id,
        row.by,
        row.reason,
        row.at,
        row.reviewed_by or "",
        row.reviewed_at,
        row.verdict or "",
    )
