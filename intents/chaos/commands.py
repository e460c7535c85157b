"""What is said while an experiment runs: stop, keep going; and the lever that stops them all."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.activity import Person, clean_text
from bot.card import Button, Card, Facts, Text
from bot.database import Transaction
from bot.errors import CloudError, Conflict, Invalid
from bot.intent import Answer, Ask, Definition, Query
from bot.people import shown
from bot.requests import Filter, RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from bot.stopping import UNDER_WAY, Stopping
from intents.chaos import definitions
from intents.chaos.finding import named_or_newest, newest
from intents.chaos.fis import Fis
from intents.chaos.model import Place
from intents.chaos.notes import ASKED_TO_STOP, LEASE_UNTIL

log = structlog.get_logger(__name__)


class StopExperiment(Query):
    """Stops one at once, for everybody who may see it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._stopping = Stopping(services)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.STOPPING

    async def answer(self, ask: Ask) -> Answer:
        """Stop what is named, else what runs here, else what runs at all if that is one experiment only."""
        request = ask.slots.get("RequestId") or await self._only_one(ask)
        record, text = await self._stopping.stop(request, ask.person, surface=ask.channel, owner=ask.owner or None)
        return Answer(text, Card(f"Stop: {record.plan.summary}", (Text(text),), tone="warning", request=record.id))

    async def _only_one(self, ask: Ask) -> str:
        here = await newest(self.services, ask, *UNDER_WAY)
        if here:
            return here.id
        wanted = Filter(intent=definitions.START, state=UNDER_WAY, owner=ask.owner or None, limit=20)
        running = (await self.services.requests.list(wanted)).items
        if len(running) == 1:
            return running[0].id
        if not running:
            raise Conflict("No experiment is running, so nothing was stopped.")
        listed = ", ".join(f"{r.id} ({r.plan.effects['name']})" for r in running)
        raise Invalid(f"Several experiments run: {listed}.", next_step=f"Say which, such as “stop {running[0].id}”.")


class KeepExperimentGoing(Query):
    """Renews the lease of a production experiment."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.KEEPING

    async def answer(self, ask: Ask) -> Answer:
        """Renew it from now on; one that is being stopped stays so."""
        if not ask.slots.get("RequestId") and await newest(self.services, ask, *UNDER_WAY) is None:
            raise Conflict("No experiment is running here, so there is nothing to keep going.")
        record = await named_or_newest(self.services, ask)
        self.services.policy.may_see(ask.person, record.subject).require()
        until = await self._renew(record, ask.person)
        text = f"Request {record.id} goes on; I ask again before {until:%H:%M:%S} UTC."
        return Answer(text, Card(f"Goes on: {record.plan.summary}", (Text(text),), request=record.id))

    async def _renew(self, record: RequestRecord, by: Person) -> datetime:
        services = self.services

        async def work(transaction: Transaction) -> datetime:
            current = await services.requests.read(transaction.connection, record.id)
            if current is None or current.is_final:
                raise Conflict(f"The experiment of request {record.id} is over.")
            if current.notes.get(ASKED_TO_STOP):
                raise Conflict(f"The experiment of request {record.id} is being stopped; that can't be called back.")
            if not current.notes.get(LEASE_UNTIL):
                raise Conflict(f"Request {record.id} needs no word: it goes on by itself.")
            until = services.clock.now() + timedelta(minutes=current.plan.effects["lease_minutes"])
            notes = {LEASE_UNTIL: until.isoformat(), OFFERS: []}
            await services.requests.note(transaction, record.id, **notes)
            await services.requests.changed(transaction, record.id)
            await services.audit.record(
                transaction, "experiment.kept_going", person_id=by.id, request_id=record.id, payload={"by": by.email}
            )
            return until

        return await services.database.write(work)


class _Lever(Query):
    """What both ways of moving the safety levers share."""

    def __init__(self, services: Services, fis: Fis) -> None:
        super().__init__(services)
        self._fis = fis

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person is an operator."""
        return self.services.policy.may_pause(person).allowed

    async def _move(self, ask: Ask, status: str, reason: str) -> tuple[tuple[str, str], ...]:
        """Move every place's lever, all at once; return how each stands. FIS is asked before anything is recorded."""
        self.services.policy.may_pause(ask.person).require()

        async def move(place: Place) -> tuple[str, str]:
            where = f"{place.account} {place.region}"
            try:
                return where, await self._fis.set_lever(place, status, reason)
            except CloudError as error:
                if error.code == "ConflictException":  # it is so already
                    return where, status
                log.error("chaos.lever_refused", place=where, error=error.detail)
                return where, f"FAILED: {error.plain}"

        rows = tuple(await asyncio.gather(*(move(place) for place in self._fis.places)))
        if not rows:
            raise Conflict("Experiments are switched off here: there is no safety lever to move.")

        async def work(transaction: Transaction) -> None:
            payload = {"by": ask.person.email, "reason": reason, "places": dict(rows)}
            await self.services.audit.record(
                transaction, f"experiments.lever_{status}", person_id=ask.person.id, payload=payload
            )

        await self.services.database.write(work)
        return rows


class StopEverything(_Lever):
    """Engages the safety lever everywhere: all experiments stop, none starts."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.STOPPING_ALL

    async def answer(self, ask: Ask) -> Answer:
        """Engage it."""
        _, because, words = ask.text.partition(" because ")
        said = clean_text(words if because else ask.slots.get("LeverReason", "")).rstrip(".")[: definitions.MAX_WORDS]
        rows = await self._move(ask, "engaged", said or f"Engaged by {shown(ask.person)}")
        failed = any(state.startswith("FAILED") for _, state in rows)
        text = (
            "The safety lever is engaged: all experiments are being stopped, and none can start. "
            "Say “allow experiments again” when it is over. Other changes go on; “pause changes” holds those."
        )
        if failed:
            text = "The safety lever could NOT be engaged everywhere. Engage it in the console of FIS where it failed."
        buttons = (Button("Allow experiments again", "say", "allow experiments again"),)
        items = (Text(text), Facts(rows))
        return Answer(text, Card("Stop of all experiments", items, buttons, tone="bad" if failed else "warning"))

    async def answer_instead(self, ask: Ask) -> Answer:
        """Tell how the levers stand."""
        return Answer("I have done nothing. To stop all experiments, say “stop all experiments”.")


class AllowExperiments(_Lever):
    """Disengages the safety lever everywhere."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.ALLOWING

    async def answer(self, ask: Ask) -> Answer:
        """Disengage it."""
        rows = await self._move(ask, "disengaged", f"Disengaged by {shown(ask.person)}")
        failed = any(state.startswith("FAILED") for _, state in rows)
        text = "The safety lever could not be disengaged everywhere." if failed else "Experiments may be started again."
        return Answer(text, Card("Experiments", (Text(text), Facts(rows)), tone="bad" if failed else "good"))
