"""The record."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from bot.database.tables.base import BigSerial, UtcDateTime, metadata

audit = Table(
    "audit",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", String(60), nullable=False),
    Column("person_id", String(40), nullable=False),
    Column("request_id", String(40), nullable=False),
    Column("payload_digest", String(64), nullable=False),
    Column("position", BigInteger, unique=True),
    Column("hash", String(64)),
    Index("ix_audit_person_id_seq", "person_id", "seq"),
    Index("ix_audit_request_id_seq", "request_id", "seq"),
    Index("ix_audit_kind_seq", "kind", "seq"),
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("seq", ForeignKey("audit.seq"), primary_key=True),
    Column("salt", String(32), nullable=False),
    Column("payload", JSON),
    Column("erased_at", UtcDateTime),
    Index(
        "ix_audit_payloads_kept",
        "seq",
        sqlite_where=text("erased_at IS NULL"),
        postgresql_where=text("erased_at IS NULL"),
    ),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_holds = Table(
    "audit_holds",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("request_id", String(40), nullable=False),
    Column("person_id", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("lifted_at", UtcDateTime),
)
"""Legal holds: on one request, on all about one person, or (both empty) on everything."""
