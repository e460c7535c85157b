"""A report by the month: what an intent offers, and adapters hand out as a file."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bot.errors import NotFound
from bot.intent import Registry


@runtime_checkable
class MonthlyCsv(Protocol):
    """Writes one month as CSV."""

    async def write_csv(self, month: str) -> tuple[str, str]:
        """Return (file name, CSV) of a month such as 2026-10; Invalid for what is none, NotFound for one
        ahead, Unavailable while AWS can't be reached."""
        ...


def monthly_csv(registry: Registry) -> MonthlyCsv:
    """Return the intent that writes the monthly report; raises NotFound when there is none."""
    found = (intent for intent in registry.intents.values() if isinstance(intent, MonthlyCsv))
    intent = next(found, None)
    if intent is None:
        raise NotFound("There is no monthly report here.")
    return intent
