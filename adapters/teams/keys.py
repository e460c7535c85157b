"""The Bot Connector's signing keys: fetched as its OpenID metadata says, kept, and fetched again when need be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import structlog

from bot.errors import Unavailable

log = structlog.get_logger(__name__)

FRESH = 24 * 3600.0
"""Seconds after which the keys are fetched again, behind the requests that still use the old ones."""
STALE = 5 * 24 * 3600.0
"""Seconds after which old keys are good for nothing, if no newer ones could be fetched."""
PAUSE = 60.0
"""Seconds between two fetches at least: a flood of unknown key ids makes no flood of fetches."""
PAUSE_AFTER_FAILURE = 5.0


@dataclass(frozen=True)
class SigningKey:
    """A public key, and the channels that it may sign for."""

    key: Any
    endorsements: frozenset[str]


class SigningKeys:
    """Finds keys by their id; the event loop waits for the network only while there are no keys that would do."""

    def __init__(self, http: httpx.AsyncClient, url: str, now: Callable[[], float] = time.monotonic) -> None:
        self._http, self._url, self._now = http, url, now
        self._keys: dict[str, SigningKey] = {}
        self._fetched: float | None = None
        self._next_try = float("-inf")
        self._lock = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> SigningKey | None:
        """Return the key of that id, None when there is none. Raises Unavailable while no keys can be had."""
        if self._age() >= STALE:
            self._keys = {}
        if (found := self._keys.get(kid)) is not None:
            if self._age() >= FRESH:
                self._refresh_behind()
            return found
        async with self._lock:
            if kid not in self._keys and self._may_fetch():
                await self._fetch()
        if not self._keys:
            raise Unavailable("The signing keys of Microsoft Teams can't be fetched.")
        return self._keys.get(kid)

    def are_endorsed(self, channel: str) -> bool:
        """Tell whether any key known now may sign for a channel."""
        return any(channel in key.endorsements for key in self._keys.values())

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)

    def _age(self) -> float:
        return self._now() - self._fetched if self._fetched is not None else STALE

    def _may_fetch(self) -> bool:
        return self._now() >= self._next_try

    def _refresh_behind(self) -> None:
        if self._may_fetch() and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        """Fetch all keys; when that fails, those that are known stay."""
        self._next_try = self._now() + PAUSE
        try:
            metadata = (await self._http.get(self._url)).raise_for_status().json()
            listed = (await self._http.get(str(metadata["jwks_uri"]))).raise_for_status().json()["keys"]
            keys = dict(_read(entry) for entry in listed if entry.get("kty") == "RSA" and entry.get("kid"))
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            jwt.PyJWTError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as e:
            self._next_try = self._now() + PAUSE_AFTER_FAILURE
            log.warning("teams.keys_not_fetched", error=f"{type(e).__name__}: {e}")
            return
        self._keys, self._fetched = keys, self._now()


def _read(entry: Mapping[str, Any]) -> tuple[str, SigningKey]:
    endorsements = entry.get("endorsements")
    named = frozenset(str(e) for e in endorsements if e) if isinstance(endorsements, list) else frozenset[str]()
    return str(entry["kid"]), SigningKey(jwt.PyJWK(dict(entry), algorithm="RS256").key, named)
