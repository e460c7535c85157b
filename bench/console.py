"""The console's lists with a million requests: each way of asking, and whole pages, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
from sqlalchemy import create_engine

from adapters.console.overview import Overview
from bench.policy import many_policies
from bot.audit import Audit
from bot.clock import SystemClock
from bot.conversations import Conversations
from bot.database import Database
from bot.database.migrating import sync_url
from bot.database.tables import metadata
from bot.directory import Directory
from bot.plan import Plan
from bot.policy import Policy
from bot.requests import Filter, Requests
from bot.requests.record import STATES
from bot.services import Services
from bot.signals import Signals
from tests.approvals.desk import Desk
from tests.support.postgres import own_cluster

ROWS = 1_000_000
PEOPLE = 5_000
INTENTS = ("AWSAccountVending", "MoveAccount", "UpdateAccount", "RenewAccount", "CloseAccount", "ProductOrder")
START = datetime(2023, 1, 1, tzinfo=UTC)
PAGE = 25
TIMES = 9
PLAN = json.dumps(Plan("AWSAccountVending", "Sandbox account", {}, (("Account type", "Sandbox"),)).as_dict())
APPROVERS = json.dumps({"approvers": ["approver@corp.example"]})
COLUMNS = (
    "id, intent, state, person_id, owner, conversation, tier, slots, plan, digest, version, notes, "
    "created_at, updated_at"
)

EVERYBODY = Filter(limit=PAGE)
MIDDLE = START + timedelta(seconds=45 * ROWS // 2)
WAYS: tuple[tuple[str, Filter], ...] = (
    ("newest", EVERYBODY),
    ("by state, common", replace(EVERYBODY, state=("succeeded",))),
    ("by state, rare", replace(EVERYBODY, state=("awaiting_approval",))),
    ("by kind", replace(EVERYBODY, intent="CloseAccount")),
    ("by kind and state, rare", replace(EVERYBODY, intent="CloseAccount", state=("failed",))),
    ("by person", replace(EVERYBODY, requester="person42@corp.example")),
    ("by person and state", replace(EVERYBODY, requester="person42@corp.example", state=("failed",))),
    ("by account", replace(EVERYBODY, account="000000004242")),
    ("by account and kind", replace(EVERYBODY, account="000000004242", intent="MoveAccount")),
    ("by time", replace(EVERYBODY, since=MIDDLE, until=MIDDLE + timedelta(days=1))),
    ("by time and state, rare", replace(EVERYBODY, until=MIDDLE, state=("failed",))),
    ("a person's own", replace(EVERYBODY, person_id="p_42")),
    ("waiting for an approver", replace(EVERYBODY, waits_for="approver@corp.example")),
    ("nothing found", replace(EVERYBODY, requester="nobody@corp.example", state=("failed",), intent="MoveAccount")),
)
"""What the page's filters ask for, and their combinations."""


def measure_lists(rows: int = ROWS) -> list[tuple[str, str]]:
    """Return (title, figure) of each database: the slowest way's median, and which it was."""
    found: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'lists.sqlite'}"
        _fill_sqlite(url, rows)
        found += _figures(url, rows, "SQLite")
    with own_cluster() as url:
        if url:
            _fill_postgres(url, rows)
            found += _figures(url, rows, "PostgreSQL")
    return found


def _figures(url: str, rows: int, name: str) -> list[tuple[str, str]]:
    return [
        (f"a page of {rows:,} requests, slowest way, {name}", _slowest(url, _times)),
        (f"a page of {rows:,} requests with policies asked for each row, slowest, {name}", _slowest(url, _page_times)),
    ]


def _slowest(url: str, measure: Callable[[str], Coroutine[Any, Any, dict[str, float]]]) -> str:
    times = asyncio.run(measure(url))
    name = max(times, key=lambda way: times[way])
    if os.environ.get("BENCH_ALL"):
        for way, seconds in times.items():
            print(f"  {way}: {seconds * 1000:.1f} ms")
    return f"{times[name] * 1000:.0f} ms ({name})"


