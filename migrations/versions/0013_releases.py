"""Deployments, roll-outs with what became of each of their targets, and components that one of them has for itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "deployments",
        sa.Column("component", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=30), nullable=False),
        sa.Column("tier", sa.String(length=30), nullable=False),
        sa.Column("tenants", sa.Integer(), nullable=False),
        sa.Column("ring", sa.String(length=60), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("open_hours", sa.String(length=100), nullable=False),
        sa.Column("pinned", sa.String(length=80), nullable=False),
        sa.Column("pipeline", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("commit_id", sa.String(length=128), nullable=False),
        sa.Column("execution", sa.String(length=80), nullable=False),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("component", "key", name=op.f("pk_deployments")),
    )
    op.create_table(
        "rollouts",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("component", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("commit_id", sa.String(length=128), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("waves", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("forgiven", sa.Integer(), nullable=False),
        sa.Column("gates", sa.JSON(), nullable=False),
        sa.Column("look_at", MOMENT, nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_rollouts_request_id_requests")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_rollouts")),
    )
    op.create_index("ix_rollouts_component", "rollouts", ["component"])
    op.create_table(
        "rollout_targets",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=30), nullable=False),
        sa.Column("open_hours", sa.String(length=100), nullable=False),
        sa.Column("pipeline", sa.String(length=100), nullable=False),
        sa.Column("tenants", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("token", sa.String(length=128), nullable=False),
        sa.Column("execution", sa.String(length=80), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("look_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_rollout_targets_request_id_requests")),
        sa.PrimaryKeyConstraint("request_id", "key", name=op.f("pk_rollout_targets")),
    )
    op.create_index("ix_rollout_targets_request_id_wave_state", "rollout_targets", ["request_id", "wave", "state"])
    op.create_index("ix_rollout_targets_execution", "rollout_targets", ["execution"])
    op.create_index("ix_rollout_targets_state_look_at", "rollout_targets", ["state", "look_at"])
    op.create_table(
        "component_locks",
        sa.Column("component", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("taken_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_component_locks_request_id_requests")),
        sa.PrimaryKeyConstraint("component", name=op.f("pk_component_locks")),
    )


def downgrade() -> None:
    """Take back."""
    for name in ("component_locks", "rollout_targets", "rollouts", "deployments"):
        op.drop_table(name)
