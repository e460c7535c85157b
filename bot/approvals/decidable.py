"""What a person could decide now, asked of one request or of many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import select

from bot.activity import Person
from bot.approvals.deciding import Deciding, require_undecided
from bot.approvals.delegations import Delegation
from bot.approvals.office import Office
from bot.approvals.views import require_open, who_decided
from bot.database.tables import approvals
from bot.errors import QuartermasterError
from bot.requests import RequestRecord


class Decidable:
    """Asks the policies; changes nothing. A fresh sign-in is not asked for here."""

    def __init__(self, office: Office, deciding: Deciding) -> None:
        self._office, self._deciding = office, deciding

    async def among(
        self, records: Sequence[RequestRecord], person: Person, *, surface: str = "console"
    ) -> AsyncIterator[RequestRecord]:
        """Yield those of these requests that the person could decide, in their order.

        The database is asked twice, however many there are; policies are asked for one after the other, only as far
        as the caller reads.
        """
        taken, stands_in = await self._read(records, person)
        for record in records:
            rows = [row for row in taken.get(record.id, ()) if row.version == record.version]
            is_open = record.state == "awaiting_approval"
            if is_open and not self._why_not(record, record.version, person, surface, rows, stands_in):
                yield record
            await asyncio.sleep(0)  # policies are decided on the event loop: let others have their turn

    async def why_not(self, record: RequestRecord, version: int, person: Person, surface: str) -> str:
        """Return why the person can't decide that version of a request, for them to read; empty when they can."""
        taken, stands_in = await self._read((record,), person)
        rows = [row for row in taken.get(record.id, ()) if row.version == version]
        return self._why_not(record, version, person, surface, rows, stands_in)

    async def _read(
        self, records: Sequence[RequestRecord], person: Person
    ) -> tuple[dict[str, list[Any]], Sequence[Delegation]]:
        """Return the decisions about the requests, of all their versions, and for whom the person stands in."""
        about = approvals.c.request_id.in_([record.id for record in records])
        query = select(approvals).where(about, approvals.c.decision.is_not(None))
        taken: dict[str, list[Any]] = {}
        async with self._office.database.read() as connection:
            for row in await connection.execute(query.order_by(approvals.c.decided_at, approvals.c.approver)):
                taken.setdefault(row.request_id, []).append(row)
            return taken, await self._office.delegations.standing_in(connection, person.email)

    def _why_not(
        self,
        record: RequestRecord,
        version: int,
        person: Person,
        surface: str,
        rows: Sequence[Any],
        stands_in: Sequence[Delegation],
    ) -> str:
        try:
            require_open(record, version, self._office.clock.now(), who_decided(rows))
            require_undecided(rows, person)
            self._deciding.judged(record, person, surface, stands_in)[0].require()
        except QuartermasterError as error:
            return error.sentence()
        return ""
