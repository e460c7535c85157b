"""Which requests wait for a person's decision: those they were mailed, and those that policy lets them decide.

Policies are asked request by request, so one page looks at a bounded number of requests and the next page
goes on from there: nothing is ever left out, however many wait.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.activity import Person
from bot.paging import Page, encode_cursor
from bot.requests import Filter, RequestRecord
from bot.services import Services

LOOKED_AT = 100
"""Requests for which one page asks the policies (0.3 ms each)."""
AWAITING = "awaiting_approval"


class Waiting:
    """Finds what a person could decide now."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def page(self, person: Person, wanted: Filter) -> Page[RequestRecord]:
        """Return requests newest first that match the filter and wait for the person. Raises Invalid (cursor).

        A page may be shorter than `wanted.limit` and still have a cursor, when many wait for others only.
        What the person was mailed is shown however many of those are newer, and then once more in its place.
        """
        if wanted.state and AWAITING not in wanted.state:
            return Page((), "")
        mailed = await self._services.requests.list(replace(wanted, waits_for=person.email))
        among = await self._services.requests.list(replace(wanted, state=(AWAITING,), limit=LOOKED_AT))
        found: list[RequestRecord] = []
        go_on = [page.items[-1] for page in (mailed, among) if page.next_cursor]
        records = sorted({r.id: r for r in (*mailed.items, *among.items)}.values(), key=_place, reverse=True)
        async for record in self._services.approvals.decidable(records, person):
            if len(found) == wanted.limit:
                go_on.append(found[-1])
                break
            found.append(record)
        return Page(tuple(found), _cursor_after(max(go_on, key=_place)) if go_on else "")


def _place(record: RequestRecord) -> tuple[datetime, str]:
    """Return where a request stands in lists."""
    return record.created_at, record.id


def _cursor_after(record: RequestRecord) -> str:
    """Return the cursor with which `Requests.list` goes on after a request."""
    return encode_cursor(record.created_at.isoformat(), record.id)
