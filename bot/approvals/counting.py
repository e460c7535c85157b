"""What has been decided about a version, whose places that took, and whose approval would still add something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.approvals.office import Office, Whom
from bot.database.tables import approvals
from bot.requests import RequestRecord


async def decided_rows(connection: AsyncConnection, request_id: str, version: int) -> Sequence[Any]:
    """Return the decisions about one version, in their order."""
    query = select(approvals).where(
        approvals.c.request_id == request_id, approvals.c.version == version, approvals.c.decision.is_not(None)
    )
    return (await connection.execute(query.order_by(approvals.c.decided_at, approvals.c.approver))).all()


def seat_of(row: Any) -> str:
    """Return whose place a decision took."""
    return str(row.in_place_of or row.approver)


def holders_of(office: Office, record: RequestRecord, whom: Whom, rows: Sequence[Any]) -> list[tuple[str, ...]]:
    """Return the names under which those count who approved; not who was asked and would not be today."""
    asked = record.subject.approvers
    seats = [seat_of(row) for row in rows if row.decision == "approve"]
    return [office.holder(seat) for seat in seats if seat in whom.approvers or seat not in asked]


async def undecided_rows(connection: AsyncConnection, office: Office, record: RequestRecord) -> list[Any]:
    """Return the rows of those who were asked, have not decided, would be asked today, and would add something.

    Whose approval counts only where no seat is left, whichever place they took, would be asked again in vain.
    """
    mine = (approvals.c.request_id == record.id, approvals.c.version == record.version)
    query = select(approvals).where(*mine, approvals.c.decision.is_(None))
    whom = office.whom_of(record)
    rows = [row for row in (await connection.execute(query)).all() if seat_of(row) in whom.approvers]
    decided = await decided_rows(connection, record.id, record.version)
    taken = {seat_of(row) for row in decided}
    holders = holders_of(office, record, whom, decided)
    before = whom.requirement.unfilled(holders)
    if not before:
        return rows  # anybody's approval ends it
    helpful = []
    for row in rows:
        stood_in_for = [d.approver for d in await office.delegations.standing_in(connection, row.approver)]
        seats = {row.approver, seat_of(row), *(seat for seat in stood_in_for if seat in whom.approvers)} - taken
        if any(whom.requirement.unfilled([*holders, office.holder(seat)]) < before for seat in seats):
            helpful.append(row)
    return helpful
