"""The record as files for others: JSON Lines, CSV and Parquet, written as it is read, however long it is."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson

FORMATS: Mapping[str, tuple[str, str]] = {
    "jsonl": ("JSON Lines", "application/jsonl"),
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
"""Names of the formats, for people, and their media types."""

COLUMNS = {
    "position": "BIGINT",
    "seq": "BIGINT",
    "at": "TIMESTAMPTZ",
    "kind": "VARCHAR",
    "person_id": "VARCHAR",
    "person": "VARCHAR",
    "request_id": "VARCHAR",
    "payload": "JSON",
    "salt": "VARCHAR",
    "payload_digest": "VARCHAR",
    "erased_at": "TIMESTAMPTZ",
    "hash": "VARCHAR",
}
"""Columns of the tables, and their types in Parquet; there a payload is JSON as text."""

PART = 64 * 1024
"""Bytes that are gathered before they are sent."""
MEMORY = "256MB"
"""What writing Parquet may use; the rest goes through a file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def written(name: str, entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Return the file of that format, in parts; KeyError for a format that there is not."""
    return {"jsonl": _json_lines, "csv": _csv, "parquet": _parquet}[name](entries)


async def _json_lines(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for entry in entries:
        gathered += orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        if len(gathered) >= PART:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


async def _csv(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    async for entry in entries:
        payload = orjson.dumps(entry["payload"]).decode() if entry["payload"] is not None else ""
        writer.writerow([_cell(payload if name == "payload" else entry[name]) for name in COLUMNS])
        if text.tell() >= PART:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cell(value: object) -> object:
    """Return a value as a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


async def _parquet(entries: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="quartermaster-") as folder:
        source, target = Path(folder) / "record.jsonl", Path(folder) / "record.parquet"
        with source.open("wb") as file:
            async for part in _json_lines(entries):
                await asyncio.to_thread(file.write, part)
        await asyncio.to_thread(_convert, source, target)
        with target.open("rb") as file:
            while part := await asyncio.to_thread(file.read, PART):
                yield part


def _convert(source: Path, target: Path) -> None:
    """Write a file of JSON lines as Parquet."""
    import duckdb  # loaded for this alone: it is large

    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    settings: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "memory_limit": MEMORY,
        "temp_directory": str(source.parent / "spill"),
        "threads": "1",
        "TimeZone": "UTC",
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        read = f"read_json({_quoted(source)}, format = 'newline_delimited', columns = {{{columns}}})"
        select = "SELECT * REPLACE (CAST(payload AS VARCHAR) AS payload)"
        connection.execute(f"COPY ({select} FROM {read}) TO {_quoted(target)} (FORMAT parquet, COMPRESSION zstd)")


def _quoted(path: Path) -> str:
    """Return a path as SQL writes a text."""
    return "'" + str(path).replace("'", "''") + "'"
