"""The brake: pause, go on, try again, leave out, roll back. Each is recorded, and twice is like once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.activity import Person
from bot.cloud import acting_for
from bot.database import Transaction
from bot.errors import CloudError, Conflict, Invalid, NotFound, Refused
from bot.people import mailbox_of, shown
from bot.releases.rollouts import ACTIVE, BACK, Phase, Rollout, Rollouts, Target
from bot.requests import OPEN_STATES, RequestRecord
from bot.services import Services
from bot.words import counted
from intents.releases.deeds import Deeds, too_late
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.gate_deeds import GateDeeds
from intents.releases.toolchain import Toolchain


class Steering(Deeds):
    """What is done to a roll-out that has begun."""

    def __init__(
        self, services: Services, rollouts: Rollouts, toolchain: Toolchain, experiments: ExperimentGates
    ) -> None:
        super().__init__(services, rollouts)
        self._toolchain, self._experiments = toolchain, experiments
        self.gates = GateDeeds(services, rollouts)

    async def pause(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Start nothing more. Free for all who see it."""
        self._services.policy.may_stop(by, record.subject, channel=surface).require()
        reason = f"{shown(by)} said so"

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase == "paused":
                return f"The roll-out of request {record.id} is paused already."
            if not await self._rollouts.move(transaction, record.id, ("running", "gate"), "paused", reason=reason):
                raise too_late(record, rollout)
            await self._services.requests.move(transaction, record.id, ("running",), "paused")
            return f"The roll-out of request {record.id} is paused; what runs goes on to its end, nothing more starts."

        return await self._do(record, by, surface, "paused", work, "paused")

    async def resume(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Go on: after a halt with its failures forgiven, at a gate with the gate passed."""
        self._may_steer(by, record, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase == "running":
                return f"The roll-out of request {record.id} is going on already."
            counts = (await self._rollouts.counts(record.id)).get(rollout.wave, {})
            is_wave_done = not any(counts.get(s, 0) for s in ("waiting", *ACTIVE))
            values: dict[str, Any] = {"reason": "", "forgiven": counts.get("failed", 0)}
            is_at_gate = rollout.phase == "paused" and rollout.gates.get("wave") == rollout.wave and is_wave_done
            if rollout.is_shut:
                await self.gates.note_passed(transaction, record, rollout, by)
            elif is_at_gate:  # paused by hand before its gates were passed
                await self._rollouts.move(transaction, record.id, ("paused",), "gate", reason="")
                await self._services.requests.move(transaction, record.id, ("paused",), "running")
                return f"The roll-out of request {record.id} goes on, and looks at its gates first."
            if is_wave_done and rollout.wave + 1 < len(rollout.waves) and rollout.gates.get("wave") == rollout.wave:
                values |= {"wave": rollout.wave + 1, "forgiven": 0, "gates": {}}
            if not await self._rollouts.move(transaction, record.id, ("paused", "gate"), "running", **values):
                raise too_late(record, rollout)
            await self._services.requests.move(transaction, record.id, ("paused",), "running")
            return f"The roll-out of request {record.id} goes on."

        return await self._do(record, by, surface, "resumed", work, "running")

    async def retry(self, record: RequestRecord, named: str, by: Person, surface: str) -> str:
        """Try one failed deployment again, or all of them, or else the gate that failed; the roll-out goes on."""
        self._may_steer(by, record, surface)
        failed = await self._failed(record, named)
        standing = await self._rollouts.find(record.id)
        if not failed and standing and standing.phase in ("paused", "gate"):
            return await self.gates.retry(record, by, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase not in ("running", "paused", "gate", "back"):
                raise too_late(record, rollout)
            keys = [t.key for t in failed if rollout.phase != "back" or t.purpose == BACK]
            # Where a release's stage failed is kept: the next try goes on there.
            values: dict[str, Any] = {"look_at": None} | ({"detail": {}} if rollout.phase == "back" else {})
            again = await self._rollouts.change_all(
                transaction, record.id, ("failed",), "waiting", only_keys=keys, **values
            )
            if not again:
                return f"Nothing of request {record.id} has failed, so nothing is tried again."
            first = min(t.wave for t in failed)
            if rollout.phase != "back":
                origin: tuple[Phase, ...] = ("running", "paused", "gate")
                to = min(first, rollout.wave)
                counts = (await self._rollouts.counts(record.id)).get(to, {})  # as they were before
                left = counts.get("failed", 0) - sum(t.wave == to for t in failed)
                back: dict[str, Any] = {"wave": to, "reason": "", "forgiven": max(0, left), "gates": {}}
                await self._rollouts.move(transaction, record.id, origin, "running", **back)
            await self._services.requests.move(transaction, record.id, ("paused",), "running")
            then = ", and then its gate" if rollout.is_shut else ""
            return f"{_named(keys)} of request {record.id} {'is' if len(keys) == 1 else 'are'} tried again{then}."

        return await self._do(record, by, surface, "retried", work, "running", deployments=[t.key for t in failed])

    async def skip(self, record: RequestRecord, named: str, by: Person, surface: str) -> str:
        """Leave one deployment out, failed or still waiting, or all that failed; the halt is over if it was theirs.

        At a gate that failed, with nothing named and nothing failed, that gate is skipped.
        """
        self._may_steer(by, record, surface)
        standing = await self._rollouts.find(record.id)
        if not named and standing and standing.is_shut and not await self._failed(record, ""):
            return await self.gates.skip(record, by, surface)
        if named:
            chosen = [await self._target(record, named)]
        else:
            chosen = await self._failed(record, "")

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase not in ("running", "paused", "gate"):
                raise too_late(record, rollout)
            keys = [t.key for t in chosen]
            gone = await self._rollouts.change_all(
                transaction, record.id, ("failed", "waiting"), "skipped", only_keys=keys
            )
            if not gone:
                raise Conflict(
                    f"{_named(keys) or 'Nothing'} of request {record.id} can be left out now: it is not open."
                )
            # What is left out has not failed any more, and must not hide a failure that comes after it.
            counts = (await self._rollouts.counts(record.id)).get(rollout.wave, {})
            gone_here = sum(t.wave == rollout.wave and t.state == "failed" for t in chosen)
            forgiven = min(rollout.forgiven, max(0, counts.get("failed", 0) - gone_here))
            await self._rollouts.set(transaction, record.id, forgiven=forgiven)
            say = f"{_named(keys)} of request {record.id} {'is' if len(keys) == 1 else 'are'} left out."
            return say + (" Say “continue the rollout” to go on." if rollout.phase == "paused" else "")

        return await self._do(record, by, surface, "skipped", work, "", deployments=[t.key for t in chosen])

    async def back(self, record: RequestRecord, wave: int | None, by: Person, surface: str) -> str:
        """Take back what a wave (from 1), or all of a roll-out, has changed; what runs is followed to its end first."""
        self._may_steer(by, record, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if wave is not None and not 1 <= wave <= len(rollout.waves):
                raise Invalid(f"Request {record.id} has no wave {wave}.", next_step=f"Say 1 to {len(rollout.waves)}.")
            if rollout.phase == "back":
                return f"Request {record.id} is being rolled back already."
            reason = f"by {shown(by)}: " + (f"wave {wave}" if wave else "everything")
            origin: tuple[Phase, ...] = ("running", "paused", "gate")
            only = None if wave is None else wave - 1
            if not await self._rollouts.move(
                transaction, record.id, origin, "back", reason=reason, gates={"back": only}
            ):
                raise too_late(record, rollout)
            await self._rollouts.change_all(transaction, record.id, ("waiting",), "stopped")
            count = await self._rollouts.change_all(
                transaction, record.id, ("succeeded", "failed"), "waiting",
                only_wave=only, purpose=BACK, detail={}, look_at=None,
            )  # fmt: skip
            await self._services.requests.move(transaction, record.id, ("paused",), "running")
            what = f"wave {wave}" if wave else "everything"
            many = counted(count, "deployment")
            return f"Rolling back {what} of request {record.id}: {many} to go back to what ran before."

        said = await self._do(record, by, surface, "rolled_back", work, "back", wave=wave or 0)
        await self.end_experiments(record)
        return said

    async def end_experiments(self, record: RequestRecord) -> None:
        """Have FIS asked at once to stop what a roll-out does not wait for any more; its watcher goes on asking."""
        rollout = await self._rollouts.find(record.id)
        if rollout is not None:
            await self._experiments.settle(await self._services.requests.find(record.id), rollout)

    async def answer_approval(self, record: RequestRecord, named: str, approves: bool, by: Person, surface: str) -> str:
        """Answer the manual approval that a deployment's pipeline waits for.

        As with the roll-out itself, never by who asked for it; nor by who wrote the commit.
        """
        self._services.policy.may_approve(by, record.subject, channel=surface).require()
        author = str(record.plan.effects.get("author", ""))
        target = await self._target(record, named)
        if not author:
            raise Refused(
                "Nobody knows who wrote the commit that is released, so its approval is not given from here.",
                next_step=f"Answer it in the console of CodePipeline: {target.pipeline}.",
            )
        if mailbox_of(author) == mailbox_of(by.email):
            raise Refused("You wrote the commit that is released, so somebody else has to look at it.")
        wanted = target.detail.get("approval")
        if target.state != "running" or not wanted:
            raise Conflict(f"The pipeline of {target.key} waits for no approval just now.")
        verb = "approved" if approves else "rejected"

        async def put() -> None:
            acting_for.set(record.id)  # of this task alone
            await self._toolchain.answer_approval(
                target.pipeline,
                wanted["stage"],
                wanted["action"],
                wanted["token"],
                approves,
                f"{verb} by {by.email} for request {record.id}",
            )

        try:
            await asyncio.create_task(put())
        except CloudError as error:
            if error.code not in ("ApprovalAlreadyCompletedException", "InvalidApprovalTokenException"):
                raise
            await self._services.database.write(lambda t: self._look_again(t, target))
            raise Conflict(f"That approval of {target.key} was answered already, or has lapsed.") from error

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            await self._look_again(transaction, target)
            return f"The stage {wanted['stage']} of {target.key} is {verb}."

        return await self._do(
            record, by, surface, f"pipeline_{verb}", work, "", deployment=target.key, stage=wanted["stage"]
        )

    async def _look_again(self, transaction: Transaction, target: Target) -> None:
        detail = {n: v for n, v in target.detail.items() if n != "approval"}
        now = self._services.clock.now()
        await self._rollouts.change(transaction, target, ("running",), "running", detail=detail, look_at=now)

    async def steal(self, component: str, request: str, by: Person, surface: str) -> str:
        """Give a component to another roll-out that waits for it; the one that had it is paused, and both are told."""
        self._services.policy.may_pause(by).require()
        thief = await self.record(request, "", None, by)
        if not component:
            component = str(thief.plan.effects["component"])
        if thief.plan.effects["component"] != component or thief.state not in OPEN_STATES:
            raise Conflict(f"Request {thief.id} does not wait for {component}.")
        holder = await self._rollouts.holder(component)
        if holder in ("", thief.id):
            return f"Nobody else holds {component}; request {thief.id} begins by itself."
        held = await self._services.requests.find(holder)
        reason = f"{shown(by)} has taken {component} for request {thief.id}"

        async def work(transaction: Transaction) -> None:
            standing = await self._rollouts.read(transaction, held.id)
            if standing is not None and standing.phase == "back":
                raise Conflict(f"Request {held.id} is being rolled back; {component} is free when that is over.")
            await self._rollouts.give(transaction, component, thief.id)
            await self._rollouts.move(transaction, held.id, ("running", "gate"), "paused", reason=reason)
            await self._services.requests.move(transaction, held.id, ("running",), "paused")
            payload = {"by": by.email, "surface": surface, "component": component, "from": held.id, "to": thief.id}
            for one in (held, thief):
                await self._services.audit.record(
                    transaction, "rollout.stolen", person_id=by.id, request_id=one.id, payload=payload
                )
                text = f"STOLEN: {reason}; the roll-out of request {held.id} is paused."
                await self._services.conversations.notify(
                    transaction, one.conversation, f"{one.id}:stolen:{thief.id}", text, None, one.id
                )

        await self._services.database.write(work)
        return f"{reason[0].upper()}{reason[1:]}; the roll-out of request {held.id} is paused. Both are told."

    # ------------------------------------------------------------------------------ parts

    async def _failed(self, record: RequestRecord, named: str) -> list[Target]:
        failed = await self._rollouts.targets(record.id, states=("failed",))
        if not named:
            return failed
        found = [t for t in failed if _is_called(t, named)]
        if not found:
            target = await self._target(record, named)
            raise Conflict(f"{target.key} has not failed in request {record.id}; it is {target.state}.")
        return found

    async def _target(self, record: RequestRecord, named: str) -> Target:
        found = [t for t in await self._rollouts.targets(record.id) if _is_called(t, named)]
        if len(found) != 1:
            some = "no" if not found else "more than one"
            raise NotFound(f"Request {record.id} has {some} deployment “{named.strip()[:60]}”.")
        return found[0]


def _is_called(target: Target, named: str) -> bool:
    word = named.strip(" ?.!").casefold().replace(" ", "-")
    return word in (target.key.casefold(), target.key.partition("-")[2].casefold())


def _named(keys: Sequence[str]) -> str:
    return ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
