"""Renews the tokens of workspaces that rotate them: twelve hours each, and a refresh token that works once.

Whoever spends the refresh token must be the one who keeps what came of it. So one replica at a time renews a
place's token, under a lease, and looks again once it has it; the others go on with the token they have, which is
renewed two hours before it ends. What Slack answers is committed before anything else is done with it. If a process is
killed in between all the same, the successor is lost, which the protocol leaves no way to mend: the token in use works
until its end, and /readyz says at once until when the app has to be installed again.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.install.stores import InstallationStore, Place
from bot.clock import Clock
from bot.database import Database
from bot.leases import HOLD, Lease

log = structlog.get_logger(__name__)

AHEAD = timedelta(hours=2)
"""Time before a token's end at which it is renewed."""
REST = 30.0
"""Seconds until a renewal that failed is tried again."""
ALWAYS = 60 * 24 * 36_500
"""Minutes: what the SDK's rotator takes for "now", since whether it is time is decided here."""
LOOK = 0.2
"""Seconds between looks at what another replica's renewal has brought, when our token is no longer good."""
SECONDS_FOR_A_CALL = int(HOLD.total_seconds()) - 2
"""A call to Slack must end while the lease still holds."""


class Rotation:
    """Keeps tokens fresh; `faults` names the places whose tokens can't be renewed, and Slack's word for why."""

    def __init__(
        self,
        store: InstallationStore,
        client: AsyncWebClient,
        database: Database,
        clock: Clock,
        replica: str,
        *,
        client_id: str,
        client_secret: str,
    ) -> None:
        self._store, self._database, self._clock, self._replica = store, database, clock, replica
        self._rotator = AsyncTokenRotator(client=client, client_id=client_id, client_secret=client_secret)
        self._underway: dict[Place, asyncio.Task[Bot | None]] = {}
        self._rests_until: dict[Place, float] = {}
        self.faults: dict[Place, str] = {}
        self.ends: dict[Place, float] = {}
        """Until when the tokens of those places still work, as POSIX time."""

    async def fresh(self, bot: Bot) -> Bot | None:
        """Return the bot with a token that is good for a while; None if it was uninstalled meanwhile.

        When the token can't be renewed now, the bot is returned as it is, and `faults` says so.
        """
        place = Place.of(bot)
        if not self._is_due(bot):
            self.forgive(place)
            return bot
        if time.monotonic() < self._rests_until.get(place, 0):
            return bot
        task = self._underway.get(place)
        if task is None:
            task = self._underway[place] = asyncio.create_task(self._renew(place))
            task.add_done_callback(lambda _: self._underway.pop(place, None))
        # Whoever asked may be broken off; what Slack answers must be kept all the same.
        return await asyncio.shield(task)

    def forgive(self, place: Place) -> None:
        """Forget that a renewal failed."""
        self.faults.pop(place, None)
        self.ends.pop(place, None)
        self._rests_until.pop(place, None)

    async def finish(self) -> None:
        """Wait for renewals under way: a refresh token that was spent must have brought its successor home."""
        await asyncio.gather(*self._underway.values(), return_exceptions=True)

    def _is_due(self, bot: Bot) -> bool:
        end = bot.bot_token_expires_at
        return end is not None and end <= self._clock.wall().timestamp() + AHEAD.total_seconds()

    def has_ended(self, bot: Bot) -> bool:
        """Tell whether a token is no longer good."""
        end = bot.bot_token_expires_at
        return end is not None and end <= self._clock.wall().timestamp()

    async def _renew(self, place: Place) -> Bot | None:
        lease = self._lease(place)
        while not await lease.held():
            bot = await self._read(place)
            if bot is None or not self._is_due(bot) or not self.has_ended(bot):
                return bot
            await asyncio.sleep(LOOK)
            lease = self._lease(place)  # a lease asked a moment ago would answer from memory
        try:
            return await self._renew_alone(place)
        finally:
            await lease.release()

    async def _renew_alone(self, place: Place) -> Bot | None:
        kept = await self._store.async_find_installation(enterprise_id=place.enterprise_id, team_id=place.team_id)
        if kept is None or not self._is_due(kept.to_bot()) or time.monotonic() < self._rests_until.get(place, 0):
            return kept.to_bot() if kept else None
        spent = kept.bot_refresh_token or ""
        try:
            renewed = await self._rotator.perform_token_rotation(installation=kept, minutes_before_expiration=ALWAYS)
            if renewed is None:
                raise SlackClientError("no token of a bot came back")
        except (SlackClientError, aiohttp.ClientError, TimeoutError, TypeError, ValueError) as error:
            return await self._go_on_without(place, spent, error)
        self.forgive(place)
        if not await self._store.replace(spent, renewed):
            # Installed anew, or uninstalled, in the meantime: what is kept counts.
            return await self._read(place)
        log.info("slack.token_renewed", place=str(place))
        return renewed.to_bot()

    async def _go_on_without(self, place: Place, spent: str, error: Exception) -> Bot | None:
        bot = await self._read(place)
        if bot is None or bot.bot_refresh_token != spent:
            return bot  # another replica, whose lease had lapsed, was faster
        self._rests_until[place] = time.monotonic() + REST
        self.faults[place] = _word_for(error)
        self.ends[place] = bot.bot_token_expires_at or 0.0
        log.error("slack.token_not_renewed", place=str(place), error=_word_for(error))
        return bot

    async def _read(self, place: Place) -> Bot | None:
        return await self._store.async_find_bot(enterprise_id=place.enterprise_id, team_id=place.team_id)

    def _lease(self, place: Place) -> Lease:
        return Lease(self._database, self._clock, f"slack-token:{place}", self._replica)


def _word_for(error: BaseException) -> str:
    """Return Slack's error code, or the kind of failure; nothing that could hold a secret."""
    response = getattr(error, "response", None) or getattr(getattr(error, "api_error", None), "response", None)
    if response is not None and isinstance(word := response.get("error"), str):
        return word[:60]
    return type(error).__name__
