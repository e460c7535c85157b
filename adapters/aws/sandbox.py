"""The sandbox's clock, which business time follows in the embedded default."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime

import httpx

from bot.errors import CloudError
from bot.settings import Settings


def sandbox_clock(settings: Settings) -> Callable[[], Awaitable[tuple[datetime, float]]]:
    """Return a reader of the sandbox's (now, speed); it raises CloudError when the sandbox does not answer."""
    # Plain HTTP on this machine: loading the world's certificates would only delay the start.
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def read() -> tuple[datetime, float]:
        try:
            # A client of its own each time: nobody would close a kept one.
            async with httpx.AsyncClient(timeout=2, trust_env=False, verify=nobody) as client:
                answer = await client.get(f"{settings.aws_endpoint_url.rstrip('/')}/_sandbox/clock")
            found = answer.raise_for_status().json()
            return datetime.fromisoformat(found["now"]), float(found["speed"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise CloudError("NoClock", str(error), operation="/_sandbox/clock", retryable=True) from error

    return read
