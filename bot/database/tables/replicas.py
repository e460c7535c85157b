"""What replicas share beside their work."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Integer, String, Table, Text

from bot.database.tables.base import UtcDateTime, metadata

leases = Table(
    "leases",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("load", Float, nullable=False, server_default="0"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer),
    Column("body", JSON),
    Column("created_at", UtcDateTime, nullable=False),
)

keepsakes = Table(
    "keepsakes",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values that every replica shares, such as the key that signs console sessions."""

# The next three are read and written by slack-sdk's stores, so their columns are named as it wants them, and its
# moments are naive UTC. Tokens are kept sealed, which makes them longer.
