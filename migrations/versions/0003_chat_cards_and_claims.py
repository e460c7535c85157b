"""chat cards and claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_claims",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("platform_id", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "platform_id", name=op.f("pk_identity_claims")),
    )
    op.create_table(
        "card_copies",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("conversation", sa.String(length=255), server_default="", nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("shown", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_card_copies_request_id_requests")),
        sa.PrimaryKeyConstraint("channel", "place", name=op.f("pk_card_copies")),
    )
    with op.batch_alter_table("card_copies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_card_copies_request_id"), ["request_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("card_copies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_card_copies_request_id"))
    op.drop_table("card_copies")
    op.drop_table("identity_claims")
