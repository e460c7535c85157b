"""Who said that somebody is away, where it was not that person.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; all rows so far were named by those who were away."""
    with op.batch_alter_table("delegations") as table:
        table.add_column(sa.Column("named_by", sa.String(length=320), nullable=False, server_default=""))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("delegations") as table:
        table.drop_column("named_by")