async def _page_times(url: str) -> dict[str, float]:
    """Return the median seconds of whole pages: the query, and the policies asked for each row that it may show."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), "", {"people": []}, database_url=url, approvers=("approver@corp.example",))
        many = "\n".join(many_policies())
        (desk.policies / "many.cedar").write_text(many, encoding="utf-8")
        desk.open_again()
        await desk.database.start()
        services = cast(Services, SimpleNamespace(**vars(desk)))
        overview, person = Overview(services), await desk.person("approver")
        stranger = await desk.person("person42")

        async def everybody() -> None:
            overview.sees_all(person)
            overview.visible(person, (await desk.requests.list(EVERYBODY)).items)

        pages: dict[str, Callable[[], Awaitable[object]]] = {
            "everybody's": everybody,
            "waiting, all for the person": lambda: overview.waiting.page(person, EVERYBODY),
            "waiting, none for the person": lambda: overview.waiting.page(stranger, EVERYBODY),
            "overview": lambda: overview.going(person),
        }
        times: dict[str, float] = {}
        for name, page in pages.items():
            taken = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                await page()
                taken.append(time.perf_counter() - begun)
            times[name] = sorted(taken)[TIMES // 2]
        await desk.database.close()
    return times


async def _times(url: str) -> dict[str, float]:
    """Return each way's median seconds for a first page, and for one that a cursor leads to."""
    database, clock = Database(url), SystemClock()
    await database.start()
    audit = Audit(database, clock)
    policy = Policy(Path("policies"), Directory(Path("directory.yml"), ()))
    requests = Requests(database, clock, audit, Conversations(database, clock, Signals()), policy)
    times: dict[str, float] = {}
    for name, wanted in WAYS:
        page = await requests.list(wanted)
        for title, asked in ((name, wanted), (f"{name}, older", replace(wanted, cursor=page.next_cursor))):
            taken = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                await requests.list(asked)
                taken.append(time.perf_counter() - begun)
            times[title] = sorted(taken)[TIMES // 2]
    await database.close()
    return times


def _rows(rows: int) -> Iterator[tuple[Any, ...]]:
    """Yield rows of requests: most are done, a few wait, some failed; each of an account of twenty thousand."""
    chance = random.Random(7)
    rare = [s for s in STATES if s not in ("succeeded", "awaiting_approval")]
    for number in range(rows):
        state = "succeeded" if chance.random() < 0.95 else chance.choice(rare)
        if rows - number < 400:
            state = "awaiting_approval"
        at = START + timedelta(seconds=45 * number)
        person = f"p_{chance.randrange(PEOPLE)}"
        intent = chance.choices(INTENTS, (50, 10, 20, 15, 1, 4))[0]
        notes = APPROVERS if state == "awaiting_approval" else "{}"
        yield f"qm-{number:08d}", intent, state, person, "", "c", "standard", "{}", PLAN, "d", 1, notes, at, at


def _people() -> Iterator[tuple[str, str, datetime]]:
    for number in range(PEOPLE):
        yield f"p_{number}", f"person{number}@corp.example", START


def _make(url: str) -> None:
    engine = create_engine(sync_url(url))
    metadata.create_all(engine)
    engine.dispose()


def _fill_sqlite(url: str, rows: int) -> None:
    _make(url)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous=OFF")

    def said(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(v.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(v, datetime) else v for v in row)

    connection.executemany("INSERT INTO people (id, email, created_at) VALUES (?,?,?)", map(said, _people()))
    marks = ",".join("?" * 14)
    connection.executemany(f"INSERT INTO requests ({COLUMNS}) VALUES ({marks})", map(said, _rows(rows)))  # noqa: S608
    connection.execute(
        "INSERT INTO touched SELECT id, 'account', printf('%012d', CAST(substr(id, 4) AS INTEGER) % 20000), created_at "
        "FROM requests"
    )
    connection.execute(
        "INSERT INTO approvals (id, request_id, version, approver, asked_at) "
        "SELECT 'ap_' || id, id, 1, 'approver@corp.example', created_at FROM requests WHERE state='awaiting_approval'"
    )
    connection.commit()
    connection.close()


def _fill_postgres(url: str, rows: int) -> None:
    _make(url)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY people (id, email, created_at) FROM STDIN") as copy:
            for person in _people():
                copy.write_row(person)
        with cursor.copy(f"COPY requests ({COLUMNS}) FROM STDIN") as copy:
            for row in _rows(rows):
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO touched SELECT id, 'account', lpad((substr(id, 4)::int % 20000)::text, 12, '0'), created_at "
            "FROM requests"
        )
        cursor.execute(
            "INSERT INTO approvals (id, request_id, version, approver, asked_at) SELECT 'ap_' || id, id, 1, "
            "'approver@corp.example', created_at FROM requests WHERE state = 'awaiting_approval'"
        )
        connection.commit()
        connection.autocommit = True
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    for title, figure in measure_lists(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS):
        print(f"{title}: {figure}")
