"""What is said while a form is open: its values, yes and no, what is asked back, what was said before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.dialogue.addresses import Heard, answers_with_address, is_bare_address
from bot.dialogue.choosing import may_pick, picked, rival_addresses, rival_values
from bot.dialogue.commanding import asks_or_begins
from bot.dialogue.correcting import corrected, replaced
from bot.dialogue.exchange import Exchange, require_may_ask
from bot.dialogue.form import FormFiller, Question
from bot.dialogue.phrases import KEEP, SENTENCE, SKIP, is_sure
from bot.dialogue.placing import Placing
from bot.dialogue.remarks import affirms, asks_why, contradicts, declines, held, misspelt, refuses, unlisted
from bot.dialogue.session import Form, session_id
from bot.dialogue.spotting import spot, spot_phrase
from bot.errors import CloudError, Conflict, Invalid
from bot.intent import Ask, Change, Intent
from bot.recognizer import Recognizer, Turn
from bot.services import Services
from bot.words import either, in_midst

PROBABLE = 0.45
"""Confidence from which a sentence that is a wrong answer, and names a value of another intent, begins that."""
_WORD = re.compile(r"\w+")
_JOINING = frozenset("or and the a an either maybe ou one of".split())
CERTAIN = 0.95
"""Confidence from which even a single word begins something else while any word would answer: “help”, “status”."""


class OpenForm:
    """Goes on with the form of a session."""

    def __init__(self, services: Services, recognizer: Recognizer, filler: FormFiller) -> None:
        self._services, self._recognizer, self._filler = services, recognizer, filler

    async def hear(self, turn: Exchange, form: Form, understood: Turn, heard: Heard) -> Turn | None:
        """Take a text as it was understood; return what surely belongs to another intent, having done nothing."""
        intent = self._services.registry.change(form.intent)
        changed = {n: v for n, v in understood.slots.items() if v != form.slots.get(n)}
        own = understood.intent == form.intent
        if self.set_rivals_aside(turn, form, heard, changed):
            await self.fill(turn, form, changed if own else {})
            return None
        if not own and await self._is_read_whole(turn, form, intent, heard.text):
            await self.fill(turn, form, {form.asking: heard.text})
            return None
        withdrawn = [n for n in form.slots if own and n in understood.empty]
        for name in withdrawn:  # "the e-mail is wrong": taken out, asked again
            del form.slots[name]
        if own and not withdrawn and (rather := await self._means_rather(turn, form, changed, heard)):
            return rather
        if own and (changed or withdrawn):
            for name, value in changed.items():
                if misread := misspelt(heard.text, value, intent.definition.slot(name)):
                    turn.say(f"I read “{misread}” as {value}.")
            await self.fill(turn, form, changed)
            return None
        phrased = spot_phrase(heard.text, intent.definition)
        if (
            not own
            and not phrased
            and is_sure(understood)
            and not await self._names_choices_only(turn, form, intent, heard.text)
            and not is_bare_address(heard.plain)  # begins an order, but only where nothing is asked
            and not (_asks_for_address(intent, form) and answers_with_address(heard.plain))
            and (other := self._services.registry.get(understood.intent))
            and not _could_be_the_answer(heard.text, intent, form, understood, other)
        ):
            return understood
        hints = await self._filler.choices(intent, turn.ask(form.slots))
        spotted = _spot_new(heard, intent, hints, form)
        if spotted:
            await self.fill(turn, form, spotted)
        elif own and form.digest and understood.confirmation == "Confirmed":
            await self.place(turn, form, intent)
        elif own and form.digest and understood.confirmation == "Denied" and declines(heard.text):
            turn.session.form = None
            turn.say(intent.definition.declined)
        elif (repeated := await self._asks_afresh(turn, form, heard)) is not None:
            if repeated:
                turn.say("I have that; say “start over” to begin anew.")
                await self.ask_again(turn, form)
            else:  # the bare wish once more, as from a caller who begins again
                turn.session.form = Form(form.intent)
                await self.fill(turn, turn.session.form, {})
        elif form.asking and (rather := await self._means_rather(turn, form, {form.asking: heard.text}, heard)):
            return rather
        else:
            await self._take_what_means_nothing_else(turn, form, heard.text)
        return None

    async def _is_read_whole(self, turn: Exchange, form: Form, intent: Change, text: str) -> bool:
        """Tell whether a text is an answer to the open question from its first to its last word."""
        slot = intent.definition.slot(form.asking) if form.asking else None
        if slot is None or not slot.reads_whole:
            return False
        try:
            await intent.validate(form.asking, text, turn.ask(form.slots))
        except (Invalid, Conflict):
            return False
        return True

    async def _names_choices_only(self, turn: Exchange, form: Form, intent: Change, text: str) -> bool:
        """Tell whether a text is made of what the open question offers: “Demos or Experiment” begins no experiment."""
        if not form.asking:
            return False
        said = set(_WORD.findall(text.casefold())) - _JOINING
        offered = await self._offered(form, form.asking, intent, turn.ask(form.slots))
        return bool(said) and said <= {word for value in offered for word in _WORD.findall(value.casefold())}

    async def _means_rather(self, turn: Exchange, form: Form, changed: Mapping[str, str], heard: Heard) -> Turn | None:
        """Return what a whole sentence means that was taken for the open question's answer and is a wrong one.

        "Close Demo Booth", say, where an account to renew is asked for: any words could name one.
        """
        if list(changed) != [form.asking] or len(heard.text.split()) < 2:
            return None
        intent = self._services.registry.change(form.intent)
        if await self._names_choices_only(turn, form, intent, heard.text):
            return None
        try:
            await intent.validate(form.asking, changed[form.asking], turn.ask(form.slots))
        except Invalid:
            fresh = await self._afresh(turn, heard)
            names_something = bool(fresh.slots) and fresh.confidence >= PROBABLE
            is_meant = not fresh.is_fallback and (is_sure(fresh) or names_something)
            if fresh.intent != form.intent and is_meant and self._services.registry.get(fresh.intent):
                return fresh
        return None

    async def _afresh(self, turn: Exchange, heard: Heard) -> Turn:
        """Understand a text as if no form were open, in a session of its own."""
        state = {"dialogAction": {"type": "ElicitIntent"}, "sessionAttributes": {}}
        fresh = await self._recognizer.recognize(session_id(turn.activity) + "-afresh", heard.plain, state)
        return replace(fresh, slots=heard.restored_all(fresh.slots))

    async def _take_what_means_nothing_else(self, turn: Exchange, form: Form, text: str) -> None:
        """Take a text for the answer to the open question, unless it is clearly none; at the plan, ask for a yes."""
        intent = self._services.registry.change(form.intent)
        named = unlisted(text, intent.definition, await self._filler.choices(intent, turn.ask(form.slots)))
        if named and named[0] == form.asking:
            await self.fill(turn, form, {form.asking: named[1]})
        elif named:
            await self.tell_unlisted(turn, intent, text, {})
            await self.ask_again(turn, form)
        elif not form.asking:
            await self.ask_again(turn, form)
        elif contradicts(text) and not await self._takes_free_words(turn, form):
            turn.say("Please answer the question, or tell me what to change.")
            await self.ask_again(turn, form)
        else:
            await self.fill(turn, form, {form.asking: text})

    async def ask_again(self, turn: Exchange, form: Form) -> None:
        """Ask what is open once more, which is no try; at the plan, for a yes or a no."""
        if form.digest:
            turn.say("Please say yes or no, or tell me what to change.")
        if form.asking:
            await self._filler.ask_again(form, turn.ask(form.slots), turn.answers)
        else:
            await self.show_plan(turn, form)

    async def tell_unlisted(self, turn: Exchange, intent: Change, text: str, values: Mapping[str, str]) -> None:
        """Say which values there are when a sentence names one that there is not: "a gold account"."""
        ask = turn.ask(dict(values))
        named = unlisted(text, intent.definition, await self._filler.choices(intent, ask))
        if named is None or named[0] in values:
            return
        try:
            await intent.validate(*named, ask)
        except Invalid as error:
            turn.say(error.sentence())

    async def _takes_free_words(self, turn: Exchange, form: Form) -> bool:
        """Tell whether the open question is answered in words of one's own, such as a name."""
        intent = self._services.registry.change(form.intent)
        slot = next((s for s in intent.definition.slots if s.name == form.asking), None)
        if slot is None:
            return True
        if slot.type.values or slot.type.pattern or slot.type.name.startswith("AMAZON."):
            return False
        return not await self._offered(form, slot.name, intent, turn.ask(form.slots))

    async def _asks_afresh(self, turn: Exchange, form: Form, heard: Heard) -> tuple[str, ...] | None:
        """Return the values that a whole sentence repeats which opens the same intent again; None for any other.

        Asked of the recogniser without the form, in a session of its own, and only for what answered nothing.
        """
        if len(heard.text.split()) < SENTENCE or contradicts(heard.text):
            return None
        fresh = await self._afresh(turn, heard)
        definition = self._services.registry.change(form.intent).definition
        told = unlisted(heard.text, definition, {})
        if fresh.intent != form.intent or told:
            return None
        repeated = tuple(fresh.slots.values())
        return repeated if all(held(v, definition, form.slots) for v in repeated) else None

    async def fill(self, turn: Exchange, form: Form, values: dict[str, str]) -> None:
        """Put values into the form, then ask on, or show the plan."""
        question = await self._filler.fill(form, values, turn.ask(form.slots), turn.answers)
        if question is Question.GIVEN_UP:
            turn.session.park()
        elif question is Question.COMPLETE:
            await self.show_plan(turn, form)

    async def show_plan(self, turn: Exchange, form: Form) -> None:
        intent = self._services.registry.change(form.intent)
        require_may_ask(self._services, turn, intent, form.slots)
        outcome = await self._filler.show_plan(form, intent, turn.ask(form.slots), turn.answers)
        if outcome is Question.GIVEN_UP:
            turn.session.park()

    async def place(self, turn: Exchange, form: Form, intent: Change) -> None:
        """The confirming yes: plan once more, and place the request if nothing has changed."""
        require_may_ask(self._services, turn, intent, form.slots)
        ask = turn.ask(form.slots)
        plan = await intent.prepare(ask)
        if plan.problems or plan.digest != form.digest:
            turn.say("Something has changed since I showed you the plan. This is how it stands now:")
            await self.show_plan(turn, form)
            return
        placing = Placing(self._services, intent, form, plan, turn.activity)
        await placing.require_approvable()
        turn.place = placing
        turn.session.form = None

    async def answers_about_it(self, turn: Exchange, form: Form, text: str, words: str) -> bool:
        """Answer what is asked or said about the open question itself; tell whether it was that."""
        slot = (await self._filler.slots(form, turn.ask(form.slots))).get(form.asking)
        if slot and ((words in KEEP | SKIP and slot.name in form.slots) or (words in SKIP and not slot.required)):
            form.asking = ""
            await self.fill(turn, form, {})
            return True
        if slot:  # said as it was offered, or by its place, it is the answer, whatever else it could have begun
            intent = self._services.registry.change(form.intent)
            offered = await self._offered(form, slot.name, intent, turn.ask(form.slots))
            choice = next((value for value in offered if value.casefold() == words), None)
            if choice is None and may_pick(words):
                shown = form.narrowed.get(slot.name) or await intent.suggestions(slot.name, turn.ask(form.slots))
                choice = picked(words, shown)
            if choice:
                await self.fill(turn, form, {slot.name: choice})
                return True
            if asks_why(text):
                turn.say(self._filler.purpose_of(slot, form))
                await self.ask_again(turn, form)
                return True
        if aside := self._aside(form, words):
            turn.say(aside)
            await self.ask_again(turn, form)
            return True
        if await self._says_nothing_new(turn, form, text, words):
            return True
        wanted = await self._filler.asked_about(form, text, turn.ask(form.slots))
        if not wanted:
            return False
        turn.say(wanted)
        await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
        return True

    def _aside(self, form: Form, words: str) -> str:
        """Return what a question about the order itself is answered, empty when it is none."""
        asides = self._services.registry.change(form.intent).definition.asides
        return next((answer for pattern, answer in asides if re.fullmatch(pattern, words)), "")

    async def corrects(self, turn: Exchange, form: Form, text: str) -> bool:
        """Take a correction by an answer's name, or by the answer itself; tell whether it was one.

        "Change BucketName to x", "change the OU", "replace a@x by b@x". New values of slots that are in the
        definition are the recogniser's, unless the old one is named.
        """
        known = {s.name for s in self._services.registry.change(form.intent).definition.slots}
        slots = (await self._filler.slots(form, turn.ask(form.slots))).values()
        open_to_all = [s for s in slots if not s.secret]
        if swapped := replaced(text, open_to_all, form.slots):
            await self.fill(turn, form, {swapped[0].name: swapped[1]})
            return True
        found = corrected(text, [s for s in open_to_all if s.name in form.slots or s.name == form.asking])
        if found is None or (found[1] and found[0].name in known):
            return False
        slot, value = found
        if value:
            await self.fill(turn, form, {slot.name: value})
        else:
            form.digest, form.asking = "", slot.name
            await self.ask_again(turn, form)
        return True

    async def _says_nothing_new(self, turn: Exchange, form: Form, text: str, words: str) -> bool:
        """Answer what repeats the opening or a value that the form holds, and a yes or no where words are asked for."""
        definition = self._services.registry.change(form.intent).definition
        asked = next((s for s in definition.slots if s.name == form.asking), None)
        is_yes_or_no = asked is not None and (affirms(text) or refuses(text))
        is_unlisted = asked is not None and not asked.type.values and is_yes_or_no
        if form.asking and (is_unlisted or await self._takes_free_words(turn, form)):
            if asked is None or not is_yes_or_no:
                return False
            if refuses(text) and not asked.required:
                form.asking = ""
                await self.fill(turn, form, {})
            else:
                way_out = " Say “cancel” to drop it." if refuses(text) else ""
                turn.say(f"“{text}” does not tell me the {in_midst(asked.label or asked.name)}.{way_out}")
                await self.ask_again(turn, form)
            return True
        offered: tuple[str, ...] = ()
        if form.asking in {slot.name for slot in definition.slots}:
            intent = self._services.registry.change(form.intent)
            offered = await self._offered(form, form.asking, intent, turn.ask(form.slots))
        again = held(text, definition, form.slots, offered)
        if again and again.name == form.asking:
            form.asking = ""
            await self.fill(turn, form, {})
        elif again:
            turn.say(f"I have that. {again.label or again.name}: {form.slots[again.name]}.")
            await self.ask_again(turn, form)
        elif words in {u.casefold() for u in definition.utterances if len(u.split()) > 1}:
            turn.say("I have that; say “start over” to begin anew.")
            await self.ask_again(turn, form)
        else:
            return False
        return True

    async def _offered(self, form: Form, slot: str, intent: Change, ask: Ask) -> tuple[str, ...]:
        """Return every value that the open question has offered, or could have; none when AWS does not answer."""
        known = (await self._filler.choices(intent, ask)).get(slot, ())
        if known or form.narrowed.get(slot):
            return (*form.narrowed.get(slot, ()), *known)
        try:
            return await intent.suggestions(slot, ask)
        except CloudError:
            return ()

    def set_rivals_aside(self, turn: Exchange, form: Form, heard: Heard, values: dict[str, str]) -> bool:
        """Take values that a text puts side by side out of values and form, to be asked about; tell whether any."""
        definition = self._services.registry.change(form.intent).definition
        rivals = {**rival_values(heard.plain, definition), **rival_addresses(heard.plain, definition)}
        for name, found in rivals.items():
            addresses = [heard.restored(address) for address in found]
            values.pop(name, None)
            form.slots.pop(name, None)
            form.narrowed[name] = addresses
            label = in_midst(definition.slot(name).label or name)
            named = " and ".join(addresses) if len(addresses) < 3 else either(addresses)
            turn.say(f"There can be only one {label}, and you named {named}. Which one shall I take?")
        return bool(rivals)


