"""One turn: what was said or pressed, what it means for the form, what is answered.

`Dialogue.handle` reads and decides; the returned `Decided.commit` writes, inside the transaction that also
marks the activity as done. So a crash repeats a turn or has finished it, never half.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from bot.activity import MAX_TEXT, STOP_WORDS, Activity, clean_text
from bot.database import Transaction
from bot.dialogue.abandoning import abandons
from bot.dialogue.addresses import Heard, hear
from bot.dialogue.choosing import may_pick, picked, rival_addresses
from bot.dialogue.form import FormFiller, Question
from bot.dialogue.phrases import (
    ANEW,
    CONTINUE,
    KEEP,
    SENTENCE,
    SKIP,
    SLACK_MAILTO,
    THANKS,
    YES_OR_NO,
    aws_trouble,
    bare,
    is_sure,
)
from bot.dialogue.placing import Placing
from bot.dialogue.remarks import affirms, asks_why, contradicts, declines, held, misspelt, refuses, unlisted
from bot.dialogue.session import Form, Session, Sessions, runtime_hints, session_id
from bot.dialogue.spotting import spot, spot_phrase
from bot.errors import CloudError, Invalid, NotFound, QuartermasterError, Refused
from bot.intent import Answer, Ask, Change, Intent, Query
from bot.recognizer import Recognizer, Turn
from bot.requests import STATE_WORDS, Filter, RequestRecord
from bot.services import Services
from bot.words import either

log = structlog.get_logger(__name__)

Commit = Callable[[Transaction], Awaitable[None]]


@dataclass
class Decided:
    """A turn's outcome. `request` is the id of the request it concerned, if any."""

    answers: list[Answer]
    commit: Commit
    request: str = ""


@dataclass
class _Turn:
    """What one turn has gathered so far."""

    activity: Activity
    session: Session
    answers: list[Answer] = field(default_factory=list)
    place: Placing | None = None
    request: str = ""

    def say(self, text: str) -> None:
        self.answers.append(Answer(text))

    def ask(self, slots: dict[str, str]) -> Ask:
        a = self.activity
        text = clean_text(a.value if a.verb == "say" else a.text)
        return Ask(a.person, slots, a.conversation, a.channel, a.owner, text=text)


