"""What comes again by itself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from bot.database.tables.base import UtcDateTime, metadata

schedules = Table(
    "schedules",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("recurrence", String(200), nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
"""Each was approved with the request that made it, whose plan says what comes again; `last` tells of the last time."""

Index("ix_schedules_due", schedules.c.kind, schedules.c.next_at)
