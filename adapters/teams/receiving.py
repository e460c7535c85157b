"""Taking in: an activity is stored before it is acknowledged, or ignored on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.teams.arrivals import CARD_ACTION, CHANNEL, Ignored, read
from bot.metrics import ACTIVITIES
from bot.services import Services

log = structlog.get_logger(__name__)

TAKEN = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Got it."}
NOT_UNDERSTOOD = {
    "statusCode": 400,
    "type": "application/vnd.microsoft.error",
    "value": {"code": "BadRequest", "message": "This button says nothing that I understand."},
}


@dataclass(frozen=True)
class Acknowledgement:
    """What the Bot Connector is answered; messages and news take an empty body, invokes one of their protocol."""

    status: int = 200
    body: dict[str, Any] | None = None


class Receiver:
    """Takes verified activities from the route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def receive(self, payload: Mapping[str, Any], tenant: str) -> Acknowledgement:
        """Keep what an activity says and return the acknowledgement.

        Returns after the commit, also for what was kept before; raises what the database raises: then nothing may
        be acknowledged, and Teams sends it again or tells the person that it did not work.
        """
        is_invoke, is_press = payload.get("type") == "invoke", payload.get("name") == CARD_ACTION
        if is_invoke and not is_press:
            ACTIVITIES.labels(CHANNEL, "ignored").inc()
            return Acknowledgement(501)
        found = read(payload, self._services.settings.teams_app_id, tenant)
        if isinstance(found, Ignored):
            ACTIVITIES.labels(CHANNEL, "ignored").inc()
            log.debug("teams.ignored", reason=found.reason)
            return Acknowledgement(200, NOT_UNDERSTOOD if is_invoke else None)
        await self._services.inbox.receive(found)
        return Acknowledgement(200, TAKEN if is_invoke else None)
