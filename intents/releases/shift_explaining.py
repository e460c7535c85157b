"""Why a deployment of CodeDeploy's failed: its lifecycle events and hooks, the alarm, and what took it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.card import Facts, Item, Table, Text
from bot.errors import CloudError
from bot.releases.rollouts import Target
from intents.releases.codedeploy import CodeDeploy, Where
from intents.releases.runs import told
from intents.releases.shift_planning import pace_of, shown_shift

log = structlog.get_logger(__name__)

LINES = 12


class ShiftExplaining:
    """Reads what CodeDeploy and CloudWatch say."""

    def __init__(self, codedeploy: CodeDeploy) -> None:
        self._codedeploy = codedeploy

    async def items(self, target: Target) -> list[Item]:
        """Return why a target failed; what can't be read is said to be unread."""
        detail, shift = target.detail, target.shift
        rows = [
            ("Deployment", f"{target.key}, account {target.account}, {target.region}"),
            ("Shifts", f"{shown_shift(shift)}, {pace_of(str(shift['config']))}"),
            ("In its words", target.why or "no reason is known"),
            ("CodeDeploy", f"{shift['application']}/{shift['group']}, deployment {target.execution or 'none'}"),
        ]
        items: list[Item] = []
        if target.execution:
            items += await self._events(target)
        if detail.get("alarms"):
            rows += await self._alarms(target, detail["alarms"])
        if detail.get("rolled_back_by"):
            rows.append(("Back again", await self._rollback(target, str(detail["rolled_back_by"]))))
        return [Facts(tuple(rows)), *items]

    async def _events(self, target: Target) -> list[Item]:
        try:
            events = await self._codedeploy.events(Where.of(target), target.execution)
        except CloudError as error:
            log.warning("releases.events_unread", target=target.key, error=error.detail)
            return [Text(f"Its lifecycle events can't be read just now ({error.code}).", subtle=True)]
        if not events:
            return []
        rows = tuple((str(e.get("lifecycleEventName", "")), str(e.get("status", "")), _words(e)) for e in events)
        items: list[Item] = [Table(("Lifecycle event", "State", "Diagnostics"), rows)]
        # What a hook prints is not ours: secrets that it names are taken out before anybody sees them.
        tails = [str(e.get("diagnostics", {}).get("logTail", "")) for e in events if e.get("status") == "Failed"]
        for tail in filter(None, tails):
            items += [
                Text("The end of the hook's log:"),
                Text(told("\n".join(tail.splitlines()[-LINES:])), subtle=True),
            ]
        return items

    async def _alarms(self, target: Target, names: list[str]) -> list[tuple[str, str]]:
        try:
            firing = dict(await self._codedeploy.alarms(Where.of(target), names))
        except CloudError as error:
            log.warning("releases.alarm_unread", target=target.key, error=error.detail)
            return [("Alarm", f"{', '.join(names)}; how it stands now can't be read ({error.code})")]
        return [("Alarm", f"{name}: {told(firing[name]) if name in firing else 'it is well again'}") for name in names]

    async def _rollback(self, target: Target, deployment: str) -> str:
        try:
            found = (await self._codedeploy.deployments(Where.of(target), [deployment])).get(deployment)
        except CloudError as error:
            return f"by deployment {deployment}; how that stands can't be read just now ({error.code})"
        status = str((found or {}).get("status", "not known any more"))
        if status == "Succeeded":
            return f"rolled back by deployment {deployment}: all traffic is where it was"
        return f"deployment {deployment}, which rolls it back, is {status}"


def _words(event: Mapping[str, Any]) -> str:
    found = event.get("diagnostics", {})
    named = f"{found['scriptName']}: " if found.get("scriptName") else ""
    return told(f"{named}{found.get('message', '')}")[:200] if event.get("status") == "Failed" else ""
