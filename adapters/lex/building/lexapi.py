"""Calls of lexv2-models on one bot, with what each of them needs said again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.cloud import Cloud
from bot.errors import CloudError, QuartermasterError

SERVICE = "lexv2-models"
Pause = Callable[[float], Awaitable[None]]
TRIES, PATIENCE = 6, 350.0
"""How often a throttled call is made; how many seconds something may take (Lex's own waiters: 35 times 10 s)."""
FIRST_LOOK, LATEST_LOOK = 0.5, 8.0


class Moved(Exception):
    """The bot is not as it was read: somebody else changes it. Read again, and go on from there."""


class StillUnderWay(QuartermasterError):
    """Lex takes longer than its own waiters wait."""


class LexApi:
    """One bot's draft and versions in one Region; `bot_id` is empty until it is known."""

    def __init__(self, cloud: Cloud, region: str, locale: str, pause: Pause = asyncio.sleep) -> None:
        self._cloud, self.region, self.locale, self.pause = cloud, region, locale, pause
        self.bot_id = ""

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call one operation; waits out throttling. Raises Moved for conflicts, else CloudError."""
        for attempt in range(1, TRIES + 1):
            try:
                return await self._cloud.call(SERVICE, operation, region=self.region, **parameters)
            except CloudError as error:
                if error.code == "ThrottlingException" and attempt < TRIES:
                    await self.pause(FIRST_LOOK * 2**attempt)
                elif _has_moved(error):
                    raise Moved(error.detail) from error
                else:
                    raise
        raise AssertionError("unreachable")

    async def on_draft(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call one operation on the draft's locale."""
        return await self.call(operation, botId=self.bot_id, botVersion="DRAFT", localeId=self.locale, **parameters)

    async def listed(self, operation: str, result: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the entries of all pages."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = await self.call(operation, **parameters, **token, maxResults=200)
            found += page.get(result) or []
            if not page.get("nextToken"):
                return found
            token = {"nextToken": page["nextToken"]}

    async def until(
        self, look: Callable[[], Awaitable[Mapping[str, Any]]], status: str, busy: frozenset[str], what: str
    ) -> Mapping[str, Any]:
        """Look until the member `status` is none of `busy`, and return what was seen last; StillUnderWay."""
        waited, wait = 0.0, FIRST_LOOK
        while True:
            try:
                seen = await look()
                if str(seen.get(status, "")) not in busy:
                    return seen
            except CloudError as error:
                if error.code != "ResourceNotFoundException":  # just made, and not to be seen everywhere yet
                    raise
            if waited >= PATIENCE:
                raise StillUnderWay(
                    f"Lex has not finished to {what} in {PATIENCE:.0f} s.", next_step="Run the command again."
                )
            await self.pause(wait)
            waited, wait = waited + wait, min(wait * 2, LATEST_LOOK)


def _has_moved(error: CloudError) -> bool:
    """Tell whether a refusal means that something is there already, not there any more, or busy."""
    if error.code in ("ConflictException", "PreconditionFailedException"):
        return True
    return error.code == "ValidationException" and "already exists" in error.detail
