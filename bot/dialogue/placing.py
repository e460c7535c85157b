"""From a confirmed plan to a request: the moment from which something is owed to the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.activity import Activity
from bot.card import Button, Card, Facts, Text
from bot.clock import iso
from bot.database import Transaction
from bot.dialogue.session import Form
from bot.errors import Refused
from bot.intent import Answer, Change
from bot.people import mailbox_of
from bot.plan import Plan
from bot.policy import Requirement
from bot.requests import RequestRecord
from bot.requests.record import new_request_id
from bot.services import Services


@dataclass(frozen=True)
class Placed:
    """What became of it; `request_id` is empty when it was refused at the last moment."""

    answer: Answer
    request_id: str


class Placing:
    """One request about to be placed; its approval lapses at `lapses`, if that is sooner than any other's would."""

    def __init__(
        self,
        services: Services,
        intent: Change,
        form: Form,
        plan: Plan,
        activity: Activity,
        *,
        lapses: datetime | None = None,
    ) -> None:
        self._services, self._intent, self._activity = services, intent, activity
        self.form = form
        now, usual = services.clock.now(), services.approvals.expires_at()
        self.record = RequestRecord(
            id=new_request_id(),
            intent=intent.definition.name,
            state="awaiting_approval",
            requester=activity.person,
            owner=activity.owner,
            conversation=activity.conversation,
            tier=plan.tier,
            slots=dict(form.slots),
            plan=plan,
            digest=plan.digest,
            version=1,
            notes=services.approvals.notes(plan, activity.person.email, form.slots),
            outcome=None,
            expires_at=min(lapses, usual) if lapses else usual,
            created_at=now,
            updated_at=now,
        )

    async def require_approvable(self) -> None:
        """Raise Refused when nobody could approve it: better now than after two days of waiting."""
        record = self.record
        if obstacle := await self._services.approvals.obstacle(record.plan, record.requester.email, record.slots):
            raise Refused(obstacle)

    async def commit(self, transaction: Transaction) -> Placed:
        """Write the request, ask for approval, and return what to answer."""
        record, services = self.record, self._services
        for resource in record.plan.touches:
            if resource.exclusive and await services.requests.is_open_on(transaction, resource.kind, resource.name):
                text = f"{resource.name} has just become part of another open request, so nothing was placed."
                return Placed(Answer(text), "")
        await services.requests.insert(transaction, record)
        await services.approvals.ask(transaction, record)
        await services.audit.record(
            transaction,
            "request.placed",
            person_id=record.requester.id,
            request_id=record.id,
            payload={
                "intent": record.intent,
                "slots": record.slots,
                "digest": record.digest,
                "summary": record.plan.summary,
                "surface": self._activity.channel,
                "policies": services.policy.version,
            },
        )
        return Placed(self._answer(), record.id)

    def _answer(self) -> Answer:
        record = self.record
        requirement = self._services.approvals.requirement_of(record)
        if requirement.is_none:
            return self._answer_at_once(requirement)
        own = mailbox_of(record.requester.email)
        asked = [a for a in record.notes["approvers"] if mailbox_of(a) != own]
        who = " and ".join(asked) + (" was" if len(asked) == 1 else " were") if asked else "The approvers were"
        until = (iso(record.expires_at) or "")[:16].replace("T", " ")
        needs = f" it needs {requirement.words};" if requirement.is_several else ""
        text = (
            f"Request {record.id} is placed. {who} asked to approve it;{needs} "
            f"this lapses on {until} UTC. "
            "I will tell you here what becomes of it."
        )
        if self._services.settings.mode == "observe":
            text += " Observe mode: whatever they decide, nothing will be changed."
        card = Card(
            f"Waiting for approval: {record.plan.summary}",
            (
                Facts(
                    (
                        ("Request", record.id),
                        ("Asked to approve", ", ".join(asked) or "see directory"),
                        *((("Needs", requirement.words),) if requirement.is_several else ()),
                        ("Lapses", f"{until} UTC"),
                    )
                ),
                Text("I will tell you here what becomes of it.", subtle=True),
            ),
            (Button(f"Cancel {record.id}", "cancel_request", record.id, "destructive"),),
            request=record.id,
        )
        return Answer(text, card)

    def _answer_at_once(self, requirement: Requirement) -> Answer:
        record, observes = self.record, self._services.settings.mode == "observe"
        follows = "Observe mode: nothing will be changed." if observes else "It is being carried out now."
        why = requirement.reasons or "No approval is asked for."
        text = f"Request {record.id} is placed and needs nobody's approval. {why} {follows}"
        items = (Facts((("Request", record.id), ("Approval", f"none needed. {why}"))), Text(follows))
        return Answer(text, Card(f"Approved: {record.plan.summary}", items, request=record.id))
