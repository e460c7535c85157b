"""Our programs in processes of their own that start fast: forked off a process that has loaded the code already.

Most of a start is loading modules, and the drills start programs dozens of times. What runs is what `python -m`
runs, from its first line; what a test loaded itself is not in it, since the nursery is started anew beside it.
The tests of the command line start programs the long way.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__, "tests.restart.loaded"])


def _become(program: str, arguments: list[str], environment: dict[str, str], output: str, errors: str) -> None:
    """Be `python -m program` from here on."""
    os.setsid()
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)
    for stream, file in ((1, output), (2, errors)):
        log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, stream)
        os.close(log)
    gc.unfreeze()
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


class Born:
    """One running program, with the part of `subprocess.Popen` that drills use.

    What it prints is appended to the file `output`; its errors too, unless they have a file of their own.
    """

    def __init__(
        self,
        program: str,
        arguments: list[str],
        environment: dict[str, str],
        output: Path,
        errors: Path | None = None,
    ) -> None:
        whole = (program, arguments, environment, str(output), str(errors or output))
        self._process = _context.Process(target=_become, args=whole, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Wait until it has ended and return its status; subprocess.TimeoutExpired when that takes longer."""
        self._process.join(seconds)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(self._process.name, seconds)
        return status

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()


def run_command(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot …` to its end and return what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = (Path(folder) / name for name in ("output", "errors"))
        for file in (output, errors):
            file.touch()
        status = Born("bot", arguments, environment, output, errors).wait(60)
        return subprocess.CompletedProcess(arguments, status, output.read_text(), errors.read_text())
