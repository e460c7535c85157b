"""One turn: what was said or pressed, what it means for the form, what is answered.

`Dialogue.handle` reads and decides; the returned `Decided.commit` writes, inside the transaction that also
marks the activity as done. So a crash repeats a turn or has finished it, never half.
"""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from bot.accounts import Accounts
from bot.activity import MAX_TEXT, STOP_WORDS, Activity, clean_text
from bot.card import Button, Card, Text
from bot.database import Transaction
from bot.dialogue.abandoning import abandons
from bot.dialogue.addresses import Heard, hear
from bot.dialogue.choosing import asks_for_several, may_pick
from bot.dialogue.commanding import commands
from bot.dialogue.doubting import MEANT, ask_back, chosen, is_doubtful, offer
from bot.dialogue.exchange import Decided, Exchange, require_may_ask
from bot.dialogue.form import FormFiller
from bot.dialogue.leafing import following, leafs_on, picks_of_list
from bot.dialogue.open_form import OpenForm
from bot.dialogue.phrases import (
    ANEW,
    CONTINUE,
    SLACK_MAILTO,
    WHY,
    aws_silence,
    aws_trouble,
    bare,
    is_small_talk,
    is_sure,
    is_thanks,
    is_yes_or_no,
    still_open,
    why_refused,
)
from bot.dialogue.session import Form, Sessions, runtime_hints, session_id
from bot.errors import CloudError, Conflict, Invalid, NotFound, QuartermasterError, Refused
from bot.intent import Answer, Change, Intent, Query
from bot.policy.refusals import keep_refusal
from bot.recognizer import FALLBACK, Recognizer, Turn
from bot.requests import STATE_WORDS, Filter, RequestRecord
from bot.requests.store import CANCELLABLE
from bot.services import Services
from bot.stopping import WORDS as RUNNING_STOPS
from bot.stopping import Stopping

__all__ = ["Decided", "Dialogue"]
log = structlog.get_logger(__name__)

AMENDS = re.compile(r"(?:please\s+)?amend\s+(?:request\s+)?(qm-[0-9a-z]{8})[.!]*", re.IGNORECASE)
"""What takes up a request that was rejected, with its answers; said in so many words, it needs no recogniser."""
PATIENCE = 20.0
"""Seconds that a turn may take: nobody waits through all the retries of an AWS that takes calls and answers none."""


