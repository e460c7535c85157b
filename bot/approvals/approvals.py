"""One approval record behind every surface: asked, looked at, decided once.

A decision counts for one version of one digest. Links carry random 256-bit tokens that exist in clear
only in the mail; looking never changes anything; the deciding update is guarded by the database, so of
any number of simultaneous decisions exactly one wins.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import insert, select, update

from bot.activity import Person, clean_text
from bot.approvals.views import ApprovalView, ApprovalViews, hash_of, require_open, unknown
from bot.audit import Audit
from bot.card import Card, Facts, Text
from bot.channel import Delivery
from bot.clock import Clock
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import approval_tokens, approvals, waits
from bot.directory import Directory
from bot.errors import Conflict, Invalid, QuartermasterError
from bot.hours import WorkingHours
from bot.outbox import Outbox
from bot.people import People, mailbox_of, shown
from bot.plan import Plan
from bot.policy import Decision, Policy, asked_candidates
from bot.requests import RequestRecord, Requests
from bot.signals import Signals

MAX_REASON = 1000
EXPIRY = "approval-expiry"
"""Kind of the waiting row that lets an approval lapse."""
REMINDER = "approval-reminder"
"""Kind of the waiting row at half time."""


class Approvals:
    """Asks for decisions and takes them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signals: Signals,
        directory: Directory,
        policy: Policy,
        people: People,
        requests: Requests,
        conversations: Conversations,
        outbox: Outbox,
        audit: Audit,
        *,
        hours: float,
        working: WorkingHours | None = None,
        follows: str = "Now it is being carried out.",
        topic: str = "",
    ) -> None:
        self._database, self._clock, self._signals = database, clock, signals
        self._directory, self._policy, self._people = directory, policy, people
        self._requests, self._conversations = requests, conversations
        self._outbox, self._audit = outbox, audit
        self._views = ApprovalViews(database, clock, requests)
        self._follows = follows
        self._hours, self._working, self._topic = hours, working, topic

    def expires_at(self) -> datetime:
        """Return when an approval that is asked for now would lapse."""
        return self._after(self._clock.now(), self._hours)

    def _after(self, since: datetime, hours: float) -> datetime:
        """Return when that many hours of approval time will have passed: working hours, where they are set."""
        duration = timedelta(hours=hours)
        return self._working.add(since, duration) if self._working else since + duration

    @property
    def _words(self) -> str:
        return f"{self._hours:g} working hours" if self._working else f"{self._hours:g} hours"

    def approvers_for(self, plan: Plan) -> tuple[str, ...]:
        """Return the personal addresses that are asked to approve such a plan."""
        return self._directory.asked(plan.intent, plan.tier, plan.ask).approvers

    def can_be_approved(self, record: RequestRecord) -> bool:
        """Tell whether policy lets anybody at all approve the request; ask before bothering anyone."""
        asked = self._directory.asked(record.intent, record.tier, record.plan.ask)
        return self._policy.can_be_approved(record.subject, asked_candidates(asked, self._directory))

    async def ask(self, transaction: Transaction, record: RequestRecord) -> None:
        """Put a request's current version up for approval: rows, mails, and the row that lets it lapse."""
        asked = self._directory.asked(record.intent, record.tier, record.plan.ask)
        now = self._clock.now()
        for address in asked.approvers:
            if mailbox_of(address) == mailbox_of(record.requester.email):
                continue  # four eyes: asking them would be no use
            approval_id = "ap_" + secrets.token_hex(12)
            await transaction.execute(
                insert(approvals).values(
                    id=approval_id, request_id=record.id, version=record.version, approver=address, asked_at=now
                )
            )
            key = f"{record.id}:{record.version}:approval:{address}"
            payload: dict[str, Any] = {"kind": "approval", "approval_id": approval_id}
            await self._outbox.put(transaction, key[:255], "email", payload, pace=f"email:{address}"[:255])
        notice = {"kind": "approval_notice", "request_id": record.id, "version": record.version}
        for address in asked.shared:
            key = f"{record.id}:{record.version}:notice:{address}"
            await self._outbox.put(
                transaction, key[:255], "email", {**notice, "to": address}, pace=f"email:{address}"[:255]
            )
        if self._topic:
            await self._outbox.put(transaction, f"{record.id}:{record.version}:sns", "sns", notice, pace="sns")
        await self._requests.end_waits(transaction, record.id)
        for kind, due in ((EXPIRY, record.expires_at), (REMINDER, self._after(now, self._hours / 2))):
            await transaction.execute(
                insert(waits).values(
                    request_id=record.id,
                    kind=kind,
                    key=f"{record.id}:{record.version}",
                    segment="",
                    payload={"version": record.version},
                    attempt=0,
                    due_at=due,
                    noticed=False,
                )
            )

    async def remind(self, transaction: Transaction, record: RequestRecord, version: int) -> bool:
        """Ask those again who have not decided at half time; tell whether anybody was."""
        if record.version != version or record.state != "awaiting_approval":
            return False
        today = self._directory.asked(record.intent, record.tier, record.plan.ask).approvers
        undecided = select(approvals).where(
            approvals.c.request_id == record.id, approvals.c.version == version, approvals.c.decision.is_(None)
        )
        rows = [r for r in (await transaction.execute(undecided)).all() if r.approver in today]
        for row in rows:
            key = f"{record.id}:{version}:reminder:{row.approver}"
            payload = {"kind": "approval", "approval_id": row.id, "reminder": True}
            await self._outbox.put(transaction, key[:255], "email", payload, pace=f"email:{row.approver}"[:255])
        return bool(rows)

    async def mint(self, approval_id: str) -> tuple[str, ApprovalView] | None:
        """Return a fresh token for sending, or None when the approval is no longer open.

        Called at each try of a mail: a mail that was sent before a crash keeps its own working token.
        """
        token = secrets.token_urlsafe(32)

        async def work(transaction: Transaction) -> ApprovalView | None:
            view = await self._views.of(transaction.connection, approvals.c.id == approval_id)
            if view is None or view.status != "open":
                return None
            await transaction.execute(
                insert(approval_tokens).values(
                    hash=hash_of(token), approval_id=approval_id, minted_at=self._clock.wall()
                )
            )
            return view

        view = await self._database.write(work)
        return (token, view) if view else None

    async def look(self, token: str) -> ApprovalView:
        """Return what a token stands for; changes nothing. Raises NotFound for tokens we never sent."""
        async with self._database.read() as connection:
            view = await self._views.of_token(connection, token)
        if view is None:
            raise unknown()
        return view

    async def decide(self, token: str, decision: str, reason: str, *, surface: str) -> ApprovalView:
        """Decide by the link's token. Raises NotFound, Invalid, Conflict, Gone or Refused; see `decide_as`."""
        view = await self.look(token)
        approver = await self._people.of_email(view.approver)
        return await self._decide(view.request.id, view.version, approver, decision, reason, surface)

    async def decide_as(
        self, request_id: str, version: int, by: Person, decision: str, reason: str, *, surface: str
    ) -> ApprovalView:
        """Decide as a person who is signed in on a surface.

        Raises Invalid (field "decision" or "reason"), NotFound, Conflict (decided already), Gone (expired,
        superseded, withdrawn) or Refused (policy, the requester among others).
        """
        record = await self._requests.find(request_id)
        return await self._decide(record.id, version, by, decision, reason, surface)

    async def may_decide(self, record: RequestRecord, person: Person, *, surface: str = "console") -> bool:
        """Tell whether the person could decide the request now."""
        return record.state == "awaiting_approval" and self._allowed(record, person, surface).allowed

    async def objection(self, request_id: str, version: int, person: Person, *, surface: str) -> str:
        """Return why the person can't decide that version now, for them to read; empty when they can."""
        try:
            record = await self._requests.find(request_id)
            require_open(record, version, self._clock.now())
            self._allowed(record, person, surface).require()
        except QuartermasterError as error:
            return error.sentence()
        return ""

    async def has_decided(self, request_id: str, version: int, person: Person, decision: str) -> bool:
        """Tell whether it was this person who decided that version, and so."""
        query = select(approvals.c.decision).where(
            approvals.c.request_id == request_id, approvals.c.version == version, approvals.c.approver == person.email
        )
        async with self._database.read() as connection:
            return bool((await connection.execute(query)).scalar_one_or_none() == decision)

    def _allowed(self, record: RequestRecord, person: Person, surface: str) -> Decision:
        """Decide by the policies; of those who were asked, only who would be asked today still counts."""
        today = self._directory.asked(record.intent, record.tier, record.plan.ask).approvers
        asked = record.subject
        subject = replace(asked, approvers=tuple(a for a in asked.approvers if a in today))
        return self._policy.may_approve(person, subject, channel=surface)

    async def _decide(
        self, request_id: str, version: int, by: Person, decision: str, reason: str, surface: str
    ) -> ApprovalView:
        reason = clean_text(reason)
        if decision not in ("approve", "reject"):
            raise Invalid("decision: say approve or reject.", field="decision")
        if len(reason) > MAX_REASON:
            raise Invalid(f"reason: at most {MAX_REASON} characters; this has {len(reason)}.", field="reason")

        async def work(transaction: Transaction) -> None:
            record = await self._requests.read(transaction.connection, request_id)
            if record is None:
                raise unknown()
            require_open(record, version, self._clock.now())
            if decision == "reject" and not reason:
                raise Invalid("reason: say why, so that the requester can mend it.", field="reason")
            allowed = self._allowed(record, by, surface).require()
            await self._take(transaction, record, by, decision, reason, surface, allowed.policy)

        await self._database.write(work)
        self._signals.set("scheduler")
        return await self._views.decided(request_id, version, by)

    async def _take(
        self,
        transaction: Transaction,
        record: RequestRecord,
        by: Person,
        decision: str,
        reason: str,
        surface: str,
        policy: str,
    ) -> None:
        good = decision == "approve"
        to: Literal["approved", "rejected"] = "approved" if good else "rejected"
        outcome = None
        if not good:
            outcome = {
                "text": f"Rejected by {by.email}: {reason}",
                "next": "Change what was objected to and ask again.",
            }
        moved = await self._requests.move(
            transaction, record.id, ("awaiting_approval",), to, outcome=outcome, expires_at=None
        )
        if not moved:
            raise Conflict(f"Request {record.id} has just been decided by somebody else.")
        now = self._clock.now()
        values = {"decision": decision, "reason": reason, "surface": surface, "policy": policy, "decided_at": now}
        mine = (
            approvals.c.request_id == record.id,
            approvals.c.version == record.version,
            approvals.c.approver == by.email,
        )
        if (await transaction.execute(update(approvals).where(*mine).values(**values))).rowcount == 0:
            await transaction.execute(
                insert(approvals).values(
                    id="ap_" + secrets.token_hex(12),
                    request_id=record.id,
                    version=record.version,
                    approver=by.email,
                    asked_at=now,
                    **values,
                )
            )
        await self._requests.end_waits(transaction, record.id)
        await self._audit.record(
            transaction,
            f"approval.{decision}",
            person_id=by.id,
            request_id=record.id,
            payload={
                "version": record.version,
                "digest": record.digest,
                "reason": reason,
                "surface": surface,
                "policy": policy,
                "policies": self._policy.version,
            },
        )
        if good:
            await self._start(transaction, record)
        await self._tell(transaction, record, by, decision, reason)

    async def _start(self, transaction: Transaction, record: RequestRecord) -> None:
        """Write the row that starts the workflow, in the decision's own transaction."""
        await transaction.execute(
            insert(waits).values(
                request_id=record.id,
                kind="timer",
                key=f"{record.id}:{record.version}:replan",
                segment="replan",
                payload={},
                attempt=0,
                due_at=self._clock.now(),
                noticed=False,
            )
        )
        transaction.then(lambda: self._signals.set("scheduler"))

    async def _tell(
        self, transaction: Transaction, record: RequestRecord, by: Person, decision: str, reason: str
    ) -> None:
        key = f"{record.id}:{record.version}:{decision}"
        who = shown(by)
        if decision == "approve":
            text = f"Request {record.id} was approved by {who}. {self._follows}"
            card = Card(f"Approved: {record.plan.summary}", (Text(text),), tone="good", request=record.id)
        else:
            text = f"Request {record.id} was rejected by {who}: “{reason}” Nothing was done."
            items = (Facts((("By", who), ("Reason", reason))), Text("Change what was objected to and ask again."))
            card = Card(f"Rejected: {record.plan.summary}", items, tone="bad", request=record.id)
        await self._conversations.notify(transaction, record.conversation, key, text, card, record.id)

    async def expire(self, transaction: Transaction, record: RequestRecord, version: int) -> bool:
        """Let a version lapse that nobody decided in time; tell whether it did."""
        if record.version != version or record.state != "awaiting_approval":
            return False
        outcome = {
            "text": f"Nobody decided within {self._words}.",
            "next": "Ask again, or ask an approver first.",
        }
        moved = await self._requests.move(
            transaction, record.id, ("awaiting_approval",), "expired", outcome=outcome, expires_at=None
        )
        if not moved:
            return False
        await self._audit.record(
            transaction, "request.expired", request_id=record.id, payload={"version": record.version}
        )
        text = f"Request {record.id} expired: nobody decided within {self._words}. Nothing was done; ask again."
        card = Card(f"Expired: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
        await self._conversations.notify(
            transaction, record.conversation, f"{record.id}:{version}:expired", text, card, record.id
        )
        return True

    async def on_given_up(self, transaction: Transaction, delivery: Delivery, detail: str) -> None:
        """Tell the requester of an approval mail or notice that can't be delivered: waiting would be in vain."""
        payload, connection = delivery.payload, transaction.connection
        if payload.get("kind") == "approval":
            row = (await connection.execute(select(approvals).where(approvals.c.id == payload["approval_id"]))).first()
            if row is None:
                return
            request_id, version, what = row.request_id, row.version, f"The mail that asks {row.approver} to approve"
        elif payload.get("kind") == "approval_notice":
            to = payload.get("to") or f"the topic {self._topic}"
            request_id, version, what = payload["request_id"], payload["version"], f"The notice to {to} about"
        else:
            return
        record = await self._requests.read(connection, request_id)
        if record is None or record.state != "awaiting_approval" or record.version != version:
            return
        text = (
            f"{what} request {record.id} can't be delivered: {detail} "
            "Tell them to decide in the console, or cancel the request and ask your platform team."
        )
        await self._conversations.notify(
            transaction, record.conversation, f"{delivery.key}:undelivered"[:255], text, None, record.id
        )

    async def asked_of(self, record: RequestRecord) -> Iterable[str]:
        """Return who was asked about the current version."""
        query = select(approvals.c.approver).where(
            approvals.c.request_id == record.id, approvals.c.version == record.version
        )
        async with self._database.read() as connection:
            return [r.approver for r in (await connection.execute(query)).all()]
