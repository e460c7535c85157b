"""Watches, standing cards, mutes, and what is held back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "watches",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("room", sa.String(length=255), nullable=False),
        sa.Column("room_name", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("quiet", sa.JSON(), nullable=True),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_watches_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
    )
    with op.batch_alter_table("watches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watches_room"), ["room"], unique=False)
    op.create_table(
        "standing_cards",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("room", sa.String(length=255), nullable=False),
        sa.Column("thread", sa.String(length=255), server_default="", nullable=False),
        sa.Column("place", sa.String(length=255), server_default="", nullable=False),
        sa.Column("shown", sa.String(length=64), server_default="", nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_standing_cards")),
    )
    op.create_table(
        "mutes",
        sa.Column("room", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_mutes_person_id_people")),
        sa.PrimaryKeyConstraint("room", "subject", name=op.f("pk_mutes")),
    )
    op.create_table(
        "held_news",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("watch_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["watch_id"], ["watches.id"], name=op.f("fk_held_news_watch_id_watches")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_held_news")),
    )
    with op.batch_alter_table("held_news", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_held_news_watch_id"), ["watch_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    for table in ("held_news", "mutes", "standing_cards", "watches"):
        op.drop_table(table)
