"""Watching every running experiment at once: leases and limits first, then states, targets, actions and alarms.

One look asks each account and Region once for the states of all its experiments and once for all alarms, and only
what has changed, or was not looked at for a while, in full. Unlike other watchers it acts, too: it asks FIS to stop.
That can be repeated, and must not wait for anything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.card import Button, Card, StepMark, Text
from bot.database import Transaction
from bot.errors import CloudError, NotFound
from bot.requests import RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from bot.workflow.model import Notice, Verdict, Waiting, Watcher
from intents.chaos.fis import ENDED, Fis
from intents.chaos.model import Place
from intents.chaos.notes import ASKED_TO_STOP, LEASE_UNTIL, LIMIT_AT, SKIP_ALL, place_of
from intents.chaos.targets import differences, hit_of_plan

log = structlog.get_logger(__name__)

RUN = "chaos-run"
POLL = timedelta(seconds=5)
DETAILS = timedelta(seconds=30)
"""How long the actions of an experiment that goes on are taken to be the same."""
ALARMS = timedelta(seconds=10)
WARNING = timedelta(minutes=2)
"""How long before a lease ends its question is asked, or a third of the lease, if that is shorter."""
_MARKS: dict[str, StepMark] = {
    "completed": "done",
    "skipped": "done",
    "running": "running",
    "initiating": "running",
    "stopping": "running",
    "failed": "failed",
    "stopped": "failed",
    "cancelled": "failed",
}


@dataclass
class _Place:
    """What one look saw in a place."""

    statuses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    alarms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_read: bool = False


class Watching:
    """The one watcher of all experiments."""

    def __init__(self, services: Services, fis: Fis) -> None:
        self._services, self._fis = services, fis
        self._alarms: dict[Place, tuple[datetime, Mapping[str, Mapping[str, Any]]]] = {}

    @property
    def watcher(self) -> Watcher:
        """Return it for the scheduler, whose first look comes at its start."""
        return Watcher(RUN, POLL, self.look)

    async def look(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Tell how each experiment stands; ask FIS to stop what nobody answers for, or what is not as planned."""
        records: dict[int, RequestRecord] = {}
        for row in waiting:
            try:
                records[row.seq] = await self._services.requests.find(row.request_id)
            except NotFound:
                continue
        await asyncio.gather(*(self._stop_what_must(record) for record in records.values()))
        places = await self._read_places(records.values())
        rows = [row for row in waiting if row.seq in records]
        told = await asyncio.gather(
            *(self._look_at(row, records[row.seq], places[place_of(records[row.seq])]) for row in rows),
            return_exceptions=True,
        )
        verdicts = {}
        for row, verdict in zip(rows, told, strict=True):
            if isinstance(verdict, Verdict):
                verdicts[row.seq] = verdict
            else:
                log.warning("chaos.unseen", request=row.request_id, error=str(verdict))
        return verdicts

    async def _stop_what_must(self, record: RequestRecord) -> None:
        """Ask FIS again for what was to be stopped, and for the first time where a lease or a limit is over."""
        now, notes = self._services.clock.now(), record.notes
        why = ""
        if notes.get(LIMIT_AT) and now >= datetime.fromisoformat(notes[LIMIT_AT]):
            why = "its time limit was reached"
        if notes.get(LEASE_UNTIL) and now >= datetime.fromisoformat(notes[LEASE_UNTIL]):
            why = "nobody said in time that it goes on"
        if notes.get(ASKED_TO_STOP) or why:
            await self._stop(record, why)

    async def _stop(self, record: RequestRecord, why: str) -> None:
        try:
            await self._fis.stop(place_of(record), str(record.notes["experiment"]))
        except CloudError as error:
            log.error("chaos.stop_refused", request=record.id, error=error.detail)
        if why and not record.notes.get(ASKED_TO_STOP):
            await self._note(record, why)

    async def _note(self, record: RequestRecord, why: str) -> None:
        services = self._services

        async def work(transaction: Transaction) -> None:
            current = await services.requests.read(transaction.connection, record.id)
            if current is None or current.is_final or current.notes.get(ASKED_TO_STOP):
                return
            said = {"by": "", "at": services.clock.now().isoformat(), "why": why}
            await services.requests.note(transaction, record.id, **{ASKED_TO_STOP: said, OFFERS: []})
            await services.requests.move(transaction, record.id, ("running", "paused"), "stopping")
            await services.audit.record(
                transaction, "request.stop_asked", request_id=record.id, payload={"by": "", "why": why}
            )
            text = f"I am stopping the experiment of request {record.id}: {why}."
            card = Card(f"Being stopped: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
            await services.conversations.notify(
                transaction, record.conversation, f"{record.id}:stop-asked", text, card, record.id
            )

        await services.database.write(work)

    async def _read_places(self, records: Iterable[RequestRecord]) -> dict[Place, _Place]:
        by_place: dict[Place, list[RequestRecord]] = {}
        for record in records:
            by_place.setdefault(place_of(record), []).append(record)
        found = await asyncio.gather(*(self._read_place(place, here) for place, here in by_place.items()))
        return dict(zip(by_place, found, strict=True))

    async def _read_place(self, place: Place, records: Sequence[RequestRecord]) -> _Place:
        try:
            statuses = await self._fis.statuses(place, {str(r.notes["experiment"]) for r in records})
        except CloudError as error:
            log.warning("chaos.place_unread", account=place.account, region=place.region, error=error.detail)
            return _Place()
        return _Place(statuses, await self._alarms_in(place, records), is_read=True)

    async def _alarms_in(self, place: Place, records: Sequence[RequestRecord]) -> Mapping[str, Mapping[str, Any]]:
        now = self._services.clock.now()
        wanted = {arn for record in records for arn in record.plan.effects["alarms"]}
        at, known = self._alarms.get(place, (datetime.min.replace(tzinfo=now.tzinfo), {}))
        if wanted and (now - at >= ALARMS or not wanted <= known.keys()):
            try:
                known = await self._fis.alarms(place, wanted)
            except CloudError as error:
                log.warning("chaos.alarms_unread", account=place.account, error=error.detail)
            else:
                self._alarms[place] = now, known
        return known

    async def _look_at(self, row: Waiting, record: RequestRecord, seen: _Place) -> Verdict:
        now, payload = self._services.clock.now(), row.payload
        notice = self._lease_question(record, now)
        if notice and not record.notes.get(OFFERS):
            await self._offer(record)
        if not seen.is_read:
            return Verdict(ready=False, notice=notice)
        state = seen.statuses.get(row.key)
        status = str(state["status"]) if state else "unknown"
        before = payload.get("detailed_at")
        is_due = before is None or now - datetime.fromisoformat(before) >= DETAILS
        changes: dict[str, Any] = {"status": status}
        actions = payload.get("actions", {})
        if status != payload.get("status") or is_due:
            experiment = await self._fis.experiment(place_of(record), row.key)
            state = experiment["state"]
            status = str(state["status"])
            actions = {name: a["state"] for name, a in experiment["actions"].items()}
            changes |= {"status": status, "actions": actions, "detailed_at": now.isoformat()}
        is_preview = record.plan.effects.get("actions_mode") == SKIP_ALL
        if status == "running" and not payload.get("compared") and not is_preview:
            difference = await self._compare(record, row.key)
            if difference:
                await self._stop(record, f"what it hits is not what was approved ({difference})")
            changes["compared"] = True
        return Verdict(
            ready=status in ENDED,
            payload=changes,
            notice=notice,
            progress=_progress(record, status, state, actions, seen.alarms),
        )

    async def _offer(self, record: RequestRecord) -> None:
        services = self._services

        async def work(transaction: Transaction) -> None:
            offers = [["Keep going", f"keep going with {record.id}"]]
            await services.requests.note(transaction, record.id, **{OFFERS: offers})
            await services.requests.changed(transaction, record.id)

        await services.database.write(work)

    async def _compare(self, record: RequestRecord, experiment: str) -> str:
        """Return how the targets of a run differ from the approved plan; empty when they are the same."""
        resolved = await self._fis.resolved(place_of(record), experiment)
        return differences((hit_of_plan(n, t) for n, t in record.plan.effects["targets"].items()), resolved)

    def _lease_question(self, record: RequestRecord, now: datetime) -> Notice | None:
        until = record.notes.get(LEASE_UNTIL)
        if not until or record.notes.get(ASKED_TO_STOP):
            return None
        end, lease = datetime.fromisoformat(until), timedelta(minutes=record.plan.effects["lease_minutes"])
        if now < end - min(WARNING, lease / 3):
            return None
        text = (
            f"Request {record.id}: keep going? The experiment {record.plan.effects['name']} is stopped at "
            f"{end:%H:%M:%S} UTC unless somebody says “keep going with {record.id}”."
        )
        return Notice(
            f"lease:{until}",
            text,
            Card(
                f"Keep going? {record.plan.summary}",
                (Text(text),),
                (Button("Keep going", "say", f"keep going with {record.id}"),),
                tone="warning",
                request=record.id,
            ),
        )


def _progress(
    record: RequestRecord,
    status: str,
    state: Mapping[str, Any] | None,
    actions: Mapping[str, Mapping[str, Any]],
    alarms: Mapping[str, Mapping[str, Any]],
) -> list[tuple[StepMark, str, str]]:
    reason = str(state.get("reason", "")) if state else ""
    lines: list[tuple[StepMark, str, str]] = [(_MARKS.get(status, "waiting"), "FIS", f"{status}. {reason}".strip())]
    for name, action in actions.items():
        lines.append((_MARKS.get(str(action["status"]), "waiting"), name, str(action["status"])))
    for arn in record.plan.effects["alarms"]:
        alarm = alarms.get(arn, {})
        value = str(alarm.get("StateValue", "unknown"))
        mark: StepMark = "failed" if value == "ALARM" else "done" if value == "OK" else "waiting"
        lines.append((mark, f"Alarm {arn.partition(':alarm:')[2]}", value))
    return lines
