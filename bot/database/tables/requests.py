"""What is asked for, approved and carried out."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from bot.database.tables.base import BigSerial, UtcDateTime, metadata

requests = Table(
    "requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("intent", String(100), nullable=False),
    Column("state", String(30), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("conversation", String(255), nullable=False),
    Column("parent_id", String(40)),
    Column("tier", String(30), nullable=False),
    Column("slots", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("outcome", JSON),
    Column("expires_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_requests_created_at_id", "created_at", "id"),
    Index("ix_requests_person_id_created_at", "person_id", "created_at"),
    Index("ix_requests_state_created_at_id", "state", "created_at", "id"),
    Index("ix_requests_intent_created_at_id", "intent", "created_at", "id"),
    Index("ix_requests_state_intent_created_at_id", "state", "intent", "created_at", "id"),
)

touched = Table(
    "touched",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_touched_kind_resource", "kind", "resource"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("approver", String(320), nullable=False),
    Column("decision", String(10)),
    Column("reason", Text),
    Column("surface", String(40)),
    Column("policy", String(200)),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("in_place_of", String(320)),
    UniqueConstraint("request_id", "version", "approver"),
    Index(
        "ix_approvals_open_by_approver",
        "approver",
        "request_id",
        sqlite_where=text("decision IS NULL"),
        postgresql_where=text("decision IS NULL"),
    ),
)
"""One row for each who was asked or has decided; `in_place_of` names for whom they stand in, null for themselves."""

delegations = Table(
    "delegations",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("approver", String(320), nullable=False, index=True),
    Column("delegate", String(320), nullable=False, index=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("named_by", String(320), nullable=False, server_default=""),
)
"""Who is away from when to when, and who stands in; `delegate` is empty where nobody does.

`named_by` is who said so, empty where it was the absent person.
"""

broken_glass = Table(
    "broken_glass",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("by", String(320), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reviewed_by", String(320)),
    Column("reviewed_at", UtcDateTime),
    Column("verdict", Text),
)
"""Requests that went on without their approvals, and the review that each of them needs afterwards."""

approval_tokens = Table(
    "approval_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("approval_id", ForeignKey("approvals.id"), nullable=False, index=True),
    Column("minted_at", UtcDateTime, nullable=False),
)
"""One row for each mail sent: a token exists in clear only in the mail itself."""

steps = Table(
    "steps",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("aws_request_ids", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("request_id", "name"),
)

waits = Table(
    "waits",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("kind", String(60), nullable=False),
    Column("key", String(255), nullable=False),
    Column("segment", String(60), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("noticed", Boolean, nullable=False),
    Column("done_at", UtcDateTime),
    Index("ix_waits_done_at_due_at", "done_at", "due_at"),
)
