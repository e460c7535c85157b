"""Running an experiment: planned, approved, started once, watched, and stopped the moment somebody says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import structlog

from bot.activity import Person
from bot.card import Button, Card, Facts, Text
from bot.database import Transaction
from bot.errors import CloudError, Invalid
from bot.intent import Ask, Definition, Segment, Slot
from bot.people import checked_email, mailbox_of, shown
from bot.plan import Plan
from bot.requests import RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from bot.stopping import STOP
from bot.workflow.checking import check_again
from bot.workflow.model import Done, Notice, SegmentResult, Wait
from bot.workflow.run import Run
from intents.chaos import definitions
from intents.chaos.asking import ExperimentOrder
from intents.chaos.fis import Fis
from intents.chaos.model import Place
from intents.chaos.notes import (
    ASKED_TO_STOP,
    EXPERIMENT,
    LEASE_UNTIL,
    LIMIT_AT,
    RUN_ALL,
    STARTED_AT,
    TOKEN,
    place_of,
)
from intents.chaos.overriding import parted_override, said_reason
from intents.chaos.planning import OVERRIDE_SLOT, plan_of
from intents.chaos.reporting import Reporting
from intents.chaos.watching import RUN, Watching

log = structlog.get_logger(__name__)


class StartExperiment(ExperimentOrder):
    """Starts what a template says."""

    asks_again: ClassVar[bool] = False
    stop_word: ClassVar[str] = "experiment"

    def __init__(self, services: Services, fis: Fis, reporting: Reporting) -> None:
        super().__init__(services, fis)
        self._reporting = reporting
        self.watchers = (Watching(services, fis).watcher,)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.STARTING

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return what is asked: where something is to be set aside, for the second person by name as well."""
        is_override = bool(ask.slots.get(OVERRIDE_SLOT))
        return tuple(
            replace(slot, required=is_override) if slot.name == definitions.SECOND else slot
            for slot in self.definition.slots
        )

    def parted(self, values: dict[str, str], ask: Ask) -> dict[str, str]:
        """Return the answers; the second person whom the reason of an override names outright is no part of it."""
        if OVERRIDE_SLOT not in values:
            return values
        reason, second = parted_override(said_reason(ask.text) or values[OVERRIDE_SLOT])
        kept = {n: v for n, v in values.items() if n != definitions.SECOND or v.casefold() not in reason.casefold()}
        return {**kept, OVERRIDE_SLOT: reason, **({definitions.SECOND: second} if second else {})}

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return who can be named as the second person: those who would be asked, but for the requester."""
        return self._seconds(ask) if slot == definitions.SECOND else await super().suggestions(slot, ask)

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value as it is kept; a second person is one of those who would be asked to approve it anyway."""
        if slot != definitions.SECOND:
            return await super().validate(slot, value, ask)
        email, able = checked_email(value, field=slot).casefold(), self._seconds(ask)
        if email in able:
            return email
        if mailbox_of(email) == mailbox_of(ask.person.email):
            raise Invalid("Nobody is their own second person.", field=slot, next_step=_whom(able))
        raise Invalid(f"{email} is not among those who may approve an override.", field=slot, next_step=_whom(able))

    def _seconds(self, ask: Ask) -> tuple[str, ...]:
        plan = Plan(definitions.START, "an override", {}, (), tier="production")
        asked = self.services.approvals.approvers_for(plan, ask.person.email, ask.slots)
        return tuple(email for email in asked if mailbox_of(email) != mailbox_of(ask.person.email))

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the template, its targets, and what stands against starting it."""
        return await self._gathering.facts(ask)

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        return plan_of(facts)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments: the start, and the end."""
        return {"start": self._start, "end": self.conclude}

    def announce(self, record: RequestRecord, experiment: str) -> Notice | None:
        """Return what is told once FIS has taken the start."""
        return _started(record, experiment)

    async def _start(self, run: Run) -> SegmentResult:
        changed = await check_again(run, "look at the targets once more")
        if changed:
            return changed
        record, place = run.request, place_of(run.request)
        if (await self._current(run)).notes.get(ASKED_TO_STOP):
            return _never_started(record)
        token = f"{record.id}-{record.version}"
        await run.note(**{TOKEN: token})  # kept before the call: a repeat finds the same experiment
        await run.begin_changing()

        mode = record.plan.effects.get("actions_mode", RUN_ALL)

        async def start() -> str:
            tags = {"quartermaster-request": record.id}
            started = await self._fis.start(record.plan.effects["template"], place, token, tags, mode)
            return str(started["id"])

        experiment = await run.step("start the experiment", start)
        now, effects = self.services.clock.now(), record.plan.effects
        notes: dict[str, Any] = {EXPERIMENT: experiment, STARTED_AT: now.isoformat()}
        if effects["lease_minutes"]:
            notes[LEASE_UNTIL] = (now + timedelta(minutes=effects["lease_minutes"])).isoformat()
        if effects["limit_minutes"]:
            notes[LIMIT_AT] = (now + timedelta(minutes=effects["limit_minutes"])).isoformat()
        await run.note(**notes)
        if (await self._current(run)).notes.get(ASKED_TO_STOP):  # said while FIS was being asked to start
            await self._fis.stop(place, experiment)
        payload = {"experiment": experiment, "role": place.role, "region": place.region}
        return Wait(RUN, experiment, "end", payload, state="running", notice=self.announce(record, experiment))

    async def conclude(self, run: Run) -> SegmentResult:
        """Tell what came of it."""
        return await self._reporting.conclude(await self._current(run))

    async def _current(self, run: Run) -> RequestRecord:
        return await self.services.requests.find(run.request.id)

    async def stop(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Ask FIS to stop, first of all; then write down who asked: where FIS refused, the watcher goes on asking."""
        experiment, place = record.notes.get(EXPERIMENT), place_of(record)
        if record.state == "stopping" and experiment:
            return f"The experiment {experiment} of request {record.id} is being stopped already."
        trouble: CloudError | None = None
        if experiment:
            trouble = await self._ask_to_stop(place, experiment)
        is_new = await self._note_stop(record, by, surface)
        current = await self.services.requests.find(record.id)
        if not experiment and current.notes.get(EXPERIMENT):  # it came to be while we wrote
            trouble = await self._ask_to_stop(place, current.notes[EXPERIMENT])
        if trouble:
            return (
                f"FIS has not taken the stop yet: {trouble.plain} I keep asking until it is stopped. It can be "
                f"stopped in the console of FIS, too: {current.notes.get(EXPERIMENT, experiment)}."
            )
        if current.is_final:
            return f"Request {record.id} is over already; nothing was left to stop."
        if not is_new:
            return f"The experiment of request {record.id} is being stopped already."
        return (
            f"Stopping the experiment of request {record.id}: FIS has been asked to end it. "
            "I tell you when it says that it has."
        )

    async def _ask_to_stop(self, place: Place, experiment: str) -> CloudError | None:
        try:
            await self._fis.stop(place, experiment)
        except CloudError as error:
            log.error("chaos.stop_refused", experiment=experiment, error=error.detail)
            return error
        return None

    async def _note_stop(self, record: RequestRecord, by: Person, surface: str) -> bool:
        services = self.services

        async def work(transaction: Transaction) -> bool:
            current = await services.requests.read(transaction.connection, record.id)
            if current is None or current.is_final or current.notes.get(ASKED_TO_STOP):
                return False
            now = services.clock.now().isoformat()
            why = {"by": shown(by), "at": now, "why": "somebody said so"}
            await services.requests.note(transaction, record.id, **{ASKED_TO_STOP: why, OFFERS: []})
            await services.requests.move(transaction, record.id, ("running", "paused"), "stopping")
            await services.audit.record(
                transaction,
                "request.stop_asked",
                person_id=by.id,
                request_id=record.id,
                payload={"by": by.email, "surface": surface, "experiment": current.notes.get(EXPERIMENT)},
            )
            text = f"{shown(by)} wants the experiment of request {record.id} stopped; FIS is asked to end it."
            card = Card(f"Being stopped: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
            await services.conversations.notify(
                transaction, record.conversation, f"{record.id}:stop-asked", text, card, record.id
            )
            return True

        return await services.database.write(work)


def _whom(able: tuple[str, ...]) -> str:
    return (
        f"Name one of {', '.join(able)}."
        if able
        else "Nobody but you is asked to approve it, so it can't be set aside."
    )


def _started(record: RequestRecord, experiment: str) -> Notice:
    effects = record.plan.effects
    text = (
        f"The experiment {effects['name']} of request {record.id} has been started ({experiment}). Say “stop it” here, "
        "or press the button, to stop it at once; everybody may."
    )
    rows = (("FIS experiment", experiment), ("Stops by itself when", dict(record.plan.details)["Stops by itself when"]))
    stop = Button("Stop the experiment", STOP, record.id, "destructive")
    card = Card(f"Running: {record.plan.summary}", (Text(text), Facts(rows)), (stop,), request=record.id)
    return Notice("started", text, card)


def _never_started(record: RequestRecord) -> Done:
    text = f"Request {record.id} was stopped before its experiment had begun; nothing was hit."
    card = Card(f"Stopped: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
    return Done(Notice("done", text, card), text, "Ask again whenever you like.", state="stopped")
