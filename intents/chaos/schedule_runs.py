"""Runs of scheduled experiments: placed when their time has come, by one replica once, or skipped with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.activity import Activity
from bot.card import Card, Text
from bot.database import Transaction
from bot.dialogue.placing import Placing
from bot.dialogue.session import Form
from bot.errors import CloudError, QuartermasterError
from bot.intent import Ask
from bot.requests import RequestRecord
from bot.schedules import Schedule
from bot.services import Services
from bot.workflow.periodic import Job
from intents.chaos.notes import SCHEDULED_BY, START_BY, VIA
from intents.chaos.starting import StartExperiment

log = structlog.get_logger(__name__)

KIND = "experiment"
LOOK = timedelta(seconds=30)
START_WITHIN = timedelta(hours=1)
"""How long after its time a run may begin: approvals, a pause of changes and an absence of the bot count in."""
PATIENCE = timedelta(minutes=10)
"""How long AWS is asked again that can't be reached, before a run is skipped."""


class ScheduledRuns:
    """Looks what is due. The request of a run and its schedule's next time are written in one transaction."""

    def __init__(self, services: Services, starting: StartExperiment) -> None:
        self._services, self._starting = services, starting

    @property
    def job(self) -> Job:
        """The job for the scheduler."""
        return Job("experiment-schedules", LOOK, self.look)

    async def look(self, last: datetime) -> None:
        """Place or skip everything that is due; one schedule's trouble holds up no other."""
        for schedule in await self._services.schedules.due(KIND):
            try:
                await self._run(schedule)
            except Exception:
                log.exception("schedule.failed", schedule=schedule.request)

    async def _run(self, schedule: Schedule) -> None:
        record = await self._services.requests.find(schedule.request)
        late = self._services.clock.now() - schedule.next_at
        if late >= START_WITHIN:
            await self._skip(schedule, record, "its time went by while I was not there")
            return
        try:
            placing = await self._prepare(schedule, record)
        except CloudError as error:
            if error.retryable and late < PATIENCE:
                log.warning("schedule.waits_for_aws", schedule=schedule.request, error=error.detail)
                return
            await self._skip(schedule, record, error.plain)
        except QuartermasterError as error:
            await self._skip(schedule, record, error.sentence())
        else:
            await (self._place(schedule, record, placing) if isinstance(placing, Placing) else
                   self._skip(schedule, record, placing))  # fmt: skip

    async def _prepare(self, schedule: Schedule, record: RequestRecord) -> Placing | str:
        """Return the run, planned and ready to be placed; or why there is none. Raises QuartermasterError."""
        services, effects, person = self._services, record.plan.effects, record.requester
        definition, shape = self._starting.definition, self._starting.shape
        start_by = schedule.next_at + START_WITHIN
        slots = {
            "Experiment": effects["template"],
            "Expectation": effects["expectation"],
            VIA: "schedule",
            SCHEDULED_BY: schedule.request,
            START_BY: start_by.isoformat(),
            **({"RunTime": f"PT{effects['limit_minutes']:g}M"} if effects["limit_minutes"] else {}),
        }
        allowed = services.policy.may_ask(person, definition, shape, slots)
        if not allowed.allowed:
            return f"{person.email} may not ask for it any more: {allowed.reason}"
        plan = await self._starting.prepare(Ask(person, slots, record.conversation, "schedule", record.owner, True))
        if plan.effects["content"] != effects["content"]:
            return (
                "its template has been changed since the schedule was approved; end the schedule and ask for it anew, "
                "so that what it does now is approved"
            )
        if plan.problems:
            return " ".join(check.sentence for check in plan.problems)
        form = Form(definition.name, slots, digest=plan.digest)
        key = f"schedule:{schedule.request}:{schedule.next_at:%Y%m%d%H%M}"
        activity = Activity(key, "schedule", record.conversation, person, owner=record.owner)
        placing = Placing(services, self._starting, form, plan, activity, lapses=start_by)
        await placing.require_approvable()
        return placing

    async def _place(self, schedule: Schedule, record: RequestRecord, placing: Placing) -> None:
        services = self._services

        async def work(transaction: Transaction) -> None:
            if not await services.schedules.claim(transaction, schedule, f"request {placing.record.id}"):
                return
            placed = await placing.commit(transaction)
            if not placed.request_id:
                await self._tell(transaction, schedule, record, placed.answer.text)
                return
            why, card = f"As scheduled {schedule.recurrence.words} ({record.id}).", placed.answer.card
            await services.conversations.notify(
                transaction,
                record.conversation,
                _key(schedule),
                f"{why} {placed.answer.text}",
                replace(card, items=(Text(why), *card.items)) if card else None,
                placed.request_id,
            )

        await services.database.write(work)

    async def _skip(self, schedule: Schedule, record: RequestRecord, why: str) -> None:
        async def work(transaction: Transaction) -> None:
            if await self._services.schedules.claim(transaction, schedule, f"skipped: {why}"):
                await self._tell(transaction, schedule, record, why)

        await self._services.database.write(work)

    async def _tell(self, transaction: Transaction, schedule: Schedule, record: RequestRecord, why: str) -> None:
        """Say, once, that a run was skipped, and put it into the record."""
        services, local = self._services, schedule.recurrence.local
        name, due = record.plan.effects["name"], local(schedule.next_at)
        following = services.schedules.following(schedule)
        then = f"It comes again on {local(following)}." if following else "It does not come again: ask for it anew."
        text = f"The experiment {name}, scheduled for {due} ({record.id}), was skipped: {why.rstrip('.')}. {then}"
        card = Card(f"Skipped: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
        await services.audit.record(
            transaction, "schedule.skipped", request_id=record.id, payload={"due": due, "why": why}
        )
        await services.conversations.notify(transaction, record.conversation, _key(schedule), text, card, record.id)


def _key(schedule: Schedule) -> str:
    return f"{schedule.request}:scheduled:{schedule.next_at:%Y%m%d%H%M}"
