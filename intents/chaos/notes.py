"""What is kept on a request about its experiment."""

from __future__ import annotations

from bot.requests import RequestRecord
from intents.chaos.model import Place

TOKEN, EXPERIMENT, STARTED_AT = "client_token", "experiment", "experiment_started"
ASKED_TO_STOP = "stop_asked"
"""Who or what wants it stopped: {"by", "at", "why"}."""
LEASE_UNTIL, LIMIT_AT = "lease_until", "limit_at"


def place_of(record: RequestRecord) -> Place:
    """Return where a request's experiment runs."""
    effects = record.plan.effects
    return Place(effects["role"], effects["region"])
