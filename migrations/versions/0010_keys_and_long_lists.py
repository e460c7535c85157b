"""People's own keys, and indexes by which long lists are filtered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Columns = tuple[str, ...]

NEW: tuple[tuple[str, Columns], ...] = (
    ("requests", ("state", "created_at", "id")),
    ("requests", ("intent", "created_at", "id")),
    ("requests", ("state", "intent", "created_at", "id")),
    ("audit", ("person_id", "seq")),
    ("audit", ("request_id", "seq")),
    ("audit", ("kind", "seq")),
)
OLD: tuple[tuple[str, Columns], ...] = (("requests", ("state",)), ("audit", ("person_id",)), ("audit", ("request_id",)))
"""What the new ones begin with, and so replace."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("begins", sa.String(length=12), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_api_keys_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_index("ix_api_keys_person_id", "api_keys", ["person_id"])
    for table, columns in NEW:
        op.create_index(_name(table, columns), table, list(columns))
    for table, columns in OLD:
        op.drop_index(_name(table, columns), table_name=table)


def downgrade() -> None:
    """Take back."""
    for table, columns in OLD:
        op.create_index(_name(table, columns), table, list(columns))
    for table, columns in NEW:
        op.drop_index(_name(table, columns), table_name=table)
    op.drop_table("api_keys")


def _name(table: str, columns: Columns) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
