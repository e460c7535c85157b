"""Looking after what was asked for: my requests, the status of one, cancelling one."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.requests.queries import CancelRequest, MyRequests, RequestStatus


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [MyRequests(services), RequestStatus(services), CancelRequest(services)]
