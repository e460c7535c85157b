"""Deployments that have left the table that is master are marked, and kept.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was retired so far."""
    with op.batch_alter_table("deployments") as table:
        table.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take it back, and with it what was retired: that would count again."""
    op.execute("DELETE FROM deployments WHERE retired_at IS NOT NULL")
    with op.batch_alter_table("deployments") as table:
        table.drop_column("retired_at")
