"""Who among the replicas does what only one may do, and who of them is alive. Counts in wall time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import leases, replicas
from bot.rows import insert_new, put

HOLD = timedelta(seconds=8)
RENEW = timedelta(seconds=2)
DEAD = timedelta(seconds=10)
"""Silence after which a replica counts as dead."""


class Lease:
    """One named right, held by at most one replica at a time."""

    def __init__(self, database: Database, clock: Clock, name: str, replica: str) -> None:
        self._database, self._clock, self._name, self._replica = database, clock, name, replica
        self._asked_at = datetime.min.replace(tzinfo=clock.wall().tzinfo)
        self._held = False

    async def held(self) -> bool:
        """Take or renew the lease; tell whether it is ours. Asks the database every two seconds at most."""
        now = self._clock.wall()
        if now - self._asked_at < RENEW:
            return self._held

        async def work(transaction: Transaction) -> bool:
            row = {"name": self._name, "owner": self._replica, "until": now + HOLD}
            if await insert_new(transaction, leases, row, on=["name"]):
                return True
            result = await transaction.execute(
                update(leases)
                .where(leases.c.name == self._name, or_(leases.c.owner == self._replica, leases.c.until < now))
                .values(owner=self._replica, until=now + HOLD)
            )
            return bool(result.rowcount == 1)

        self._held = await self._database.write(work)
        self._asked_at = now
        return self._held

    async def confirm(self, transaction: Transaction) -> bool:
        """Tell whether the lease is ours, and keep it from others until the transaction ends."""
        mine = (leases.c.name == self._name, leases.c.owner == self._replica)
        result = await transaction.execute(update(leases).where(*mine).values(owner=self._replica))
        return bool(result.rowcount == 1)

    async def release(self) -> None:
        """Give the lease up at once, so that another replica need not wait for it to lapse."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(
                delete(leases).where(leases.c.name == self._name, leases.c.owner == self._replica)
            )

        await self._database.write(work)
        self._held = False


class Replicas:
    """Heartbeats."""

    def __init__(self, database: Database, clock: Clock, replica: str) -> None:
        self._database, self._clock, self._replica = database, clock, replica

    async def beat(self) -> None:
        """Say that this replica is alive."""

        async def work(transaction: Transaction) -> None:
            await put(transaction, replicas, {"id": self._replica, "seen_at": self._clock.wall()}, on=["id"])

        await self._database.write(work)

    async def living(self) -> set[str]:
        """Return the ids of replicas heard of lately, this one included."""
        since = self._clock.wall() - DEAD
        async with self._database.read() as connection:
            rows = (await connection.execute(select(replicas.c.id).where(replicas.c.seen_at >= since))).all()
        return {r.id for r in rows} | {self._replica}

    async def leave(self) -> None:
        """Say good-bye, so that others take over at once."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(replicas).where(replicas.c.id == self._replica))

        await self._database.write(work)

    async def bury_all_others(self) -> None:
        """Forget all other replicas and leases: for SQLite at start, where this process is the only one."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(replicas).where(replicas.c.id != self._replica))
            await transaction.execute(delete(leases).where(leases.c.owner != self._replica))

        await self._database.write(work)
