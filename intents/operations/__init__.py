"""What operators say: pause and resume all changes, try a failed request again, record a step as done by hand."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.operations.mending import RecordStep, RetryRequest
from intents.operations.pausing import PauseChanges, ResumeChanges


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [PauseChanges(services), ResumeChanges(services), RetryRequest(services), RecordStep(services)]
