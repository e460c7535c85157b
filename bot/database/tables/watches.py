"""What rooms are told of the bot's own accord."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, String, Table, Text

from bot.database.tables.base import UtcDateTime, metadata

watches = Table(
    "watches",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("room", String(255), nullable=False, index=True),
    Column("room_name", String(200), nullable=False),
    Column("words", Text, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("quiet", JSON),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
"""What is told of the bot's own accord: where (a conversation's id), about what, and when it keeps quiet."""

standing_cards = Table(
    "standing_cards",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("room", String(255), nullable=False),
    Column("thread", String(255), nullable=False, server_default=""),
    Column("place", String(255), nullable=False, server_default=""),
    Column("shown", String(64), nullable=False, server_default=""),
    Column("state", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Cards about what goes on by itself; the message of that notice is the card, `thread` the conversation below it."""

mutes = Table(
    "mutes",
    metadata,
    Column("room", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
"""What a room does not want to hear of for a while."""

held_news = Table(
    "held_news",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("watch_id", ForeignKey("watches.id"), nullable=False, index=True),
    Column("subject", String(255), nullable=False),
    Column("words", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)
"""What was held back in quiet hours and while it was muted, until it is told as a summary."""
