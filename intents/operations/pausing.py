"""Pause and resume: they change nothing in AWS and must work at once, so policy decides and nobody approves."""

from __future__ import annotations

from bot.activity import Person, clean_text
from bot.card import Button, Card, Text
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType

REASON = SlotType(
    "PauseReason", listed=False, samples=("Control Tower is being updated", "the auditors are here", "a change freeze")
)
MAX_REASON = 500


class PauseChanges(Query):
    """Holds every new step of every request, on all replicas."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="PauseChanges",
            title="pause of all changes",
            description="Pause all changes: no new step of any request begins. For operators.",
            acts_at_once=True,
            utterances=(
                "pause changes",
                "there is an incident so stop all changes",
                "stop all requests from going on",
                "pause changes because {PauseReason}",
                "pause all changes",
                "pause all changes because {PauseReason}",
                "pause everything",
                "please pause all changes",
                "hold all changes",
                "hold all changes because {PauseReason}",
                "stop all changes",
                "freeze everything",
                "freeze all changes",
                "halt all changes",
                "suspend all changes",
                "put all changes on hold",
                "hold everything",
                "suspend everything",
                "put everything on hold",
                "pause the changes for now",
                "stop all changes right now",
                "halt all requests",
            ),
            slots=(Slot("PauseReason", REASON, required=False, label="Reason"),),
            examples=("pause changes", "pause changes because the network is being moved"),
        )

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Pause; whoever pauses a second time is told who did before."""
        self.services.policy.may_pause(ask.person).require()
        _, because, words = ask.text.partition(" because ")
        reason = clean_text(words if because else ask.slots.get("PauseReason", "")).rstrip(".")[:MAX_REASON]
        pause = await self.services.holding.pause(ask.person, reason)
        text = (
            f"{pause.sentence()} Steps under way finish; no new one begins, and approvals are still taken. "
            "Say “resume changes” to let them go on."
        )
        buttons = (Button("Resume changes", "say", "resume changes"),)
        return Answer(text, Card("Changes are paused", (Text(text),), buttons, tone="warning"))

    async def answer_instead(self, ask: Ask) -> Answer:
        """Tell whether changes are paused."""
        return await _how_it_stands(self, ask)


class ResumeChanges(Query):
    """Lets everything go on where it stood."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="ResumeChanges",
            title="end of the pause",
            description="Resume all changes after a pause. For operators.",
            acts_at_once=True,
            utterances=(
                "resume changes",
                "the incident is over so changes may go on",
                "unfreeze",
                "resume all changes",
                "please resume all changes",
                "resume everything",
                "let changes go on",
                "let all changes continue",
                "continue all changes",
                "unpause changes",
                "unpause everything",
                "unfreeze all changes",
                "lift the freeze",
                "end the pause",
                "let everything run again",
                "let the requests go on",
                "continue with the changes",
                "lift the hold",
                "end the freeze",
                "resume normal operation",
            ),
            examples=("resume changes",),
        )

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Resume; says so when nothing was paused."""
        self.services.policy.may_pause(ask.person).require()
        if not await self.services.holding.resume(ask.person):
            return Answer("Changes are not paused.")
        text = "Changes go on where they stood."
        return Answer(text, Card("Changes are resumed", (Text(text),), tone="good"))

    async def answer_instead(self, ask: Ask) -> Answer:
        """Tell whether changes are paused."""
        return await _how_it_stands(self, ask)


async def _how_it_stands(query: Query, ask: Ask) -> Answer:
    """Answer what speaks of a pause without asking for one or for its end: whether there is one, and what to say."""
    pause = await query.services.holding.paused()
    text = pause.sentence() if pause else "Changes are not paused."
    if query.services.policy.may_pause(ask.person).allowed:
        text += " Say “resume changes” to let them go on." if pause else " Say “pause changes” to pause them all."
    return Answer(text)
