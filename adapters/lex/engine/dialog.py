"""One turn of a conversation by Lex V2's rules: elicit, confirm, correct, switch, fall back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.lex.engine.answers import Answer, read_answer
from adapters.lex.engine.compiled import CompiledBot, Ranked
from adapters.lex.engine.definition import Intent, Prompt, Slot, ValueKind
from adapters.lex.engine.filling import Fill, Question, SlotFiller
from adapters.lex.engine.form import Form
from adapters.lex.engine.lexicon import CARRIER_WORDS, CORRECTION_CUES, FILLERS
from adapters.lex.engine.messages import render
from adapters.lex.engine.sessions import Session
from adapters.lex.engine.text import plain_words, tokenize

_CLEAR_SWITCH = 0.6
_SWITCH_DESPITE_VALUE = 0.75
_SWITCH_DESPITE_ANSWER = 0.6
_DOUBTS = CORRECTION_CUES | {
    "wrong",
    "incorrect",
    "mistake",
    "mistyped",
    "typo",
    "fix",
    "edit",
    "modify",
    "different",
    "except",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a turn leaves the conversation, and what is said."""

    form: Form
    dialog_action: Mapping[str, Any]
    prompts: tuple[tuple[Prompt, int], ...] = ()
    misses: int = 0

    def messages(self, attributes: Mapping[str, str]) -> list[dict[str, Any]]:
        """The messages of this turn."""
        values = self.form.values()
        return [message for prompt, attempt in self.prompts for message in render(prompt, values, attributes, attempt)][
            :10
        ]


