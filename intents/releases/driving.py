"""Carrying roll-outs on: one watcher for all of them, which follows what runs, starts what may, and halts when it must.

A target is marked as starting, with the token of the call, before CodePipeline is asked: whoever takes over asks again
with the same token, and gets the same run. What runs is looked at when an event says that it has ended, and every now
and then besides. Unlike other watchers this one acts: all it does can be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.card import Button, Card, Text
from bot.cloud import acting_for
from bot.database import Transaction
from bot.errors import NotFound
from bot.releases.rollouts import ACTIVE, BACK, RELEASE, Phase, Rollout, Rollouts, Target
from bot.releases.waves import startable
from bot.requests import RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from bot.words import counted
from bot.workflow.model import Verdict, Waiting, Watcher
from intents.releases.cards import approvals_offered, offers_of, progress_of, ways_on
from intents.releases.events import Events
from intents.releases.experiment_gates import TRY, ExperimentGates, next_try
from intents.releases.following import Following
from intents.releases.gates import Gates

log = structlog.get_logger(__name__)

RUN = "rollout"
POLL = timedelta(seconds=5)
MOST_TURNS = 4
"""Phases that one look may go through: the end of a wave, its gates, the beginning of the next."""
GATE_EVERY = timedelta(seconds=30)
Write = Callable[[Transaction], Awaitable[None]]


class Driving:
    """The one watcher of all roll-outs."""

    def __init__(
        self,
        services: Services,
        rollouts: Rollouts,
        following: Following,
        gates: Gates,
        experiments: ExperimentGates,
        events: Events,
    ) -> None:
        self._services, self._rollouts, self._experiments = services, rollouts, experiments
        self._following, self._gates, self._events = following, gates, events

    @property
    def watcher(self) -> Watcher:
        """Return it for the scheduler."""
        return Watcher(RUN, POLL, self.look)

    async def look(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Carry each roll-out on by what can be done now, and tell how far it is."""
        await self._events.read()
        told = await asyncio.gather(*(self._advance(row) for row in waiting), return_exceptions=True)
        verdicts = {}
        for row, verdict in zip(waiting, told, strict=True):
            if isinstance(verdict, Verdict):
                verdicts[row.seq] = verdict
            elif isinstance(verdict, BaseException):
                log.warning("releases.not_advanced", request=row.request_id, error=repr(verdict))
        return verdicts

    async def _advance(self, row: Waiting) -> Verdict:
        try:
            record = await self._services.requests.find(row.request_id)
        except NotFound:
            return Verdict(ready=True)
        acting_for.set(record.id)  # of this task alone
        rollout = await self._rollouts.find(record.id)
        if rollout is None:
            return Verdict(ready=False)
        is_held = await self._services.holding.paused() is not None
        await self._following.follow(rollout, record, is_held=is_held)
        for _ in range(MOST_TURNS):
            before = await self._rollouts.require(record.id)
            await self._act(before, record, is_held=is_held)
            rollout = await self._rollouts.require(record.id)
            if (rollout.phase, rollout.wave) == (before.phase, before.wave):
                break
        counts, named = await asyncio.gather(
            self._rollouts.counts(record.id),
            self._rollouts.targets(record.id, states=(*ACTIVE, "failed"), limit=100),
        )
        failed = any(wave.get("failed") for wave in counts.values())
        offers = offers_of(rollout.phase, record.id, failed=failed, is_shut=rollout.is_shut)
        await self._offer(record, [*approvals_offered(named, record.id), *offers])
        return Verdict(ready=rollout.phase == "done", progress=progress_of(rollout, counts, named))

    async def _act(self, rollout: Rollout, record: RequestRecord, *, is_held: bool) -> None:
        counts = await self._rollouts.counts(record.id)
        is_tried = await self._experiments.settle(record, rollout)
        match rollout.phase:
            case "running" if not is_held and not is_tried:
                await self._run(rollout, record, counts)
            case "gate" if not is_held:
                await self._pass(rollout, record)
            case "stopping":
                await self._stop(rollout, record, is_tried=is_tried)
            case "back" if not is_held:
                await self._go_back(rollout, record, is_tried=is_tried)

    async def _offer(self, record: RequestRecord, offers: list[list[str]]) -> None:
        if offers == record.notes.get(OFFERS, []):
            return

        async def work(transaction: Transaction) -> None:
            await self._services.requests.note(transaction, record.id, **{OFFERS: offers})
            await self._services.requests.changed(transaction, record.id)

        await self._services.database.write(work)

    # ------------------------------------------------------------------------------ phases

    async def _run(self, rollout: Rollout, record: RequestRecord, counts: Mapping[int, Mapping[str, int]]) -> None:
        wave = counts.get(rollout.wave, {})
        failed = wave.get("failed", 0) - rollout.forgiven
        if failed > 0 and rollout.rules.halts(failed, sum(wave.values())):
            listed = await self._rollouts.targets(record.id, states=("failed",), wave=rollout.wave, limit=5)
            named = "; ".join(f"{t.key} ({t.why})" if t.why else t.key for t in listed)
            more = f" and {wave['failed'] - len(listed)} more" if wave["failed"] > len(listed) else ""
            reason = f"in wave {rollout.wave + 1} failed: {named}{more}"
            return await self.pause(record, rollout, reason, ("running",))
        active = sum(wave.get(state, 0) for state in ACTIVE)
        goes_on = wave.get("waiting", 0) > 0 or rollout.wave + 1 < len(rollout.waves)
        freeze = self._services.house.freeze_of(rollout.component, self._services.clock.now())
        if goes_on and freeze and not record.plan.effects.get("hotfix"):
            reason = f"{rollout.component} is frozen ({freeze.name}) until {freeze.until:%Y-%m-%d %H:%M %Z}"
            return await self.pause(record, rollout, reason, ("running",))
        if wave.get("waiting", 0):
            await self._start_some(rollout, record, active)
        elif not active:
            await self._end_wave(rollout, record)

    async def _start_some(self, rollout: Rollout, record: RequestRecord, active: int) -> None:
        limits, now = rollout.rules.limits, self._services.clock.now()
        free = max(0, limits.parallel - active) if limits.parallel else None
        if free == 0:
            return
        running = await self._rollouts.places(record.id, ACTIVE)
        most = None if free is None else free * 4 + 50
        waiting = await self._rollouts.targets(record.id, states=("waiting",), wave=rollout.wave, limit=most)
        chosen = startable([t.place for t in waiting], running, limits, now)
        if free is not None and len(chosen) < free and most is not None and len(waiting) == most:
            waiting = await self._rollouts.targets(record.id, states=("waiting",), wave=rollout.wave)
            chosen = startable([t.place for t in waiting], running, limits, now)
        keys = {place.key for place in chosen}
        if keys:
            # An account may have left the OUs since the plan, or been closed; unread, nothing starts.
            allowed = await self._services.deployable.ids()
            starting = [t for t in waiting if t.key in keys]
            await self._refuse(record, [t for t in starting if t.account not in allowed])
            await self._following.start([t for t in starting if t.account in allowed], rollout, record)

    async def _refuse(self, record: RequestRecord, wrong: Sequence[Target]) -> None:
        async def work(transaction: Transaction) -> None:
            where = " or ".join(self._services.settings.deployment_ous)
            for target in wrong:
                detail = {"why": f"its account {target.account} is no active one under {where} any more"}
                await self._rollouts.change(transaction, target, ("waiting",), "failed", detail=detail)

        if wrong:
            await self._services.database.write(work)

    async def _end_wave(self, rollout: Rollout, record: RequestRecord) -> None:
        if rollout.wave + 1 >= len(rollout.waves):

            async def finish(transaction: Transaction) -> None:
                await self._rollouts.move(transaction, record.id, ("running",), "done", seen=rollout, reason="")

            await self._services.database.write(finish)
            return
        if not rollout.due_gates:
            return await self._next_wave(rollout, record, "running")

        async def shut(transaction: Transaction) -> None:
            tried = next_try(record.notes, rollout.wave)
            since = {"since": self._services.clock.now().isoformat(), "wave": rollout.wave, TRY: tried}
            if not await self._rollouts.move(transaction, record.id, ("running",), "gate", seen=rollout, gates=since):
                return
            await self._services.requests.note(transaction, record.id, **{OFFERS: offers_of("gate", record.id)})

        await self._services.database.write(shut)

    async def _pass(self, rollout: Rollout, record: RequestRecord) -> None:
        now, gates = self._services.clock.now(), rollout.gates
        looked = gates.get("looked")
        is_due = looked is None or now - datetime.fromisoformat(looked) >= GATE_EVERY
        if not is_due and not self._gates.baked(rollout, now):
            return
        result, sentence, failed = await self._gates.judge(rollout, record, now)
        if result == "fails":
            return await self.pause(record, rollout, sentence, ("gate",), gates=failed)
        if result == "ok":
            return await self._next_wave(rollout, record, "gate")

        async def wait(transaction: Transaction) -> None:
            kept = {**gates, "looked": now.isoformat()}
            await self._rollouts.move(
                transaction, record.id, ("gate",), "gate", seen=rollout, gates=kept, reason=sentence
            )

        await self._services.database.write(wait)

    async def _next_wave(self, rollout: Rollout, record: RequestRecord, origin: Phase) -> None:
        following = rollout.wave + 1
        waits = (await self._rollouts.counts(record.id)).get(following, {}).get("waiting", 0)

        async def work(transaction: Transaction) -> None:
            values = {"wave": following, "forgiven": 0, "reason": "", "gates": {}}
            if not await self._rollouts.move(transaction, record.id, (origin,), "running", seen=rollout, **values):
                return
            await self._services.requests.note(transaction, record.id, **{OFFERS: offers_of("running", record.id)})
            wave = rollout.waves[following]
            begins = f"begins: {wave['name']}, {counted(wave['count'], 'deployment')}." if waits else "was left out."
            text = (
                f"Wave {rollout.wave + 1} of request {record.id} is done. Wave {following + 1} of "
                f"{len(rollout.waves)} {begins}"
            )
            await self._tell(transaction, record, f"wave:{following}", text)

        await self._services.database.write(work)

    async def _stop(self, rollout: Rollout, record: RequestRecord, *, is_tried: bool) -> None:
        async def rest(transaction: Transaction) -> None:
            await self._rollouts.change_all(transaction, record.id, ("waiting",), "stopped")

        await self._services.database.write(rest)
        active = await self._rollouts.targets(record.id, states=ACTIVE)
        await self._following.stop(active, rollout)
        if not active and not is_tried:

            async def finish(transaction: Transaction) -> None:
                await self._rollouts.move(transaction, record.id, ("stopping",), "done")

            await self._services.database.write(finish)

    async def _go_back(self, rollout: Rollout, record: RequestRecord, *, is_tried: bool) -> None:
        limits, now = rollout.rules.limits, self._services.clock.now()

        async def turn(transaction: Transaction) -> None:
            # What still ran when the way back began has ended since: it goes back as well.
            await self._rollouts.change_all(
                transaction, record.id, ("succeeded", "failed"), "waiting", only_wave=rollout.gates.get("back"),
                only_purpose=RELEASE, purpose=BACK, detail={}, look_at=None,
            )  # fmt: skip
            await self._rollouts.change_all(transaction, record.id, ("waiting",), "stopped", only_purpose=RELEASE)

        await self._services.database.write(turn)
        running = await self._rollouts.targets(record.id, states=ACTIVE)
        await self._following.leave(running)
        waiting = [t for t in await self._rollouts.targets(record.id, states=("waiting",)) if t.purpose == BACK]
        if waiting:
            # Without regard to windows: what is taken back has just been changed, and is wrong.
            places = [t.place for t in waiting]
            anytime = [type(p)(p.key, p.account, p.region) for p in places]
            keys = {p.key for p in startable(anytime, [t.place for t in running], limits, now)}
            await self._following.start([t for t in waiting if t.key in keys], rollout, record)
        elif not running and not is_tried:

            async def finish(transaction: Transaction) -> None:
                await self._rollouts.move(transaction, record.id, ("back",), "done")

            await self._services.database.write(finish)

    # ------------------------------------------------------------------------------ halting

    async def pause(
        self,
        record: RequestRecord,
        rollout: Rollout,
        reason: str,
        origin: Sequence[Phase],
        gates: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Start nothing more, and say why, such as the gates that failed; what runs goes on to its end."""
        services = self._services
        has_failed = any(wave.get("failed") for wave in (await self._rollouts.counts(record.id)).values())
        offers = offers_of("paused", record.id, failed=has_failed, is_shut=bool(gates))

        async def work(transaction: Transaction) -> None:
            values = {"gates": {**rollout.gates, "failed": [list(gate) for gate in gates]}} if gates else {}
            if not await self._rollouts.move(
                transaction, record.id, origin, "paused", seen=rollout, reason=reason, **values
            ):
                return
            await services.requests.note(transaction, record.id, **{OFFERS: offers})
            await services.requests.move(transaction, record.id, ("running",), "paused")
            await services.audit.record(transaction, "rollout.paused", request_id=record.id, payload={"reason": reason})
            now = services.clock.now()
            text = (
                f"The roll-out of request {record.id} is paused: {reason}. Nothing more is started. "
                f"{ways_on(failed=has_failed, is_shut=bool(gates))}"
            )
            ways = tuple(Button(title, "say", said) for title, said in offers)
            card = Card(f"Paused: {record.plan.summary}", (Text(text),), ways, tone="warning", request=record.id)
            await self._tell(transaction, record, f"paused:{now.isoformat()}", text, card)

        await services.database.write(work)

    async def _tell(
        self, transaction: Transaction, record: RequestRecord, key: str, text: str, card: Card | None = None
    ) -> None:
        shown = card or Card(f"Under way: {record.plan.summary}", (Text(text),), request=record.id)
        await self._services.conversations.notify(
            transaction, record.conversation, f"{record.id}:{key}"[:255], text, shown, record.id
        )
