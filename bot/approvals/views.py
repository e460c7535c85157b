"""What an approval looks like to those who were asked, read from the rows as they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
    in_place_of: str = ""
    """For whom the approver stands in; empty for themselves."""
    page: str = ""
    """Where to decide after a fresh sign-in, if one is asked for: the link alone decides nothing then."""


class ApprovalViews:
    """Reads views; changes nothing."""

    def __init__(self, database: Database, clock: Clock, requests: Requests, console_url: str = "") -> None:
        self._database, self._clock, self._requests = database, clock, requests
        self._console_url = console_url

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
        of_version = (
            approvals.c.request_id == record.id,
            approvals.c.version == row.version,
            approvals.c.decision.is_not(None),
        )
        by_time = select(approvals).where(*of_version).order_by(approvals.c.decided_at, approvals.c.approver)
        rows = (await connection.execute(by_time)).all()
        seat = row.in_place_of or row.approver
        own = next((r for r in rows if seat in (r.approver, r.in_place_of) or r.approver == row.approver), None)
        # While others are still to decide, only the own decision stands; afterwards the one that ended it.
        decided = own if record.state == "awaiting_approval" else (_ending(rows) if rows else None)
        needs_sign_in = any(part.get("sign_in") for part in record.notes.get("requirement", ()))
        return ApprovalView(
            request=record,
            approver=row.approver,
            status=status_of(record, row.version, decided is not None, self._clock.now()),
            decision=decided.decision if decided else "",
            decided_by=_names(rows) if decided and decided is not own else decided.approver if decided else "",
            decided_at=decided.decided_at if decided else None,
            reason=(decided.reason or "") if decided else "",
            expires_at=record.expires_at,
            version=row.version,
            in_place_of=row.in_place_of or "",
            page=f"{self._console_url.rstrip('/')}/requests/{record.id}" if needs_sign_in else "",
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


def require_open(record: RequestRecord, version: int, now: datetime, decided: str = "") -> None:
    """Raise Gone (superseded, expired, withdrawn) or Conflict (decided) unless the version waits for a decision.

    `decided` tells who was first.
    """
    status = status_of(record, version, record.version == version and record.state not in _UNDECIDED, now)
    if status == "superseded":
        raise Gone("The plan has changed since it was approved.", next_step="Look for the newer approval request.")
    if status == "expired":
        raise Gone(f"The time to decide request {record.id} is over.", next_step="The requester can ask again.")
    if status == "withdrawn":
        raise Gone(f"Request {record.id} was cancelled by its requester.")
    if status == "decided":
        raise Conflict(f"Request {record.id} is decided already: {decided}it is {STATE_WORDS[record.state]}.")


_UNDECIDED = ("awaiting_approval", "expired", "cancelled")


def who_decided(rows: Sequence[Any]) -> str:
    """Return who was first and when, as the beginning of a sentence; empty when nobody has decided."""
    if not rows:
        return ""
    last = _ending(rows)
    done = "approved" if last.decision == "approve" else "rejected"
    return f"{_names(rows)} {done} it on {last.decided_at:%Y-%m-%d at %H:%M} UTC, and "


def _ending(rows: Sequence[Any]) -> Any:
    """Return the decision that ended it: a rejection, else the last approval."""
    return next((r for r in rows if r.decision == "reject"), rows[-1])


def _names(rows: Sequence[Any]) -> str:
    last = _ending(rows)
    return " and ".join(r.approver for r in rows) if last.decision == "approve" else str(last.approver)


def unknown() -> NotFound:
    """Return what is raised for a token that we never sent."""
    return NotFound("This link is not one of ours.", next_step="Copy the whole link from the mail.")


def hash_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
