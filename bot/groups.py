"""Groups that are kept elsewhere: read in the background, kept with the moment of reading, dropped when too old.

Which groups count, and under which names, is said by directory.yml alone, by the ids that they have at their source:
whoever makes a group there, or calls one “operators”, gains nothing. What was read stands in the database, so that a
restart knows it and replicas ask a source once. While a source does not answer, its last answer counts for `keep`;
after that its groups are empty: what nobody can vouch for gives no right.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select

from bot.audit import Audit
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.directory import Directory
from bot.directory_file import GroupKey
from bot.errors import NotFound, QuartermasterError, SettingsError, Unavailable
from bot.rows import put

log = structlog.get_logger(__name__)

LIMIT = 120.0
"""Seconds that reading one group may take."""
TICK = 20.0
"""Seconds between two looks at what has grown old, or was changed in the directory's file."""


class GroupSource(Protocol):
    """Where groups are kept."""

    async def members(self, group: str) -> tuple[str, ...]:
        """Return the case-folded addresses of those who are in a group now, by its id there.

        Raises NotFound for a group that is no more (or may not be believed), and any other QuartermasterError when
        that can't be told at the moment.
        """
        ...


@dataclass(frozen=True)
class Reading:
    """Who was in a group, and when (by the wall clock) its source said so."""

    at: datetime
    members: tuple[str, ...]


class Groups:
    """Reads the groups that the directory says are kept elsewhere; `pace` and `keep` are in real time."""

    def __init__(
        self, database: Database, clock: Clock, audit: Audit, directory: Directory, *, pace: timedelta, keep: timedelta
    ) -> None:
        self._database, self._clock, self._audit, self._directory = database, clock, audit, directory
        self._pace, self._keep = pace, keep
        self._sources: dict[str, GroupSource] = {}
        self._known: dict[GroupKey, Reading] = {}
        self._faults: dict[GroupKey, str] = {}

    def connect(self, source: str, reader: GroupSource) -> None:
        """Read the groups of a source, as directory.yml calls it, by this."""
        self._sources[source] = reader

    def check(self) -> None:
        """Refuse a directory that names a source which is not connected; raises SettingsError."""
        for group in self._directory.groups_elsewhere:
            if group.kept_in not in self._sources:
                raise SettingsError(
                    f"directory.yml says that the group {group.name} is kept in {group.kept_in}, which is off.",
                    next_step="Give the settings of Slack for slack, those of Teams for entra, or take the entry out.",
                )

    @property
    def fault(self) -> str:
        """What is wrong with which group, and how old the answer is that counts instead; empty when all is well."""
        found = []
        for name, key in self._wanted():
            known, why = self._known.get(key), self._faults.get(key, "")
            if key[0] not in self._sources:
                found.append(f"{name}: {key[0]} is off, so nobody is in it")
            elif known is None:
                found.append(f"{name}: not read yet, so nobody is in it" + (f": {why}" if why else ""))
            elif why or self._age(known) >= self._keep:
                stands = "nobody is in it" if self._age(known) >= self._keep else "what was read then counts"
                found.append(f"{name}: read {_shown(self._age(known))} ago, {stands}" + (f": {why}" if why else ""))
        return "; ".join(found)

    async def run(self) -> None:
        """Refresh for ever."""
        while True:
            try:
                await self.refresh()
            except Exception:  # such as a database that is away: what is known stays, and grows old
                log.exception("groups.not_refreshed")
            await asyncio.sleep(min(TICK, self._pace.total_seconds()))

    async def load(self) -> None:
        """Take what was read before, by this process or another; asks no source."""
        self._known = await self._stored({key for _, key in self._wanted()})
        self._apply()

    async def refresh(self, *, is_forced: bool = False) -> None:
        """Take what was read elsewhere, and read what is older than the pace; all of it when forced."""
        wanted = list(dict.fromkeys(key for _, key in self._wanted() if key[0] in self._sources))
        self._faults = {key: why for key, why in self._faults.items() if key in wanted}
        if not wanted:
            self._known = {}
            self._apply()
            return
        await self.load()
        silent: set[str] = set()
        for key in wanted:
            known = self._known.get(key)
            is_due = known is None or self._age(known) >= self._pace or is_forced
            if is_due and key[0] not in silent and not await self._read(key):
                silent.add(key[0])
        self._apply()

    async def _read(self, key: GroupKey) -> bool:
        """Read one group; tell whether its source can be asked about more."""
        source, group = key
        try:
            async with asyncio.timeout(LIMIT):
                members = tuple(sorted(set(await self._sources[source].members(group))))
        except NotFound as error:
            self._faults[key] = error.detail
            members = ()
        except (QuartermasterError, TimeoutError) as error:
            self._faults[key] = error.detail if isinstance(error, QuartermasterError) else "it took too long"
            log.warning("groups.not_read", source=source, group=group, error=self._faults[key])
            return not isinstance(error, Unavailable | TimeoutError)
        else:
            self._faults.pop(key, None)
        await self._store(key, Reading(self._clock.wall(), members))
        return True

    def _wanted(self) -> Iterable[tuple[str, GroupKey]]:
        return [(group.name, group.key) for group in self._directory.groups_elsewhere]

    def _age(self, reading: Reading) -> timedelta:
        return self._clock.wall() - reading.at

    def _apply(self) -> None:
        fresh = {key: reading.members for key, reading in self._known.items() if self._age(reading) < self._keep}
        self._directory.take_members(fresh)

    async def _stored(self, keys: Iterable[GroupKey]) -> dict[GroupKey, Reading]:
        found: dict[GroupKey, Reading] = {}
        wanted = set(keys)
        if not wanted:
            return found
        async with self._database.read() as connection:
            names = [_row_of(source) for source in sorted({key[0] for key in wanted})]
            query = select(keepsakes).where(keepsakes.c.name.in_(names))
            for row in (await connection.execute(query)).all():
                found |= _readings(row.name, row.value)
        return {key: reading for key, reading in found.items() if key in wanted}

    async def _store(self, key: GroupKey, reading: Reading) -> None:
        """Keep what was read, with who came and went in the audit; of two replicas' readings the newer one stands."""
        source, group = key
        wanted = {other for _, other in self._wanted()}

        async def work(transaction: Transaction) -> Reading:
            query = select(keepsakes.c.value).where(keepsakes.c.name == _row_of(source))
            row = (await transaction.execute(query.with_for_update())).scalar_one_or_none()
            stored = _readings(_row_of(source), row) if row else {}
            before = stored.get(key)
            if before is not None and before.at >= reading.at:
                return before
            joined = sorted(set(reading.members) - set(before.members if before else ()))
            left = sorted(set(before.members if before else ()) - set(reading.members))
            stored[key] = reading
            kept = {k[1]: {"at": r.at.isoformat(), "members": r.members} for k, r in stored.items() if k in wanted}
            await put(transaction, keepsakes, {"name": _row_of(source), "value": json.dumps(kept)}, on=["name"])
            if joined or left:
                payload = {"source": source, "group": group, "joined": joined, "left": left}
                await self._audit.record(transaction, "group.changed", payload=payload)
            return reading

        self._known[key] = await self._database.write(work)


def _row_of(source: str) -> str:
    return f"groups:{source}"


def _readings(name: str, value: str) -> dict[GroupKey, Reading]:
    told: Mapping[str, Any] = json.loads(value)
    source = name.removeprefix("groups:")
    return {
        (source, group): Reading(datetime.fromisoformat(one["at"]), tuple(one["members"]))
        for group, one in told.items()
    }


def _shown(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
