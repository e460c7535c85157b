"""What comes again by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "schedules",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("recurrence", sa.String(length=200), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("last", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_schedules_request_id_requests")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_schedules")),
    )
    op.create_index("ix_schedules_due", "schedules", ["kind", "next_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("schedules")
