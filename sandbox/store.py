"""What survives a kill -9: named JSON documents in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from sandbox.errors import SandboxError

# A predecessor that is about to end may still hold the file.
_PATIENCE_SECONDS = 1.0


class UnusableState(SandboxError):
    """The state can't be read, or another sandbox is at it."""


class Store(Protocol):
    """Keeps JSON documents by name; `save` returns once the document would survive the process's death."""

    def load(self, name: str) -> Any:
        """The document last saved under that name, or None."""

    def save(self, name: str, document: Any) -> None:
        """Replace the document as a whole."""

    def load_all(self, prefix: str) -> dict[str, Any]:
        """The documents whose names begin so, by name."""

    def save_all(self, documents: Mapping[str, Any]) -> None:
        """Replace documents by name, all or none; None removes one."""

    def close(self) -> None:
        """Let go of the file."""


class Forgetful:
    """Keeps nothing: every start begins with the seed."""

    def load(self, name: str) -> Any:
        """Nothing is ever there."""
        return None

    def save(self, name: str, document: Any) -> None:
        """Nothing is kept."""

    def load_all(self, prefix: str) -> dict[str, Any]:
        """Nothing is ever there."""
        return {}

    def save_all(self, documents: Mapping[str, Any]) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing to let go of."""


class SqliteStore:
    """Documents in an SQLite file (WAL), each replaced in one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE_SECONDS, check_same_thread=False, isolation_level=None
        )
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise UnusableState(
                f"{path} can't be used: {error}. Another sandbox may be using it; if not, remove it."
            ) from error

    def _prepare(self) -> None:
        # Two sandboxes on one file would overwrite each other's landing zone.
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing that was committed; only a dying machine could.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, body TEXT NOT NULL)")

    def load(self, name: str) -> Any:
        """The document last saved under that name, or None."""
        with self._lock:
            row = self._connection.execute("SELECT body FROM documents WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def save(self, name: str, document: Any) -> None:
        """Replace the document as a whole, durably against the process's death."""
        self.save_all({name: document})

    def load_all(self, prefix: str) -> dict[str, Any]:
        """The documents whose names begin so, by name."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, body FROM documents WHERE name >= ? AND name < ?", (prefix, prefix + "\U0010ffff")
            ).fetchall()
        return {name: json.loads(body) for name, body in rows}

    def save_all(self, documents: Mapping[str, Any]) -> None:
        """Replace documents by name in one transaction; None removes one."""
        kept = [(name, to_json(document)) for name, document in documents.items() if document is not None]
        gone = [(name,) for name, document in documents.items() if document is None]
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                self._connection.executemany(
                    "INSERT INTO documents (name, body) VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                    kept,
                )
                self._connection.executemany("DELETE FROM documents WHERE name = ?", gone)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def to_json(document: Any) -> str:
    """A document of plain values and records as JSON."""
    return json.dumps(document, separators=(",", ":"), default=_members_of)


def _members_of(record: Any) -> dict[str, Any]:
    """A record's members; those with slots have no `__dict__`."""
    slots = getattr(record, "__slots__", None)
    return vars(record) if slots is None else {name: getattr(record, name) for name in slots}
