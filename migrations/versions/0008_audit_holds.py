"""Legal holds, and the payloads of the record that are still there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_holds",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_holds")),
    )
    kept = sa.text("erased_at IS NULL")
    op.create_index("ix_audit_payloads_kept", "audit_payloads", ["seq"], sqlite_where=kept, postgresql_where=kept)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_audit_payloads_kept", table_name="audit_payloads")
    op.drop_table("audit_holds")
