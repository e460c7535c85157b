"""Pipelines and their executions as plain records; times are seconds since the epoch on the simulated clock.

Ten thousand of them are cheap: what many pipelines share is one `Structure`, ids of what an execution does are reckoned
from its own (see `sandbox.delivery.ids`), and only what has begun is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TERMINAL = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
"""Statuses of an execution that only a retry of a stage ends."""


@dataclass(slots=True)
class Pipeline:
    """A pipeline; `structures` are the digests of its versions, of which the last is the current one.

    `values` fill the placeholders of a structure that many pipelines share. `seconds` is what an execution may take,
    `failing` how likely one fails, and both are drawn from `seed`. `disabled` are the transitions into stages that are
    shut, `holders` which execution is in a stage, `waiting` which wait for it, and `latest` which was last there.
    `stack` is the stack that a failed execution left behind.
    """

    key: str
    name: str
    account_id: str
    region: str
    structures: list[str]
    created_at: float
    updated_at: float
    values: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=lambda: [180.0, 1_200.0])
    failing: float = 0.0
    seed: int = 0
    begun: int = 0
    executions: list[str] = field(default_factory=list)
    disabled: dict[str, dict[str, Any]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    stack: str = ""

    @property
    def version(self) -> int:
        """The number of the current structure."""
        return len(self.structures)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:codepipeline:{self.region}:{self.account_id}:{self.name}"


@dataclass(slots=True)
class ActionRun:
    """One try of an action; `due` is when it ends by itself, None for as long as it waits for somebody."""

    stage: int
    action: int
    attempt: int
    started_at: float
    updated_at: float
    due: float | None
    status: str = "InProgress"
    summary: str = ""
    code: str = ""
    message: str = ""
    by: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Execution:
    """One run of a pipeline: `stages` are the statuses of those entered, by name, and `runs` all tries of its actions.

    `seconds` is what its timed actions take together. `doom` is what is going to fail, and how. A rollback has a
    `target` and runs one stage only.
    """

    id: str
    pipeline: str
    number: int
    version: int
    mode: str
    trigger: str
    trigger_detail: str
    started_at: float
    updated_at: float
    seconds: float
    stage: int = 0
    status: str = "InProgress"
    summary: str = ""
    token: str = ""
    is_waiting: bool = False
    due: float | None = None
    stages: dict[str, str] = field(default_factory=dict)
    entered: dict[str, float] = field(default_factory=dict)
    runs: list[ActionRun] = field(default_factory=list)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    doom: dict[str, Any] = field(default_factory=dict)
    target: str = ""
    stop_reason: str | None = None
    is_abandoned: bool = False


@dataclass(slots=True)
class Commit:
    """A commit of a repository."""

    id: str
    parent: str
    message: str
    author: str
    email: str
    at: float


@dataclass(slots=True)
class Repository:
    """A CodeCommit repository: commits by id, and where its branches and tags point."""

    key: str
    name: str
    account_id: str
    region: str
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def revive_execution(document: dict[str, Any]) -> Execution:
    """An execution from its document."""
    return Execution(**{**document, "runs": [ActionRun(**run) for run in document["runs"]]})


def revive_repository(document: dict[str, Any]) -> Repository:
    """A repository from its document."""
    commits = {key: Commit(**commit) for key, commit in document["commits"].items()}
    return Repository(**{**document, "commits": commits})
