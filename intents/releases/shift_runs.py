"""CodeDeploy's deployments: begun once, though CreateDeployment takes no token; looked at many at a time; taken back.

A start is written down before it is asked for, and carries the target's token in its description. Whoever asks again
looks for a deployment with that token first. A group has one deployment at a time, which CodeDeploy itself sees to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.database import Transaction
from bot.errors import CloudError, without_arns
from bot.releases.rollouts import BACK, RELEASE, Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.codedeploy import A_CALL, ENDED, LIMIT, CodeDeploy, Where, short_of
from intents.releases.pacing import STOPPING_PAUSE, next_look
from intents.releases.runs import AGAIN, BUSY, Changes, Look, Write, has_not_asked, told
from intents.releases.shift_planning import shown_unit

log = structlog.get_logger(__name__)

SKEW = timedelta(minutes=5)
"""How far our clock may be from CodeDeploy's, where a deployment is looked for by when it began."""
BACK_SECONDS = {"Lambda": 60.0, "ECS": 360.0}
"""What a way back is expected to take: it goes all at once."""
ALARMED, BY_HAND = "ALARM_ACTIVE", "MANUAL_STOP"
_NAMED = re.compile(r"<([^<>]+)>")


class ShiftRuns:
    """Acts on targets that CodeDeploy changes; the port is `intents.releases.runs.Runs`."""

    def __init__(self, services: Services, rollouts: Rollouts, codedeploy: CodeDeploy) -> None:
        self._services, self._codedeploy = services, codedeploy
        self._changes = Changes(services, rollouts)

    def looks(self, targets: Sequence[Target], rollout: Rollout) -> list[Look]:
        """Look at those of each account and Region together, up to 25 in a call."""
        places: dict[Where, list[Target]] = {}
        for target in targets:
            places.setdefault(Where.of(target), []).append(target)
        return [
            self._look_at(where, found[start : start + A_CALL], rollout)
            for where, found in places.items()
            for start in range(0, len(found), A_CALL)
        ]

    async def ask_to_start(self, target: Target, rollout: Rollout, record: RequestRecord) -> Write | None:
        """Begin a target's deployment; one that was asked for before is looked for first."""
        now, calls, shift = self._services.clock.now(), target.calls, target.shift
        before, after = _ways(target)
        detail: dict[str, Any] = dict(target.detail)
        try:
            if not has_not_asked(target):
                found, calls = await self._begun(target), calls + 2
                if found:
                    return self._runs(target, found, detail, calls)
                if now - _asked_at(detail, now) < AGAIN:  # its answer may have been lost on the way, and it come yet
                    return self._changes.to(target, "starting", look_at=now + AGAIN, calls=calls)
                if rollout.phase != _PHASES[target.purpose]:
                    return self._changes.to(target, "waiting", detail={}, calls=calls)
            runs, calls = await self._codedeploy.runs(Where.of(target), shift), calls + 1
            if runs == after:
                # Unless something still moves it: what failed after the last of the traffic is about to be taken back.
                others, calls = await self._codedeploy.listed(Where.of(target), shift, now, under_way=True), calls + 1
                return self._busy(target, others, calls) if others else self._done(target, rollout, calls)
            if runs != before:
                why = (
                    f"{shown_unit(shift)} is at {short_of(runs) or 'nothing'}, not at {short_of(before)} as planned: "
                    "somebody has changed it since"
                )
                return self._changes.end(target, "failed", {"why": why}, calls=calls)
            detail = {"asked_at": now.isoformat(), "expects": _expects(target)}
            calls += 1
            if not await self._changes.may_ask(target, rollout, detail=detail, calls=calls):
                return None
            words = f"{_mark(target)} {rollout.component} {rollout.version}"
            is_back = target.purpose == BACK
            begun = await self._codedeploy.create(Where.of(target), shift, before, after, words, is_back=is_back)
        except CloudError as error:
            if error.code == LIMIT:
                return await self._waits(target, detail, calls)
            if error.retryable or error.code == "ConflictException":
                return self._changes.to(target, "starting", detail=detail, look_at=now + AGAIN, calls=calls)
            return self._changes.end(
                target, "failed", {"why": without_arns(f"could not be started: {error.plain}")}, calls=calls
            )
        return self._runs(target, begun, detail, calls)

    async def stop(self, target: Target, rollout: Rollout) -> Write | None:
        """Have its deployment stop and its traffic go back; one that can't be stopped just now is asked again."""
        now, calls, execution = self._services.clock.now(), target.calls, target.execution
        try:
            if not execution:
                execution, calls = await self._begun(target), calls + 2
            if not execution:
                if now - _asked_at(target.detail, now) < AGAIN:
                    return None
                return self._changes.end(target, "stopped", {}, calls=calls)
            # What goes back is let go on: half of the way is worse than either end.
            await self._codedeploy.stop(Where.of(target), execution, takes_back=target.purpose == RELEASE)
        except CloudError as error:
            if error.code != "DeploymentAlreadyCompletedException":
                log.warning("releases.not_stopped", target=target.key, error=error.detail)
                return None
        detail = {**target.detail, "stop_asked": True}
        return self._changes.to(target, "running", detail=detail, execution=execution, look_at=now, calls=calls + 1)

    # ------------------------------------------------------------------------------ beginning

    def _runs(self, target: Target, execution: str, detail: Mapping[str, Any], calls: int) -> Write:
        now = self._services.clock.now()
        kept = {"expects": float(detail.get("expects", 0))}
        return self._changes.to(
            target,
            "running",
            execution=execution,
            started_at=now,
            look_at=next_look(now, kept["expects"], now),
            detail=kept,
            calls=calls,
        )

    async def _begun(self, target: Target) -> str:
        """Return the deployment that carries the target's token; empty when none does."""
        where, since = Where.of(target), _asked_at(target.detail, self._services.clock.now()) - SKEW
        ids = await self._codedeploy.listed(where, target.shift, since)
        if not ids:
            return ""
        found = await self._codedeploy.deployments(where, ids[:A_CALL])
        return next((i for i, one in found.items() if str(one.get("description", "")).startswith(_mark(target))), "")

    async def _waits(self, target: Target, detail: Mapping[str, Any], calls: int) -> Write:
        """The group has a deployment already: ours, whose answer was lost, or another's, which is waited for."""
        now = self._services.clock.now()
        try:
            asked = replace(target, detail=detail)
            if found := await self._begun(asked):
                return self._runs(target, found, detail, calls + 2)
            others = await self._codedeploy.listed(Where.of(target), target.shift, now, under_way=True)
        except CloudError as error:
            log.warning("releases.unseen", target=target.key, error=error.detail)
            return self._changes.to(target, "starting", detail=dict(detail), look_at=now + AGAIN, calls=calls + 2)
        return self._busy(target, others, calls + 3)

    def _busy(self, target: Target, others: Sequence[str], calls: int) -> Write:
        named = others[0] if others else "of its group"
        waits = {"busy": True, "why": f"waits for the deployment {named}, which is not ours"}
        look_at = self._services.clock.now() + BUSY
        return self._changes.to(target, "starting", detail=waits, look_at=look_at, calls=calls)

    # ------------------------------------------------------------------------------ looking

    async def _look_at(self, where: Where, targets: Sequence[Target], rollout: Rollout) -> Write:
        """Look at up to 25 in one call, which is counted to the first of them."""
        now = self._services.clock.now()
        try:
            found = await self._codedeploy.deployments(where, [_followed(t) for t in targets])
        except CloudError as error:
            log.warning("releases.unseen", account=where.account, region=where.region, error=error.detail)
            return _all([self._changes.to(t, "running", look_at=now + AGAIN) for t in targets])
        writes = []
        for number, target in enumerate(targets):
            calls = target.calls + (number == 0)
            writes.append(await self._judge(target, found.get(_followed(target)), rollout, calls))
        return _all(writes)

    async def _judge(self, target: Target, info: Mapping[str, Any] | None, rollout: Rollout, calls: int) -> Write:
        if info is None:
            why = "its deployment is not known to CodeDeploy any more"
            return self._changes.end(target, "failed", {"why": why}, calls=calls)
        now, status, detail = self._services.clock.now(), str(info["status"]), dict(target.detail)
        detail["looks"] = int(detail.get("looks", 0)) + 1
        if status not in ENDED:
            detail.pop("why", None)
            if status == "Ready":
                detail["why"] = "waits in CodeDeploy to be continued"
            pause = now + STOPPING_PAUSE
            if rollout.phase != "stopping":
                pause = next_look(target.started_at or now, float(detail.get("expects", 0)), now)
            return self._changes.to(target, "running", detail=detail, look_at=pause, calls=calls)
        if taken_back := detail.get("rollback"):  # what was stopped goes back, and is stopped when it is there
            good = status == "Succeeded"
            why = f"was stopped, and {'taken back by' if good else 'could not be taken back by'} {taken_back}"
            return self._changes.end(target, "stopped" if good else "failed", {"why": why}, calls=calls)
        if status == "Succeeded":
            return self._done(target, rollout, calls)
        rollback = str(info.get("rollbackInfo", {}).get("rollbackDeploymentId", ""))
        if detail.get("stop_asked"):
            if rollback:
                detail["rollback"] = rollback
                return self._changes.to(target, "running", detail=detail, look_at=now + STOPPING_PAUSE, calls=calls)
            return self._changes.end(target, "stopped", {}, calls=calls)
        failure, calls = await self._failure(target, info, rollback), calls + 2
        return self._changes.end(target, "failed", failure, calls=calls)

    def _done(self, target: Target, rollout: Rollout, calls: int) -> Write:
        is_back = target.purpose == BACK
        version = target.before.get("version", "") if is_back else rollout.version
        return self._changes.done(target, rollout, version, short_of(_ways(target)[1])[:128], calls)

    async def _failure(self, target: Target, info: Mapping[str, Any], rollback: str) -> dict[str, Any]:
        """Return in which lifecycle event a deployment failed, in whose words, and what takes it back."""
        error = info.get("errorInformation", {})
        code, message = str(error.get("code", "")), str(error.get("message", "") or "no reason given")
        event, words = "", message
        try:
            broken = next((e for e in await self._events(target) if e.get("status") == "Failed"), None)
        except CloudError as unread:
            log.warning("releases.events_unread", target=target.key, error=unread.detail)
            broken = None
        if broken is not None:
            event = str(broken.get("lifecycleEventName", ""))
            words = str(broken.get("diagnostics", {}).get("message", "")) or message
        alarms = _NAMED.findall(message) if code == ALARMED else []
        if code == ALARMED:
            why = f"the alarm {' and '.join(alarms)} fired" if alarms else "an alarm of its group fired"
        elif code == BY_HAND:
            why = "its deployment was stopped in CodeDeploy"
        else:
            why = f"{event}: {words}" if event else words
        back = f"CodeDeploy takes it back by {rollback}" if rollback else "nothing takes its traffic back"
        return {
            "why": f"{told(why).rstrip('.')}; {back}",
            "kind": "CodeDeploy",
            "code": code,
            "event": event,
            "alarms": alarms,
            "rolled_back_by": rollback,
        }

    async def _events(self, target: Target) -> list[Mapping[str, Any]]:
        return await self._codedeploy.events(Where.of(target), target.execution)


_PHASES = {RELEASE: "running", BACK: "back"}


def _ways(target: Target) -> tuple[str, str]:
    """Return from what to what a target is changed."""
    before, after = str(target.shift["from"]), str(target.shift["to"])
    return (after, before) if target.purpose == BACK else (before, after)


def _mark(target: Target) -> str:
    """Return what the description of a target's deployment begins with."""
    return f"Quartermaster {target.token}:"


def _expects(target: Target) -> float:
    if target.purpose == BACK:
        return BACK_SECONDS[str(target.shift["platform"])]
    return float(target.shift.get("expects", 0))


def _asked_at(detail: Mapping[str, Any], now: datetime) -> datetime:
    """Return when a start was asked for last; now, where it was not written down."""
    return datetime.fromisoformat(detail["asked_at"]) if detail.get("asked_at") else now


def _followed(target: Target) -> str:
    """Return the deployment to look at: its own, or the one that takes back what was stopped."""
    return str(target.detail.get("rollback") or target.execution)


def _all(writes: Sequence[Write]) -> Write:
    async def work(transaction: Transaction) -> None:
        for write in writes:
            await write(transaction)

    return work
