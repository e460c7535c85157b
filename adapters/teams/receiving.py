"""Taking in: an activity is stored before it is acknowledged, or ignored on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from adapters.teams.arrivals import CARD_ACTION, CHANNEL, Ignored, read
from bot.activity import Activity
from bot.metrics import ACTIVITIES
from bot.services import Services

log = structlog.get_logger(__name__)

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


class InPlace(Protocol):
    """Answers pressed buttons; see Presses."""

    async def look(self, activity: Activity) -> dict[str, Any] | None:
        """Return the answer to a press that is not to be kept; None for one that is."""
        ...

    async def next_state(self, activity: Activity) -> dict[str, Any]:
        """Return what the person sees after the press was kept."""
        ...


class Receiver:
    """Takes verified activities from the route."""

    def __init__(self, services: Services, presses: InPlace) -> None:
        self._services, self._presses = services, presses

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
        if is_invoke and (answer := await self._presses.look(found)) is not None:
            ACTIVITIES.labels(CHANNEL, "answered").inc()
            return Acknowledgement(200, answer)
        await self._services.inbox.receive(found)
        return Acknowledgement(200, await self._presses.next_state(found) if is_invoke else None)