class Dialogue:
    """Holds conversations, whatever the channel and the recogniser."""

    def __init__(self, services: Services, recognizer: Recognizer) -> None:
        self._services = services
        self._recognizer = recognizer
        self._sessions = Sessions(services.database, services.clock)
        self._filler = FormFiller(services)

    async def handle(self, activity: Activity) -> Decided:
        """Play one turn; changes nothing until `commit` is run."""
        session = await self._sessions.load(activity)
        turn = _Turn(activity, session)
        try:
            await (self._press(turn) if activity.kind == "press" else self._message(turn, activity.text))
        except CloudError as error:
            lacking = error.missing_permission
            log.warning("turn.aws_failed", error=error.detail, request_id=error.request_id, permission=lacking)
            is_operator = bool(lacking) and self._services.policy.may_pause(activity.person).allowed
            turn.say(aws_trouble(error, session.form is not None, is_operator=is_operator))
            turn.place = None
        except QuartermasterError as error:
            log.info("turn.refused", error=error.detail, kind=type(error).__name__)
            turn.say(error.sentence())
            turn.place = None

        async def commit(transaction: Transaction) -> None:
            answers = list(turn.answers)
            await self._services.conversations.remember(transaction, activity)
            if turn.place:
                placed = await turn.place.commit(transaction)
                answers.append(placed.answer)
                turn.request = placed.request_id or turn.request
                if not placed.request_id:
                    turn.session.form = turn.place.form
            await self._sessions.save(transaction, activity, turn.session)
            for answer in answers:
                await self._services.conversations.say(
                    transaction, activity.conversation, answer.text, answer.card, inbox_key=activity.key
                )
            decided.request = turn.request
            decided.answers = answers

        decided = Decided(turn.answers, commit, turn.request)
        return decided

    async def _message(self, turn: _Turn, raw: str) -> None:
        text = clean_text(SLACK_MAILTO.sub(r"\1", raw))
        if not text:
            turn.say("I got an empty message. Tell me what you need, or say “help”.")
            return
        if len(text) > MAX_TEXT:
            turn.say(f"That has {len(text)} characters; I can read {MAX_TEXT} at a time. Please say it shorter.")
            return
        words = bare(text)
        if words in STOP_WORDS:
            self._abandon(turn)
            return
        if turn.session.form and abandons(text):
            self._abandon(turn)
            return
        if words in CONTINUE:
            await self._resume(turn)
            return
        if turn.session.form and words in ANEW:
            form = turn.session.form
            turn.session.form = None
            await self._begin(turn, self._services.registry.change(form.intent), {})
            return
        if turn.session.form is None and {words, text.casefold().strip(" .!").replace(",", "")} & YES_OR_NO:
            await self._nothing_to_confirm(turn)
            return
        if turn.session.form is None and words in THANKS:
            turn.say("You're welcome.")
            return
        if turn.session.form and await self._answers_about_the_form(turn, turn.session.form, text, words):
            return
        if (asked := turn.session.form) and (answer := asked.offered_answer(text)):
            await self._fill(turn, asked, {asked.asking: answer})
            return
        if turn.session.form and await self._answers_what_only_the_intent_knows(turn, turn.session.form, text):
            return
        heard = hear(text)
        understood = await self._understand(turn, heard)
        if turn.session.form:
            await self._in_form(turn, turn.session.form, understood, heard)
        else:
            await self._fresh(turn, understood, heard)

    async def _understand(self, turn: _Turn, heard: Heard) -> Turn:
        form = turn.session.form
        if form and (intent := self._services.registry.get(form.intent)):
            hints = await self._filler.choices(intent, turn.ask(form.slots))
            state = form.lex_state(intent.definition, hints)
        else:
            hints_by_intent = {}
            for name, other in self._services.registry.intents.items():
                if isinstance(other, Change):
                    hints_by_intent[name] = await self._filler.choices(other, turn.ask({}))
            state = {
                "dialogAction": {"type": "ElicitIntent"},
                "sessionAttributes": {},
                "runtimeHints": runtime_hints(hints_by_intent),
            }
        state["sessionAttributes"] = {"UserName": turn.activity.person.called}
        understood = await self._recognizer.recognize(session_id(turn.activity), heard.plain, state)
        return replace(understood, slots=heard.restored_all(understood.slots))

    async def _fresh(self, turn: _Turn, understood: Turn, heard: Heard) -> None:
        intent = self._services.registry.get(understood.intent)
        if understood.is_fallback or intent is None:
            self._not_understood(turn)
        elif isinstance(intent, Query):
            await self._answer(turn, intent, understood)
        elif isinstance(intent, Change):
            await self._tell_unlisted(turn, intent, heard.text, understood.slots)
            await self._begin(turn, intent, dict(understood.slots), heard)

    async def _answer(self, turn: _Turn, intent: Query, understood: Turn) -> None:
        self._require_may_ask(turn, intent, dict(understood.slots))
        answer = await intent.answer(turn.ask(dict(understood.slots)))
        turn.answers.append(answer)
        if answer.card and answer.card.request:
            turn.request = answer.card.request

    async def _begin(self, turn: _Turn, intent: Change, slots: dict[str, str], heard: Heard | None = None) -> None:
        self._require_may_ask(turn, intent, slots)
        if turn.session.form:
            turn.session.park()
        turn.session.parked = [f for f in turn.session.parked if f.intent != intent.definition.name]
        turn.session.form = Form(intent.definition.name)
        if heard:
            self._set_rivals_aside(turn, turn.session.form, heard, slots)
        await self._fill(turn, turn.session.form, slots)

    async def _in_form(self, turn: _Turn, form: Form, understood: Turn, heard: Heard) -> None:
        intent = self._services.registry.change(form.intent)
        changed = {n: v for n, v in understood.slots.items() if v != form.slots.get(n)}
        own = understood.intent == form.intent
        if self._set_rivals_aside(turn, form, heard, changed):
            await self._fill(turn, form, changed if own else {})
            return
        withdrawn = [n for n in form.slots if own and n in understood.empty]
        for name in withdrawn:  # "the e-mail is wrong": taken out, asked again
            del form.slots[name]
        if own and (changed or withdrawn):
            for name, value in changed.items():
                if misread := misspelt(heard.text, value, intent.definition.slot(name)):
                    turn.say(f"I read “{misread}” as {value}.")
            await self._fill(turn, form, changed)
            return
        phrased = spot_phrase(heard.text, intent.definition)
        if (
            not own
            and not phrased
            and is_sure(understood)
            and (other := self._services.registry.get(understood.intent))
        ):
            await self._turn_aside(turn, form, other, understood)
            return
        hints = await self._filler.choices(intent, turn.ask(form.slots))
        spotted = spot_new(heard, intent, hints, form)
        if spotted:
            await self._fill(turn, form, spotted)
        elif own and form.digest and understood.confirmation == "Confirmed":
            await self._place(turn, form, intent)
        elif own and form.digest and understood.confirmation == "Denied" and declines(heard.text):
            turn.session.form = None
            turn.say(intent.definition.declined)
        elif await self._asks_afresh(turn, form, heard):
            turn.say("I have that; say “start over” to begin anew.")
            await self._ask_again(turn, form)
        else:
            await self._take_what_means_nothing_else(turn, form, heard.text)

    async def _take_what_means_nothing_else(self, turn: _Turn, form: Form, text: str) -> None:
        """Take a text for the answer to the open question, unless it is clearly none; at the plan, ask for a yes."""
        intent = self._services.registry.change(form.intent)
        named = unlisted(text, intent.definition, await self._filler.choices(intent, turn.ask(form.slots)))
        if named and named[0] == form.asking:
            await self._fill(turn, form, {form.asking: named[1]})
        elif named:
            await self._tell_unlisted(turn, intent, text, {})
            await self._ask_again(turn, form)
        elif not form.asking:
            await self._ask_again(turn, form)
        elif contradicts(text) and not await self._takes_free_words(turn, form):
            turn.say("Please answer the question, or tell me what to change.")
            await self._ask_again(turn, form)
        else:
            await self._fill(turn, form, {form.asking: text})

    async def _ask_again(self, turn: _Turn, form: Form) -> None:
        """Ask what is open once more, which is no try; at the plan, for a yes or a no."""
        if form.digest:
            turn.say("Please say yes or no, or tell me what to change.")
        if form.asking:
            await self._filler.ask_again(form, turn.ask(form.slots), turn.answers)
        else:
            await self._show_plan(turn, form)

    async def _tell_unlisted(self, turn: _Turn, intent: Change, text: str, values: Mapping[str, str]) -> None:
        """Say which values there are when a sentence names one that there is not: "a gold account"."""
        ask = turn.ask(dict(values))
        named = unlisted(text, intent.definition, await self._filler.choices(intent, ask))
        if named is None or named[0] in values:
            return
        try:
            await intent.validate(*named, ask)
        except Invalid as error:
            turn.say(error.sentence())

    async def _takes_free_words(self, turn: _Turn, form: Form) -> bool:
        """Tell whether the open question is answered in words of one's own, such as a name."""
        intent = self._services.registry.change(form.intent)
        slot = next((s for s in intent.definition.slots if s.name == form.asking), None)
        if slot is None:
            return True
        if slot.type.values or slot.type.pattern or slot.type.name.startswith("AMAZON."):
            return False
        return not await self._offered(form, slot.name, intent, turn.ask(form.slots))

    async def _answers_what_only_the_intent_knows(self, turn: _Turn, form: Form, text: str) -> bool:
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
            await self._turn_aside(turn, form, other, fresh)
        else:
            await self._fill(turn, form, {form.asking: text})
        return True

    async def _asks_rather(self, turn: _Turn, form: Form, other: Query, text: str) -> bool:
        """Tell whether a text that means a query is no answer: an order may hold a database called "orders"."""
        if len(text.split()) > 1 or bare(text) in {u.casefold() for u in other.definition.utterances}:
            return True
        try:
            intent = self._services.registry.change(form.intent)
            await intent.validate(form.asking, text, turn.ask(form.slots))
        except Invalid:
            return True
        return False

    async def _asks_afresh(self, turn: _Turn, form: Form, heard: Heard) -> bool:
        """Tell whether a whole sentence opens the same intent again, and says nothing new.

        Asked of the recogniser without the form, in a session of its own, and only for what answered nothing.
        """
        if len(heard.text.split()) < SENTENCE or contradicts(heard.text):
            return False
        state = {"dialogAction": {"type": "ElicitIntent"}, "sessionAttributes": {}}
        fresh = await self._recognizer.recognize(session_id(turn.activity) + "-afresh", heard.plain, state)
        definition = self._services.registry.change(form.intent).definition
        told = unlisted(heard.text, definition, {})
        return (
            fresh.intent == form.intent
            and not told
            and all(held(v, definition, form.slots) for v in fresh.slots.values())
        )

    async def _turn_aside(self, turn: _Turn, form: Form, other: Intent, understood: Turn) -> None:
        """Answer another question and come back, or lay the form aside for another order."""
        if isinstance(other, Query):
            try:
                await self._answer(turn, other, understood)
            except QuartermasterError as error:
                turn.say(error.sentence())
            await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
        elif isinstance(other, Change):
            title = self._services.registry.change(form.intent).definition.title
            await self._begin(turn, other, dict(understood.slots))
            turn.say(f"I have laid your {title} aside; say “continue” afterwards to take it up again.")

    async def _fill(self, turn: _Turn, form: Form, values: dict[str, str]) -> None:
        """Put values into the form, then ask on, or show the plan."""
        question = await self._filler.fill(form, values, turn.ask(form.slots), turn.answers)
        if question is Question.GIVEN_UP:
            turn.session.park()
        elif question is Question.COMPLETE:
            await self._show_plan(turn, form)

    async def _show_plan(self, turn: _Turn, form: Form) -> None:
        intent = self._services.registry.change(form.intent)
        self._require_may_ask(turn, intent, form.slots)
        outcome = await self._filler.show_plan(form, intent, turn.ask(form.slots), turn.answers)
        if outcome is Question.GIVEN_UP:
            turn.session.park()

    async def _place(self, turn: _Turn, form: Form, intent: Change) -> None:
        """The confirming yes: plan once more, and place the request if nothing has changed."""
        self._require_may_ask(turn, intent, form.slots)
        ask = turn.ask(form.slots)
        plan = await intent.prepare(ask)
        if plan.problems or plan.digest != form.digest:
            turn.say("Something has changed since I showed you the plan. This is how it stands now:")
            await self._show_plan(turn, form)
            return
        placing = Placing(self._services, intent, form, plan, turn.activity)
        placing.require_approvable()
        turn.place = placing
        turn.session.form = None

    async def _press(self, turn: _Turn) -> None:
        activity, form = turn.activity, turn.session.form
        match activity.verb:
            case "say":
                await self._message(turn, activity.value)
            case "fill":
                slot, _, value = activity.value.partition("=")
                intent = self._services.registry.change(form.intent) if form else None
                if form is None or intent is None or slot not in await self._filler.slots(form, turn.ask(form.slots)):
                    turn.say("That question is no longer open.")
                else:
                    await self._fill(turn, form, {slot: clean_text(value)[:MAX_TEXT]})
            case "confirm" | "decline":
                if form is None or not form.digest or form.digest != activity.value:
                    turn.say("That plan is no longer current, so nothing was done with it.")
                    if form:
                        await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
                elif activity.verb == "confirm":
                    await self._place(turn, form, self._services.registry.change(form.intent))
                else:
                    turn.session.form = None
                    turn.say(self._services.registry.change(form.intent).definition.declined)
            case "cancel_request":
                record = await self._cancel(activity)
                turn.request = record.id
                turn.say(f"Request {record.id} is cancelled.")
            case _:
                turn.say("I don't know that button. Say “help” to see what I can do.")

    async def _cancel(self, activity: Activity) -> RequestRecord:
        """Cancel the request of a pressed button; one that the person may not see is as if it were not there."""
        requests = self._services.requests
        record = await requests.find(activity.value)
        if not self._services.policy.may_see(activity.person, record.subject).allowed:
            raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
        return await requests.cancel(
            record.id,
            activity.person,
            surface=activity.channel,
            owner=activity.owner or None,
            told_in=activity.conversation,
        )

    def _abandon(self, turn: _Turn) -> None:
        form = turn.session.form
        if form is None:
            turn.say("There is nothing half-done here. To withdraw a request, say “cancel” and its id.")
            return
        title = self._services.registry.change(form.intent).definition.title
        turn.session.form = None
        turn.say(f"OK, I have dropped the {title}. Nothing was done.")
        if turn.session.parked:
            turn.say("Something is still laid aside; say “continue” to take it up.")

    async def _answers_about_the_form(self, turn: _Turn, form: Form, text: str, words: str) -> bool:
        """Answer what is asked or said about the open question itself; tell whether it was that."""
        slot = (await self._filler.slots(form, turn.ask(form.slots))).get(form.asking)
        if slot and ((words in KEEP | SKIP and slot.name in form.slots) or (words in SKIP and not slot.required)):
            form.asking = ""
            await self._fill(turn, form, {})
            return True
        if slot:  # said as it was offered, or by its place, it is the answer, whatever else it could have begun
            intent = self._services.registry.change(form.intent)
            offered = await self._offered(form, slot.name, intent, turn.ask(form.slots))
            choice = next((value for value in offered if value.casefold() == words), None)
            if choice is None and may_pick(words):
                shown = form.narrowed.get(slot.name) or await intent.suggestions(slot.name, turn.ask(form.slots))
                choice = picked(words, shown)
            if choice:
                await self._fill(turn, form, {slot.name: choice})
                return True
            if asks_why(text):
                turn.say(self._filler.purpose_of(slot, form))
                await self._ask_again(turn, form)
                return True
        if await self._says_nothing_new(turn, form, text, words):
            return True
        wanted = await self._filler.asked_about(form, text, turn.ask(form.slots))
        if not wanted:
            return False
        turn.say(wanted)
        await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
        return True

    async def _says_nothing_new(self, turn: _Turn, form: Form, text: str, words: str) -> bool:
        """Answer what repeats the opening or a value that the form holds, and a yes or no where words are asked for."""
        definition = self._services.registry.change(form.intent).definition
        if form.asking and await self._takes_free_words(turn, form):
            asked = next((s for s in definition.slots if s.name == form.asking), None)
            if asked is None or not (affirms(text) or refuses(text)):
                return False
            if refuses(text) and not asked.required:
                form.asking = ""
                await self._fill(turn, form, {})
            else:
                turn.say(f"“{text}” does not tell me the {(asked.label or asked.name).casefold()}.")
                await self._ask_again(turn, form)
            return True
        offered: tuple[str, ...] = ()
        if form.asking in {slot.name for slot in definition.slots}:
            intent = self._services.registry.change(form.intent)
            offered = await self._offered(form, form.asking, intent, turn.ask(form.slots))
        again = held(text, definition, form.slots, offered)
        if again and again.name == form.asking:
            form.asking = ""
            await self._fill(turn, form, {})
        elif again:
            turn.say(f"I have that. {again.label or again.name}: {form.slots[again.name]}.")
            await self._ask_again(turn, form)
        elif words in {u.casefold() for u in definition.utterances if len(u.split()) > 1}:
            turn.say("I have that; say “start over” to begin anew.")
            await self._ask_again(turn, form)
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

    def _set_rivals_aside(self, turn: _Turn, form: Form, heard: Heard, values: dict[str, str]) -> bool:
        """Take addresses that a text puts side by side out of values and form, to be asked about; tell whether any."""
        definition = self._services.registry.change(form.intent).definition
        rivals = rival_addresses(heard.plain, definition)
        for name, found in rivals.items():
            addresses = [heard.restored(address) for address in found]
            values.pop(name, None)
            form.slots.pop(name, None)
            form.narrowed[name] = addresses
            label = (definition.slot(name).label or name).casefold()
            named = " and ".join(addresses) if len(addresses) < 3 else either(addresses)
            turn.say(f"There can be only one {label}, and you named {named}. Which one shall I take?")
        return bool(rivals)

    async def _nothing_to_confirm(self, turn: _Turn) -> None:
        """A second "yes", say: tell how the request that was placed here stands instead of not understanding it."""
        activity = turn.activity
        wanted = Filter(
            person_id=activity.person.id, owner=activity.owner or None, conversation=activity.conversation, limit=1
        )
        newest = (await self._services.requests.list(wanted)).items
        if not newest:
            turn.say("There is no question open. Tell me what you need, or say “help”.")
            return
        record = newest[0]
        turn.request = record.id
        turn.say(f"There is no question open. Your request {record.id} is {STATE_WORDS[record.state]}.")

    async def _resume(self, turn: _Turn) -> None:
        if turn.session.form:
            await self._fill(turn, turn.session.form, {})
            return
        if not turn.session.parked:
            turn.say("There is nothing to go on with. What would you like to do?")
            return
        form = turn.session.parked.pop(0)
        turn.session.form = form
        form.digest = ""
        await self._fill(turn, form, {})

    def _not_understood(self, turn: _Turn) -> None:
        examples = [
            e
            for intent in self._services.registry.intents.values()
            if intent.shape == "change"
            for e in intent.definition.examples[:1]
        ]
        hint = f" For example: “{examples[0]}”." if examples else ""
        turn.say(f"Sorry, I did not understand that. What would you like to do?{hint} Say “help” for everything.")

    def _require_may_ask(self, turn: _Turn, intent: Intent, values: dict[str, str]) -> None:
        decision = self._services.policy.may_ask(turn.activity.person, intent.definition, intent.shape, values)
        if not decision.allowed:
            raise Refused(f"You may not ask for this. {decision.reason}", policy=decision.policy)


def spot_new(heard: Heard, intent: Change, hints: dict[str, tuple[str, ...]], form: Form) -> dict[str, str]:
    """Return spotted values that differ from what the form holds."""
    found = heard.restored_all(spot(heard.plain, intent.definition, hints, form.asking))
    # A word that some answer already has says nothing new, also where another slot has a value of that name.
    said = {v.casefold() for v in form.slots.values()}
    return {n: v for n, v in found.items() if v.casefold() not in said}
