"""The three questions about requests."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.card import Button, Card, Checks, Facts, Item, StepMark, Table, Text
from bot.errors import NotFound
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType
from bot.requests import Filter, RequestRecord
from bot.requests.record import STATE_WORDS
from bot.requests.store import CANCELLABLE
from bot.stopping import STOP, UNDER_WAY, Stopping, stoppable
from bot.workflow.mending import RETRY
from bot.workflow.run import BY_HAND

REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
MISTYPED = re.compile(r"\b(qm-\S*\w|(?<=of )(?=[a-z]*\d)[a-z0-9]{5,12})\b", re.IGNORECASE)
"""What was meant for an id but is none: answering with another request would be worse than a refusal."""
_NEWEST = re.compile(r"\b(?:last|latest|newest|most recent)\b", re.IGNORECASE)
SHOWN = 10
_MARKS: dict[str, StepMark] = {"succeeded": "done", BY_HAND: "done", "running": "running", "failed": "failed"}


class MyRequests(Query):
    """Lists the person's latest requests."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="MyRequests",
            title="list of your requests",
            description="List my requests.",
            utterances=(
                "my requests",
                "my tickets",
                "list the tickets that I opened",
                "show my requests",
                "list my requests",
                "what did I ask for",
                "what have I ordered",
                "show me what I ordered",
                "which requests do I have",
                "what is pending for me",
                "my orders",
                "show all my open requests",
                "what are my requests",
                "list everything I requested",
                "show me everything I have asked for",
                "all my orders so far",
                "pending requests",
                "open requests of mine",
                "which of my orders are still waiting",
                "what did I order",
                "what is still open for me",
                "show my stuff",
                "see my requests",
                "my request history",
                "which requests have I made",
                "the things I asked for",
                "everything that I have requested lately",
                "do I have any requests running",
            ),
            examples=("my requests",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return the newest ten; through a REST key only what was asked with it."""
        owner = ask.owner or None
        page = await self.services.requests.list(Filter(person_id=ask.person.id, owner=owner, limit=SHOWN))
        if not page.items:
            return Answer("You have no requests yet. Tell me what you need, or say “help”.")
        rows = tuple((r.id, STATE_WORDS[r.state], r.plan.summary) for r in page.items)
        more = (Text(f"These are the newest {SHOWN}; the console shows all.", subtle=True),) if page.next_cursor else ()
        card = Card("Your requests", (Table(("Request", "State", "What"), rows), *more))
        return Answer(card.as_text(), card)


class RequestStatus(Query):
    """Tells how one request stands."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="RequestStatus",
            title="status of a request",
            description="Tell how a request stands.",
            utterances=(
                "status of {RequestId}",
                "what is happening with {RequestId}",
                "is {RequestId} finished",
                "I asked for an account and want to know how it is going",
                "what takes my account so long",
                "status {RequestId}",
                "what is the status of {RequestId}",
                "how is {RequestId} doing",
                "how far is {RequestId}",
                "what happened to {RequestId}",
                "any news on {RequestId}",
                "what about {RequestId}",
                "show {RequestId}",
                "show me request {RequestId}",
                "details of {RequestId}",
                "{RequestId}",
                "is {RequestId} done yet",
                "what is the status of my request",
                "status",
                "how is my request doing",
                "is my account ready yet",
                "where is my account",
                "has {RequestId} been approved",
                "is {RequestId} approved already",
                "any update on {RequestId}",
                "how far along is my request {RequestId}",
                "where does {RequestId} stand",
                "who has to approve {RequestId}",
                "is it ready",
                "is it done yet",
                "any update",
                "any news about my account",
                "when will my account be ready",
                "how long will it take until my account is there",
                "has my request been approved",
                "what is going on with my account",
                "did my account come through",
                "is my order finished",
                "how is it coming along",
                "what has become of my request",
                "when will {RequestId} be finished",
                "is there progress on {RequestId}",
                "why is my request still waiting",
                "what is my order waiting for",
                "what does {RequestId} wait for",
                "has anything happened with my request",
                "I am still waiting for my account",
            ),
            slots=(Slot("RequestId", REQUEST_ID, required=False, label="Request"),),
            unclear=MISTYPED.pattern,
            examples=("status of qm-7k3m9qxa", "status"),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return the request that is named, else the person's newest."""
        if ask.slots.get("RequestId"):
            record = await self.services.requests.find(ask.slots["RequestId"])
            require_visible(self, record, ask)
        else:
            if mistyped := MISTYPED.search(ask.text):
                await self.services.requests.find(mistyped[1])
            owner = ask.owner or None
            page = await self.services.requests.list(Filter(person_id=ask.person.id, owner=owner, limit=1))
            if not page.items:
                return Answer("You have no requests yet. Tell me what you need, or say “help”.")
            record = page.items[0]
        return await self._status(record, ask)

    async def _status(self, record: RequestRecord, ask: Ask) -> Answer:
        whole = self.services.policy.may_override(ask.person, record.subject).allowed
        view = await self.services.requests.view(record, whole=whole)
        items: list[Item] = [
            Facts((("Request", record.id), ("State", STATE_WORDS[record.state]), *record.plan.details))
        ]
        if record.state == "awaiting_approval":
            asked = [a["approver"] for a in view["approvals"] if a["version"] == record.version]
            lapses = view["expires_at"][:16].replace("T", " ")
            items.append(Text(f"Asked to approve: {', '.join(asked) or 'the approvers'}. Lapses {lapses} UTC."))
        if view["steps"]:
            steps = tuple(
                (_MARKS.get(s["state"], "waiting"), s["name"], s["error"] or s["state"]) for s in view["steps"]
            )
            items.append(Checks(steps))
        if record.outcome:
            items.append(Text(f"{record.outcome['text']} {record.outcome.get('next', '')}".strip()))
        buttons: tuple[Button, ...] = ()
        if record.state in ("approved", "queued", "running") and (pause := await self.services.holding.paused()):
            items.append(Text(f"{pause.sentence()} This request goes on when they are resumed."))
        may_mend = record.state == "failed" and record.notes.get(RETRY)
        if may_mend and whole:
            buttons = (Button("Try again", "say", f"retry {record.id}"),)
        if record.state == "queued":
            told = [e.detail for e in await self.services.requests.timeline(record) if "in line" in e.detail]
            items.extend(Text(words) for words in told[-1:])
        if record.state in CANCELLABLE and self.services.policy.may_cancel(ask.person, record.subject).allowed:
            buttons = (Button(f"Cancel {record.id}", "cancel_request", record.id, "destructive"),)
        if record.state in UNDER_WAY and (stops := stoppable(self.services, record)):
            buttons = (*buttons, Button(f"Stop the {stops.stop_word}", STOP, record.id, "destructive"))
        card = Card(
            f"{STATE_WORDS[record.state].capitalize()}: {record.plan.summary}", tuple(items), buttons, request=record.id
        )
        return Answer(card.as_text(), card)


class CancelRequest(Query):
    """Withdraws a request that has not begun. It undoes nothing, so it needs no approval; policy decides."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="CancelRequest",
            title="cancelling of a request",
            description="Cancel a request that has not begun.",
            acts_at_once=True,
            utterances=(
                "cancel {RequestId}",
                "{RequestId} was a mistake so withdraw it",
                "undo my request",
                "forget about {RequestId}",
                "cancel request {RequestId}",
                "please cancel {RequestId}",
                "withdraw {RequestId}",
                "call back {RequestId}",
                "stop {RequestId}",
                "abort {RequestId}",
                "kill {RequestId}",
                "kill request {RequestId}",
                "drop request {RequestId}",
                "I no longer need {RequestId}",
                "revoke {RequestId}",
                "delete request {RequestId}",
                "take back {RequestId}",
                "scrap {RequestId}",
                "cancel my request",
                "withdraw my request",
                "withdraw my last request",
                "cancel my latest order",
                "undo request {RequestId}",
                "retract {RequestId}",
                "call off {RequestId}",
                "call off my request",
                "stop my request",
                "drop my order",
                "I don't want {RequestId} any more",
                "I don't need {RequestId} any more",
                "cancel my order",
            ),
            slots=(Slot("RequestId", REQUEST_ID, required=False, label="Request"),),
            examples=("cancel qm-7k3m9qxa",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Cancel the request that is named; never guesses which."""
        if not ask.slots.get("RequestId"):
            return await self._which(ask)
        record = await self.services.requests.find(ask.slots["RequestId"])
        require_visible(self, record, ask)
        owner = ask.owner or None
        if record.state in UNDER_WAY and stoppable(self.services, record):
            record, text = await Stopping(self.services).stop(record.id, ask.person, surface=ask.channel, owner=owner)
            return Answer(text, Card(f"Stop: {record.plan.summary}", (Text(text),), tone="warning", request=record.id))
        record = await self.services.requests.cancel(
            record.id, ask.person, surface=ask.channel, owner=owner, told_in=ask.conversation
        )
        text = f"Request {record.id} is cancelled; nothing was done."
        return Answer(text, Card(f"Cancelled: {record.plan.summary}", (Text(text),), tone="warning", request=record.id))

    async def answer_instead(self, ask: Ask) -> Answer:
        """Tell how the request stands that was talked about, beside a button that cancels it."""
        if not ask.slots.get("RequestId"):
            return Answer(
                "I have done nothing: I am not sure what to cancel. Say “cancel” and its id to withdraw a request, and "
                "“cancel” alone to drop what is half-done here."
            )
        status = await RequestStatus(self.services).answer(ask)
        if status.card is None:
            return status
        told = Text(f"Nothing was cancelled. To cancel it, say “cancel {status.card.request}”.")
        card = replace(status.card, items=(told, *status.card.items))
        return Answer(card.as_text(), card)

    async def _which(self, ask: Ask) -> Answer:
        """Return the person's requests that could be cancelled, to choose from."""
        most = 1 if _NEWEST.search(ask.text) else 5
        wanted = Filter(person_id=ask.person.id, owner=ask.owner or None, state=CANCELLABLE, limit=most)
        page = await self.services.requests.list(wanted)
        if not page.items:
            return Answer("None of your requests can be cancelled: each has begun or is over.")
        buttons = tuple(Button(f"Cancel {r.id}", "cancel_request", r.id, "destructive") for r in page.items)
        rows = tuple((r.id, STATE_WORDS[r.state], r.plan.summary) for r in page.items)
        question = "Which request?" if most > 1 else "This one?"
        card = Card(question, (Table(("Request", "State", "What"), rows),), buttons)
        return Answer(card.as_text(), card)


def require_visible(query: Query, record: RequestRecord, ask: Ask) -> None:
    """Raise NotFound for requests that the person may not see: their existence is nobody's business."""
    foreign = bool(ask.owner) and record.owner != ask.owner
    if foreign or not query.services.policy.may_see(ask.person, record.subject).allowed:
        raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