@dataclass(frozen=True, slots=True)
class Turn:
    """One cleaned text heard in a session."""

    compiled: CompiledBot
    session: Session
    text: str
    ranking: Sequence[Ranked] = field(default_factory=tuple)

    def take(self) -> Outcome:
        """Decide what the text does to the conversation."""
        form = active_form(self.compiled, self.session)
        if form is None:
            return self._begin(self._best())
        action = self.session.dialog_action
        if action.get("type") == "ConfirmIntent":
            return self._hear_confirmation(form)
        asked = form.intent.slot(str(action.get("slotToElicit"))) if action.get("type") == "ElicitSlot" else None
        return self._hear_answer(form, asked or form.next_slot())

    def _best(self) -> Intent:
        if self.ranking and self.ranking[0].score >= self.compiled.bot.threshold:
            return self.ranking[0].intent
        return self.compiled.bot.fallback

    def _begin(self, intent: Intent) -> Outcome:
        if intent.is_fallback:
            return self._fall_back()
        form = Form.empty(intent)
        fills = self.fills(form, elicited=None)
        outcome = self._proceed(form.with_fills(fills))
        if intent.opening.groups:
            return replace(outcome, prompts=((intent.opening, 0), *outcome.prompts))
        return outcome

    def _fall_back(self) -> Outcome:
        fallback = self.compiled.bot.fallback
        form = replace(Form.empty(fallback), state="ReadyForFulfillment")
        prompts = tuple((prompt, 0) for prompt in (fallback.opening, fallback.closing) if prompt.groups)
        return Outcome(form, {"type": "Close"}, prompts)

    def _proceed(self, form: Form, misses: int = 0) -> Outcome:
        missing = form.next_slot()
        if missing is not None:
            return _ask_for(form, missing, misses)
        if form.intent.confirmation is not None:
            return Outcome(form, {"type": "ConfirmIntent"}, ((form.intent.confirmation, misses),), misses)
        return _close(form, "ReadyForFulfillment", "None", form.intent.closing)

    def _hear_answer(self, form: Form, asked: Slot | None) -> Outcome:
        if asked is None:
            changes = form.changed_by(self.fills(form, elicited=None))
            other = self._switch(form, changes, asked)
            return self._begin(other) if other is not None else self._proceed(form.with_fills(changes))
        fills = self.fills(form, elicited=asked.name)
        other = self._switch(form, fills, asked)
        if other is not None:
            return self._begin(other)
        doubted = self._doubted_slot(form, self.compiled.filler(form.intent), Answer.UNCLEAR)
        if doubted is not None and doubted is not asked and form.slots[doubted.name] is not None:
            fills = [fill for fill in fills if not _is_whole_answer(fill, asked, self.text)]
        if fills and (form.changed_by(fills) or any(fill.slot == asked.name for fill in fills)):
            filled = form.with_fills(fills)
            if filled.slots[asked.name] is None:
                return _ask_for(filled, asked, 0)
            return self._proceed(filled)
        if doubted is not None and form.slots[doubted.name] is not None:
            return _ask_for(form.without(doubted.name), doubted, 0)
        misses = self.session.misses + 1
        if misses > asked.prompt.max_retries:
            return self._fall_back()
        return _ask_for(form, asked, misses)

    def _hear_confirmation(self, form: Form) -> Outcome:
        filler = self.compiled.filler(form.intent)
        fixed = filler.contexts.fixed_words if filler is not None else frozenset()
        said = {word for value in form.values().values() for word in plain_words(value)}
        reading = read_answer(self.text, fixed | said)
        if reading.answer is Answer.YES:
            if form.next_slot() is not None:
                return self._proceed(form)
            return _close(form, "ReadyForFulfillment", "Confirmed", form.intent.closing)
        names_a_slot = self._doubted_slot(form, filler, reading.answer) is not None
        if reading.answer is Answer.NO and not reading.rest and not names_a_slot:
            return _close(form, "Failed", "Denied", form.intent.declination)
        fills = self.fills(form, elicited=None, correcting=True)
        changes = form.changed_by(fills)
        other = self._switch(form, changes, None)
        if other is not None:
            return self._begin(other)
        if changes:
            return self._proceed(form.with_fills(changes))
        doubted = self._doubted_slot(form, filler, reading.answer)
        if doubted is not None:
            return _ask_for(form.without(doubted.name), doubted, 0)
        if reading.answer is Answer.NO:
            return _close(form, "Failed", "Denied", form.intent.declination)
        misses = self.session.misses + 1
        confirmation = form.intent.confirmation or Prompt()
        if misses > confirmation.max_retries:
            return self._fall_back()
        return Outcome(form, {"type": "ConfirmIntent"}, ((confirmation, misses),), misses)

    def _doubted_slot(self, form: Form, filler: SlotFiller | None, answer: Answer) -> Slot | None:
        """The slot someone wants to change without saying to what: "the e-mail is wrong", "not Demos"."""
        words = plain_words(self.text)
        if filler is None or not (answer is Answer.NO or _DOUBTS & set(words)):
            return None
        rejected = self._ruled_out(form, filler)
        name = rejected[0] if len(rejected) == 1 else filler.contexts.named_slot(words)
        return form.intent.slot(name) if name is not None else None

    def _ruled_out(self, form: Form, filler: SlotFiller | None) -> list[str]:
        if filler is None:
            return []
        return filler.ruled_out(self.text, Question(None, form.values(), self.session.hints))

    def fills(self, form: Form, *, elicited: str | None, correcting: bool = False) -> list[Fill]:
        """What the text says about a form's slots."""
        filler = self.compiled.filler(form.intent)
        if filler is None:
            return []
        return filler.fill(self.text, Question(elicited, form.values(), self.session.hints, correcting))

    def _switch(self, form: Form, fills: Sequence[Fill], asked: Slot | None) -> Intent | None:
        """The other intent that a text clearly belongs to, if any."""
        if not self.ranking:
            return None
        best = self.ranking[0]
        if best.intent is form.intent or best.score < self.compiled.bot.threshold:
            return None
        if self.compiled.is_verbatim(self.text, best.intent):
            return None if _is_shaped(form, fills) and not self._unexplained(fills) else best.intent
        says_nothing = all(word in CARRIER_WORDS for word in plain_words(self.text))
        if says_nothing or (asked is not None and asked.type.kind is ValueKind.FREE_FORM):
            return None
        if not fills:
            doubted = self._doubted_slot(form, self.compiled.filler(form.intent), Answer.UNCLEAR)
            if doubted is not None and form.slots[doubted.name] is not None:
                return None  # "the type is wrong" is about this form, whatever else may be wrong
            return best.intent if best.score >= _CLEAR_SWITCH else None
        if any(_is_whole_answer(fill, asked, self.text) for fill in fills):
            several_words = len(tokenize(self.text)) > 1
            return best.intent if several_words and best.score >= _SWITCH_DESPITE_ANSWER else None
        if self._names_its_slot(form, fills):
            return None
        if self._unexplained(fills) and best.score >= _SWITCH_DESPITE_VALUE:
            return best.intent
        return None

    def _names_its_slot(self, form: Form, fills: Sequence[Fill]) -> bool:
        """Whether the text calls a slot of the form by name beside its value: "change the mail to x@y.example"."""
        filler = self.compiled.filler(form.intent)
        named = filler.contexts.named_slot(plain_words(self.text)) if filler is not None else None
        return any(fill.slot == named for fill in fills)

    def _unexplained(self, fills: Sequence[Fill]) -> bool:
        return any(
            token.word not in FILLERS and not any(fill.start <= token.start < fill.end for fill in fills)
            for token in tokenize(self.text)
        )


def active_form(compiled: CompiledBot, session: Session) -> Form | None:
    """The form under way in a session; None when there is none or it has come to its end."""
    wire = session.intent
    if wire is None or session.dialog_action.get("type") in {"Close", "ElicitIntent"}:
        return None
    intent = compiled.bot.intent(str(wire.get("name")))
    if intent is None or intent.is_fallback:
        return None
    form = Form.from_wire(intent, wire)
    return form if form.state == "InProgress" else None


def _ask_for(form: Form, slot: Slot, misses: int) -> Outcome:
    return Outcome(form, {"type": "ElicitSlot", "slotToElicit": slot.name}, ((slot.prompt, misses),), misses)


def _close(form: Form, state: str, confirmation: str, prompt: Prompt) -> Outcome:
    closed = replace(form, state=state, confirmation=confirmation)
    return Outcome(closed, {"type": "Close"}, ((prompt, 0),) if prompt.groups else ())


def _is_shaped(form: Form, fills: Sequence[Fill]) -> bool:
    slots = (form.intent.slot(fill.slot) for fill in fills)
    return any(slot is not None and not slot.type.is_open for slot in slots)


def _is_whole_answer(fill: Fill, asked: Slot | None, text: str) -> bool:
    """Whether an open slot merely took the words it was given, which proves nothing."""
    if asked is None or fill.slot != asked.name or not asked.type.is_open:
        return False
    return fill.resolved == (fill.original,) and fill.end - fill.start >= len(text.strip()) // 2
