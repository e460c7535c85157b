"""Slack's streamed answers and home tabs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "slack_streams",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("ts", sa.String(length=40), nullable=False),
        sa.Column("replica", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_slack_streams")),
    )
    op.create_table(
        "slack_homes",
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=100), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_slack_homes_person_id_people")),
        sa.PrimaryKeyConstraint("team", "user", name=op.f("pk_slack_homes")),
    )
    with op.batch_alter_table("slack_homes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slack_homes_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("slack_homes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slack_homes_person_id"))
    op.drop_table("slack_homes")
    op.drop_table("slack_streams")
