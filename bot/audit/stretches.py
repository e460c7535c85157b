"""Verifying the chain: every row is hashed again, in stretches that several processes share.

A stretch is checked against the stored hash before it, which the stretch before checks in turn; so together they
check the whole. Rows that are sealed change in one way only, by having their payload erased, so the stretches need
not see the same moment of the database: which erasures are accounted for is asked last.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from typing import Any

import orjson
from sqlalchemy import Connection, create_engine

from bot.audit.chain import GENESIS, chained, payload_digest
from bot.clock import iso
from bot.database.migrating import sync_url

BATCH = 5_000
"""Rows that are read at once."""
STRETCH = 100_000
"""Rows that one process checks in one go."""
ALONE = 200_000
"""Rows up to which starting further processes costs more than it saves."""

_ROWS = """
SELECT a.position, a.seq, a.at, a.kind, a.person_id, a.request_id, a.payload_digest, a.hash,
       p.salt, {payload}, p.erased_at
FROM audit a LEFT JOIN audit_payloads p ON p.seq = a.seq
WHERE a.position > {low} AND a.position <= {high} ORDER BY a.position
"""


@dataclass(frozen=True)
class Stretch:
    """What was found between two positions: up to `position` all is intact; `fault` says what is wrong after it."""

    position: int
    fault: str = ""
    erased: tuple[tuple[int, int], ...] = ()
    """(seq, position) of rows whose payload is erased."""


def verify_rows(url: str, last: int) -> Iterator[Stretch]:
    """Yield what is found in the stretches up to position `last`, in order, until one has a fault.

    Raises SQLAlchemy's DBAPIError when there is no record to read.
    """
    bounds = [(low, min(low + STRETCH, last)) for low in range(0, last, STRETCH)]
    if last <= ALONE:
        for low, high in bounds:
            found = check_stretch(url, low, high)
            yield found
            if found.fault:
                return
        return
    # Started afresh, not forked: this process has threads and open connections.
    workers = min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(check_stretch, url, low, high) for low, high in bounds]
        try:
            for future in futures:
                found = future.result()
                yield found
                if found.fault:
                    return
        finally:
            for future in futures:
                future.cancel()


def check_stretch(url: str, low: int, high: int) -> Stretch:
    """Return what is found after position `low`, up to `high`; whatever should be there and is not is a fault."""
    with connect(url) as connection:
        previous = GENESIS if low == 0 else _hash_at(connection, low)
        if previous is None:
            return Stretch(low - 1, f"row at position {low} is missing")
        position = low
        erased: list[tuple[int, int]] = []
        while position < high:
            rows = _rows(connection, position, min(position + BATCH, high))
            if not rows:
                return Stretch(position, f"row at position {position + 1} is missing", tuple(erased))
            for row in rows:
                fault = _fault_of(row, position + 1, previous)
                if fault:
                    return Stretch(position, fault, tuple(erased))
                position, previous = row[0], row[7]
                if row[10] is not None:
                    erased.append((row[1], position))
    return Stretch(position, "", tuple(erased))


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """Give a connection of its own, closed at the end of the block."""
    engine = create_engine(sync_url(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _hash_at(connection: Connection, position: int) -> str | None:
    found = connection.exec_driver_sql(f"SELECT hash FROM audit WHERE position = {position:d}").scalar()  # noqa: S608
    return found if isinstance(found, str) else None


def _rows(connection: Connection, low: int, high: int) -> Sequence[Any]:
    """Return rows as the driver gives them: what SQLAlchemy would make of them costs more than all else here."""
    payload = "p.payload" if connection.dialect.name == "sqlite" else "p.payload::text"
    result = connection.exec_driver_sql(_ROWS.format(payload=payload, low=int(low), high=int(high)))
    rows: Sequence[Any] = result.cursor.fetchall()
    return rows


def _fault_of(row: Sequence[Any], position: int, previous: str) -> str:
    """Return what is wrong with the row that should stand at a position after the hash `previous`; "" if nothing."""
    found, seq, at, kind, person_id, request_id, digest, stored, salt, payload, erased_at = row
    if found != position:
        return f"row at position {position} is missing"
    moment = _moment(at)
    if stored != _fast_hash(previous, position, seq, moment, kind, person_id, request_id, digest) and stored != chained(
        previous, position, seq, moment, kind, person_id, request_id, digest
    ):
        return f"row {seq} at position {position} was changed or moved"
    if erased_at is not None:
        intact = payload is None or payload == "null"  # erased is erased: nothing may stand there in its place
    else:
        intact = salt is not None and _is_intact(salt, payload, digest)
    return "" if intact else f"payload of row {seq} at position {position} was changed"


def _fast_hash(
    previous: str, position: int, seq: int, at: str, kind: str, person_id: str, request_id: str, digest: str
) -> str:
    """Return the hash of a row whose texts need no escaping in JSON, as nearly all; "" for another."""
    text = (
        f'{{"at":"{at}","kind":"{kind}","payload_digest":"{digest}","person_id":"{person_id}",'
        f'"position":{position},"request_id":"{request_id}","seq":{seq}}}'
    )
    if text.count('"') != 24 or "\\" in text:
        return ""
    return hashlib.sha256(f"{previous}{text}".encode("utf-8", "replace")).hexdigest()


def _is_intact(salt: str, payload: str | None, digest: str) -> bool:
    """Tell whether a payload, as the database writes it, has that digest.

    orjson writes nearly all values as `canonical` does, four times as fast; a digest that fits proves that it did.
    """
    if payload is None:
        return payload_digest(salt, None) == digest
    try:
        written = orjson.dumps(orjson.loads(payload), option=orjson.OPT_SORT_KEYS)
        if hashlib.sha256(salt.encode() + written).hexdigest() == digest:
            return True
    except (TypeError, ValueError):
        pass
    try:
        return payload_digest(salt, json.loads(payload)) == digest
    except (ValueError, UnicodeError):
        return False


def _moment(at: datetime | str) -> str:
    """Return a row's moment as `iso` writes it; SQLite gives "2026-03-01 08:00:00.000000", always UTC."""
    if isinstance(at, str):
        return f"{at[:10]}T{at[11:23]}Z" if len(at) == 26 else f"{at[:10]}T{at[11:19]}.000Z"
    return iso(at) or ""
