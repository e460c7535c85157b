"""The conversation in a terminal: a client of the REST routes, so it is the same conversation as everywhere."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.engine import make_url

from bot.errors import SettingsError, Unavailable
from bot.locking import ProcessLock
from bot.settings import Settings

LOOK = 1.0
"""Seconds between looks for what the bot says of its own accord."""
START_WAIT = 60.0
UNREACHABLE = "The bot does not answer just now. What it has heard is kept; wait a moment and say it again."


class Terminal:
    """One person's conversation; prints what the bot says, each message once."""

    def __init__(self, client: httpx.Client, email: str, name: str) -> None:
        self._client, self._email, self._name = client, email, name
        self._conversation = f"terminal-{secrets.token_hex(6)}"
        self._seen = 0
        self._printing = threading.Lock()
        self._ended = threading.Event()

    def say(self, text: str) -> None:
        """Send a text and print what is answered."""
        body: dict[str, Any] = {"user": {"email": self._email, "name": self._name}, "text": text}
        with self._printing:
            try:
                answer = self._client.post("/v1/messages", json={**body, "conversation": self._conversation})
                if answer.status_code != 200:
                    print(_fault(answer), flush=True)
                    return
                self._conversation = answer.json()["conversation"]
                self._print_new()
            except httpx.HTTPError:
                print(_indented(UNREACHABLE), flush=True)

    def listen(self) -> None:
        """Print what the bot says of its own accord, until `end`."""
        while not self._ended.wait(LOOK):
            with self._printing:
                try:
                    self._print_new(unasked=True)
                except httpx.HTTPError:
                    continue  # the next look may find it back

    def end(self) -> None:
        """Stop listening."""
        self._ended.set()

    def _print_new(self, *, unasked: bool = False) -> None:
        path = f"/v1/conversations/{self._conversation}/messages"
        answer = self._client.get(path, params={"after": self._seen}, headers={"Accept": "application/json"})
        if answer.status_code != 200:
            return
        for message in answer.json()["messages"]:
            self._seen = max(self._seen, message["seq"])
            print(("\n" if unasked else "") + _indented(message["text"]), flush=True)
            if unasked and sys.stdin.isatty():
                print("you> ", end="", flush=True)


def chat(email: str, name: str, url: str, key: str = "") -> int:
    """Talk until the input ends; starts the whole product quietly when none answers at the address."""
    settings = Settings()
    address = (url or settings.public_url).rstrip("/")
    key = key or os.environ.get("QUARTERMASTER_API_KEY", "")
    with _product(address, settings, may_start=not url), httpx.Client(**_client_options(address, key)) as client:
        terminal = Terminal(client, email or settings.dev_user, name or (email or settings.dev_user).partition("@")[0])
        listener = threading.Thread(target=terminal.listen, daemon=True)
        listener.start()
        if sys.stdin.isatty():
            print("Quartermaster. Say what you need, or “help”; Ctrl-D ends.", flush=True)
        try:
            _talk(terminal)
        except KeyboardInterrupt:
            print()
        finally:
            terminal.end()
            listener.join(5)
    return 0


def _talk(terminal: Terminal) -> None:
    prompt = "you> " if sys.stdin.isatty() else ""
    while True:
        try:
            line = _readable(input(prompt))
        except EOFError:
            return
        if not prompt:
            print(f"you> {line}", flush=True)
        if line.strip():
            terminal.say(line)


def _readable(line: str) -> str:
    """Return a typed line whose bytes that are no UTF-8, from terminals with another encoding, are replaced."""
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _client_options(address: str, key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return {"base_url": address, "timeout": 40, "headers": headers, "trust_env": False}


@contextmanager
def _product(address: str, settings: Settings, *, may_start: bool) -> Iterator[None]:
    if _answers(address):
        yield
        return
    if not may_start:
        raise Unavailable(f"Nothing answers at {address}.", next_step="Start it with make run.")
    _check_not_in_use(address, settings)
    print(f"Nothing answers at {address}; starting the sandboxed product for this conversation …", flush=True)
    command = [sys.executable, "-m", "bot", "run"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + START_WAIT
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise Unavailable("The product did not start; its reason stands above.")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(15)


def _check_not_in_use(address: str, settings: Settings) -> None:
    """Raise Unavailable when a Quartermaster at another address has the database that ours would need."""
    place = make_url(settings.database_url)
    lock = ProcessLock(Path(place.database) if place.get_backend_name() == "sqlite" and place.database else None)
    try:
        lock.take()
    except SettingsError as error:
        raise Unavailable(
            f"Nothing answers at {address}, but VAR_DIR ({settings.var_dir}/) is in use by a Quartermaster that does "
            "so elsewhere.",
            next_step="Talk to that one with --url, or set VAR_DIR to another folder.",
        ) from error
    lock.release()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _fault(answer: httpx.Response) -> str:
    try:
        return _indented(str(answer.json()["detail"]))
    except (ValueError, KeyError):
        return _indented(f"The bot answered with status {answer.status_code}.")


def _indented(text: str) -> str:
    return "\n".join(f"bot> {line}" if n == 0 else f"     {line}" for n, line in enumerate(text.split("\n")))
