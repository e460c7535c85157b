"""The bot's own token for the Bot Connector: where it comes from is an interface, a client secret its first kind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import httpx

from bot.errors import Unavailable

SCOPE = "https://api.botframework.com/.default"
EARLY = 300.0
"""Seconds before a token's end from which a new one is fetched."""


class TokenSource(Protocol):
    """Gives the token with which messages are sent."""

    async def token(self) -> str:
        """Return a token that is valid now; raises Unavailable when none can be had."""
        ...

    def forget(self) -> None:
        """Take none that was given before: the Bot Connector refused it."""
        ...


class SecretToken:
    """A token by client credentials with a secret."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        login_url: str,
        tenant: str,
        app_id: str,
        secret: str,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._url = http, f"{login_url.rstrip('/')}/{tenant}/oauth2/v2.0/token"
        self._app_id, self._secret, self._now = app_id, secret, now
        self._token, self._until = "", float("-inf")
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Return a token, fetched once however many ask for it."""
        async with self._lock:
            if self._now() >= self._until:
                await self._fetch()
            return self._token

    def forget(self) -> None:
        """Fetch another next time."""
        self._until = float("-inf")

    async def _fetch(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app_id,
            "client_secret": self._secret,
            "scope": SCOPE,
        }
        try:
            answer = await self._http.post(self._url, data=form)
            told = answer.json()
            if answer.status_code != 200:
                code = str(told.get("error", "")) if isinstance(told, dict) else ""
                raise Unavailable(
                    f"Entra gives no token for TEAMS_APP_ID: {answer.status_code} {code}".strip() + ".",
                    next_step="See whether TEAMS_APP_SECRET has lapsed, and TEAMS_TENANT_ID is the app's own tenant.",
                )
            self._token, lasts = str(told["access_token"]), float(told["expires_in"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Entra can't be reached for a token: {type(error).__name__}.") from error
        self._until = self._now() + max(0.0, lasts - EARLY)
