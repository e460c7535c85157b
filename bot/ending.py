"""How a program ends: at once while it starts, in good order once it serves, and in any case within seconds.

Loads nothing that takes time: it is there before anything that a signal could break off half loaded.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from types import FrameType
from typing import NoReturn

STOP_WAIT = 7.0
"""Seconds that a stop in good order may take. What matters is in the database; the next start goes on from there."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

_beside: list[subprocess.Popen[str]] = []


def end_at_once() -> None:
    """From here on let SIGINT and SIGTERM end the process with status 0, until a server heeds them itself.

    Nothing is raised into what is under way: a start can be broken off anywhere, as by kill -9.
    """
    for signum in SIGNALS:
        signal.signal(signum, _end)


def ignore_signals() -> None:
    """Let no further signal break off a stop that is under way."""
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_IGN)


def take_along(process: subprocess.Popen[str]) -> None:
    """End this process too when a signal ends ours."""
    _beside.append(process)


def watch_the_stop() -> None:
    """End the process when a stop takes longer than STOP_WAIT, whatever holds it up."""

    def end() -> None:
        # In a thread of its own: nobody may be reading what we write.
        telling = threading.Thread(target=_tell_of_the_cut, daemon=True)
        telling.start()
        telling.join(1.0)
        os._exit(0)

    watchdog = threading.Timer(STOP_WAIT, end)
    watchdog.daemon = True
    watchdog.start()


def leave(status: int) -> NoReturn:
    """End the process without waiting for threads: one may wait for AWS, and what matters is in the database."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _end(signum: int, frame: FrameType | None) -> None:
    for process in _beside:
        process.terminate()
    os._exit(0)


def _tell_of_the_cut() -> None:
    import structlog

    structlog.get_logger(__name__).warning("stop.cut_short", seconds=STOP_WAIT)
