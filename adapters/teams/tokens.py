"""The bot's own tokens: kept until shortly before their end, and fetched in one of four ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from adapters.teams.credentials import RESOURCE, Certificate, FederatedToken, ManagedIdentity, Proof, Refused, Secret
from bot.errors import Unavailable
from bot.settings import Settings

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


class KeptToken:
    """Keeps what a proof of the app's identity is given a token for."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        proof: Proof,
        now: Callable[[], float] = time.monotonic,
        *,
        resource: str = RESOURCE,
    ) -> None:
        self._http, self._proof, self._now, self._resource = http, proof, now, resource
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
        try:
            told: dict[str, Any] = await self._proof.fetch(self._http, self._resource)
            self._token, lasts = str(told["access_token"]), float(told["expires_in"])
        except Refused as error:
            raise Unavailable(
                f"Entra gives no token for TEAMS_APP_ID: {error}.", next_step=self._proof.advice
            ) from error
        except OSError as error:
            raise Unavailable(f"{error.filename} can't be read: {error.strerror}.") from error
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Entra can't be reached for a token: {type(error).__name__}.") from error
        self._until = self._now() + max(0.0, lasts - EARLY)


def token_source(settings: Settings, http: httpx.AsyncClient, resource: str = RESOURCE) -> KeptToken:
    """Return the source of the bot's token that the settings name; they name one."""
    return KeptToken(http, proof_of(settings), resource=resource)


def proof_of(settings: Settings) -> Proof:
    """Return how the app proves itself."""
    app, url = settings.teams_app_id, f"{settings.teams_login_url.rstrip('/')}/{settings.teams_tenant_id}"
    if settings.teams_app_secret:
        return Secret(url, app, settings.teams_app_secret)
    if settings.teams_app_certificate:
        return Certificate(url, app, settings.teams_app_certificate)
    if settings.teams_federated_token_file:
        return FederatedToken(url, app, settings.teams_federated_token_file)
    return ManagedIdentity(settings.teams_identity_url, app, settings.teams_identity_header)
