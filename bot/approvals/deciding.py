"""Taking decisions: one version of one digest, counted by people, each place once, exactly one outcome."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import insert, update

from bot.activity import Person, clean_text
from bot.approvals.asking import Asking
from bot.approvals.counting import decided_rows, holders_of, seat_of
from bot.approvals.delegations import Delegation
from bot.approvals.office import Office, Whom, is_same_person, requirement_of
from bot.approvals.views import require_open, unknown, who_decided
from bot.card import Button, Card, Facts, Text
from bot.database import Transaction
from bot.database.tables import approvals
from bot.errors import Conflict, Invalid, Refused
from bot.people import shown
from bot.policy import Decision, Requirement
from bot.requests import RequestRecord

MAX_REASON = 1000
REFUSED = "approval.refused"
"""Kind of the audit's row about a decision that somebody may not take."""


def checked_reason(reason: str) -> str:
    """Return a reason as it is kept; raises Invalid for one that is too long."""
    reason = clean_text(reason)
    if len(reason) > MAX_REASON:
        raise Invalid(f"reason: at most {MAX_REASON} characters; this has {len(reason)}.", field="reason")
    return reason


class Deciding:
    """Takes decisions; see Approvals."""

    def __init__(self, office: Office, asking: Asking) -> None:
        self._office, self._asking = office, asking

    def judged(
        self, record: RequestRecord, person: Person, surface: str, stands_in: Sequence[Delegation]
    ) -> tuple[Decision, tuple[str, ...]]:
        """Decide by the policies whether a person may decide, and return the seats that they could take.

        `stands_in` are the absences in which the person stands in now. Of those who were asked, only who would be asked
        today still counts; who stands in for one of them counts as that one, but never for the requester.
        """
        office = self._office
        whom = office.whom_of(record)
        asked = record.subject
        # Who came on top by escalation stands in the notes as well.
        valid = tuple(a for a in asked.approvers if a in whom.approvers)
        requester = record.requester.email
        stood_in_for = dict.fromkeys(d.approver for d in stands_in if d.counts_for(requester))
        places = tuple(seat for seat in stood_in_for if seat in valid and not is_same_person(seat, requester))
        subject = replace(asked, approvers=(*valid, person.email) if places else valid)
        policy_of = office.policy.may_approve
        decision = policy_of(person, subject, channel=surface)
        if not decision.allowed:
            others = [a for a in valid if not is_same_person(a, person.email) and a != asked.requester]
            if others and decision.policy in ("", "four-eyes"):
                decision = replace(decision, help=f"Who could: {', '.join(others[:5])}.")
            return decision, ()
        # Who only stands in takes no seat of their own: the absent and the stand-in would count as two.
        is_own = not places or policy_of(person, replace(asked, approvers=valid), channel=surface).allowed
        return decision, ((person.email, *places) if is_own else places)

    async def decide(
        self, request_id: str, version: int, by: Person, decision: str, reason: str, surface: str, session: str
    ) -> None:
        """Take one decision; see Approvals.decide_as."""
        reason = clean_text(reason)
        if decision not in ("approve", "reject"):
            raise Invalid("decision: say approve or reject.", field="decision")
        reason = checked_reason(reason)
        found = await self._office.requests.find(request_id)
        is_fresh = await self.is_fresh(requirement_of(found), by, session)

        async def work(transaction: Transaction) -> None:
            await self._office.requests.lock(transaction, found.id)
            record = await self._office.requests.read(transaction.connection, found.id)
            if record is None:
                raise unknown()
            rows = await decided_rows(transaction.connection, record.id, version)
            require_open(record, version, self._office.clock.now(), who_decided(rows))
            if decision == "reject" and not reason:
                raise Invalid("reason: say why, so that the requester can mend it.", field="reason")
            require_undecided(rows, by)
            stands_in = await self._office.delegations.standing_in(transaction.connection, by.email)
            allowed, seats = self.judged(record, by, surface, stands_in)
            allowed.require()
            if not is_fresh:
                raise self.sign_in_needed(record)
            given = {"decision": decision, "reason": reason, "surface": surface, "policy": allowed.policy}
            await self._take(transaction, record, by, seats, rows, given)

        try:
            await self._office.database.write(work)
        except Refused as error:
            await self._keep_refusal(found, version, by, decision, surface, error)
            raise
        self._office.signals.set("scheduler")

    async def _keep_refusal(
        self, record: RequestRecord, version: int, by: Person, decision: str, surface: str, error: Refused
    ) -> None:
        """Record that somebody tried to decide who may not: auditors look for those who try, too."""
        payload = {
            "version": version,
            "decision": decision,
            "surface": surface,
            "policy": error.policy,
            "why": error.detail,
            "policies": self._office.policy.version,
        }

        async def work(transaction: Transaction) -> None:
            await self._office.audit.record(
                transaction, REFUSED, person_id=by.id, request_id=record.id, payload=payload
            )

        await self._office.database.write(work)

    async def is_fresh(self, requirement: Requirement, by: Person, session: str) -> bool:
        """Tell whether the person has signed in as lately and as well as is demanded, in that session."""
        minutes = requirement.sign_in
        if not minutes:
            return True
        within = timedelta(minutes=minutes)
        return await self._office.sign_ins.find(by, session, within=within, acr=requirement.acr) is not None

    def sign_in_needed(self, record: RequestRecord) -> Refused:
        """Return what is raised when a decision asks for a fresh sign-in."""
        minutes = requirement_of(record).sign_in
        return Refused(
            f"Deciding about request {record.id} asks for a sign-in within the last {minutes} minutes.",
            policy=next((p.policy for p in requirement_of(record).parts if p.sign_in), ""),
            next_step=f"Sign in anew and decide in the console: {self._office.page_of(record)}",
        )

    async def _take(
        self,
        transaction: Transaction,
        record: RequestRecord,
        by: Person,
        seats: Sequence[str],
        rows: Sequence[Any],
        given: dict[str, str],
    ) -> None:
        office, is_good = self._office, given["decision"] == "approve"
        whom = office.whom_of(record)
        seat, lacking = self._seat(record, whom, seats, rows) if is_good else (_free(seats, rows)[0], 0)
        await self._keep(transaction, record, by, seat, given)
        to: Literal["approved", "rejected"] = "approved" if is_good else "rejected"
        if lacking:
            await office.requests.changed(transaction, record.id)
        else:
            outcome = None if is_good else _rejected(by, given["reason"])
            await office.requests.move(
                transaction, record.id, ("awaiting_approval",), to, outcome=outcome, expires_at=None
            )
            await office.requests.end_waits(transaction, record.id)
        await office.audit.record(
            transaction,
            f"approval.{given['decision']}",
            person_id=by.id,
            request_id=record.id,
            payload={
                "version": record.version,
                "digest": record.digest,
                "reason": given["reason"],
                "surface": given["surface"],
                "policy": given["policy"],
                "policies": office.policy.version,
                **({"in_place_of": seat} if seat != by.email else {}),
                **({"lacking": lacking} if lacking else {}),
            },
        )
        if is_good and not lacking:
            await self._asking.start(transaction, record)
        await self._tell(transaction, record, by, given, lacking, seat)

    def _seat(self, record: RequestRecord, whom: Whom, seats: Sequence[str], rows: Sequence[Any]) -> tuple[str, int]:
        """Return which seat an approval takes, and how many approvals lack after it.

        Raises Conflict when every seat that the person could take is taken, or adds nothing to what is demanded.
        """
        approved, requirement = holders_of(self._office, record, whom, rows), whom.requirement
        free = _free(seats, rows)
        before = requirement.unfilled(approved)
        after = {seat: requirement.unfilled([*approved, self._office.holder(seat)]) for seat in free}
        seat = min(free, key=lambda s: (after[s], free.index(s)))
        if before and after[seat] >= before:
            raise Conflict(
                f"One more approval of yours would add nothing: this needs {requirement.words}.",
                next_step="It waits for the others.",
            )
        return seat, requirement.missing([*approved, self._office.holder(seat)])

    async def _keep(
        self, transaction: Transaction, record: RequestRecord, by: Person, seat: str, given: dict[str, str]
    ) -> None:
        now = self._office.clock.now()
        values = {**given, "decided_at": now, "in_place_of": seat if seat != by.email else None}
        mine = (
            approvals.c.request_id == record.id,
            approvals.c.version == record.version,
            approvals.c.approver == by.email,
        )
        if (await transaction.execute(update(approvals).where(*mine).values(**values))).rowcount:
            return
        new = {"id": "ap_" + secrets.token_hex(12), "request_id": record.id, "version": record.version}
        await transaction.execute(insert(approvals).values(**new, approver=by.email, asked_at=now, **values))

    async def _tell(
        self,
        transaction: Transaction,
        record: RequestRecord,
        by: Person,
        given: dict[str, str],
        lacking: int,
        seat: str,
    ) -> None:
        key = f"{record.id}:{record.version}:{given['decision']}"
        who = shown(by) + (f" in the place of {seat}" if seat != by.email else "")
        reason = given["reason"]
        if given["decision"] == "reject":
            text = f"Request {record.id} was rejected by {who}: “{reason}” Nothing was done."
            words = f"Change what was objected to and ask again: press the button, or say “amend {record.id}”."
            items = (Facts((("By", who), ("Reason", reason))), Text(words))
            again = (Button("Amend and ask again", "amend", record.id),)
            card = Card(f"Rejected: {record.plan.summary}", items, again, tone="bad", request=record.id)
        elif lacking:
            key = f"{key}:{by.email}"[:255]
            more = f"{lacking} more approval{'s' if lacking > 1 else ''}"
            demanded = requirement_of(record).words
            text = f"Request {record.id} was approved by {who}. It needs {demanded}, so it waits for {more}."
            card = Card(f"Waiting for {more}: {record.plan.summary}", (Text(text),), request=record.id)
        else:
            text = f"Request {record.id} was approved by {who}. {self._office.follows}"
            card = Card(f"Approved: {record.plan.summary}", (Text(text),), tone="good", request=record.id)
        await self._office.conversations.notify(transaction, record.conversation, key, text, card, record.id)


def require_undecided(rows: Sequence[Any], by: Person) -> None:
    """Raise Conflict when the person has decided about this version before, under whichever of their addresses."""
    for row in rows:
        if is_same_person(row.approver, by.email):
            done = "approved" if row.decision == "approve" else "rejected"
            raise Conflict(f"You have {done} this already; it waits for the others.")


def _free(seats: Sequence[str], rows: Sequence[Any]) -> list[str]:
    """Return those seats that nobody has taken; raises Conflict when there is none, to reject as well as to approve."""
    taken = {seat_of(row): row.approver for row in rows}
    free = [seat for seat in seats if seat not in taken]
    if not free:
        raise Conflict(f"{taken[seats[0]]} has decided in the place of {seats[0]} already.")
    return free


def _rejected(by: Person, reason: str) -> dict[str, str]:
    return {"text": f"Rejected by {by.email}: {reason}", "next": "Change what was objected to and ask again."}
