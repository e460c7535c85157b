"""Pipelines' runs: started with a token kept before, looked at when it pays, and what failed in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.errors import CloudError, without_arns
from bot.releases.rollouts import BACK, Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.pacing import FIRST_LOOK, HEARD_PAUSE, STOPPING_PAUSE, expected_seconds, next_look
from intents.releases.runs import AGAIN, BUSY, NOTHING_BEFORE, Changes, Look, Write, has_not_asked, told
from intents.releases.toolchain import ENDED, NOT_PINNED, Source, Toolchain

log = structlog.get_logger(__name__)

HEARD_FOR = timedelta(hours=1)
"""After the last event, events are taken to come for so long."""
MOST_ATTEMPTS = 3
"""Runs that are started for a target whose run was superseded by another's."""
LAST_GOOD = 5
"""Former runs among which the last good one is looked for."""


class PipelineRuns:
    """Acts on targets that have a pipeline; the port is `intents.releases.runs.Runs`."""

    def __init__(self, services: Services, rollouts: Rollouts, toolchain: Toolchain) -> None:
        self._services, self._toolchain = services, toolchain
        self._changes = Changes(services, rollouts)
        self._heard: datetime | None = None
        self._is_told = False

    def expect_events(self) -> None:
        """Note that events will come, before the first one has."""
        self._is_told = True

    def hear(self) -> None:
        """Note that events come."""
        self._heard = self._services.clock.now()

    def looks(self, targets: Sequence[Target], rollout: Rollout) -> list[Look]:
        """Look at each."""
        return [self._look_at(target, rollout) for target in targets]

    async def ask_to_start(self, target: Target, rollout: Rollout, record: RequestRecord) -> Write | None:
        """Start a target's run; with a token that was used before, its run is found again."""
        now, calls, before = self._services.clock.now(), target.calls, dict(target.before)
        detail = dict(target.detail)
        is_first = has_not_asked(target)
        try:
            if is_first:
                calls += 1
                known = await self._toolchain.executions(target.pipeline, LAST_GOOD)
                busy = next((e for e in known if e["status"] == "InProgress"), None)
                if busy is not None:
                    why = f"waits for the run {busy['pipelineExecutionId'][:8]}, which is not ours"
                    waits = {"busy": True, "why": why, **_kept(detail)}
                    return self._changes.to(target, "starting", detail=waits, look_at=now + BUSY, calls=calls)
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
                if not await self._changes.may_ask(target, rollout, detail=detail, before=before, calls=calls):
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
                return self._changes.to(target, "starting", detail=detail, look_at=now + AGAIN, calls=calls)
            words = error.message if error.code in (NOTHING_BEFORE, NOT_PINNED) else error.plain
            why = without_arns(f"could not be started: {words}")
            return self._changes.end(target, "failed", {"why": why}, calls=calls)
        expects = {"expects": detail["expects"]} if "expects" in detail else {}
        started = replace(target, started_at=now, detail=expects)
        first = now + FIRST_LOOK if self._is_told or self._is_heard(now) else self._next_look(started, now)
        return self._changes.to(
            target,
            "running",
            execution=execution,
            started_at=now,
            look_at=first,
            detail=expects,
            calls=calls,
        )

    async def stop(self, target: Target, rollout: Rollout) -> Write | None:
        """Have its run stop; one that can't be stopped just now is asked again."""
        try:
            execution = target.execution or await self._begun(target, rollout.commit)
            if not execution:
                return self._changes.end(target, "stopped", {}, calls=target.calls + 1)
            abandon = bool(target.detail.get("approval")) and await self._waits_for_people(target)
            await self._toolchain.stop(target.pipeline, execution, _why_stopped(target), abandon=abandon)
        except CloudError as error:
            log.warning("releases.not_stopped", target=target.key, error=error.detail)
            return None
        detail = {**target.detail, "stop_asked": True}
        now, calls = self._services.clock.now(), target.calls + 1
        return self._changes.to(target, "running", detail=detail, execution=execution, look_at=now, calls=calls)

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
                    return self._changes.to(
                        target, "running", detail=detail, look_at=self._next_look(target, now), calls=calls
                    )
            found = await self._toolchain.execution(target.pipeline, target.execution)
            calls += 1
            status = str(found["status"])
            if status == "Stopping" and rollout.phase == "stopping" and await self._waits_for_people(target):
                await self._toolchain.stop(target.pipeline, target.execution, _why_stopped(target), abandon=True)
                calls += 1
            if status not in ENDED:
                is_first = self._is_heard(now) and target.look_at == _first_look_of(target)
                if target.detail.get("approval") or (self._is_heard(now) and not is_first):
                    _, detail["approval"] = await self._standing(target)
                    calls += 1
                pause = now + STOPPING_PAUSE if rollout.phase == "stopping" else self._next_look(target, now)
                return self._changes.to(target, "running", detail=detail, look_at=pause, calls=calls)
            if status == "Superseded" and rollout.phase != "stopping":
                return await self._resolve_again(target, rollout, calls)
            if status == "Succeeded":
                return self._succeeds(target, rollout, calls)
            if status in ("Stopped", "Cancelled") and rollout.phase == "stopping":
                return self._changes.end(target, "stopped", {}, calls=calls)
            detail = await self._failure(target, status, found)
        except CloudError as error:
            if not error.retryable and error.code == "PipelineExecutionNotFoundException":
                return self._changes.end(target, "failed", {"why": "its run is not known to CodePipeline any more"})
            log.warning("releases.unseen", target=target.key, error=error.detail)
            return self._changes.to(target, "running", look_at=now + AGAIN, calls=calls + 1)
        return self._changes.end(target, "failed", detail, calls=calls + 1)

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

    async def _waits_for_people(self, target: Target) -> bool:
        """Tell whether all that a run does is to wait for manual approvals.

        A run that is stopped waits for what it is doing, for an approval up to seven days; abandoning that breaks
        nothing, while other work is let end (see the CodePipeline User Guide, “Stop a pipeline execution”).
        """
        state = await self._toolchain.state(target.pipeline)
        doing = [
            latest
            for stage in state.get("stageStates", ())
            if stage.get("latestExecution", {}).get("pipelineExecutionId") == target.execution
            for action in stage.get("actionStates", ())
            if (latest := action.get("latestExecution", {})).get("status") == "InProgress"
        ]
        return bool(doing) and all(latest.get("token") for latest in doing)

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
                return self._changes.to(
                    target,
                    "running",
                    execution=execution,
                    detail=detail,
                    look_at=self._services.clock.now(),
                    calls=calls + 1,
                )
        if target.attempt >= MOST_ATTEMPTS:
            return self._changes.end(
                target, "failed", {"why": "other runs have superseded it again and again"}, calls=calls + 1
            )
        return self._changes.to(
            target, "waiting", detail={"why": "superseded by a run of another commit"}, calls=calls + 1
        )

    def _succeeds(self, target: Target, rollout: Rollout, calls: int) -> Write:
        is_back = target.purpose == BACK
        version = target.before.get("version", "") if is_back else rollout.version
        commit = target.before.get("commit", "") if is_back else rollout.commit
        return self._changes.done(target, rollout, version, commit, calls)

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
            return {"why": told(str(found.get("statusSummary") or "it failed, and no action says why"))}
        result = failed.get("output", {}).get("executionResult", {})
        words = (
            result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or "no reason given"
        )
        stage, action = failed["stageName"], failed["actionName"]
        return {
            "why": told(f"{stage}/{action}: {words}"),
            "stage": stage,
            "action": action,
            "action_execution": failed.get("actionExecutionId", ""),
            "external": result.get("externalExecutionId", ""),
            "kind": failed.get("input", {}).get("actionTypeId", {}).get("provider", ""),
        }


def _why_stopped(target: Target) -> str:
    return f"stopped by {target.request_id}"


def _kept(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a start's detail outlives a wait: where a try before it failed."""
    return {"again": detail["again"]} if detail.get("again") else {}


def _first_look_of(target: Target) -> datetime | None:
    return target.started_at + FIRST_LOOK if target.started_at else None
