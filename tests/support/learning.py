"""What engines learn is learnt once in a run: the same definition takes each process seconds of work.

Workers, and the programs that drills fork, look into one folder for what any of them has learnt. The engine names
its files by a digest of definition and code, so nothing old is ever taken for new.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.lex.engine import compiled, keeping

_compile_alone = compiled._compile
_MOST_ALONE = keeping._MOST_FILES


def shared_folder() -> Path:
    """Where all processes of this run keep what they learn: beside their other files, which go with the run."""
    return Path(tempfile.gettempdir()) / "learned"


def share() -> None:
    """Have this process take what others have learnt, and leave them what it learns."""
    compiled._compile = _compile_together


def _compile_together(bot: Any, canonical: bytes, folder: Path | None) -> Any:
    name = keeping.file_for(shared_folder(), canonical).name
    shared_folder().mkdir(exist_ok=True)
    with (shared_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second waits instead of learning the same
        keeping._MOST_FILES = 10_000
        try:
            done = _compile_alone(bot, canonical, shared_folder())
        finally:
            keeping._MOST_FILES = _MOST_ALONE
    if folder is not None:
        bring(folder, name)
    return done


def bring(folder: Path, pattern: str = "*.npz") -> None:
    """Put what is learnt already into a program's own folder, where it keeps it between its starts."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in shared_folder().glob(pattern):
        with suppress(FileExistsError):
            os.link(file, folder / file.name)


def pytest_configure(config: pytest.Config) -> None:
    """Share, unless this is somebody's own folder for temporary files, which other runs may use."""
    if shared_folder().parent.name.startswith("quartermaster-tests-"):
        share()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine as it is outside of tests."""
    monkeypatch.setattr(compiled, "_compile", _compile_alone)
