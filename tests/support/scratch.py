"""Where tests write: into memory where there is room. Nothing of it outlives the run, and SQLite waits for disks.

What failed tests left is moved to the usual folder for temporary files, and said where.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM = 3 << 30
"""Bytes that must be free there: a run needs a few hundred million."""

PREFIX = "quartermaster-tests-"
_FOLDER = pytest.StashKey[Path]()


def find_scratch() -> Path | None:
    """Return the folder that is in memory and has room, or None."""
    if not os.access(MEMORY, os.W_OK | os.X_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return MEMORY


def _remove_left_over(root: Path) -> None:
    """Remove what killed runs left; a folder's name ends with the id of the process that made it."""
    for folder in root.glob(f"{PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(PREFIX)).exists():
            shutil.rmtree(folder, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder and name it in TMPDIR, which workers, browsers and all others follow."""
    root = find_scratch()
    if root is None or hasattr(config, "workerinput") or "TMPDIR" in os.environ:
        return
    _remove_left_over(root)
    folder = root / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o700)
    config.stash[_FOLDER] = folder
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # ask the environment again


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Move what failed tests left."""
    folder = config.stash.get(_FOLDER, None)
    if folder is None or not (terminalreporter.stats.get("failed") or terminalreporter.stats.get("error")):
        return
    os.environ.pop("TMPDIR")
    tempfile.tempdir = None
    kept = shutil.copytree(
        folder, Path(tempfile.gettempdir()) / folder.name, dirs_exist_ok=True, ignore=_what_is_no_file
    )
    terminalreporter.write_line(f"The folders of failed tests are kept in {kept}")


def _what_is_no_file(folder: str, names: list[str]) -> list[str]:
    """Return what can't be copied: sockets, and what is gone meanwhile."""
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Have the run's folder removed at the very end: forked programs keep theirs in it until then."""
    folder = config.stash.get(_FOLDER, None)
    if folder is not None:
        os.environ.pop("TMPDIR", None)
        tempfile.tempdir = None
        Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=-200)
