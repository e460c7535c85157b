"""The processes of a drill: bots and sandboxes that can be killed, frozen and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.restart.nursery import Born

T = TypeVar("T")
APPROVER = "approver@corp.example"
START_WAIT = 40.0
LOOK, LOOK_MOST, SLOWER = 0.02, 0.2, 1.3


def until(probe: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """Return the first true answer of `probe`; fails with `what` when there is none in time."""
    end, pause = time.monotonic() + seconds, LOOK
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(pause)
        pause = min(pause * SLOWER, LOOK_MOST)  # each look costs a request


def free_port() -> int:
    """Return a port that was free a moment ago, for a process that is to be found there again after a restart.

    It is below those that systems give to connections, one of which would take it between two lives of the process.
    """
    for port in random.SystemRandom().sample(range(30_000, 32_700), 50):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("Of fifty ports none was free.")


class Program:
    """One Python program of ours in a process of its own; its output is appended to `log`."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        self._name, self._arguments, self._environment = name, arguments, environment
        self._process: Born | None = None

    def launch(self) -> None:
        """Start the process; what it needs until it answers is the caller's to wait for."""
        assert self._process is None, "it runs already"
        self._process = Born(self._name, self._arguments, self._environment, self.log)

    @property
    def process(self) -> Born:
        """The running process."""
        assert self._process is not None, "it does not run"
        return self._process

    @property
    def runs(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it by SIGKILL, which it can neither see nor handle."""
        self.process.kill()
        self.process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks, locks and connections and all."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self, seconds: float = 15.0) -> tuple[int, float]:
        """End it by SIGTERM; return its exit status and how many seconds it took."""
        begun = time.monotonic()
        self.process.terminate()
        status = self.process.wait(seconds)
        self._process = None
        return status, time.monotonic() - begun

    def exit_status(self, seconds: float = START_WAIT) -> int:
        """Wait until it ends of its own accord and return its status."""
        status = self.process.wait(seconds)
        self._process = None
        return status

    def clear_away(self) -> None:
        """End it if it still runs, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def tail(self) -> str:
        """Return the last lines of its output, for messages."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a program: nothing of ours but what finds Python, and the settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **settings}


class SandboxProcess(Program):
    """The sandboxed AWS on a port of its own, with state that survives it."""

    def __init__(self, folder: Path, *, speed: float) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = ["--port", str(self.port), "--state", str(folder / "sandbox.sqlite"), "--speed", str(speed)]
        super().__init__("sandbox", arguments, folder / "sandbox.log", environment())
        self._client = httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.launch()
        until(self._answers, f"the sandbox answers\n{self.tail()}", START_WAIT)

    def _answers(self) -> bool:
        assert self.runs, self.tail()
        try:
            return self._client.get("/_sandbox/clock").status_code == 200
        except httpx.HTTPError:
            return False

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._client.post("/_sandbox/clock", json={"advance": seconds}).raise_for_status()

    def hang(self, operation: str, *, when: str = "before") -> None:
        """Hold every call of one operation from now on; calls that were held so far have gone on before."""
        self.let_go()
        # A call that is still on its way out could be held a second time, and be taken for a new one.
        until(lambda: not self.held(operation), f"the held calls of {operation} end")
        body = {"name": "hang", "on": True, "operation": operation, "when": when}
        self._client.post("/_sandbox/faults", json=body).raise_for_status()

    def let_go(self) -> None:
        """Hold nothing any more; what was held goes on, also when nobody waits for its answer."""
        self._client.post("/_sandbox/faults", json={"name": "hang", "on": False}).raise_for_status()

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """Return every call of an operation since the sandbox's start, oldest first."""
        answer = self._client.get("/_sandbox/calls", params={"operation": operation})
        calls: list[dict[str, Any]] = answer.raise_for_status().json()
        return calls

    def held(self, operation: str) -> int:
        """Return how many calls of an operation wait for their answer."""
        return sum(1 for call in self.calls(operation) if call["status"] is None and not call["error"])

    def close(self) -> None:
        """End it and let go of the connection."""
        self._client.close()
        self.clear_away()


class BotProcess(Program):
    """`python -m bot serve` on a port of its own, which it keeps over restarts."""

    def __init__(self, folder: Path, name: str, *, command: str = "serve", **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"PORT": str(self.port), "VAR_DIR": str(folder), "APPROVERS": APPROVER, "LOG_LEVEL": "info"}
        self.environment = environment(**{**own, **settings})
        super().__init__("bot", [command], folder / f"{name}.log", self.environment)
        self.client = httpx.Client(base_url=self.url, timeout=40, trust_env=False)

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until it answers."""
        until(self._answers, f"the bot answers\n{self.tail()}", START_WAIT)

    def _answers(self) -> bool:
        assert self.runs, f"the bot has ended\n{self.tail()}"
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def replica(self) -> str:
        """The id that this process goes by in the database, as its log says."""
        started = [line for line in self.log.read_text().splitlines() if '"event": "started"' in line]
        return str(json.loads(started[-1])["replica"])

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def run(self, *command: str) -> tuple[int, str]:
        """Run another command of the bot's with the same settings, to its end; return its status and output."""
        output = self.folder / f"{'-'.join(command)}.log"
        output.unlink(missing_ok=True)
        status = Born("bot", list(command), self.environment, output).wait(60)
        return status, output.read_text()

    def verify_audit(self) -> tuple[int, str]:
        """Run `python -m bot audit verify`; return the exit status and what was printed."""
        return self.run("audit", "verify")

    def close(self) -> None:
        """End it and let go of the connection."""
        self.client.close()
        self.clear_away()
