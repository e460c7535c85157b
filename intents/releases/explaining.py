"""Why a deployment failed: stage and action, the end of the build's log, the stack's own events, and the ways on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import structlog

from bot.card import Button, Card, Facts, Item, Link, Table, Text
from bot.errors import CloudError, without_arns
from bot.releases.rollouts import Rollout, Target
from bot.services import Services
from bot.withholding import withhold_named
from intents.releases.planning import stack_of
from intents.releases.shift_explaining import ShiftExplaining
from intents.releases.toolchain import Toolchain

log = structlog.get_logger(__name__)

LINES = 12
EVENTS = 5
_KEPT = ("UPDATE_FAILED", "CREATE_FAILED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED")
"""States of a stack that kept what it made: it can be tried again, or rolled back, from the point of failure."""


class Explaining:
    """Reads what CodePipeline, CodeBuild and CloudFormation say."""

    def __init__(self, services: Services, toolchain: Toolchain, shifted: ShiftExplaining) -> None:
        self._services, self._toolchain, self._shifted = services, toolchain, shifted

    async def card(self, rollout: Rollout, target: Target) -> Card:
        """Return why a target failed; what can't be read is said to be unread."""
        detail = target.detail
        if target.shift:
            return self._card_of(target, await self._shifted.items(target))
        rows = [("Deployment", f"{target.key}, account {target.account}, {target.region}")]
        if detail.get("stage"):
            rows.append(("Failed", f"stage {detail['stage']}, action {detail['action']} ({detail.get('kind', '')})"))
        rows += [
            ("In its words", target.why or "no reason is known"),
            ("Pipeline", f"{target.pipeline}, run {target.execution}"),
        ]
        items: list[Item] = [Facts(tuple(rows))]
        link = ""
        if detail.get("kind") == "CodeBuild" and detail.get("external"):
            items += await self._log(str(detail["external"]))
        if detail.get("kind") == "CloudFormation":
            found, link = await self._stack(rollout, target)
            items += found
        if link:
            items.append(Link("Open the stack's parameters in the console", link))
        return self._card_of(target, items)

    def _card_of(self, target: Target, items: Sequence[Item]) -> Card:
        buttons = (
            Button("Retry it", "say", f"retry the deployment {target.key} of {target.request_id}"),
            Button("Skip it", "say", f"skip the deployment {target.key} of {target.request_id}"),
            Button("Roll back", "say", f"roll back {target.request_id}"),
        )
        return Card(f"Why {target.key} failed", tuple(items), buttons, tone="bad")

    async def _log(self, build_id: str) -> list[Item]:
        try:
            build = await self._toolchain.build(build_id)
            logs: Mapping[str, Any] = (build or {}).get("logs", {})
            if not logs.get("groupName") or not logs.get("streamName"):
                return [Text(f"The build {build_id} left no log.", subtle=True)]
            lines = await self._toolchain.log_tail(logs["groupName"], logs["streamName"], LINES)
        except CloudError as error:
            log.warning("releases.log_unread", build=build_id, error=error.detail)
            return [Text(f"The build's log can't be read just now ({error.code}).", subtle=True)]
        # What a build prints is not ours: secrets that it names are taken out before anybody sees them.
        shown = "\n".join(withhold_named(re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", line))[:300] for line in lines)
        return [Text("The end of the build's log:"), Text(shown, subtle=True)]

    async def _stack(self, rollout: Rollout, target: Target) -> tuple[list[Item], str]:
        stack = stack_of(rollout.component, target.key)
        try:
            status, failed = await self._events(target, stack)
        except CloudError as error:
            log.warning("releases.events_unread", stack=stack, error=error.detail)
            return [Text(f"The events of the stack {stack} can't be read just now ({error.code}).", subtle=True)], ""
        items: list[Item] = []
        if failed:
            items.append(Table(("Resource", "State", "Why"), tuple(failed)))
        url = (
            f"https://{target.region}.console.aws.amazon.com/cloudformation/home?region={target.region}"
            f"#/stacks/update?stackId={quote(stack, safe='')}"
        )
        if status in _KEPT:
            items.append(
                Text(
                    f"The stack {stack} is in {status}: it kept what it made. Retry goes on from the point of failure; "
                    "rolling back, or mending its parameters in the console, begins there as well."
                )
            )
        return items, url

    async def _events(self, target: Target, stack: str) -> tuple[str, list[tuple[str, str, str]]]:
        answer = await self._services.cloud.call(
            "cloudformation",
            "DescribeStackEvents",
            region=target.region,
            role=self._services.settings.member_role(target.account),
            StackName=stack,
        )
        events: Sequence[Mapping[str, Any]] = answer.get("StackEvents", ())
        own = next((e for e in events if e.get("LogicalResourceId") == stack), None)
        failed = [
            (
                str(e.get("LogicalResourceId", "")),
                str(e["ResourceStatus"]),
                without_arns(withhold_named(str(e.get("ResourceStatusReason", ""))))[:200],
            )
            for e in events
            if str(e.get("ResourceStatus", "")).endswith("_FAILED")
        ]
        return str(own["ResourceStatus"]) if own else "", failed[:EVENTS]
