"""Following a table that is master: the registry becomes what the table says, in one transaction; ours stays ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import component_locks, deployments, keepsakes, requests
from bot.releases.registry import Deployments, deployment_of
from bot.releases.table import Followed, Known, Reading, compare, is_in_place
from bot.releases.waves import Deployment
from bot.requests import OPEN_STATES
from bot.rows import put

KEEPSAKE = "deployment-table"
"""When which table was last followed, and which of its records were not taken."""


class Master:
    """Writes what a table says into the registry, and remembers when it did."""

    def __init__(self, database: Database, clock: Clock, audit: Audit, registry: Deployments) -> None:
        self._database, self._clock, self._audit, self._registry = database, clock, audit, registry

    async def follow(self, table: str, reading: Reading, by: Person | None, *, surface: str) -> Followed:
        """Make the registry follow a reading, and return what changed; one older than the last does nothing."""

        async def work(transaction: Transaction) -> Followed:
            last = await _last(transaction)
            # Never more than now: a clock that was put back must not hold the registry up.
            newest = min(datetime.fromisoformat(last["begun"]), self._clock.now()) if last else reading.begun_at
            if last and last["table"] == table and newest > reading.begun_at:
                return Followed(table, reading.begun_at, len(reading.taken), wrong=reading.wrong)
            known = await _known(transaction)
            found = compare(table, reading, known, await _held(transaction))
            before = {(k.deployment.component, k.deployment.key): k.deployment for k in known}
            for one in found.added:
                await self._registry.add(transaction, one)
            for one in (*found.moved, *found.returned):
                await self._place(transaction, one, before[one.component, one.key])
            for one in found.retired:
                await self._set(transaction, one, {"retired_at": self._clock.now()})
            wrong = [list(entry) for entry in found.wrong]
            if found.has_changed or wrong != (last or {}).get("wrong", []):
                await self._record(transaction, found, by, surface)
            kept = {"table": table, "begun": reading.begun_at.isoformat(), "wrong": wrong}
            await put(transaction, keepsakes, {"name": KEEPSAKE, "value": json.dumps(kept)}, on=["name"])
            return found

        return await self._database.write(work)

    async def last(self) -> tuple[str, datetime, list[tuple[str, str]]] | None:
        """Return which table was last followed and when, and what was not taken; None when none was yet."""
        async with self._database.read() as connection:
            query = select(keepsakes.c.value).where(keepsakes.c.name == KEEPSAKE)
            value = (await connection.execute(query)).scalar_one_or_none()
        if value is None:
            return None
        kept = json.loads(value)
        return kept["table"], datetime.fromisoformat(kept["begun"]), [(n, w) for n, w in kept["wrong"]]

    async def _place(self, transaction: Transaction, one: Deployment, before: Deployment) -> None:
        values: dict[str, Any] = {"account": one.account, "region": one.region, "retired_at": None}
        if not is_in_place(one, before):
            # What ran in the old place says nothing of the new one: the next roll-out must not leave it out.
            values |= {"version": "", "commit_id": "", "execution": "", "released_at": None}
        await self._set(transaction, one, values)

    async def _set(self, transaction: Transaction, one: Deployment, values: dict[str, Any]) -> None:
        mine = (deployments.c.component == one.component, deployments.c.key == one.key)
        await transaction.execute(update(deployments).where(*mine).values(changed_at=self._clock.now(), **values))

    async def _record(self, transaction: Transaction, found: Followed, by: Person | None, surface: str) -> None:
        payload: dict[str, Any] = {"table": found.table, "surface": surface, "not_taken": [n for n, _ in found.wrong]}
        for name in ("added", "moved", "returned", "retired"):
            payload[name] = _shown(getattr(found, name))
        if by:
            payload["by"] = by.email
        await self._audit.record(transaction, "deployments.followed", person_id=by.id if by else "", payload=payload)


def _shown(found: Sequence[Deployment]) -> list[str]:
    return [f"{d.component}/{d.key} {d.account} {d.region}" for d in found]


async def _last(transaction: Transaction) -> dict[str, Any] | None:
    query = select(keepsakes.c.value).where(keepsakes.c.name == KEEPSAKE)
    value = (await transaction.execute(query)).scalar_one_or_none()
    return json.loads(value) if value is not None else None


async def _known(transaction: Transaction) -> list[Known]:
    rows = (await transaction.execute(select(deployments))).all()
    return [Known(deployment_of(row), row.retired_at is not None) for row in rows]


async def _held(transaction: Transaction) -> dict[str, str]:
    query = (
        select(component_locks.c.component, component_locks.c.request_id)
        .join(requests, requests.c.id == component_locks.c.request_id)
        .where(requests.c.state.in_(OPEN_STATES))
    )
    return {row.component: row.request_id for row in (await transaction.execute(query)).all()}
