"""The record in the console: each reads what they may, and takes it away in files that others can check."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from bot.database import Transaction
from tests.console.stage import Stage
from tests.core.test_audit_commands import follow_the_chain


@pytest.fixture
async def kept(stage: Stage) -> Stage:
    """A record of two people's."""

    async def work(transaction: Transaction) -> None:
        for name, kind in (("ana", "request.placed"), ("bo", "approval.approve"), ("bo", "step.failed")):
            person = await stage.services.people.with_email(f"{name}@corp.example")
            payload = {"words": f"=HYPERLINK(1) of {name}"}
            assert person
            await stage.services.audit.record(
                transaction, kind, person_id=person.id, request_id="qm-22222222", payload=payload
            )

    for name in ("ana", "bo"):
        await stage.person(f"{name}@corp.example")
    await stage.services.database.write(work)
    await stage.services.audit.seal()
    return stage


async def test_people_read_about_themselves_and_operators_about_all(kept: Stage) -> None:
    async with kept.visitor() as ana:
        mine = (await ana.see("/audit")).text
        assert "HYPERLINK(1) of ana" in mine
        assert "of bo" not in mine
        assert (await ana.get("/audit?person=bo@corp.example")).status_code == 403
        await ana.become("olga@corp.example")
        for query, there, not_there in (
            ("", "of bo", "nothing"),
            ("?person=bo@corp.example", "of bo", "of ana"),
            ("?kind=approval", "<strong>approval.approve", "<strong>step.failed"),
            ("?kind=step.failed", "<strong>step.failed", "<strong>approval.approve"),
            ("?request=22222222", "of ana", "nothing"),
            ("?since=2026-03-02&until=2026-03-02", "of ana", "nothing"),
            ("?until=2026-03-01", "Nothing matches", "of ana"),
        ):
            page = (await ana.get(f"/audit{query}")).text
            assert there in page, query
            assert not_there not in page, query
        for query in ("?since=yesterday", "?cursor=x", "?until=2026-02-30"):
            assert (await ana.get(f"/audit{query}")).status_code == 422


async def test_takes_the_record_away_and_says_so_in_it(kept: Stage, tmp_path: Path) -> None:
    async with kept.visitor() as olga:
        await olga.become("olga@corp.example")
        await olga.see("/audit")
        lines = await olga.submit("/audit/export", format="jsonl")
        rows = [json.loads(line) for line in lines.text.splitlines()]
        follow_the_chain(rows)
        assert [r["kind"] for r in rows] == ["request.placed", "approval.approve", "step.failed", "audit.exported"]
        cells = list(csv.DictReader(io.StringIO((await olga.submit("/audit/export", format="csv")).text)))
        assert json.loads(cells[0]["payload"]) == rows[0]["payload"]
        file = tmp_path / "record.parquet"
        file.write_bytes((await olga.submit("/audit/export", format="parquet", person="bo@corp.example")).content)
        with duckdb.connect() as connection:
            found = connection.sql(f"SELECT kind, payload, hash, seq FROM '{file}' ORDER BY seq").fetchall()
        assert [(f[0], json.loads(f[1]), f[2]) for f in found] == [
            (r["kind"], r["payload"], r["hash"]) for r in rows[1:3]
        ]
        assert (await olga.submit("/audit/export", format="xlsx")).status_code == 422
    newest = (await kept.services.audit.list()).items[0]
    assert newest["payload"] == {"format": "parquet", "filters": {"person": "bo@corp.example"}}


async def test_takes_away_no_more_than_one_may_read(kept: Stage) -> None:
    async with kept.visitor() as ana:
        await ana.see("/audit")
        assert (await ana.submit("/audit/export", format="jsonl", person="bo@corp.example")).status_code == 403
        mine = (await ana.submit("/audit/export", format="jsonl")).text
    assert "of ana" in mine
    assert "of bo" not in mine


async def test_a_cell_is_never_a_formula(kept: Stage) -> None:
    async def work(transaction: Transaction) -> None:
        await kept.services.audit.record(transaction, "=cmd|' /C calc'!A0", payload=None)

    await kept.services.database.write(work)
    async with kept.visitor() as olga:
        await olga.become("olga@corp.example")
        await olga.see("/audit")
        cells = list(csv.DictReader(io.StringIO((await olga.submit("/audit/export", format="csv")).text)))
    assert "'=cmd|' /C calc'!A0" in [cell["kind"] for cell in cells]
    assert not [value for cell in cells for value in cell.values() if value.startswith(("=", "+", "-", "@"))]
