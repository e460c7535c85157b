"""One process a SQLite database: a second one is refused rather than left to fight over it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.errors import SettingsError


class ProcessLock:
    """Holds a lock file beside the database; freed by the operating system when the process ends, however it ends."""

    def __init__(self, database: Path | None) -> None:
        self._path = database.with_suffix(".lock") if database else None
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock; raises SettingsError when another process has it."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise SettingsError(
                f"Another Quartermaster already uses the database beside {self._path}.",
                next_step="Stop it, set VAR_DIR to another folder, or use PostgreSQL for several replicas.",
            ) from error
        self._file = descriptor

    def release(self) -> None:
        """Free the lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
