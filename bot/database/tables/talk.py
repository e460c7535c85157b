"""What comes in, what is said, and what goes out."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from bot.database.tables.base import BigSerial, UtcDateTime, metadata

inbox = Table(
    "inbox",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("conversation", String(255), nullable=False),
    Column("body", JSON, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("owner", String(64)),
    Column("leased_until", UtcDateTime),
    Column("done_at", UtcDateTime),
    Column("request_id", String(40)),
    Column("error", Text),
    Index("ix_inbox_undone", "done_at", "leased_until"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("address", JSON, nullable=False),
    Column("person_id", String(40), nullable=False, server_default=""),
    Column("updated_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("conversation", String(255), primary_key=True),
    Column("person_id", String(40), primary_key=True),
    Column("state", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("conversation", String(255), nullable=False),
    Column("role", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("card", JSON),
    Column("inbox_key", String(255)),
    Column("request_id", String(40)),
    Column("notice", String(255), unique=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_messages_conversation_seq", "conversation", "seq"),
    Index("ix_messages_inbox_key", "inbox_key"),
)

card_copies = Table(
    "card_copies",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("place", String(255), primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False, index=True),
    Column("conversation", String(255), nullable=False, server_default=""),
    Column("audience", String(20), nullable=False),
    Column("said", Text, nullable=False, server_default=""),
    Column("shown", String(64), nullable=False, server_default=""),
)
"""Where copies of a request's card stand on a channel that updates them in place; `shown` is a digest of the newest."""

_UNFINISHED = text("sent_at IS NULL AND given_up_at IS NULL")

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigSerial, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("channel", String(40), nullable=False),
    Column("pace", String(255), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(64)),
    Column("leased_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("given_up_at", UtcDateTime),
    Column("error", Text),
    Index("ix_outbox_unfinished", "pace", "seq", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
)

misses = Table(
    "misses",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("sealed", Text, nullable=False),
)
"""Sentences that were not understood, masked and sealed; gone after 30 days."""
