"""What EventBridge tells of pipelines and CodeDeploy, from a queue or over SNS: what ended, or waits, is looked at.

An event is never believed: it is a reason to ask CodePipeline or CodeDeploy, no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import structlog

from bot.database import Transaction
from bot.errors import CloudError
from bot.releases.rollouts import Rollouts
from bot.services import Services
from bot.sns import Commit, Notification
from intents.releases.following import Following
from intents.releases.toolchain import Toolchain

log = structlog.get_logger(__name__)

A_CALL = 10
MOST_CALLS = 60
"""Calls of one look; what is left then is read by the next one."""
_SHIFT_ENDS = frozenset(("SUCCESS", "FAILURE", "STOP", "READY"))
_ENDS = frozenset(("SUCCEEDED", "FAILED", "STOPPED", "CANCELED", "SUPERSEDED"))


class Events:
    """Reads the queue that RELEASE_EVENTS_QUEUE names, and listens to what is posted to /sns; off without both."""

    def __init__(self, services: Services, rollouts: Rollouts, following: Following, toolchain: Toolchain) -> None:
        self._services, self._rollouts = services, rollouts
        self._following, self._toolchain = following, toolchain
        if services.settings.release_events_queue:
            following.expect_events()
        services.notifications.connect(self)

    def lane_of(self, notification: Notification) -> str:
        """Return the run that a notification gives a reason to look at."""
        run = _told_of(notification.message)
        return f"rollout:{run}" if run else ""

    async def hear(self, notification: Notification) -> Commit:
        """Have the run looked at as soon as that is written down."""
        run = _told_of(notification.message)
        if not _is_of_codedeploy(run):
            self._following.hear()

        async def commit(transaction: Transaction) -> None:
            await self._rollouts.look_now(transaction, [run])

        return commit

    async def read(self) -> None:
        """Have what events tell of looked at; a queue that can't be read is told in the log, and looking goes on."""
        if not self._services.settings.release_events_queue:
            return
        try:
            for _ in range(MOST_CALLS):
                if not await self._read_some():
                    return
        except CloudError as error:
            log.warning("releases.events_unread", error=error.detail)

    async def _read_some(self) -> bool:
        """Read ten; tell whether there may be more."""
        answer = await self._services.cloud.call(
            "sqs",
            "ReceiveMessage",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            QueueUrl=self._services.settings.release_events_queue,
            MaxNumberOfMessages=A_CALL,
            WaitTimeSeconds=0,
        )
        messages = answer.get("Messages", [])
        if not messages:
            return False
        told = {execution for message in messages if (execution := _told_of(str(message.get("Body", ""))))}
        if not told or not all(map(_is_of_codedeploy, told)):
            self._following.hear()

        async def work(transaction: Transaction) -> None:
            await self._rollouts.look_now(transaction, told)

        if told:
            await self._services.database.write(work)
        # Deleted only now: what was not written down comes again.
        await self._services.cloud.call(
            "sqs",
            "DeleteMessageBatch",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            QueueUrl=self._services.settings.release_events_queue,
            Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)],
        )
        return len(messages) == A_CALL


def _told_of(body: str) -> str:
    """Return the run that an event gives a reason to look at; empty for all others, and for what is no event."""
    try:
        event = json.loads(body)
        if event.get("Type") == "Notification" and "detail" not in event:
            event = json.loads(event["Message"])  # in SNS's envelope, of a queue that is subscribed to a topic
        detail: Mapping[str, Any] = event["detail"]
        kind, state = str(event["detail-type"]), str(detail["state"])
        if kind.startswith("CodeDeploy Deployment"):
            return str(detail["deploymentId"]) if state in _SHIFT_ENDS else ""
        execution = str(detail["execution-id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    if kind.startswith("CodePipeline Pipeline"):
        return execution if state in _ENDS else ""
    waits = kind.startswith("CodePipeline Action") and state == "STARTED"
    is_approval = waits and dict(detail.get("type") or {}).get("category") == "Approval"
    return execution if is_approval else ""


def _is_of_codedeploy(run: str) -> bool:
    """Tell whether a run is a deployment of CodeDeploy's, whose events say nothing of whether pipelines' come."""
    return run.startswith("d-")
