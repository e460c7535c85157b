"""What a text opens: a question that is answered, an order that is begun, or an offer of what it may mean."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from bot.accounts import Accounts
from bot.dialogue.addresses import Heard, hear
from bot.dialogue.choosing import asks_for_several
from bot.dialogue.commanding import commands
from bot.dialogue.doubting import ask_back, chosen, is_doubtful, offer
from bot.dialogue.exchange import Exchange, require_may_ask
from bot.dialogue.form import FormFiller
from bot.dialogue.open_form import OpenForm
from bot.dialogue.phrases import (
    bare,
    is_sure,
)
from bot.dialogue.session import Form, runtime_hints, session_id
from bot.errors import Invalid, QuartermasterError
from bot.intent import Change, Intent, Query
from bot.recognizer import FALLBACK, Recognizer, Turn
from bot.services import Services

_REFERS = re.compile(
    r"(?:and|but|what about|how about|(?:the )?same)[ ,]+"
    r"(?:in|for|on|of|at|since|from|during|the|those|yesterday|today)\b"
)
"""What begins a text that is about something said before."""


class Opening:
    """Understands texts with the recogniser, and begins what they mean."""

    def __init__(self, services: Services, recognizer: Recognizer, filler: FormFiller, open_form: OpenForm) -> None:
        self._services, self._recognizer, self._filler, self._open = services, recognizer, filler, open_form

    async def understand(self, turn: Exchange, heard: Heard) -> Turn:
        """Return what a text means, to the form that is open or to none."""
        form = turn.session.form
        if form and (intent := self._services.registry.get(form.intent)):
            hints = await self._filler.choices(intent, turn.ask(form.slots))
            state = form.lex_state(intent.definition, hints)
        else:
            state = await self._state_of_opening(turn)
        kept = turn.session.kept
        state |= {name: value for name, value in kept.items() if name != "sessionAttributes"}
        state["sessionAttributes"] = {**kept.get("sessionAttributes", {}), "UserName": turn.activity.person.called}
        understood = await self._recognizer.recognize(session_id(turn.activity), heard.plain, state)
        turn.session.kept = dict(understood.kept)
        understood = self._with_its_verb(turn, understood, heard)
        return replace(understood, slots=heard.restored_all(understood.slots))

    async def _state_of_opening(self, turn: Exchange) -> dict[str, Any]:
        """Return Lex's sessionState for a text that opens something; notes the names that may occur in it."""
        hints_by_intent = {}
        for name, other in self._services.registry.intents.items():
            if isinstance(other, Change):
                hints_by_intent[name] = await self._filler.choices(other, turn.ask({}))
        turn.names = tuple({v for hints in hints_by_intent.values() for values in hints.values() for v in values})
        return {
            "dialogAction": {"type": "ElicitIntent"},
            "sessionAttributes": {},
            "runtimeHints": runtime_hints(hints_by_intent),
        }

    def _with_its_verb(self, turn: Exchange, understood: Turn, heard: Heard) -> Turn:
        """Return what a text means when the intent that was recognised has to be asked for by its verb, and is not."""
        form, intent = turn.session.form, self._services.registry.get(understood.intent)
        if intent is None or (form and form.intent == understood.intent) or not intent.definition.said_with:
            return understood
        if re.search(intent.definition.said_with, heard.plain, re.IGNORECASE):
            return understood
        if form and form.asking:
            return replace(understood, intent=form.intent, slots={form.asking: heard.plain})
        return replace(understood, intent=FALLBACK, slots={})

    async def goes_on(self, turn: Exchange, understood: Turn, words: str) -> bool:
        """Answer a text that goes on with what was just shown, unless it surely orders something; tell whether it did.

        `words` are its bare ones.
        """
        surely = self._services.registry.get(understood.intent) if is_sure(understood) else None
        if surely and (isinstance(surely, Change) or surely.definition.acts_at_once):
            return False
        for intent in self._services.registry.intents.values():
            pattern = intent.definition.follow_ups if isinstance(intent, Query) else ""
            if not pattern or not isinstance(intent, Query) or not re.fullmatch(pattern, words):
                continue
            turn.is_follow_up = True
            if meant := await intent.follow_up(turn.ask({})):
                turn.meant = meant
                await self.answer(turn, intent, Turn(intent.definition.name))
                return True
        return False

    async def begin_afresh(self, turn: Exchange, understood: Turn, heard: Heard) -> None:
        """Answer or begin what a text means that belongs to no open form."""
        nothing_taken = isinstance(self._services.registry.get(understood.intent), Query) and not understood.slots
        if understood.is_fallback or nothing_taken:
            understood = self._nearest(understood, heard)
        if not is_sure(understood) and not turn.may_be_for_others:
            understood = await self._claimed(turn) or understood
        if turn.is_follow_up and self._goes_on_with_nothing(understood, heard):
            ranked = ((understood.intent, understood.confidence), *understood.alternatives)
            understood = replace(understood, intent=FALLBACK, slots={}, alternatives=ranked)
        intent = self._services.registry.get(understood.intent)
        if understood.is_fallback or intent is None or (turn.may_be_for_others and not is_sure(understood)):
            self._not_understood(turn, heard, understood)
        elif isinstance(intent, Query):
            await self.answer(turn, intent, understood)
        elif isinstance(intent, Change):
            intent, slots = await self.meant(turn, intent, dict(understood.slots))
            if is_doubtful(understood, intent):
                turn.missed = heard.plain
                turn.answers.append(ask_back(understood, intent, slots, self._services.registry))
                return
            await self._open.tell_unlisted(turn, intent, heard.text, slots)
            await self.begin(turn, intent, slots, heard)

    def _goes_on_with_nothing(self, understood: Turn, heard: Heard) -> bool:
        """Tell whether a follow-up for which nothing was shown was taken for a question that it does not ask."""
        intent = self._services.registry.get(understood.intent)
        if not isinstance(intent, Query):
            return False
        refers = not understood.slots and not intent.definition.acts_at_once and _REFERS.match(heard.plain.casefold())
        return bool(intent.definition.follow_ups or refers)

    async def _claimed(self, turn: Exchange) -> Turn | None:
        """Return what a text means to the one order that knows the names in it; None when none claims it."""
        for intent in self._services.registry.intents.values():
            if isinstance(intent, Change) and (slots := await intent.claim(turn.ask({}))) is not None:
                return Turn(intent.definition.name, slots)
        return None

    def _nearest(self, understood: Turn, heard: Heard) -> Turn:
        """Return what a text means that was misunderstood for something in it that only looks like a value."""
        for name, score in understood.alternatives[:2]:
            intent = self._services.registry.get(name)
            pattern = intent.definition.unclear if isinstance(intent, Query) else ""
            if pattern and score > 0 and re.search(pattern, heard.plain, re.IGNORECASE):
                return Turn(name)
        return understood

    async def meant(self, turn: Exchange, intent: Change, slots: dict[str, str]) -> tuple[Change, dict[str, str]]:
        """Return the intent and slots that an opening means once its values are looked up."""
        rather = await intent.rather(turn.ask(slots))
        return (self._services.registry.change(rather[0]), rather[1]) if rather else (intent, slots)

    async def answer(self, turn: Exchange, intent: Query, understood: Turn) -> None:
        """Answer a question; what acts at once does so only where it was commanded. Raises Refused."""
        require_may_ask(self._services, turn, intent, dict(understood.slots))
        held = turn.session.form.slots if turn.session.form else {}
        ask = replace(turn.ask(dict(understood.slots)), open_slots=dict(held))
        is_asked = not intent.definition.acts_at_once or commands(ask.text, intent.definition)
        turn.acts = intent.definition.acts_at_once and is_asked
        answer = await (intent.answer(ask) if is_asked else intent.answer_instead(ask))
        turn.answers.append(answer)
        if answer.card and answer.card.request:
            turn.request = answer.card.request

    async def begin(self, turn: Exchange, intent: Change, slots: dict[str, str], heard: Heard | None = None) -> None:
        """Open the form of an order, laying aside the one that is open. Raises Refused."""
        require_may_ask(self._services, turn, intent, slots)
        if turn.session.form:
            turn.session.park()
        turn.session.parked = [f for f in turn.session.parked if f.intent != intent.definition.name]
        turn.session.form = Form(intent.definition.name)
        if heard and asks_for_several(heard.plain, intent.definition.things):
            turn.say(
                f"I take {intent.definition.things} one at a time. Here is the first; ask for the next afterwards."
            )
        if heard:
            self._open.set_rivals_aside(turn, turn.session.form, heard, slots)
        await self._open.fill(turn, turn.session.form, slots)

    async def answers_what_only_the_intent_knows(self, turn: Exchange, form: Form, text: str) -> bool:
        """Take a text as the answer to a slot that is in no definition; tell whether it was.

        The recogniser does not know what is asked, so it only tells another question from an answer.
        """
        intent = self._services.registry.change(form.intent)
        if not form.asking or form.asking in {s.name for s in intent.definition.slots}:
            return False
        state = {"dialogAction": {"type": "ElicitIntent"}, "sessionAttributes": {}}
        fresh = await self._recognizer.recognize(session_id(turn.activity) + "-aside", text, state)
        other = self._services.registry.get(fresh.intent)
        if is_sure(fresh) and isinstance(other, Query) and await self._asks_rather(turn, form, other, text):
            await self.turn_aside(turn, form, other, fresh)
        else:
            await self._open.fill(turn, form, {form.asking: text})
        return True

    async def _asks_rather(self, turn: Exchange, form: Form, other: Query, text: str) -> bool:
        """Tell whether a text that means a query is no answer: an order may hold a database called "orders"."""
        if len(text.split()) > 1 or bare(text) in {u.casefold() for u in other.definition.utterances}:
            return True
        try:
            intent = self._services.registry.change(form.intent)
            await intent.validate(form.asking, text, turn.ask(form.slots))
        except Invalid:
            return True
        return False

    async def turn_aside(self, turn: Exchange, form: Form, other: Intent | None, understood: Turn) -> None:
        """Answer another question and come back, or lay the form aside for another order."""
        if isinstance(other, Query):
            try:
                await self.answer(turn, other, understood)
            except QuartermasterError as error:
                turn.say(error.sentence())
            await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
        elif isinstance(other, Change):
            title = self._services.registry.change(form.intent).definition.title
            await self.begin(turn, *await self.meant(turn, other, dict(understood.slots)))
            turn.say(f"I have laid your {title} aside; say “continue” afterwards to take it up again.")

    def _not_understood(self, turn: Exchange, heard: Heard, understood: Turn) -> None:
        """Open the form of an order, laying aside the one that is open. Raises Refused."""
        if turn.may_be_for_others:
            turn.is_for_others = True
            return
        turn.missed = heard.plain
        mine = [i for i in self._services.registry.intents.values() if i.is_offered_to(turn.activity.person)]
        if understood.is_fallback and (question := offer(understood, heard.text, mine)):
            turn.answers.append(question)
            return
        examples = [
            e
            for intent in self._services.registry.intents.values()
            if intent.shape == "change"
            for e in intent.definition.examples[:1]
        ]
        hint = f" For example: “{examples[0]}”." if examples else ""
        turn.say(f"Sorry, I did not understand that. What would you like to do?{hint} Say “help” for everything.")

    async def take_for(self, turn: Exchange) -> None:
        """Take a text that was not understood for what the person has said that it means."""
        choice = chosen(turn.activity.value, self._services.registry)
        if choice is None:
            turn.say("That button is not one of mine, so nothing was done.")
            return
        intent, text = choice
        form, turn.meant, heard = turn.session.form, text, hear(text)
        read = await self._recognizer.recognize(
            f"{session_id(turn.activity)}-meant", heard.plain, await self._state_of_opening(turn)
        )
        name = intent.definition.name
        slots = dict(read.slots if read.intent == name else read.readings.get(name, {}))
        if "Account" not in slots and any(slot.name == "Account" for slot in intent.definition.slots):
            # Free slots are found by the words around them, of which an unclear sentence has others.
            slots |= {"Account": found} if (found := await Accounts(self._services).named_in(text)) else {}
        understood = Turn(name, heard.restored_all(slots))
        if form is not None:
            await self.turn_aside(turn, form, intent, understood)
        elif isinstance(intent, Query):
            await self.answer(turn, intent, understood)
        elif isinstance(intent, Change):
            await self.begin(turn, *await self.meant(turn, intent, dict(understood.slots)), heard)
