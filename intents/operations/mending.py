"""Trying a failed request again, and recording one of its steps as done by hand."""

from __future__ import annotations

import re

from bot.activity import Person
from bot.card import Card, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.mending import Mending

REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
SAID = re.compile(
    r"(?:please\s+)?(?:record|mark)\s+(?:the\s+)?(?:step\s+)?(?P<step>.+?)\s+of\s+(?:request\s+)?(?P<id>\S+)\s+as\s+done"
    r"(?:\s+by\s+hand)?(?:\s*[,;:–-]?\s*(?:because|since|:)?\s*(?P<reason>.*))?",
    re.IGNORECASE,
)
"""Recognisers cut short what may be any words, so that the sentence is read here once more."""
STEP = SlotType("StepName", listed=False, samples=("order the account", "assign access", "put the account's contacts"))
REASON = SlotType(
    "DoneReason", listed=False, samples=("I did it in the console", "it was there already", "the vendor has set it up")
)
WHICH = "Say which request, such as “{verb} qm-7k3m9qxa”."


class RetryRequest(Query):
    """Runs again what failed; changes nothing that was not approved, so policy decides and nobody approves anew."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._mending = Mending(services)

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="RetryRequest",
            title="second try of a request",
            description="Try a failed request again from where it failed. For operators.",
            acts_at_once=True,
            utterances=(
                "retry",
                "retry {RequestId}",
                "retry request {RequestId}",
                "please retry {RequestId}",
                "try {RequestId} again",
                "try again {RequestId}",
                "rerun {RequestId}",
                "run {RequestId} again",
                "redo {RequestId}",
                "retry the failed steps of {RequestId}",
                "retry my request",
                "repeat {RequestId}",
                "attempt {RequestId} again",
                "run the failed steps of {RequestId} again",
                "try the failed request again",
                "retry what failed in {RequestId}",
            ),
            slots=(Slot("RequestId", REQUEST_ID, required=False, label="Request"),),
            examples=("retry qm-7k3m9qxa",),
        )

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Try again the request that is named; never guesses which."""
        if not ask.slots.get("RequestId"):
            raise Invalid(WHICH.format(verb="retry"), field="RequestId")
        record = await self._mending.retry(ask.slots["RequestId"], ask.person, owner=ask.owner)
        text = f"Request {record.id} is tried again from where it failed; what has succeeded is not repeated."
        return _answer("Trying again", record, text)


class RecordStep(Query):
    """Records a failed step as done by hand, with the reason; the request goes on by itself."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._mending = Mending(services)

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="RecordStep",
            title="record of a step done by hand",
            description="Record a failed step of a request as done by hand. For operators.",
            acts_at_once=True,
            utterances=(
                "record step {StepName} of {RequestId} as done because {DoneReason}",
                "record the step {StepName} of {RequestId} as done because {DoneReason}",
                "record {StepName} of {RequestId} as done because {DoneReason}",
                "mark step {StepName} of {RequestId} as done because {DoneReason}",
                "mark {StepName} of {RequestId} as done by hand because {DoneReason}",
                "record step {StepName} of {RequestId} as done",
                "mark step {StepName} of {RequestId} as done",
                "record a step of {RequestId} as done",
                "mark a step of {RequestId} as done by hand",
                "record that {StepName} of {RequestId} was done by hand",
                "mark the failed step of {RequestId} as fixed by hand",
                "record the failed step as done",
            ),
            slots=(
                Slot("RequestId", REQUEST_ID, required=False, label="Request"),
                Slot("StepName", STEP, required=False, label="Step"),
                Slot(
                    "DoneReason", REASON, required=False, label="Reason", utterances=("as done because {DoneReason}",)
                ),
            ),
            examples=("record step set the budget of qm-7k3m9qxa as done because finance made it",),
        )

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Record the step that is named."""
        read = SAID.fullmatch(ask.text.strip().rstrip("."))
        request, step, reason = (
            read.group("id", "step", "reason")
            if read
            else (ask.slots.get(n, "") for n in ("RequestId", "StepName", "DoneReason"))
        )
        if not request or not step:
            raise Invalid(
                "Say which step of which request is done, and why.",
                next_step="Such as “record step set the budget of qm-7k3m9qxa as done because finance made it”.",
            )
        record = await self._mending.record_done(request, step, reason or "", ask.person, owner=ask.owner)
        return _answer("Recorded as done", record, f"Recorded. Request {record.id} goes on without that step.")


def _answer(title: str, record: RequestRecord, text: str) -> Answer:
    return Answer(text, Card(f"{title}: {record.plan.summary}", (Text(text),), request=record.id))