def _spot_new(heard: Heard, intent: Change, hints: dict[str, tuple[str, ...]], form: Form) -> dict[str, str]:
    """Return spotted values that differ from what the form holds."""
    found = heard.restored_all(spot(heard.plain, intent.definition, hints, form.asking))
    # A word that some answer already has says nothing new, also where another slot has a value of that name.
    said = {v.casefold() for v in form.slots.values()}
    return {n: v for n, v in found.items() if v.casefold() not in said}


def _asks_for_address(intent: Change, form: Form) -> bool:
    return any(s.name == form.asking and s.type.name == "AMAZON.EmailAddress" for s in intent.definition.slots)


def _could_be_the_answer(text: str, intent: Change, form: Form, understood: Turn, other: Intent) -> bool:
    """Tell whether a text rather answers an open question than begins something else.

    That is one word, such as a name, and where prose is asked for whatever neither asks nor begins as a command does.
    """
    asked = next((s for s in intent.definition.slots if s.name == form.asking), None)
    if asked is not None and asked.is_prose:
        return not asks_or_begins(text, other.definition)
    is_open = asked is not None and not asked.type.values and not asked.type.name.startswith("AMAZON.")
    # A bare name says nothing of what is to become of it: it never begins what destroys, however sure that seems.
    return is_open and len(text.split()) == 1 and (understood.confidence < CERTAIN or other.definition.destroys)
