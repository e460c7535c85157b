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
from pathlib import Path

import structlog

from bot.activity import MAX_TEXT, STOP_WORDS, Activity, clean_text
from bot.card import Button, Card, Text
from bot.database import Transaction
from bot.dialogue.abandoning import abandons
from bot.dialogue.addresses import hear
from bot.dialogue.choosing import may_pick
from bot.dialogue.doubting import MEANT
from bot.dialogue.exchange import Decided, Exchange
from bot.dialogue.form import FormFiller
from bot.dialogue.leafing import following, leafs_on, picks_of_list
from bot.dialogue.open_form import OpenForm
from bot.dialogue.opening import Opening
from bot.dialogue.phrases import (
    ANEW,
    CONTINUE,
    SLACK_MAILTO,
    WHY,
    aws_silence,
    aws_trouble,
    bare,
    is_small_talk,
    is_thanks,
    is_yes_or_no,
    still_open,
    why_refused,
)
from bot.dialogue.session import Sessions
from bot.errors import CloudError, Conflict, NotFound, QuartermasterError, Refused
from bot.intent import Answer
from bot.policy.refusals import keep_refusal
from bot.recognizer import Recognizer
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
        self._opening = Opening(services, recognizer, self._filler, self._open)

    async def handle(self, activity: Activity) -> Decided:
        """Play one turn; changes nothing until `commit` is run."""
        session = await self._sessions.load(activity)
        turn = Exchange(activity, session)
        turn.denied, session.denied = session.denied, ""
        before = session.form
        if activity.is_overheard and before is None:
            turn.is_among_others = await self._services.standing.has_begun(activity.conversation)
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
            await self._opening.begin(turn, self._services.registry.change(form.intent), {})
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
        if turn.session.form and await self._opening.answers_what_only_the_intent_knows(turn, turn.session.form, text):
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
        understood = await self._opening.understand(turn, heard)
        if turn.session.form:
            form = turn.session.form
            if rather := await self._open.hear(turn, form, understood, heard):
                await self._opening.turn_aside(turn, form, self._services.registry.get(rather.intent), rather)
        elif turn.meant or not await self._opening.goes_on(turn, understood, words.rstrip(" ?")):
            await self._opening.begin_afresh(turn, understood, heard)

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
                await self._opening.take_for(turn)
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
            await self._opening.begin(turn, intent, slots)
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
        await self._opening.begin(turn, intent, dict(record.slots))

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


def _waited_in(error: TimeoutError) -> str:
    """Return which calls of ours the turn was in when its time was up, for who looks for what hangs."""
    cancelled = error.__context__ or error
    frames = traceback.extract_tb(cancelled.__traceback__)
    return " > ".join(f"{Path(frame.filename).stem}.{frame.name}:{frame.lineno}" for frame in frames[-8:])
