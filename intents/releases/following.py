"""Following pipelines' runs: starting them with a token kept before, looking at them, and saying what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.database import Transaction
from bot.errors import CloudError, without_arns
from bot.releases.rollouts import ACTIVE, BACK, RELEASE, Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from bot.withholding import withhold_named
from intents.releases.pacing import FIRST_LOOK, HEARD_PAUSE, STOPPING_PAUSE, expected_seconds, next_look
from intents.releases.toolchain import ENDED, NOT_PINNED, Source, Toolchain

log = structlog.get_logger(__name__)

Write = Callable[[Transaction], Awaitable[None]]
HEARD_FOR = timedelta(hours=1)
"""After the last event, events are taken to come for so long."""
AGAIN = timedelta(seconds=20)
BUSY = timedelta(seconds=60)
NOTHING_BEFORE = "NothingToGoBackTo"
MOST_ATTEMPTS = 3
"""Runs that are started for a target whose run was superseded by another's."""
LAST_GOOD = 5
"""Former runs among which the last good one is looked for."""


class Following:
    """Acts on targets; every change of a look is written in one transaction."""

    def __init__(self, services: Services, rollouts: Rollouts, toolchain: Toolchain) -> None:
        self._services, self._rollouts, self._toolchain = services, rollouts, toolchain
        self._heard: datetime | None = None
        self._is_told = False

    def expect_events(self) -> None:
        """Note that events will come, before the first one has."""
        self._is_told = True

    def hear(self) -> None:
        """Note that events come."""
        self._heard = self._services.clock.now()

    async def follow(self, rollout: Rollout, record: RequestRecord, *, is_held: bool) -> None:
        """Look at what runs and is due, and ask anew for what was about to start."""
        now = self._services.clock.now()
        due = await self._rollouts.targets(record.id, states=ACTIVE, due=now)
        looks = [self._look_at(t, rollout) for t in due if t.state == "running"]
        if not is_held and rollout.phase != "stopping":
            # While halted, only runs whose start was asked for already are found again: nothing new begins.
            goes = {"running": (RELEASE,), "back": (BACK,)}.get(rollout.phase, ())
            starting = [t for t in due if t.state == "starting" and (t.purpose in goes or not _has_not_asked(t))]
            looks += [self._ask_to_start(t, rollout, record) for t in starting]
        await self._write(looks)

    async def start(self, chosen: Sequence[Target], rollout: Rollout, record: RequestRecord) -> None:
        """Mark targets as starting, each with its token, and have their pipelines started."""
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
        await self._write([self._ask_to_start(t, rollout, record) for t in marked])

    async def leave(self, active: Sequence[Target]) -> None:
        """Have no release start any more that was not asked for yet."""

        async def one(target: Target) -> Write | None:
            is_idle = target.state == "starting" and target.purpose != BACK and _has_not_asked(target)
            return self._ends(target, "stopped", {}) if is_idle else None

        await self._write([one(t) for t in active])

    async def stop(self, active: Sequence[Target], commit: str) -> None:
        """Have runs stop, once each; what has not begun is stopped at once."""

        async def one(target: Target) -> Write | None:
            if target.state == "starting" and _has_not_asked(target):
                return self._ends(target, "stopped", {})
            if target.detail.get("stop_asked"):
                return None
            try:
                execution = target.execution or await self._begun(target, commit)
                if not execution:
                    return self._ends(target, "stopped", {}, calls=target.calls + 1)
                await self._toolchain.stop(target.pipeline, execution, f"stopped by {target.request_id}")
            except CloudError as error:
                log.warning("releases.not_stopped", target=target.key, error=error.detail)
                return None
            detail = {**target.detail, "stop_asked": True}
            now, calls = self._services.clock.now(), target.calls + 1
            return self._changes(target, "running", detail=detail, execution=execution, look_at=now, calls=calls)

        await self._write([one(t) for t in active])

    # ------------------------------------------------------------------------------ one target

    async def _ask_to_start(self, target: Target, rollout: Rollout, record: RequestRecord) -> Write | None:
        """Start a target's run; with a token that was used before, its run is found again."""
        now, calls, before = self._services.clock.now(), target.calls, dict(target.before)
        detail = dict(target.detail)
        is_first = _has_not_asked(target)
        try:
            if is_first:
                calls += 1
                known = await self._toolchain.executions(target.pipeline, LAST_GOOD)
                busy = next((e for e in known if e["status"] == "InProgress"), None)
                if busy is not None:
                    why = f"waits for the run {busy['pipelineExecutionId'][:8]}, which is not ours"
                    waits = {"busy": True, "why": why, **_kept(detail)}
                    return self._changes(target, "starting", detail=waits, look_at=now + BUSY, calls=calls)
                last = next((e for e in known if e["status"] == "Succeeded"), None)
                good = str(last["pipelineExecutionId"]) if last else ""
                if target.purpose != BACK:
                    before["execution"] = before.get("execution") or good
                # From here on the token may have been used: it is not asked again whether anything runs.
                detail = {
                    "after": str(known[0]["pipelineExecutionId"]) if known else "",
                    "expects": expected_seconds(last),
                    **_kept(detail),
                }
                if not await self._may_ask(target, rollout, detail=detail, before=before, calls=calls):
                    return None
            calls += 1
            if target.purpose == BACK:
                # RollbackStage takes no token: a repeat looks first whether it has rolled back already.
                begun = "" if is_first else await self._begun(target, rollout.commit)
                execution = begun or await self._start_back(target, rollout)
            else:
                source = record.plan.effects["source"]
                execution = await self._retried(target) or await self._toolchain.start(
                    target.pipeline, target.token, Source(**source) if source else None, rollout.commit
                )
        except CloudError as error:
            if error.retryable or "LimitExceeded" in error.code or error.code == "ConflictException":
                return self._changes(target, "starting", detail=detail, look_at=now + AGAIN, calls=calls)
            words = error.message if error.code in (NOTHING_BEFORE, NOT_PINNED) else error.plain
            why = without_arns(f"could not be started: {words}")
            return self._ends(target, "failed", {"why": why}, calls=calls)
        expects = {"expects": detail["expects"]} if "expects" in detail else {}
        started = replace(target, started_at=now, detail=expects)
        first = now + FIRST_LOOK if self._is_told or self._is_heard(now) else self._next_look(started, now)
        return self._changes(
            target,
            "running",
            execution=execution,
            started_at=now,
            look_at=first,
            detail=expects,
            calls=calls,
        )

    async def _may_ask(self, target: Target, rollout: Rollout, **values: Any) -> bool:
        """Note that a start is about to be asked for; tell whether it may: not once the roll-out was halted."""

        async def work(transaction: Transaction) -> bool:
            current = await self._rollouts.read(transaction, rollout.request_id)
            if current is None or current.phase != rollout.phase:
                return False
            return await self._rollouts.change(transaction, target, ("starting",), "starting", **values)

        return await self._services.database.write(work)

    async def _retried(self, target: Target) -> str:
        """Have the run that failed go on with its failed stage, and return it; empty where a new one has to begin.

        RetryStageExecution takes no token: a run that goes on already, or has ended well, was retried before.
        """
        again = target.detail.get("again")
        if not again:
            return ""
        execution = str(again["execution"])
        try:
            status = str((await self._toolchain.execution(target.pipeline, execution))["status"])
            if status in ("InProgress", "Succeeded"):
                return execution
            if status != "Failed":
                return ""
            await self._toolchain.retry_stage(target.pipeline, str(again["stage"]), execution)
        except CloudError as error:
            if error.retryable:
                raise
            log.info("releases.stage_not_retried", target=target.key, error=error.detail)
            return ""
        return execution

    async def _begun(self, target: Target, commit: str) -> str:
        """Return the run of a start that was asked for and whose answer was lost; empty when it never came to one."""
        is_back = target.purpose == BACK
        wanted = target.before.get("commit", "") if is_back else commit
        if again := target.detail.get("again"):
            found = await self._toolchain.execution(target.pipeline, str(again["execution"]))
            if found["status"] in ("InProgress", "Succeeded"):
                return str(again["execution"])
        for one in await self._toolchain.executions(target.pipeline, LAST_GOOD):
            if one["pipelineExecutionId"] == target.detail.get("after"):
                break
            commits = {r.get("revisionId") for r in one.get("sourceRevisions", ())}
            is_rolling_back = is_back and one.get("executionType") == "ROLLBACK"
            if is_rolling_back or not commits or wanted in commits:
                return str(one["pipelineExecutionId"])
        return ""

    async def _start_back(self, target: Target, rollout: Rollout) -> str:
        """Roll back the stage that deployed where a good run of before is known; else run that commit again."""
        good = target.before.get("execution", "")
        stage = str(target.detail.get("stage") or "Deploy")
        if good and not target.detail.get("no_rollback"):
            try:
                return await self._toolchain.roll_back(target.pipeline, stage, good)
            except CloudError as error:
                if error.retryable:
                    raise
                log.info("releases.no_stage_rollback", target=target.key, error=error.detail)
        source = await self._toolchain.source(target.pipeline)
        commit = target.before.get("commit", "") or await self._commit_of(target.pipeline, good)
        if not commit:
            raise CloudError(NOTHING_BEFORE, "no good run from before is known", operation="RollbackStage")
        return await self._toolchain.start(target.pipeline, target.token, source, commit)

    async def _commit_of(self, pipeline: str, execution: str) -> str:
        if not execution:
            return ""
        found = await self._toolchain.execution(pipeline, execution)
        return next((str(r["revisionId"]) for r in found.get("artifactRevisions", ()) if r.get("revisionId")), "")

    async def _look_at(self, target: Target, rollout: Rollout) -> Write | None:
        now, calls = self._services.clock.now(), target.calls
        looks = int(target.detail.get("looks", 0)) + 1
        detail = {**target.detail, "looks": looks}
        try:
            if looks % 2 and not self._is_heard(now) and rollout.phase != "stopping":
                # One call tells both that it still runs and whether it waits for a person.
                calls += 1
                goes_on, detail["approval"] = await self._standing(target)
                if goes_on:
                    return self._changes(
                        target, "running", detail=detail, look_at=self._next_look(target, now), calls=calls
                    )
            found = await self._toolchain.execution(target.pipeline, target.execution)
            calls += 1
            status = str(found["status"])
            if status not in ENDED:
                is_first = self._is_heard(now) and target.look_at == _first_look_of(target)
                if target.detail.get("approval") or (self._is_heard(now) and not is_first):
                    _, detail["approval"] = await self._standing(target)
                    calls += 1
                pause = now + STOPPING_PAUSE if rollout.phase == "stopping" else self._next_look(target, now)
                return self._changes(target, "running", detail=detail, look_at=pause, calls=calls)
            if status == "Superseded" and rollout.phase != "stopping":
                return await self._resolve_again(target, rollout, calls)
            if status == "Succeeded":
                return await self._succeeds(target, rollout, found, calls)
            if status in ("Stopped", "Cancelled") and rollout.phase == "stopping":
                return self._ends(target, "stopped", {}, calls=calls)
            detail = await self._failure(target, status, found)
        except CloudError as error:
            if not error.retryable and error.code == "PipelineExecutionNotFoundException":
                return self._ends(target, "failed", {"why": "its run is not known to CodePipeline any more"})
            log.warning("releases.unseen", target=target.key, error=error.detail)
            return self._changes(target, "running", look_at=now + AGAIN, calls=calls + 1)
        return self._ends(target, "failed", detail, calls=calls + 1)

    def _is_heard(self, now: datetime) -> bool:
        return self._heard is not None and now - self._heard < HEARD_FOR

    def _next_look(self, target: Target, now: datetime) -> datetime:
        if self._is_heard(now):
            return now + HEARD_PAUSE
        return next_look(target.started_at or now, float(target.detail.get("expects", 0)), now)

    async def _standing(self, target: Target) -> tuple[bool, dict[str, str] | None]:
        """Return whether a stage is at work on a run, and the manual approval that it waits for, if it does."""
        state = await self._toolchain.state(target.pipeline)
        goes_on = False
        for stage in state.get("stageStates", ()):
            own = stage.get("latestExecution", {})
            if own.get("pipelineExecutionId") != target.execution:
                continue
            goes_on |= own.get("status") == "InProgress"
            for action in stage.get("actionStates", ()):
                latest = action.get("latestExecution", {})
                if latest.get("status") == "InProgress" and latest.get("token"):
                    wanted = {"stage": stage["stageName"], "action": action["actionName"], "token": latest["token"]}
                    return True, wanted
        return goes_on, None

    async def _resolve_again(self, target: Target, rollout: Rollout, calls: int) -> Write:
        """A run was superseded: follow the newer one if it takes the same commit, else start ours once more."""
        known = await self._toolchain.executions(target.pipeline, LAST_GOOD)
        for one in known:
            if one["pipelineExecutionId"] == target.execution:
                break
            commits = {r.get("revisionId") for r in one.get("sourceRevisions", ())}
            wanted = target.before.get("commit", "") if target.purpose == BACK else rollout.commit
            if wanted and wanted in commits and one["status"] not in ("Superseded", "Stopped", "Cancelled"):
                execution = str(one["pipelineExecutionId"])
                detail = {"why": f"superseded by {execution[:8]}, which takes the same commit"}
                return self._changes(
                    target,
                    "running",
                    execution=execution,
                    detail=detail,
                    look_at=self._services.clock.now(),
                    calls=calls + 1,
                )
        if target.attempt >= MOST_ATTEMPTS:
            return self._ends(
                target, "failed", {"why": "other runs have superseded it again and again"}, calls=calls + 1
            )
        return self._changes(
            target, "waiting", detail={"why": "superseded by a run of another commit"}, calls=calls + 1
        )

    async def _succeeds(self, target: Target, rollout: Rollout, found: Mapping[str, Any], calls: int) -> Write:
        now = self._services.clock.now()
        seconds = (now - target.started_at).total_seconds() if target.started_at else None
        is_back = target.purpose == BACK
        version = target.before.get("version", "") if is_back else rollout.version
        commit = target.before.get("commit", "") if is_back else rollout.commit

        async def work(transaction: Transaction) -> None:
            state = "back" if is_back else "succeeded"
            values: dict[str, Any] = {"ended_at": now, "seconds": seconds, "calls": calls, "detail": {}}
            if await self._rollouts.change(transaction, target, ("running",), state, **values):  # type: ignore[arg-type]
                await self._services.deployments.released(
                    transaction, rollout.component, target.key, version, commit, target.execution, now
                )

        return work

    async def _failure(self, target: Target, status: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return which stage and action of a run failed, and in whose words."""
        if status in ("Stopped", "Cancelled"):
            return {"why": f"its run was {status.casefold()} in CodePipeline"}
        try:
            actions = await self._toolchain.actions(target.pipeline, target.execution)
        except CloudError as error:
            if error.retryable:
                raise
            return {"why": f"it failed, and what its actions did can't be read ({error.code})"}
        failed = next((a for a in reversed(actions) if a.get("status") == "Failed"), None)
        if failed is None:
            return {"why": _told(str(found.get("statusSummary") or "it failed, and no action says why"))}
        result = failed.get("output", {}).get("executionResult", {})
        words = (
            result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or "no reason given"
        )
        stage, action = failed["stageName"], failed["actionName"]
        return {
            "why": _told(f"{stage}/{action}: {words}"),
            "stage": stage,
            "action": action,
            "action_execution": failed.get("actionExecutionId", ""),
            "external": result.get("externalExecutionId", ""),
            "kind": failed.get("input", {}).get("actionTypeId", {}).get("provider", ""),
        }

    # ------------------------------------------------------------------------------ writing

    def _changes(self, target: Target, state: str, **values: Any) -> Write:
        async def work(transaction: Transaction) -> None:
            # Only what is still as it was seen: another replica may have found its run meanwhile.
            await self._rollouts.change(transaction, target, (target.state,), state, **values)  # type: ignore[arg-type]

        return work

    def _ends(self, target: Target, state: str, detail: Mapping[str, Any], **values: Any) -> Write:
        return self._changes(target, state, ended_at=self._services.clock.now(), detail=dict(detail), **values)

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


def _told(words: str) -> str:
    """Return what a tool said as people may see it: without ARNs, and without secrets that it names."""
    lines = (withhold_named(line) for line in words.splitlines())
    return without_arns("\n".join(lines))[:500]


def _kept(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a start's detail outlives a wait: where a try before it failed."""
    return {"again": detail["again"]} if detail.get("again") else {}


def _has_not_asked(target: Target) -> bool:
    """Tell whether it is sure that the start of a target in "starting" was not asked for yet."""
    return not target.execution and bool(target.detail.get("is_new") or target.detail.get("busy"))


def _first_look_of(target: Target) -> datetime | None:
    return target.started_at + FIRST_LOOK if target.started_at else None
