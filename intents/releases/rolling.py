"""Rolling a version out: planned, approved, and handed to the watcher that carries all roll-outs on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from bot.activity import Person, clean_text
from bot.card import Button, Card, Facts, Text
from bot.database import Transaction
from bot.errors import Invalid, QuartermasterError
from bot.intent import Ask, Change, Definition, Segment, Slot
from bot.people import shown
from bot.plan import Plan
from bot.releases.desk import Deed
from bot.releases.rollouts import Rollout, Rollouts, Rules
from bot.releases.wording import NAMED, SAYS, read_strategy
from bot.requests import RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from bot.stopping import STOP
from bot.words import lasting
from bot.workflow.checking import ask_of, check_again
from bot.workflow.model import Done, Notice, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run
from intents.releases import definitions
from intents.releases.cards import offers_of
from intents.releases.driving import RUN, Driving
from intents.releases.gathering import Gathering
from intents.releases.notes import Notes
from intents.releases.planning import layout_of, plan_of
from intents.releases.steering import Steering

QUEUE = "rollout-queue"
QUEUE_POLL = timedelta(seconds=10)
MAX_WORDS = 500
_TAIL = re.compile(
    r"^\W*(?:please |can you |could you )*(?:roll ?out|release|ship|deploy|bring|push|roll) (?:version )?(?:\S+ )??"
    r"(?P<version>v?\d+(?:\.\d+)+[\w.-]*)"
    r"(?: of (?:the )?(?P<component>[a-z0-9-]+))?\s*[,:;–-]?\s+(?:out )?(?:only )?(?:to )?(?:only )?(?P<waves>\S.+)$",
    re.IGNORECASE,
)
_NO_WAVES = re.compile(r"(?:(?:roll|push|bring|ship) ?)?(?:it )?out(?: (?:version )?v?\d[\w.-]*)?", re.IGNORECASE)
"""What is left of the wish itself, said once more where its waves are asked for."""
_EVERYONE = re.compile(
    r"every(?:one|body|where)|(?:all|the)(?: (?:the|our))?(?: (?:tenants|deployments|customers))?", re.IGNORECASE
)


class RollOut(Change):
    """Brings a version to deployments, wave by wave."""

    stop_word: ClassVar[str] = "roll-out"

    def __init__(
        self,
        services: Services,
        rollouts: Rollouts,
        gathering: Gathering,
        driving: Driving,
        steering: Steering,
        notes: Notes,
    ) -> None:
        super().__init__(services)
        self._rollouts, self._gathering = rollouts, gathering
        self._steering, self._notes = steering, notes
        self.watchers = (driving.watcher, Watcher(QUEUE, QUEUE_POLL, self._look_at_queue))

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.ROLLING_OUT

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Take the waves out of the opening sentence: “roll out 2.4.1, canary first, then everyone”."""
        found = _TAIL.match(ask.text.strip())
        if not found or ask.slots.get("Waves"):
            return None
        waves = found["waves"].strip(" ,.").removesuffix(" only")
        if _EVERYONE.fullmatch(waves):
            return None  # in which waves is asked: nobody means all at once by leaving it out
        try:
            read_strategy(waves, await self.services.deployments.all(), self.services.clock.now())
        except QuartermasterError:
            return None
        slots = {**ask.slots, "Version": found["version"].strip(" ,."), "Waves": waves}
        if found["component"]:
            slots["Component"] = found["component"]
        return definitions.ROLL_OUT, slots

    async def claim(self, ask: Ask) -> dict[str, str] | None:
        """Know what names a version and waves that there are: “deploy 2.4.1 to pool-1 + pool-2”."""
        found = await self.rather(ask)
        return found[1] if found else None

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Ask for the component where there are several."""
        slots = self.definition.slots
        if len(await self.services.deployments.components()) < 2:
            return slots
        return tuple(_needed(s) if s.name == "Component" else s for s in slots)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return components, and strategies by name."""
        if slot == "Component":
            return tuple((await self.services.deployments.components())[:12])
        return NAMED if slot == "Waves" else await super().suggestions(slot, ask)

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return a version without its v, a known component, or a strategy in its own words with days resolved."""
        if slot == "Version":
            return value.strip().removeprefix("v").removeprefix("V")
        if slot == "Component":
            return await self._gathering.component(value)
        if slot == "Waves":
            if _NO_WAVES.fullmatch(value):
                raise Invalid("That says nothing about the waves yet.", field=slot, next_step=SAYS)
            whole = _TAIL.match(value)  # said as a whole once more
            return await self._gathering.waves(whole["waves"].strip(" ,.") if whole else value, ask)
        if slot == "Commit" and not re.fullmatch(r"[0-9a-f]{7,64}", value):
            raise Invalid(
                f"“{value[:40]}” is no commit.", field=slot, next_step="Say its digits, such as 1a2b3c4d5e6f."
            )
        if slot == "HotfixReason":
            return clean_text(value).rstrip(".")[:MAX_WORDS]
        return await super().validate(slot, value, ask)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read deployments, pipelines, accounts, the commit, and what stands against it."""
        return await self._gathering.facts(ask)

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        return plan_of(facts)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments: taking the component, writing the waves down, and the end."""
        return {"start": self._start, "begin": self._begin, "end": self._end}

    # ------------------------------------------------------------------------------ carrying out

    async def _start(self, run: Run) -> SegmentResult:
        component = str(run.request.plan.effects["component"])

        async def take(transaction: Transaction) -> bool:
            return await self._rollouts.take(transaction, component, run.request.id)

        if await self.services.database.write(take):
            return await self._begin(run)
        holder = await self._rollouts.holder(component)
        text = (
            f"Request {run.request.id} waits: {component} is being rolled out by {holder}. It begins by itself "
            f"when that is over. Say “steal {component} for {run.request.id}” only if it can't wait."
        )
        card = Card(f"In the queue: {run.request.plan.summary}", (Text(text),), request=run.request.id)
        return Wait(QUEUE, component, "begin", state="queued", notice=Notice("queued", text, card))

    async def _look_at_queue(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Let the first of each component's queue go on when it is free."""
        verdicts: dict[int, Verdict] = {}
        first: set[str] = set()
        for row in waiting:
            component = row.key
            if component in first:
                continue
            first.add(component)
            if await self._rollouts.holder(component) in ("", row.request_id):

                async def take(transaction: Transaction, name: str = component, mine: str = row.request_id) -> bool:
                    return await self._rollouts.take(transaction, name, mine)

                verdicts[row.seq] = Verdict(ready=True, admits=take)
        return verdicts

    async def _begin(self, run: Run) -> SegmentResult:
        """Look at the world once more, and write the waves down; from then on the watcher goes on."""
        if await self._rollouts.find(run.request.id) is None:
            changed = await check_again(run, "look at the deployments once more")
            if changed:
                return changed
            facts = await self.gather(ask_of(run.request))
            fresh = self.plan(facts)
            if fresh.digest != run.request.digest:
                return fresh
            await run.begin_changing()
            if not await self._write_down(run, facts):
                return await self._start(run)  # stolen since it was taken: back into the queue
        return Wait(RUN, run.request.id, "end", state="running", notice=_begun(run.request))

    async def _write_down(self, run: Run, facts: Mapping[str, Any]) -> bool:
        """Begin the roll-out, in one transaction with a look at whose the component is; tell whether it is ours."""
        services, record = self.services, run.request
        strategy, layout = layout_of(facts)
        executions = await services.deployments.executions(facts["component"])
        waves = tuple({"name": w.name, "count": len(w.members), "tenants": w.tenants} for w in layout.waves)
        now = services.clock.now()
        rollout = Rollout(
            record.id, facts["component"], facts["version"], facts["revision"]["commit"], Rules.of(strategy, layout),
            "running", 0, waves, "", 0, {}, now, now,
        )  # fmt: skip

        async def work(transaction: Transaction) -> bool:
            if not await self._rollouts.take(transaction, rollout.component, record.id):
                return False
            if await self._rollouts.begin(transaction, rollout, layout, executions, facts["shifts"]):
                await services.requests.note(transaction, record.id, **{OFFERS: offers_of("running", record.id)})
                await services.audit.record(
                    transaction,
                    "rollout.begun",
                    request_id=record.id,
                    payload={"component": rollout.component, "version": rollout.version, "commit": rollout.commit},
                )
            return True

        return await services.database.write(work)

    async def _end(self, run: Run) -> SegmentResult:
        record = await self.services.requests.find(run.request.id)
        rollout = await self._rollouts.require(record.id)
        totals: dict[str, int] = {}
        for wave in (await self._rollouts.counts(record.id)).values():
            for state, count in wave.items():
                totals[state] = totals.get(state, 0) + count
        failed = await self._rollouts.targets(record.id, states=("failed",), limit=20)
        lasted = lasting(self.services.clock.now() - rollout.started_at)
        was_stopped = bool(totals.get("stopped") or totals.get("back"))
        said = [f"{totals.get('succeeded', 0)} of {sum(totals.values())} deployments have {rollout.version}"]
        for state, words in (
            ("back", "rolled back"),
            ("failed", "failed"),
            ("skipped", "skipped"),
            ("stopped", "stopped"),
        ):
            said += [f"{totals[state]} {words}"] if totals.get(state) else []
        text = f"{rollout.component} {rollout.version}, request {record.id}: {', '.join(said)}, in {lasted}."
        rows = await self._notes.rows(record, rollout)
        tone = "warning" if was_stopped or failed else "good"
        head = "Ended" if was_stopped or failed else "Released"
        card = Card(f"{head}: {record.plan.summary}", (Text(text), Facts(tuple(rows))), tone=tone, request=record.id)  # type: ignore[arg-type]
        step = "Say “why did it fail” with a deployment's name, or roll out again: what has the version is left out."
        yields = {
            "component": rollout.component,
            "version": rollout.version,
            "commit": rollout.commit,
            "counts": totals,
            "notes": dict(rows),
        }
        state = "stopped" if was_stopped else "succeeded"
        return Done(Notice("done", text, card), text, step if failed or was_stopped else "", yields, state)  # type: ignore[arg-type]

    async def steer(self, request_id: str, deed: Deed, by: Person, surface: str) -> str:
        """Do what a page asks for; see `bot.releases.desk`."""
        record = await self._steering.record(request_id, "", None, by)
        match deed:
            case "pause":
                return await self._steering.pause(record, by, surface)
            case "resume":
                return await self._steering.resume(record, by, surface)
            case "retry":
                return await self._steering.retry(record, "", by, surface)
            case "skip":
                return await self._steering.skip(record, "", by, surface)
            case "back":
                return await self._steering.back(record, None, by, surface)

    async def stop(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Start nothing more, and have what runs stop; the watcher goes on asking until it has."""
        services = self.services

        async def work(transaction: Transaction) -> bool:
            origin = ("running", "gate", "paused", "back")
            if not await self._rollouts.move(transaction, record.id, origin, "stopping", reason=f"by {shown(by)}"):
                return False
            await services.requests.note(transaction, record.id, **{OFFERS: []})
            await services.requests.move(transaction, record.id, ("running", "paused"), "stopping")
            await services.audit.record(
                transaction,
                "request.stop_asked",
                person_id=by.id,
                request_id=record.id,
                payload={"by": by.email, "surface": surface},
            )
            text = f"{shown(by)} wants the roll-out of request {record.id} stopped; what runs is asked to stop."
            card = Card(f"Being stopped: {record.plan.summary}", (Text(text),), tone="warning", request=record.id)
            await services.conversations.notify(
                transaction, record.conversation, f"{record.id}:stop-asked", text, card, record.id
            )
            return True

        if await services.database.write(work):
            await self._steering.end_experiments(record)
            return f"Stopping the roll-out of request {record.id}: nothing more starts, and what runs is asked to stop."
        if await self._rollouts.find(record.id) is None:
            return f"The roll-out of request {record.id} is about to begin; say it again in a moment."
        return f"The roll-out of request {record.id} is being stopped already."


def _needed(slot: Slot) -> Slot:
    return replace(slot, required=True)


def _begun(record: RequestRecord) -> Notice:
    what = record.plan.summary.partition(": ")[2] or record.plan.summary
    text = (
        f"The roll-out of request {record.id} has begun: {what}. Say “pause the rollout” or “stop it”, or press a "
        "button, at any time; everybody may."
    )
    pause = Button("Pause", "say", f"pause the rollout {record.id}")
    stop = Button("Stop the roll-out", STOP, record.id, "destructive")
    card = Card(f"Running: {record.plan.summary}", (Text(text),), (pause, stop), request=record.id)
    return Notice("begun", text, card)
