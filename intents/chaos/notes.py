"""What is kept on a request about its experiment."""

from __future__ import annotations

from bot.requests import RequestRecord
from intents.chaos.model import Place

TOKEN, EXPERIMENT, STARTED_AT = "client_token", "experiment", "experiment_started"
ASKED_TO_STOP = "stop_asked"
"""Who or what wants it stopped: {"by", "at", "why"}."""
LEASE_UNTIL, LIMIT_AT = "lease_until", "limit_at"
VIA, START_BY, SCHEDULED_BY = "Via", "StartBy", "Schedule"
"""Among a request's values, where no person asked: what did (“pipeline”, “schedule”), the moment after which it must
not start any more, and the request that made the schedule. No form takes them.
"""
WITHIN, CONTENT = "Within", "Content"
"""Likewise, of a roll-out's gate: the roll-out's request, whose own work on the stack is no obstacle, and the digest of
the template that was approved with it (`Template.content`).
"""
RUN_ALL, SKIP_ALL = "run-all", "skip-all"
"""FIS's modes: a run, and a preview, in which it resolves the targets and skips every action."""


def place_of(record: RequestRecord) -> Place:
    """Return where a request's experiment runs."""
    effects = record.plan.effects
    return Place(effects["role"], effects["region"])
