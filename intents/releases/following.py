"""Following what runs: every target is started with a token kept before, and looked at until it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.database import Transaction
from bot.releases.rollouts import ACTIVE, BACK, RELEASE, Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.pipeline_runs import PipelineRuns
from intents.releases.runs import Changes, Runs, Write, has_not_asked

log = structlog.get_logger(__name__)


class Following:
    """Acts on targets; every change of a look is written in one transaction."""

    def __init__(self, services: Services, rollouts: Rollouts, pipelines: PipelineRuns, shifts: Runs) -> None:
        self._services, self._rollouts = services, rollouts
        self._pipelines, self._shifts = pipelines, shifts
        self._changes = Changes(services, rollouts)

    def expect_events(self) -> None:
        """Note that events will come, before the first one has."""
        self._pipelines.expect_events()

    def hear(self) -> None:
        """Note that events come."""
        self._pipelines.hear()

    async def follow(self, rollout: Rollout, record: RequestRecord, *, is_held: bool) -> None:
        """Look at what runs and is due, and ask anew for what was about to start."""
        now = self._services.clock.now()
        due = await self._rollouts.targets(record.id, states=ACTIVE, due=now)
        running = [t for t in due if t.state == "running"]
        looks = self._pipelines.looks([t for t in running if not t.shift], rollout)
        looks += self._shifts.looks([t for t in running if t.shift], rollout)
        if not is_held and rollout.phase != "stopping":
            # While halted, only runs whose start was asked for already are found again: nothing new begins.
            goes = {"running": (RELEASE,), "back": (BACK,)}.get(rollout.phase, ())
            starting = [t for t in due if t.state == "starting" and (t.purpose in goes or not has_not_asked(t))]
            looks += [self._runs_of(t).ask_to_start(t, rollout, record) for t in starting]
        await self._write(looks)

    async def start(self, chosen: Sequence[Target], rollout: Rollout, record: RequestRecord) -> None:
        """Mark targets as starting, each with its token, and have their runs started."""
        marked: list[Target] = []

        async def mark(transaction: Transaction) -> None:
            marked.clear()
            current = await self._rollouts.read(transaction, record.id)
            if current is None or current.phase != rollout.phase:
                return  # paused or stopped meanwhile
            for target in chosen:
                attempt = target.attempt + 1
                token = f"{record.id}-{target.number}-{attempt}"
                values: dict[str, Any] = {
                    "token": token,
                    "attempt": attempt,
                    "execution": "",
                    "look_at": None,
                    "ended_at": None,
                }
                detail: dict[str, Any] = {"is_new": True}
                if target.purpose == RELEASE and target.execution and target.detail.get("stage"):
                    detail["again"] = {"execution": target.execution, "stage": target.detail["stage"]}
                if await self._rollouts.change(transaction, target, ("waiting",), "starting", detail=detail, **values):
                    marked.append(replace(target, state="starting", detail=detail, **values))

        await self._services.database.write(mark)
        await self._write([self._runs_of(t).ask_to_start(t, rollout, record) for t in marked])

    async def leave(self, active: Sequence[Target]) -> None:
        """Have no release start any more that was not asked for yet."""

        async def one(target: Target) -> Write | None:
            is_idle = target.state == "starting" and target.purpose != BACK and has_not_asked(target)
            return self._changes.end(target, "stopped", {}) if is_idle else None

        await self._write([one(t) for t in active])

    async def stop(self, active: Sequence[Target], rollout: Rollout) -> None:
        """Have runs stop, once each; what has not begun is stopped at once."""

        async def one(target: Target) -> Write | None:
            if target.state == "starting" and has_not_asked(target):
                return self._changes.end(target, "stopped", {})
            if target.detail.get("stop_asked"):
                return None
            return await self._runs_of(target).stop(target, rollout)

        await self._write([one(t) for t in active])

    def _runs_of(self, target: Target) -> Runs:
        return self._shifts if target.shift else self._pipelines

    async def _write(self, looks: Sequence[Awaitable[Write | None]]) -> None:
        """Await all, and write what they found in one transaction; one that breaks holds up no other."""
        found = await asyncio.gather(*looks, return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                log.error("releases.look_failed", error=repr(one))
        writes = [one for one in found if one is not None and not isinstance(one, BaseException)]
        if not writes:
            return

        async def work(transaction: Transaction) -> None:
            for write in writes:
                await write(transaction)

        await self._services.database.write(work)
