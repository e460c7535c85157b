"""Filling a form: takes values, validates them, asks for what is missing, shows the plan."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import Enum, auto

from bot.activity import clean_text
from bot.card import Button, Card, Checks, Facts, Image, StepMark, Text
from bot.charts.blast import alt_of
from bot.charts.png import data_url
from bot.dialogue.session import Form
from bot.errors import CloudError, Invalid, Unavailable
from bot.intent import Answer, Ask, Change, Intent, Slot
from bot.plan import Check, Plan
from bot.policy import Requirement
from bot.services import Services
from bot.words import either, in_midst

_ASKS_FOR_CHOICES = re.compile(r"\s*(?:so |and |hm+,? )?(?:which|what|list|show)\b", re.IGNORECASE)
_CHOICES = re.compile(r"\b(choices?|options?|choose|pick|available|possible|are there)\b", re.IGNORECASE)


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
        for slot in intent.definition.slots:  # those that a recogniser knows
            try:
                found[slot.name] = await intent.choices(slot.name, ask)
            except CloudError:
                found[slot.name] = ()
        return found

    async def slots(self, form: Form, ask: Ask) -> dict[str, Slot]:
        """Return what the form asks as it stands, by name and in order."""
        intent = self._services.registry.change(form.intent)
        return {s.name: s for s in await intent.slots(_with(ask, form))}

    async def fill(self, form: Form, values: dict[str, str], ask: Ask, answers: list[Answer]) -> Question:
        """Validate values into the form; then ask for the next missing slot, if any."""
        intent = self._services.registry.change(form.intent)
        slots = await self.slots(form, ask)
        form.digest, was_asking, values = "", form.asking, intent.parted(values, ask)
        form.narrowed = {n: c for n, c in form.narrowed.items() if n not in values}
        refused: Slot | None = None
        for name, slot in slots.items():
            if name not in values:
                continue
            try:
                value = await intent.validate(name, clean_text(values[name]), _with(ask, form))
            except Invalid as error:
                answers.append(Answer(error.sentence()))
                if self._used_up(form, slot):
                    return self._give_up(form, slot, answers)
                if error.choices:
                    form.narrowed[name] = list(error.choices)
                if name in form.slots or not slot.required:
                    refused = slot  # what was said before stands until there is something better
                continue
            before = form.slots.get(name)
            form.slots[name] = value
            form.tries.pop(name, None)
            if before and before != value:
                answers.append(Answer(f"OK, {slot.label or name}: {value} instead of {before}."))
            elif not before and was_asking and was_asking not in (*values, *form.slots):
                answers.append(Answer(f"OK, {slot.label or name}: {'********' if slot.secret else value}."))
        if refused and refused.name == was_asking:
            return await self._ask_refused(form, refused, ask, answers)
        asked = await self._ask_next(form, intent, ask, answers)
        if asked is Question.COMPLETE and refused:
            return await self._ask_refused(form, refused, ask, answers)
        return asked

    async def _ask_refused(self, form: Form, slot: Slot, ask: Ask, answers: list[Answer]) -> Question:
        """Ask for an answer that was refused and need not be given, rather than go on with another than was said."""
        form.asking, form.offered = slot.name, []
        kept = form.slots.get(slot.name)
        if slot.required:
            intent = self._services.registry.change(form.intent)
            return await self._ask(form, slot, intent, _with(ask, form), answers, f" Or say “keep” to keep {kept}.")
        label = in_midst(slot.label or slot.name)
        otherwise = f"keep {kept}" if kept else "leave it to me"
        answers.append(Answer(f"What should the {label} be? Or say “skip” to {otherwise}."))
        return Question.ASKED

    async def ask_again(self, form: Form, ask: Ask, answers: list[Answer]) -> None:
        """Ask the open question again; it counts as no try."""
        slot = (await self.slots(form, ask)).get(form.asking)
        if slot and (slot.name in form.slots or not slot.required):
            await self._ask_refused(form, slot, ask, answers)
        else:
            await self._ask_next(form, self._services.registry.change(form.intent), ask, answers)

    def purpose_of(self, slot: Slot, form: Form) -> str:
        """Return what the answer to a question is needed for."""
        if slot.why:
            return slot.why
        title = self._services.registry.change(form.intent).definition.title
        return (
            f"Your {title} can't be made without the {in_midst(slot.label or slot.name)}."
            if slot.required
            else (f"The {in_midst(slot.label or slot.name)} is a part of your {title} that you may leave out.")
        )

    async def asked_about(self, form: Form, text: str, ask: Ask) -> str:
        """Return what may be answered, if the text asks for that ("which OUs are there?"); empty if it does not."""
        if not text.rstrip().endswith("?") or not _ASKS_FOR_CHOICES.match(text):
            return ""
        intent = self._services.registry.change(form.intent)
        slots = await self.slots(form, ask)
        words = {w.rstrip("s") for w in re.findall(r"[a-z]+", text.casefold())}
        named = [s for s in slots.values() if words & _words_of(s)]
        slot = named[0] if named else None
        if slot is None and form.asking and _CHOICES.search(text):
            slot = slots.get(form.asking)
        if slot is None:
            return ""
        choices = await intent.choices(slot.name, ask) or await intent.suggestions(slot.name, ask)
        return f"{slot.label or slot.name}: {either(choices)}." if choices else self.purpose_of(slot, form)

    async def repeat(self, form: Form, ask: Ask, answers: list[Answer]) -> None:
        """Ask the open question again, after something else was talked about."""
        intent = self._services.registry.change(form.intent)
        if form.digest:
            answers.append(Answer(f"Back to your {intent.definition.title}: shall I go ahead? (yes or no)"))
            return
        answers.append(Answer(f"Back to your {intent.definition.title}."))
        await self.ask_again(form, ask, answers)

    async def _ask_next(self, form: Form, intent: Change, ask: Ask, answers: list[Answer]) -> Question:
        ask = _with(ask, form)
        slots = await intent.slots(ask)
        # An answer to what is not asked any more, such as a parameter of another product, is let go.
        form.slots = {s.name: form.slots[s.name] for s in slots if s.name in form.slots}
        form.secret = [s.name for s in slots if s.secret]
        for slot in slots:
            if slot.required and slot.name not in form.slots:
                return await self._ask(form, slot, intent, ask, answers)
        form.asking = ""
        return Question.COMPLETE

    async def _ask(
        self, form: Form, slot: Slot, intent: Change, ask: Ask, answers: list[Answer], closing: str = ""
    ) -> Question:
        repeated = form.asking == slot.name
        form.asking = slot.name
        suggested = tuple(form.narrowed.get(slot.name, ())) or await intent.suggestions(slot.name, ask)
        form.offered = list(suggested)
        prompt = slot.again if repeated and slot.again else slot.prompt
        # There may be nothing to choose from: then it is no question of its own either.
        prompt = prompt if suggested else prompt.replace(" {choices}?", "").replace("{choices}", "")
        text = prompt.replace("{name}", ask.person.called).replace("{choices}", either(suggested)).rstrip()
        if closing:
            text += ("" if text[-1:] in ".?!" else ".") + closing
        buttons = tuple(Button(v, "fill", f"{slot.name}={v}") for v in suggested[:5])
        answers.append(Answer(text, Card(text, buttons=buttons) if buttons else None))
        return Question.ASKED

    async def show_plan(self, form: Form, intent: Change, ask: Ask, answers: list[Answer]) -> Question:
        """Resolve the plan; show it for confirmation, or say at once what stands against it."""
        plan = await intent.prepare(ask)
        form.digest = ""
        if not plan.problems and (taken := await self._taken(plan, ask)):
            answers.append(Answer(taken))
            form.slots = {n: v for n, v in form.slots.items() if not self._is_exclusive(plan, v)}
            asked = await self._ask_next(form, intent, ask, answers)
            return Question.GIVEN_UP if asked is Question.COMPLETE else asked
        approvals = self._services.approvals
        if not plan.problems and (obstacle := await approvals.obstacle(plan, ask.person.email, ask.slots)):
            kept = f"I have kept your {intent.definition.title}; say “continue” then."
            answers.append(Answer(f"{obstacle} {kept}"))
            return Question.GIVEN_UP
        if not plan.problems:
            form.digest, form.asking = plan.digest, ""
            question = f"{plan.summary}. Shall I go ahead?"
            card = plan_card(plan, ask, approvals.requirement_for(plan, ask.person.email, ask.slots))
            card = replace(card, items=(*await self._pictures(plan), *card.items))
            answers.append(Answer(f"{card.as_text()}\n{question} (yes or no)", card))
            return Question.COMPLETE
        faults: list[Slot] = []
        slots = await self.slots(form, ask)
        for check in plan.problems:
            answers.append(Answer(f"{check.sentence} {check.next_step}".strip()))
            if slot := slots.get(check.slot):
                form.slots.pop(check.slot, None)
                if not slot.required:
                    return await self._ask_refused(form, slot, ask, answers)
                faults.append(slot)
        for slot in faults:
            if self._used_up(form, slot):
                return self._give_up(form, slot, answers)
        if faults:
            return await self._ask_next(form, intent, ask, answers)
        title = intent.definition.title
        answers.append(Answer(f"I have kept your {title}; say “continue” to try again, nothing was ordered."))
        return Question.GIVEN_UP

    async def _pictures(self, plan: Plan) -> tuple[Image, ...]:
        if not plan.figure:
            return ()
        try:
            drawn = await self._services.charts.draw_blast(plan.figure)
        except Unavailable:
            return ()  # the plan says the same in words
        return (Image(data_url(drawn), alt_of(plan.figure)),)

    async def _taken(self, plan: Plan, ask: Ask) -> str:
        """Return which open request has what the plan wants for itself alone; empty when none has."""
        for resource in plan.touches:
            if resource.exclusive and (other := await self._services.requests.open_on(resource.kind, resource.name)):
                mine = f" ({other.id})" if other.requester.id == ask.person.id else ""
                return f"{resource.name} is already part of an open request{mine}, so it can't be ordered again now."
        return ""

    @staticmethod
    def _is_exclusive(plan: Plan, value: str) -> bool:
        return any(t.exclusive and t.name == value.casefold() for t in plan.touches)

    def _used_up(self, form: Form, slot: Slot) -> bool:
        form.tries[slot.name] = form.tries.get(slot.name, 0) + 1
        return form.tries[slot.name] >= slot.tries

    def _give_up(self, form: Form, slot: Slot, answers: list[Answer]) -> Question:
        label = in_midst(slot.label or slot.name)
        answers.append(
            Answer(
                f"We have tried the {label} {slot.tries} times, so let us stop here; nothing was ordered. Your other "
                "answers are kept: say “continue” to go on, “help” to see what I can do, or ask your platform team."
            )
        )
        return Question.GIVEN_UP


def _words_of(slot: Slot) -> set[str]:
    """Return the words that name a slot; of “e-mail” the one that is a word."""
    words = re.findall(r"[a-z]+", (slot.label or slot.name).casefold())
    return {word.rstrip("s") for word in words if len(word) > 1}


def _with(ask: Ask, form: Form) -> Ask:
    return replace(ask, slots=dict(form.slots))


_MARKS: dict[str, StepMark] = {"ok": "done", "waits": "waiting", "fails": "failed"}


def checks_of(checks: tuple[Check, ...]) -> Checks:
    """Return a plan's checks as a card shows them."""
    return Checks(tuple((_MARKS[c.result], c.name, c.sentence) for c in checks))


def plan_card(plan: Plan, ask: Ask, requirement: Requirement) -> Card:
    """Return the plan as shown to the person who is to confirm it."""
    footer = "Nothing is done before it is approved."
    if requirement.is_none:
        footer = f"With your yes it is done at once: nobody needs to approve it. {requirement.reasons}".strip()
    elif requirement.is_several or requirement.sign_in:
        footer = f"Nothing is done before it is approved, for which it needs {requirement.words}."
    notes = tuple(Text(c.sentence, subtle=True) for c in plan.checks if c.result == "waits")
    return Card(
        plan.summary,
        (Facts(plan.details), checks_of(plan.checks), *notes),
        (
            Button("Yes, go ahead", "confirm", plan.digest, "positive"),
            Button("No", "decline", plan.digest),
        ),
        footer=footer,
    )
