"""Whether the mail relay can be reached, for /readyz: a TCP connection, no mail and no login."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from adapters.email.transport import Relay

CONNECT_TIMEOUT = 1.0
"""Seconds that the relay may take to accept a connection."""
KEPT = 30.0
"""Seconds for which a finding counts: probes of several load balancers don't become a load for the relay."""


class RelayProbe:
    """Looks for one relay, at most once in `KEPT` seconds however many ask at once."""

    def __init__(self, relay: Relay, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._relay = relay
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None
        self._fault = ""

    async def fault(self) -> str:
        """Return what is wrong, empty when the relay accepts connections; never raises."""
        async with self._looking:
            if self._looked_at is None or self._monotonic() - self._looked_at >= KEPT:
                self._fault = await self._look()
                self._looked_at = self._monotonic()
            return self._fault

    async def _look(self) -> str:
        where = f"the mail relay {self._relay.host}:{self._relay.port} can't be reached"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, writer = await asyncio.open_connection(self._relay.host, self._relay.port)
        except TimeoutError:
            return f"{where}: no answer within {CONNECT_TIMEOUT:g} s"
        except (OSError, ValueError) as error:  # ValueError: a host name that can't be encoded
            return f"{where}: {type(error).__name__}"
        writer.transport.abort()
        return ""
