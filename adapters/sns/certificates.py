"""The certificates that SNS signs with: fetched from SNS's own hosts, bounded, and kept."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.errors import Unavailable

log = structlog.get_logger(__name__)

FRESH = 24 * 3600.0
"""Seconds for which a certificate is kept."""
PAUSE = 30.0
"""Seconds for which a URL that gave no certificate is not tried again: forgers could make us ask all day."""
MOST = 16
"""URLs that are remembered: SNS has one a Region."""
LARGEST = 20_000
"""Bytes of a certificate at most."""
WITHIN = 5.0
"""Seconds that fetching one may take in all."""
WEAKEST = 2_048


class BadCertificate(Exception):
    """What stands at the URL is no certificate that could be SNS's."""


class Certificates:
    """Finds public keys by the URL of their certificate, which the caller has checked."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http, self._now, self._wall = http, now, wall
        self._kept: OrderedDict[str, tuple[float, x509.Certificate | None]] = OrderedDict()
        self._fetching = asyncio.Lock()

    async def key_of(self, url: str) -> RSAPublicKey:
        """Return the key; raises BadCertificate, and Unavailable when the certificate can't be had now."""
        certificate = self._known(url)
        if self._is_old(url):
            # What is known never waits here: somebody may make us ask for certificates that don't exist.
            async with self._fetching:  # whoever waits for the same one finds it fetched
                certificate = self._known(url) if not self._is_old(url) else await self._fetch(url)
        if certificate is None:
            raise Unavailable("SNS's certificate could not be fetched.")
        if not certificate.not_valid_before_utc <= self._wall() <= certificate.not_valid_after_utc:
            raise BadCertificate("dates")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < WEAKEST:
            raise BadCertificate("key")
        return key

    def _known(self, url: str) -> x509.Certificate | None:
        return self._kept.get(url, (0.0, None))[1]

    def _is_old(self, url: str) -> bool:
        """Tell whether a certificate has to be fetched: it is not known, or not for long enough any more."""
        if url not in self._kept:
            return True
        fetched, certificate = self._kept[url]
        return self._now() - fetched > (FRESH if certificate else PAUSE)

    async def _fetch(self, url: str) -> x509.Certificate | None:
        certificate = None
        try:
            async with asyncio.timeout(WITHIN):
                certificate = x509.load_pem_x509_certificate(await fetch(self._http, url, LARGEST))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            log.warning("sns.certificate_not_fetched", error=f"{type(error).__name__}: {error}")
        self._kept[url] = (self._now(), certificate)
        self._kept.move_to_end(url)
        if len(self._kept) > MOST:  # what forgers made us ask for goes first
            gone = next((known for known, (_, kept) in self._kept.items() if kept is None), next(iter(self._kept)))
            del self._kept[gone]
        return certificate


async def fetch(http: httpx.AsyncClient, url: str, largest: int) -> bytes:
    """Return what a URL answers with 200; raises httpx.HTTPError, and ValueError for anything else or too large."""
    async with http.stream("GET", url, follow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ValueError(f"it answered {answer.status_code}")
        read = bytearray()
        async for part in answer.aiter_bytes():
            read += part
            if len(read) > largest:
                raise ValueError(f"it has more than {largest} bytes")
        return bytes(read)