class Dialogue:
    """Holds conversations, whatever the channel and the recogniser."""

    def __init__(self, services: Services, recognizer: Recognizer) -> None:
        self._services = services
        self._recognizer = recognizer
        self._sessions = Sessions(services.database, services.clock)
        self._filler = FormFiller(services)
        self._stopping = Stopping(services)
        self._open = OpenForm(services, recognizer, self._filler)

    async def handle(self, activity: Activity) -> Decided:
        """Play one turn; changes nothing until `commit` is run."""
        session = await self._sessions.load(activity)
        turn = Exchange(activity, session)
        turn.denied, session.denied = session.denied, ""
        before = session.form
        try:
            async with asyncio.timeout(PATIENCE):
                await (self._press(turn) if activity.kind == "press" else self._message(turn, activity.text))
        except TimeoutError as error:
            log.warning("turn.took_too_long", seconds=PATIENCE, waited_in=_waited_in(error))
            turn.say(aws_silence(session.form is not None, may_have_acted=turn.acts))
            turn.place = None
        except CloudError as error:
            lacking = error.missing_permission
            log.warning("turn.aws_failed", error=error.detail, request_id=error.request_id, permission=lacking)
            is_operator = bool(lacking) and self._services.policy.may_pause(activity.person).allowed
            turn.say(aws_trouble(error, session.form is not None, is_operator=is_operator))
            turn.place = None
        except QuartermasterError as error:
            log.info("turn.refused", error=error.detail, kind=type(error).__name__)
            turn.say(error.sentence())
            if isinstance(error, Refused):
                session.denied, turn.refused = why_refused(error), error.asked
                if session.form is not before:
                    session.form = None  # it was opened for what the person may not have
                elif session.form:
                    turn.say(still_open(self._services.registry.change(session.form.intent).definition.title))
            turn.place = None

        async def commit(transaction: Transaction) -> None:
            if turn.is_for_others:
                return
            answers = list(turn.answers)
            await self._services.conversations.remember(transaction, activity)
            if turn.refused:
                intent = self._services.registry.get(turn.refused["intent"])
                definition = intent.definition if intent else None
                await keep_refusal(transaction, self._services.audit, activity.person, definition, turn.refused)
            if turn.missed:
                await self._services.misses.note(transaction, turn.missed, turn.names)
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

    async def _message(self, turn: Exchange, raw: str) -> None:
        text = clean_text(SLACK_MAILTO.sub(r"\1", raw))
        words = bare(text)
        if turn.may_be_for_others and (len(text) > MAX_TEXT or is_small_talk(text, words)):
            turn.is_for_others = True
            return
        if not text:
            turn.say("I got an empty message. Tell me what you need, or say “help”.")
            return
        if len(text) > MAX_TEXT:
            turn.say(f"That has {len(text)} characters; I can read {MAX_TEXT} at a time. Please say it shorter.")
            return
        if words in STOP_WORDS:
            running = await self._stopping.under_way_in(turn.activity) if words in RUNNING_STOPS else None
            if running:  # what runs is more urgent than a form that is half filled in
                await self._stop(turn, running.id)
            else:
                await self._abandon(turn)
            return
        if turn.session.form and abandons(text):
            await self._abandon(turn)
            return
        if words in CONTINUE:
            await self._resume(turn)
            return
        if turn.denied and turn.session.form is None and words.rstrip(" ?") in WHY:
            turn.say(turn.denied)
            return
        if turn.session.form is None and words in ANEW:
            turn.say("Nothing is open that could begin anew. Tell me what you need, or say “help”.")
            return
        if turn.session.form and words in ANEW:
            form = turn.session.form
            turn.session.form = None
            await self._begin(turn, self._services.registry.change(form.intent), {})
            return
        if turn.session.form is None and is_yes_or_no(text, words):
            await self._nothing_to_confirm(turn)
            return
        if turn.session.form is None and is_thanks(words):
            turn.say("You're welcome.")
            return
        if turn.session.form and await self._open.answers_about_it(turn, turn.session.form, text, words):
            return
        if turn.session.form and await self._open.corrects(turn, turn.session.form, text):
            return
        if (asked := turn.session.form) and (answer := asked.offered_answer(text)):
            await self._open.fill(turn, asked, {asked.asking: answer})
            return
        if turn.session.form and await self._answers_what_only_the_intent_knows(turn, turn.session.form, text):
            return
        if amended := AMENDS.fullmatch(text):
            await self._amend(turn, amended[1])
            return
        if turn.session.form is None and (picks_of_list(words) or (" " in words and may_pick(words))):
            text = f"tell me about {text}"  # "the second one", of what was listed last
        if turn.session.form is None and leafs_on(words):
            turn.meant = await following(self._services.database, turn.activity.conversation)
            text = turn.meant or text
        heard = hear(text)
        understood = await self._understand(turn, heard)
        if turn.session.form:
            form = turn.session.form
            if rather := await self._open.hear(turn, form, understood, heard):
                await self._turn_aside(turn, form, self._services.registry.get(rather.intent), rather)
        else:
            await self._fresh(turn, understood, heard)

    async def _understand(self, turn: Exchange, heard: Heard) -> Turn:
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

    async def _fresh(self, turn: Exchange, understood: Turn, heard: Heard) -> None:
        nothing_taken = isinstance(self._services.registry.get(understood.intent), Query) and not understood.slots
        if understood.is_fallback or nothing_taken:
            understood = self._nearest(understood, heard)
        if not is_sure(understood) and not turn.may_be_for_others:
            understood = await self._claimed(turn) or understood
        intent = self._services.registry.get(understood.intent)
        if understood.is_fallback or intent is None or (turn.may_be_for_others and not is_sure(understood)):
            self._not_understood(turn, heard, understood)
        elif isinstance(intent, Query):
            await self._answer(turn, intent, understood)
        elif isinstance(intent, Change):
            intent, slots = await self._meant(turn, intent, dict(understood.slots))
            if is_doubtful(understood, intent):
                turn.missed = heard.plain
                turn.answers.append(ask_back(understood, intent, slots, self._services.registry))
                return
            await self._open.tell_unlisted(turn, intent, heard.text, slots)
            await self._begin(turn, intent, slots, heard)

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

    async def _meant(self, turn: Exchange, intent: Change, slots: dict[str, str]) -> tuple[Change, dict[str, str]]:
        """Return the intent and slots that an opening means once its values are looked up."""
        rather = await intent.rather(turn.ask(slots))
        return (self._services.registry.change(rather[0]), rather[1]) if rather else (intent, slots)

    async def _answer(self, turn: Exchange, intent: Query, understood: Turn) -> None:
        require_may_ask(self._services, turn, intent, dict(understood.slots))
        held = turn.session.form.slots if turn.session.form else {}
        ask = replace(turn.ask(dict(understood.slots)), open_slots=dict(held))
        is_asked = not intent.definition.acts_at_once or commands(ask.text, intent.definition)
        turn.acts = intent.definition.acts_at_once and is_asked
        answer = await (intent.answer(ask) if is_asked else intent.answer_instead(ask))
        turn.answers.append(answer)
        if answer.card and answer.card.request:
            turn.request = answer.card.request

    async def _begin(self, turn: Exchange, intent: Change, slots: dict[str, str], heard: Heard | None = None) -> None:
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

    async def _answers_what_only_the_intent_knows(self, turn: Exchange, form: Form, text: str) -> bool:
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

    async def _turn_aside(self, turn: Exchange, form: Form, other: Intent | None, understood: Turn) -> None:
        """Answer another question and come back, or lay the form aside for another order."""
        if isinstance(other, Query):
            try:
                await self._answer(turn, other, understood)
            except QuartermasterError as error:
                turn.say(error.sentence())
            await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
        elif isinstance(other, Change):
            title = self._services.registry.change(form.intent).definition.title
            await self._begin(turn, *await self._meant(turn, other, dict(understood.slots)))
            turn.say(f"I have laid your {title} aside; say “continue” afterwards to take it up again.")

    async def _press(self, turn: Exchange) -> None:
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
                    await self._open.fill(turn, form, {slot: clean_text(value)[:MAX_TEXT]})
            case "submit":
                await self._submit(turn)
            case doubting if doubting == MEANT:
                await self._take_for(turn)
            case "confirm" | "decline":
                if form is None or not form.digest or form.digest != activity.value:
                    turn.say("That plan is no longer current, so nothing was done with it.")
                    if form:
                        await self._filler.repeat(form, turn.ask(form.slots), turn.answers)
                elif activity.verb == "confirm":
                    await self._open.place(turn, form, self._services.registry.change(form.intent))
                else:
                    turn.session.form = None
                    turn.say(self._services.registry.change(form.intent).definition.declined)
            case "stop_request":
                await self._stop(turn, activity.value)
            case "amend":
                await self._amend(turn, activity.value)
            case "cancel_request":
                record = await self._cancel(activity)
                turn.request = record.id
                turn.say(f"Request {record.id} is cancelled.")
            case _:
                turn.say("I don't know that button. Say “help” to see what I can do.")

    async def _stop(self, turn: Exchange, request_id: str) -> None:
        """Stop what a request does, for whoever may see it."""
        turn.acts = True
        activity = turn.activity
        record, words = await self._stopping.stop(
            request_id, activity.person, surface=activity.channel, owner=activity.owner or None
        )
        turn.request = record.id
        turn.say(words)

    async def _submit(self, turn: Exchange) -> None:
        """Take a whole form at once: {"intent", "slots"} in the value; what it leaves out is asked for."""
        try:
            given = json.loads(turn.activity.value)
            intent = self._services.registry.change(str(given["intent"]))
            slots = {str(n): clean_text(str(v))[:MAX_TEXT] for n, v in dict(given["slots"]).items()}
        except (ValueError, KeyError, TypeError):
            turn.say("That form is not one of mine, so nothing was done.")
            return
        form = turn.session.form
        if form is None or form.intent != intent.definition.name:
            await self._begin(turn, intent, slots)
        else:
            await self._open.fill(turn, form, slots)

    async def _amend(self, turn: Exchange, request_id: str) -> None:
        """Take up what was asked for and came to nothing, with the answers that were given, to be changed."""
        activity = turn.activity
        record = await self._services.requests.find(request_id)
        foreign = bool(activity.owner) and record.owner != activity.owner
        if foreign or record.requester.id != activity.person.id:
            raise NotFound(f"There is no request {record.id} of yours.", next_step="Say “my requests” to see yours.")
        if not record.is_final or record.state == "succeeded":
            raise Conflict(
                f"Request {record.id} is {STATE_WORDS[record.state]}, so it is not asked for again.",
                next_step="" if record.is_final else f"Say “cancel {record.id}” first.",
            )
        intent = self._services.registry.change(record.intent)
        turn.say(
            f"Your {intent.definition.title} as it was in {record.id}; tell me what to change, such as “change the …”."
        )
        await self._begin(turn, intent, dict(record.slots))

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

    async def _abandon(self, turn: Exchange) -> None:
        form = turn.session.form
        if form is None:
            turn.answers.append(await self._withdrawable(turn))
            return
        title = self._services.registry.change(form.intent).definition.title
        turn.session.form = None
        turn.say(f"OK, I have dropped the {title}. Nothing was done.")
        if turn.session.parked:
            turn.say("Something is still laid aside; say “continue” to take it up.")

    async def _withdrawable(self, turn: Exchange) -> Answer:
        """A “cancel it” with no form open: show what was asked for here and could be withdrawn, doing nothing yet."""
        nothing = "There is nothing half-done here."
        record = await self._newest_placed(turn, CANCELLABLE)
        if record is None:
            return Answer(f"{nothing} To withdraw a request, say “cancel” and its id.")
        turn.request = record.id
        stands = f"Your request {record.id} is {STATE_WORDS[record.state]}"
        text = f"{nothing} {stands}; say “cancel {record.id}” to withdraw it."
        button = Button(f"Cancel {record.id}", "cancel_request", record.id, "destructive")
        return Answer(text, Card(record.plan.summary, (Text(text),), (button,), request=record.id))

    async def _nothing_to_confirm(self, turn: Exchange) -> None:
        """A second "yes", say: tell how the request that was placed here stands instead of not understanding it."""
        record = await self._newest_placed(turn)
        if record is None:
            turn.say("There is no question open. Tell me what you need, or say “help”.")
            return
        turn.request = record.id
        turn.say(f"There is no question open. Your request {record.id} is {STATE_WORDS[record.state]}.")

    async def _newest_placed(self, turn: Exchange, state: Sequence[str] = ()) -> RequestRecord | None:
        """Return the person's newest request of this conversation, in one of the given states."""
        activity = turn.activity
        wanted = Filter(
            person_id=activity.person.id,
            owner=activity.owner or None,
            conversation=activity.conversation,
            state=tuple(state),
            limit=1,
        )
        newest = (await self._services.requests.list(wanted)).items
        return newest[0] if newest else None

    async def _resume(self, turn: Exchange) -> None:
        if turn.session.form:
            await self._open.fill(turn, turn.session.form, {})
            return
        if not turn.session.parked:
            turn.say("There is nothing to go on with. What would you like to do?")
            return
        form = turn.session.parked.pop(0)
        turn.session.form = form
        form.digest = ""
        await self._open.fill(turn, form, {})

    def _not_understood(self, turn: Exchange, heard: Heard, understood: Turn) -> None:
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

    async def _take_for(self, turn: Exchange) -> None:
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
            await self._turn_aside(turn, form, intent, understood)
        elif isinstance(intent, Query):
            await self._answer(turn, intent, understood)
        elif isinstance(intent, Change):
            await self._begin(turn, *await self._meant(turn, intent, dict(understood.slots)), heard)


def _waited_in(error: TimeoutError) -> str:
    """Return which calls of ours the turn was in when its time was up, for who looks for what hangs."""
    cancelled = error.__context__ or error
    frames = traceback.extract_tb(cancelled.__traceback__)
    return " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames[-8:])
