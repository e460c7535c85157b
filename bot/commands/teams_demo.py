"""TEAMS=demo: a made-up tenant of Microsoft Teams beside the bot, for newcomers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot import ending
from bot.errors import SettingsError
from bot.settings import load_settings

NAME, WAIT = "TEAMS", 20.0
APPROVER = "approver@corp.example"
_pages: list[str] = []


def made_up_teams() -> str:
    """Return the line of the greeting that says where the made-up Teams is; empty without it."""
    return f"  Microsoft Teams, made up, is at {_pages[0]}\n" if _pages else ""


@contextmanager
def teams_demo(port: int) -> Iterator[None]:
    """Run a made-up tenant beside us while the block runs, if TEAMS=demo asks for it; the bot is told of it.

    Raises SettingsError unless all is on this machine: whoever reaches that tenant can be anybody in it.
    """
    asked = os.environ.get(NAME, "")
    if asked not in ("", "demo"):
        raise SettingsError(f"TEAMS can be demo, or unset; it is {asked!r}.")
    if not asked:
        yield
        return
    settings = load_settings()
    if not settings.is_embedded or settings.uses_teams:
        raise SettingsError(
            "TEAMS=demo is for trying things out: with the sandboxed AWS, on loopback, and without TEAMS_APP_ID.",
            next_step="Unset TEAMS, or what is set besides.",
        )
    people = dict.fromkeys([settings.dev_user, *(settings.approvers or (APPROVER,))])
    command = [sys.executable, "-m", "sandbox.teams", "--port", str(port + 3 if port else 0)]
    command += ["--bot", settings.public_url, "--parent", str(os.getpid())]
    command += [word for person in people for word in ("--person", person)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    ending.take_along(process)
    try:
        told = _told(process)
        _pages.append(told.pop("url"))
        os.environ.update(told)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout:
            process.stdout.close()


def _told(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return what the made-up tenant prints when it is ready."""
    lines: list[str] = []
    out = process.stdout
    reader = threading.Thread(target=lambda: lines.append(out.readline() if out else ""), daemon=True)
    reader.start()
    reader.join(WAIT)
    if not lines or not lines[0]:
        raise SettingsError("The made-up Teams did not start; its reason stands above.", next_step="Is PORT+3 free?")
    told: dict[str, str] = json.loads(lines[0])
    return told
