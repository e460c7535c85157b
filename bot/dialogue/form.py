"""Filling a form: takes values, validates them, asks for what is missing, shows the plan."""

from __future__ import annotations

from enum import Enum, auto

from bot.activity import clean_text
from bot.card import Button, Card, Checks, Facts, StepMark, Text
from bot.dialogue.session import Form
from bot.errors import CloudError, Invalid
from bot.intent import Answer, Ask, Change, Intent, Slot, either
from bot.plan import Check, Plan
from bot.services import Services


class Question(Enum):
    """How filling ended."""

    ASKED = auto()
    COMPLETE = auto()
    GIVEN_UP = auto()


class FormFiller:
    """Works on the form it is given and adds to the answers it is given."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def choices(self, intent: Intent, ask: Ask) -> dict[str, tuple[str, ...]]:
        """Return the values known at run time, by slot; none when AWS does not answer."""
        found: dict[str, tuple[str, ...]] = {}
        for slot in intent.definition.slots:
            try:
                found[slot.name] = await intent.choices(slot.name, ask)
            except CloudError:
                found[slot.name] = ()
        return found

    async def fill(self, form: Form, values: dict[str, str], ask: Ask, answers: list[Answer]) -> Question:
        """Validate values into the form; then ask for the next missing slot, if any."""
        intent = self._services.registry.change(form.intent)
        order = [s.name for s in intent.definition.slots]
        form.digest = ""
        for name in sorted((n for n in values if n in order), key=order.index):
            slot = intent.definition.slot(name)
            try:
                value = await intent.validate(name, clean_text(values[name]), Ask(**{**vars(ask), "slots": form.slots}))
            except Invalid as error:
                answers.append(Answer(error.sentence()))
                if self._used_up(form, slot):
                    return self._give_up(form, slot, answers)
                form.slots.pop(name, None)
                continue
            before = form.slots.get(name)
            form.slots[name] = value
            form.tries.pop(name, None)
            if before and before != value:
                answers.append(Answer(f"OK, {slot.label or name}: {value} instead of {before}."))
        return await self._ask_next(form, intent, ask, answers)

    async def repeat(self, form: Form, ask: Ask, answers: list[Answer]) -> None:
        """Ask the open question again, after something else was talked about."""
        intent = self._services.registry.change(form.intent)
        if form.digest:
            answers.append(Answer(f"Back to your {intent.definition.title}: shall I go ahead? (yes or no)"))
            return
        answers.append(Answer(f"Back to your {intent.definition.title}."))
        await self._ask_next(form, intent, ask, answers)

    async def _ask_next(self, form: Form, intent: Change, ask: Ask, answers: list[Answer]) -> Question:
        for slot in intent.definition.slots:
            if slot.required and slot.name not in form.slots:
                repeated = form.asking == slot.name
                form.asking = slot.name
                ask = Ask(**{**vars(ask), "slots": form.slots})
                suggested = await intent.suggestions(slot.name, ask)
                prompt = slot.again if repeated and slot.again else slot.prompt
                text = prompt.replace("{name}", ask.person.called).replace("{choices}", either(suggested))
                buttons = tuple(Button(v, "fill", f"{slot.name}={v}") for v in suggested[:5])
                answers.append(Answer(text, Card(text, buttons=buttons) if buttons else None))
                return Question.ASKED
        form.asking = ""
        return Question.COMPLETE

    async def show_plan(self, form: Form, intent: Change, ask: Ask, answers: list[Answer]) -> Question:
        """Resolve the plan; show it for confirmation, or say at once what stands against it."""
        plan = await intent.prepare(ask)
        form.digest = ""
        if not plan.problems:
            form.digest, form.asking = plan.digest, ""
            question = f"{plan.summary}. Shall I go ahead?"
            card = plan_card(plan, ask)
            answers.append(Answer(f"{card.as_text()}\n{question} (yes or no)", card))
            return Question.COMPLETE
        faults: list[Slot] = []
        for check in plan.problems:
            answers.append(Answer(f"{check.sentence} {check.next_step}".strip()))
            if check.slot:
                form.slots.pop(check.slot, None)
                faults.append(intent.definition.slot(check.slot))
        for slot in faults:
            if self._used_up(form, slot):
                return self._give_up(form, slot, answers)
        if faults:
            asked = await self._ask_next(form, intent, ask, answers)
            # An optional slot at fault is derived anew, so the form may be complete without asking.
            return await self.show_plan(form, intent, ask, answers) if asked is Question.COMPLETE else asked
        title = intent.definition.title
        answers.append(Answer(f"I have kept your {title}; say “continue” to try again, nothing was ordered."))
        return Question.GIVEN_UP

    def _used_up(self, form: Form, slot: Slot) -> bool:
        form.tries[slot.name] = form.tries.get(slot.name, 0) + 1
        return form.tries[slot.name] >= slot.tries

    def _give_up(self, form: Form, slot: Slot, answers: list[Answer]) -> Question:
        form.slots.pop(slot.name, None)
        label = (slot.label or slot.name).casefold()
        answers.append(
            Answer(
                f"We have tried the {label} {slot.tries} times, so let us stop here; nothing was ordered. Your other "
                "answers are kept: say “continue” to go on, “help” to see what I can do, or ask your platform team."
            )
        )
        return Question.GIVEN_UP


_MARKS: dict[str, StepMark] = {"ok": "done", "waits": "waiting", "fails": "failed"}


def checks_of(checks: tuple[Check, ...]) -> Checks:
    """Return a plan's checks as a card shows them."""
    return Checks(tuple((_MARKS[c.result], c.name, c.sentence) for c in checks))


def plan_card(plan: Plan, ask: Ask) -> Card:
    """Return the plan as shown to the person who is to confirm it."""
    notes = tuple(Text(c.sentence, subtle=True) for c in plan.checks if c.result == "waits")
    return Card(
        plan.summary,
        (Facts(plan.details), checks_of(plan.checks), *notes),
        (
            Button("Yes, go ahead", "confirm", plan.digest, "positive"),
            Button("No", "decline", plan.digest),
        ),
        footer="Nothing is done before it is approved.",
    )
