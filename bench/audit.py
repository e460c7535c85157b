"""Verifying a long record: rows made as the bot makes them, then checked by `verify_record`."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bot.audit.chain import GENESIS, chained, payload_digest
from bot.audit.verifying import verify_record
from bot.clock import iso
from bot.database.migrating import sync_url
from bot.database.tables import metadata

ROWS = 1_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def measure_verifying(folder: Path, rows: int = ROWS) -> float:
    """Return the seconds that verifying so many rows takes, on SQLite."""
    file = folder / "record.sqlite"
    url = f"sqlite:///{file}"
    engine = create_engine(sync_url(url))
    metadata.create_all(engine)
    engine.dispose()
    fill(file, rows)
    begun = time.perf_counter()
    found = verify_record(url)
    seconds = time.perf_counter() - begun
    assert (found.sealed, found.fault) == (rows, ""), found
    return seconds


def fill(file: Path, rows: int) -> None:
    """Write a chain of so many rows, with payloads like those of decisions and steps."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=MEMORY")
    connection.execute("PRAGMA foreign_keys=OFF")
    head = (0, GENESIS)
    for batch in _batches(rows):
        connection.executemany("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?)", [entry for entry, _ in batch])
        connection.executemany("INSERT INTO audit_payloads VALUES (?,?,?,NULL)", [payload for _, payload in batch])
        connection.commit()
        head = (batch[-1][0][0], batch[-1][0][7])
    connection.execute("INSERT INTO audit_head VALUES (1,?,?)", head)
    connection.commit()
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _batches(rows: int, size: int = 50_000) -> Iterator[list[tuple[tuple[Any, ...], tuple[Any, ...]]]]:
    previous, batch = GENESIS, []
    for seq in range(1, rows + 1):
        moment = START + timedelta(seconds=seq)
        salt = hashlib.md5(str(seq).encode(), usedforsecurity=False).hexdigest()
        payload = {
            "version": 1,
            "digest": salt + salt,
            "reason": "For the team’s demo “Orchid”, until March" if seq % 3 else "",
            "surface": "console",
            "aws_request_ids": [salt, salt[::-1]],
        }
        digest = payload_digest(salt, payload)
        kind, person, request = "approval.approve", f"p_{seq % 5000:016x}", f"qm-{seq % 300_000:08d}"
        previous = chained(previous, seq, seq, iso(moment), kind, person, request, digest)
        at = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
        batch.append(((seq, at, kind, person, request, digest, seq, previous), (seq, salt, json.dumps(payload))))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


if __name__ == "__main__":
    # A run of its own with as many rows as one likes: python -m bench.audit 10000000
    with tempfile.TemporaryDirectory() as where:
        count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
        print(f"{count:,} rows verified in {measure_verifying(Path(where), count):.1f} s")
