"""What an approval looks like to those who were asked, read from the rows as they stand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person
from bot.clock import Clock
from bot.database import Database
from bot.database.tables import approval_tokens, approvals
from bot.errors import Conflict, Gone, NotFound
from bot.requests import STATE_WORDS, RequestRecord, Requests

Status = Literal["open", "decided", "expired", "superseded", "withdrawn"]


@dataclass(frozen=True)
class ApprovalView:
    """One approver's view of one request version, as it stands."""

    request: RequestRecord
    approver: str
    status: Status
    decision: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    expires_at: datetime | None
    version: int


class ApprovalViews:
    """Reads views; changes nothing."""

    def __init__(self, database: Database, clock: Clock, requests: Requests) -> None:
        self._database, self._clock, self._requests = database, clock, requests

    async def of_token(self, connection: AsyncConnection, token: str) -> ApprovalView | None:
        """Return what a token stands for, None when it is not ours."""
        found = (
            await connection.execute(
                select(approval_tokens.c.approval_id).where(approval_tokens.c.hash == hash_of(token))
            )
        ).first()
        return await self.of(connection, approvals.c.id == found.approval_id) if found else None

    async def of(self, connection: AsyncConnection, condition: Any) -> ApprovalView | None:
        """Return the approval that fits the condition on its row, None when there is none."""
        row = (await connection.execute(select(approvals).where(condition))).first()
        if row is None:
            return None
        record = await self._requests.read(connection, row.request_id)
        if record is None:
            return None
        decided = (
            await connection.execute(
                select(approvals).where(
                    approvals.c.request_id == record.id,
                    approvals.c.version == row.version,
                    approvals.c.decision.is_not(None),
                )
            )
        ).first()
        return ApprovalView(
            request=record,
            approver=row.approver,
            status=status_of(record, row.version, decided is not None, self._clock.now()),
            decision=decided.decision if decided else "",
            decided_by=decided.approver if decided else "",
            decided_at=decided.decided_at if decided else None,
            reason=(decided.reason or "") if decided else "",
            expires_at=record.expires_at,
            version=row.version,
        )

    async def decided(self, request_id: str, version: int, by: Person) -> ApprovalView:
        """Return what somebody has decided; raises NotFound."""
        async with self._database.read() as connection:
            condition = (
                (approvals.c.request_id == request_id)
                & (approvals.c.version == version)
                & (approvals.c.approver == by.email)
            )
            view = await self.of(connection, condition)
        if view is None:
            raise unknown()
        return view


def status_of(record: RequestRecord, version: int, is_decided: bool, now: datetime) -> Status:
    """Return how a version of a request stands for those who were asked about it."""
    if is_decided:
        return "decided"
    if record.version != version:
        return "superseded"
    if record.state == "expired":
        return "expired"
    if record.state == "cancelled":
        return "withdrawn"
    if record.state != "awaiting_approval":
        return "decided"
    if record.expires_at is not None and record.expires_at <= now:
        return "expired"
    return "open"


def require_open(record: RequestRecord, version: int, now: datetime) -> None:
    """Raise Gone (superseded, expired, withdrawn) or Conflict (decided) unless the version waits for a decision."""
    status = status_of(record, version, record.version == version and record.state not in _UNDECIDED, now)
    if status == "superseded":
        raise Gone("The plan has changed since this was asked.", next_step="Look for the newer approval request.")
    if status == "expired":
        raise Gone(f"The time to decide request {record.id} is over.", next_step="The requester can ask again.")
    if status == "withdrawn":
        raise Gone(f"Request {record.id} was cancelled by its requester.")
    if status == "decided":
        raise Conflict(f"Request {record.id} is decided already: it is {STATE_WORDS[record.state]}.")


_UNDECIDED = ("awaiting_approval", "expired", "cancelled")


def unknown() -> NotFound:
    """Return what is raised for a token that we never sent."""
    return NotFound("This link is not one of ours.", next_step="Copy the whole link from the mail.")


def hash_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
