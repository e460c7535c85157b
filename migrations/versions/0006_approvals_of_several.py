"""Delegates, fresh sign-ins, broken glass, and who is asked in whose place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("in_place_of", sa.String(length=320), nullable=True))
    op.create_table(
        "delegations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("approver", sa.String(length=320), nullable=False),
        sa.Column("delegate", sa.String(length=320), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    with op.batch_alter_table("delegations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delegations_approver"), ["approver"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegations_delegate"), ["delegate"], unique=False)
    op.create_table(
        "fresh_sign_ins",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acr", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_fresh_sign_ins_person_id_people")),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_fresh_sign_ins")),
    )
    op.create_table(
        "broken_glass",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.String(length=320), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_broken_glass_request_id_requests")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_broken_glass")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("broken_glass")
    op.drop_table("fresh_sign_ins")
    with op.batch_alter_table("delegations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delegations_delegate"))
        batch_op.drop_index(batch_op.f("ix_delegations_approver"))
    op.drop_table("delegations")
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.drop_column("in_place_of")
