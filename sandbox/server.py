"""The sandbox as a server on loopback, in a thread of its own."""

from __future__ import annotations

import os
import socket
import struct
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from sandbox.calls import CallLog
from sandbox.delivery.moving import Mover
from sandbox.errors import SandboxError
from sandbox.faults import Faults
from sandbox.front import Front
from sandbox.growth import check_size, seed_grown
from sandbox.insight_news import tell_news
from sandbox.lex_bots import register_bot
from sandbox.posting import Courier
from sandbox.store import Forgetful, SqliteStore, Store
from sandbox.world import World

_TICK_SECONDS = 0.5
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NotLoopback(SandboxError):
    """The sandbox was asked to listen where others could reach it."""


class Sandbox:
    """The sandboxed AWS on one loopback port; also a context manager.

    `state` names the SQLite file that state survives in (None: every start is fresh); `speed` is simulated
    seconds per second; `accounts`, `ous` and `regions` seed an organization of that many member accounts, registered
    OUs and governed Regions (None: the small one; a kept state is taken as it is). `start` returns once calls are
    answered; `url` is valid from then on.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | None = None,
        speed: float = 60.0,
        accounts: int | None = None,
        ous: int | None = None,
        regions: int | None = None,
    ) -> None:
        if host not in _LOOPBACK:
            raise NotLoopback(
                f"The sandbox listens on loopback only (127.0.0.1, ::1 or localhost), not on {host}: "
                "it takes every credential for good."
            )
        check_size(accounts, ous, regions)
        self._store: Store = Forgetful() if state is None else SqliteStore(state)
        self.faults = Faults()
        self.calls = CallLog()
        self.world = World(self._store, speed, self.faults, partial(seed_grown, accounts, ous, regions))
        self._front = Front(self.world, self.faults, self.calls)
        self._server = _Server(host, port, self._front)
        self._courier = Courier(self.world, lambda: self.url, tell_news)
        self._mover = Mover(self.world)
        self._stopped = Event()
        self._threads = [
            Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True),
            Thread(target=self._tick, name="sandbox-clock", daemon=True),
        ]

    @property
    def url(self) -> str:
        """The endpoint to point AWS clients at."""
        return f"http://{self._server.shown_host}:{self._server.port}"

    def start(self) -> Sandbox:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()
        self._courier.start()
        self._mover.start()
        return self

    def stop(self) -> None:
        """Stop at once: waiting calls are reset, nothing is answered any more."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._front.close()
        self.world.close()
        self._courier.stop()
        self._mover.stop()
        if self._threads[0].is_alive():
            self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        with self.world.lock:
            self._store.close()

    def register_bot(self, registration: dict[str, Any]) -> None:
        """Register a Lex bot, as ``POST /_sandbox/lex`` does."""
        register_bot(self.world, registration)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        # Looking at the clock keeps it, so a restart goes on close to where nobody was looking.
        while not self._stopped.wait(_TICK_SECONDS):
            self.world.clock.now()


class _Quiet(WSGIRequestHandler):
    """Requests are in the call log; nothing is printed about them."""

    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Tear the connection down by a TCP reset, which a client can't take for an empty answer."""
        self.close_connection = True
        if self.connection.fileno() < 0:
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closed below Python's socket, which would say goodbye first.
        os.close(self.connection.detach())

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    """A thread a request, so that calls that hang don't keep others waiting."""

    request_queue_size = 128

    def __init__(self, host: str, port: int, application: Front) -> None:
        self.shown_host = "[::1]" if host == "::1" else "127.0.0.1"
        bound = "127.0.0.1" if host == "localhost" else host
        family = socket.AF_INET6 if host == "::1" else socket.AF_INET
        # Bound here and handed over: werkzeug itself would end the process when the port is taken.
        with socket.create_server((bound, port), family=family, backlog=128) as listening:
            super().__init__(bound, port, application, handler=_Quiet, fd=listening.fileno())
