"""Deployments that CodeDeploy changes, and what of them each roll-out was approved for.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; all deployments so far have pipelines."""
    with op.batch_alter_table("deployments") as table:
        table.add_column(sa.Column("codedeploy", sa.String(length=500), nullable=False, server_default=""))
    with op.batch_alter_table("rollout_targets") as table:
        table.add_column(sa.Column("shift", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take them back, and with them what has no pipeline: it would be taken to have one."""
    op.execute("DELETE FROM deployments WHERE codedeploy <> ''")
    with op.batch_alter_table("rollout_targets") as table:
        table.drop_column("shift")
    with op.batch_alter_table("deployments") as table:
        table.drop_column("codedeploy")
