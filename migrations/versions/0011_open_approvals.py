"""What waits for one approver, found without looking through all that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAME = "ix_approvals_open_by_approver"


def upgrade() -> None:
    """Apply."""
    undecided = sa.text("decision IS NULL")
    op.create_index(NAME, "approvals", ["approver", "request_id"], sqlite_where=undecided, postgresql_where=undecided)


def downgrade() -> None:
    """Take back."""
    op.drop_index(NAME, table_name="approvals")
