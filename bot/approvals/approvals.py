"""One approval record behind every surface: asked, looked at, decided once.

A decision counts for one version of one digest. Links carry random 256-bit tokens that exist in clear
only in the mail; looking never changes anything; decisions about a request are taken one after the other,
so of any number of simultaneous ones exactly one ends it, and each person counts once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import insert, select

from bot.activity import Person
from bot.approvals.asking import Asking
from bot.approvals.asking_again import AskingAgain
from bot.approvals.counting import decided_rows, holders_of
from bot.approvals.decidable import Decidable
from bot.approvals.deciding import Deciding
from bot.approvals.delegations import Delegation, Delegations
from bot.approvals.fresh_sign_in import FreshSignIns
from bot.approvals.glass import Glass
from bot.approvals.obstacles import Obstacles
from bot.approvals.office import Office, requirement_of
from bot.approvals.views import ApprovalView, ApprovalViews, hash_of, unknown
from bot.audit import Audit
from bot.card import Card, Text
from bot.channel import Delivery
from bot.clock import Clock
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import approval_tokens, approvals
from bot.directory import Directory
from bot.errors import QuartermasterError
from bot.hours import WorkingHours
from bot.outbox import Outbox
from bot.people import People
from bot.plan import Plan
from bot.policy import Policy, Requirement
from bot.requests import RequestRecord, Requests
from bot.signals import Signals


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
        console_url: str = "",
        signs_in: bool = False,
    ) -> None:
        self._office = Office(
            database,
            clock,
            signals,
            directory,
            policy,
            people,
            requests,
            conversations,
            outbox,
            audit,
            hours=hours,
            working=working,
            follows=follows,
            topic=topic,
            console_url=console_url,
            signs_in=signs_in,
        )
        self._database, self._clock, self._requests, self._people = database, clock, requests, people
        self._views = ApprovalViews(database, clock, requests, console_url)
        self._asking = Asking(self._office)
        self._deciding = Deciding(self._office, self._asking)
        self.glass = Glass(self._office, self._asking)
        obstacles = Obstacles(self._office)
        self._again = AskingAgain(self._office, self._asking, obstacles)
        self.jobs = (self.glass.job, self._again.job)
        self.ask, self.remind, self.escalate = self._asking.ask, self._asking.remind, self._asking.escalate
        self.obstacle, self.notes = obstacles.of_plan, self._asking.notes
        self._decidable = Decidable(self._office, self._deciding)
        self.decidable = self._decidable.among

    @property
    def sign_ins(self) -> FreshSignIns:
        """Where whoever signs people in tells of fresh sign-ins."""
        return self._office.sign_ins

    @property
    def delegations(self) -> Delegations:
        """Who is away, and who stands in."""
        return self._office.delegations

    def expires_at(self) -> datetime:
        """Return when an approval that is asked for now would lapse."""
        return self._office.after(self._clock.now(), self._office.hours)

    @property
    def _words(self) -> str:
        return f"{self._office.hours:g} working hours" if self._office.working else f"{self._office.hours:g} hours"

    def approvers_for(
        self, plan: Plan, requester: str = "", values: Mapping[str, str] | None = None
    ) -> tuple[str, ...]:
        """Return the personal addresses that are asked to approve such a plan."""
        return self._office.whom(plan, requester, values or {}).approvers

    def named(self, plan: Plan) -> tuple[str, ...]:
        """Return whom the directory, or APPROVERS, names for such a plan, whatever policies demand."""
        return self._office.directory.asked(plan.intent, plan.tier, plan.ask).approvers

    def requirement_for(self, plan: Plan, requester: str, values: Mapping[str, str]) -> Requirement:
        """Return whose approvals such a plan would need."""
        return self._office.whom(plan, requester, values).requirement

    def requirement_of(self, record: RequestRecord) -> Requirement:
        """Return whose approvals a request needs, as it was when its version was put up."""
        return requirement_of(record)

    async def lacking(self, record: RequestRecord) -> int:
        """Return how many approvals a waiting request still lacks."""
        async with self._database.read() as connection:
            rows = await decided_rows(connection, record.id, record.version)
        whom = self._office.whom_of(record)
        return whom.requirement.missing(holders_of(self._office, record, whom, rows))

    async def stand_in(
        self,
        by: Person,
        delegate: str,
        until: datetime,
        *,
        since: datetime | None = None,
        channel: str = "",
        absent: str = "",
    ) -> tuple[Delegation, int]:
        """Record that an approver is away and who stands in, and ask them about what waits for the approver now.

        `absent` is the approver's address, where that is not who says so: they get a mail.

        Returns it with the number of requests about which they were asked. Raises as `Delegations.name` does.
        """
        made = await self.delegations.name(by, delegate, until, since=since, channel=channel, absent=absent)
        if made.named_by:
            await self._again.tell_absent(made)
        if not made.delegate or not made.holds_at(self._clock.now()):
            return made, 0
        return made, await self._again.begin(made)

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
        return await self.decide_as(view.request.id, view.version, approver, decision, reason, surface=surface)

    async def decide_as(
        self,
        request_id: str,
        version: int,
        by: Person,
        decision: str,
        reason: str,
        *,
        surface: str,
        session: str = "",
    ) -> ApprovalView:
        """Decide as a person who is signed in on a surface; `session` is that of the console's sign-in, else empty.

        Raises Invalid (field "decision" or "reason"), NotFound, Conflict (decided already), Gone (expired,
        superseded, withdrawn) or Refused (policy, the requester among others; or a fresh sign-in is asked for).
        """
        await self._deciding.decide(request_id, version, by, decision, reason, surface, session)
        return await self._views.decided(request_id, version, by)

    async def may_decide(self, record: RequestRecord, person: Person, *, surface: str = "console") -> bool:
        """Tell whether the person could decide the request now, perhaps after a fresh sign-in."""
        return bool([one async for one in self.decidable((record,), person, surface=surface)])

    async def objection(self, request_id: str, version: int, person: Person, *, surface: str, session: str = "") -> str:
        """Return why the person can't decide that version now, for them to read; empty when they can."""
        try:
            record = await self._requests.find(request_id)
        except QuartermasterError as error:
            return error.sentence()
        why = await self._decidable.why_not(record, version, person, surface)
        if not why and not await self._deciding.is_fresh(requirement_of(record), person, session):
            why = self._deciding.sign_in_needed(record).sentence()
        return why

    async def has_decided(self, request_id: str, version: int, person: Person, decision: str) -> bool:
        """Tell whether it was this person who decided that version, and so."""
        query = select(approvals.c.decision).where(
            approvals.c.request_id == request_id, approvals.c.version == version, approvals.c.approver == person.email
        )
        async with self._database.read() as connection:
            return bool((await connection.execute(query)).scalar_one_or_none() == decision)

    async def expire(self, transaction: Transaction, record: RequestRecord, version: int) -> bool:
        """Let a version lapse that nobody decided in time; tell whether it did."""
        if record.version != version or record.state != "awaiting_approval":
            return False
        rows = await decided_rows(transaction.connection, record.id, version)
        nobody = "Not enough people" if rows else "Nobody"
        outcome = {
            "text": f"{nobody} decided within {self._words}.",
            "next": "Ask again, or ask an approver first.",
        }
        moved = await self._requests.move(
            transaction, record.id, ("awaiting_approval",), "expired", outcome=outcome, expires_at=None
        )
        if not moved:
            return False
        await self._requests.end_waits(transaction, record.id)
        await self._office.audit.record(
            transaction, "request.expired", request_id=record.id, payload={"version": record.version}
        )
        text = (
            f"Request {record.id} expired: {nobody[0].lower()}{nobody[1:]} decided within {self._words}. "
            "Nothing was done; ask again."
        )
        card = Card(f"Expired: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
        await self._office.conversations.notify(
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
            to = payload.get("to") or f"the topic {self._office.topic}"
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
        await self._office.conversations.notify(
            transaction, record.conversation, f"{delivery.key}:undelivered"[:255], text, None, record.id
        )

    async def asked_of(self, record: RequestRecord) -> Iterable[str]:
        """Return who was asked about the current version."""
        query = select(approvals.c.approver).where(
            approvals.c.request_id == record.id, approvals.c.version == record.version
        )
        async with self._database.read() as connection:
            return [r.approver for r in (await connection.execute(query)).all()]
