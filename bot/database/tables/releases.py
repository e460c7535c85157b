"""Where components run, and how far each roll-out has come."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from bot.database.tables.base import UtcDateTime, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("component", String(80), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(30), nullable=False),
    Column("tier", String(30), nullable=False),
    Column("tenants", Integer, nullable=False),
    Column("ring", String(60), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("open_hours", String(100), nullable=False),
    Column("pinned", String(80), nullable=False),
    Column("pipeline", String(100), nullable=False),
    Column("version", String(80), nullable=False),
    Column("commit_id", String(128), nullable=False),
    Column("execution", String(80), nullable=False),
    Column("released_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("codedeploy", String(500), nullable=False, server_default=""),
)
"""One row for each silo or pool of a component; `version`, `commit_id` and `execution` are of its last good release.
`codedeploy` is what CodeDeploy changes, as `bot.releases.codedeploy` writes it; empty where a pipeline does.

What has left the table that is master has `retired_at`: it is kept, and counts as none until it comes back.
"""

rollouts = Table(
    "rollouts",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("component", String(80), nullable=False, index=True),
    Column("version", String(80), nullable=False),
    Column("commit_id", String(128), nullable=False),
    Column("strategy", Text, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("wave", Integer, nullable=False),
    Column("waves", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("forgiven", Integer, nullable=False),
    Column("gates", JSON, nullable=False),
    Column("look_at", UtcDateTime),
    Column("started_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
"""One row for each roll-out that has begun; `forgiven` failures of the wave do not count against its budget."""

rollout_targets = Table(
    "rollout_targets",
    metadata,
    Column("request_id", ForeignKey("requests.id"), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(30), nullable=False),
    Column("open_hours", String(100), nullable=False),
    Column("pipeline", String(100), nullable=False),
    Column("tenants", Integer, nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("token", String(128), nullable=False),
    Column("execution", String(80), nullable=False),
    Column("before", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("seconds", Float),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("look_at", UtcDateTime),
    Column("shift", JSON),
    Index("ix_rollout_targets_request_id_wave_state", "request_id", "wave", "state"),
    Index("ix_rollout_targets_execution", "execution"),
    Index("ix_rollout_targets_state_look_at", "state", "look_at"),
)
"""One row for each deployment of a roll-out; `purpose` is "release" or "back", `before` what a way back leads to.

`shift` is what CodeDeploy was approved to change in it; empty where a pipeline does.
"""

component_locks = Table(
    "component_locks",
    metadata,
    Column("component", String(80), primary_key=True),
    Column("request_id", ForeignKey("requests.id"), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
)
"""Which roll-out has a component for itself; a lock whose request is over is free."""
