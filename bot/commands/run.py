"""Running: `serve` is the bot alone; `run` adds the sandboxed AWS and the mail catcher on the ports that follow."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from bot import ending, logs
from bot.commands.teams_demo import made_up_teams, teams_demo
from bot.errors import SettingsError
from bot.settings import Settings, load_settings

FIRST_SENTENCE = "I need a sandbox account in Demos for team-x+aws@corp.example"
SANDBOX_WAIT = 30.0
TRIES = 50
"""Rows of ports that PORT=0 tries."""

PORTS = range(10_000, 30_000, 4)
"""Where PORT=0 looks for four ports in a row: below those that systems give to connections (from 32,768 on), one of
which would take a neighbour in the moment between our look and the sandbox's start."""

PRIVATE = 0o077
"""umask: the databases hold conversations and addresses, which are nobody else's on this machine."""


def serve() -> NoReturn:
    """Serve until a signal ends it; exit status 0 then."""
    os.umask(PRIVATE)
    settings = load_settings()
    logs.configure(settings.log_level)
    status = asyncio.run(_serve(settings, _listen(settings), greeting=False))
    ending.leave(status)


def run() -> NoReturn:
    """Start everything a newcomer needs, unless AWS_ENDPOINT_URL names an AWS already."""
    os.umask(PRIVATE)
    logs.configure(os.environ.get("LOG_LEVEL", "warning"), plain=sys.stderr.isatty())
    host = os.environ.get("HOST") or "127.0.0.1"
    first = _bind(host, _port()) if _port() else _bind_anywhere(host)
    port = first.getsockname()[1]
    os.environ["PORT"] = str(port)
    with _sandbox(port), teams_demo(port):
        settings = load_settings()
        status = asyncio.run(_serve(settings, first, greeting=True))
        ending.ignore_signals()
    ending.leave(status)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or int(text) > 65532:
        raise SettingsError(f"PORT must be a number up to 65532; it is {text!r}.")
    return int(text)


def _listen(settings: Settings) -> socket.socket:
    return _bind(settings.host, settings.port)


def _bind(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), backlog=512)
        # Inherited by every connection: the event loop only sets it on sockets made with the protocol's number,
        # and without it the second answer on a kept connection waits 40 ms for the first one's acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise SettingsError(
            f"Can't listen on {host}:{port}: {error.strerror}.", next_step="Set PORT to a free port."
        ) from error


def _bind_anywhere(host: str) -> socket.socket:
    """Listen on a free port whose neighbours are free as well: the sandbox's, the mail catcher's, made-up Teams'."""
    for port in random.SystemRandom().sample(PORTS, TRIES):
        with ExitStack() as opened, suppress(SettingsError):
            first = opened.enter_context(_bind(host, port))
            for neighbour in (port + 1, port + 2, port + 3):
                _bind(host, neighbour).close()
            opened.pop_all()
            return first
    raise SettingsError("No four free ports in a row were found.", next_step="Set PORT.")


@contextmanager
def _sandbox(port: int) -> Iterator[None]:
    """Run the sandboxed AWS beside us while the block runs; it also ends when we are killed."""
    if os.environ.get("AWS_ENDPOINT_URL"):
        yield
        return
    state = Path(os.environ.get("VAR_DIR") or "var") / "sandbox.sqlite"
    state.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "sandbox", "--port", str(port + 1), "--state", str(state)]
    command += ["--parent", str(os.getpid())]
    # A session of its own: Ctrl-C reaches us first, and we end it after the bot has stopped.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    ending.take_along(process)
    try:
        os.environ["AWS_ENDPOINT_URL"] = _address_of(process)
        os.environ.setdefault("SNS_SUBSCRIBE", "true")
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()


def _address_of(process: subprocess.Popen[str]) -> str:
    """Return the address that the sandbox prints when it is ready; meanwhile load what takes long."""
    lines: list[str] = []
    out = process.stdout
    if out is None:
        raise SettingsError("The sandbox could not be started.")

    def read() -> None:
        lines.append(out.readline())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    import bot.main  # noqa: F401

    reader.join(SANDBOX_WAIT)
    words = lines[0].split() if lines else []
    if not words:
        raise SettingsError("The sandboxed AWS did not start; its reason stands above.", next_step="Is PORT+1 free?")
    return words[-1]


async def _serve(settings: Settings, listening: socket.socket, *, greeting: bool) -> int:
    import uvicorn

    from bot.main import Application

    application = Application(settings)
    config = uvicorn.Config(
        application.app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",  # started and stopped here, so that what is wrong at the start is told in words
        timeout_graceful_shutdown=2,
        ws="none",
    )
    server = _Server(config, on_end=application.services.signals.close)
    await application.start()
    try:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.01)
        _keep_from_collector()
        if greeting and server.started:
            _greet(settings)
        await serving
    finally:
        await application.stop()
    return 0 if server.was_started else 2


def _keep_from_collector() -> None:
    """Keep what the start made, which stays, from the garbage collector: each full pass over it stops every turn."""
    gc.collect()
    gc.freeze()
    gc.enable()


class _Server:
    """uvicorn, ended by a signal with exit status 0 instead of the signal's own."""

    def __init__(self, config: object, on_end: Callable[[], None]) -> None:
        import uvicorn

        self._on_end = on_end
        self._server = uvicorn.Server(config)  # type: ignore[arg-type]
        self.was_started = False

    @property
    def started(self) -> bool:
        """Whether it answers."""
        self.was_started = self.was_started or self._server.started
        return self._server.started

    async def serve(self, sockets: list[socket.socket]) -> None:
        """Serve until SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, self._end, signum)
        # Not serve(): that would end the process by the signal itself, after everything was ended in good order.
        await self._server._serve(sockets)

    def _end(self, signum: int) -> None:
        ending.watch_the_stop()
        self._on_end()
        self._server.handle_exit(signum, None)


def _greet(settings: Settings) -> None:
    print(
        f"\nQuartermaster is at {settings.public_url}\n"
        f"  Say there, for a start:  {FIRST_SENTENCE}\n"
        f"  Approval mails arrive at {settings.public_url}/dev/mail\n"
        f"{made_up_teams()}"
        f"  Or in this terminal's neighbour: {_chat_command(settings)}\n"
        "  Ctrl-C ends everything; what you did is kept under "
        f"{settings.var_dir}/.\n",
        flush=True,
    )


def _chat_command(settings: Settings) -> str:
    """Return what to type to talk to this very process from another terminal."""
    environment = []
    if settings.port != Settings.model_fields["port"].default:
        environment.append(f"PORT={settings.port}")
    if os.environ.get("VAR_DIR"):
        environment.append(f"VAR_DIR={shlex.quote(str(settings.var_dir))}")
    return " ".join([*environment, ".venv/bin/python -m bot chat"])
