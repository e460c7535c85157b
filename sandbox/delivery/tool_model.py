"""Builds, changes of stacks and deployments as plain records; times are seconds since the epoch, simulated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Project:
    """A CodeBuild project; what the API declared of it stands in `declared`."""

    key: str
    name: str
    account_id: str
    region: str
    created_at: float
    updated_at: float
    declared: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    begun: int = 0


@dataclass(slots=True)
class Build:
    """A build that somebody started (those of pipelines are reckoned from the pipelines' runs); `due` is its end."""

    id: str
    project: str
    number: int
    started_at: float
    seconds: float
    due: float | None
    initiator: str
    status: str = "IN_PROGRESS"
    ended_at: float | None = None
    problem: str = ""
    source_version: str = ""
    token: str = ""
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class StackLife:
    """What happens to a CloudFormation stack; what it made is the landing zone's `Stack` and its resources.

    `template` and `parameters` are what it is on its way to, `good_template` and `good_parameters` what it came from.
    `steps` are the resources' changes under way: logical id, type, physical id, change and status each. `doom` is the
    resource that is going to fail, and why. `events` are times, logical and physical ids, types, statuses and reasons.
    """

    id: str
    kind: str
    template: str
    parameters: dict[str, str]
    good_template: str = ""
    good_parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    on_failure: str = "ROLLBACK"
    steps: list[dict[str, str]] = field(default_factory=list)
    doom: dict[str, str] = field(default_factory=dict)
    due: float | None = None
    token: str = ""
    reason: str = ""
    events: list[list[Any]] = field(default_factory=list)
    statuses: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Application:
    """A CodeDeploy application, with its deployment groups as the API declared them.

    `tags` are those of each group by its name, and the application's own under "".
    """

    key: str
    name: str
    account_id: str
    region: str
    platform: str
    created_at: float
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Function:
    """A Lambda function's published versions: of each its number, its description, and when it was published."""

    key: str
    name: str
    account_id: str
    region: str
    versions: list[list[Any]] = field(default_factory=list)


@dataclass(slots=True)
class TaskDefinition:
    """A revision of a family of ECS task definitions."""

    key: str
    family: str
    revision: int
    account_id: str
    region: str
    registered_at: float
    containers: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:ecs:{self.region}:{self.account_id}:task-definition/{self.family}:{self.revision}"


@dataclass(slots=True)
class EcsService:
    """An ECS service that CodeDeploy deploys to; `task` is the family:revision that has its traffic."""

    key: str
    cluster: str
    name: str
    account_id: str
    region: str
    created_at: float
    task: str
    container: str = "app"
    port: int = 8080


@dataclass(slots=True)
class Alias:
    """An alias of a Lambda function, and which other version gets a part of its traffic."""

    key: str
    function: str
    name: str
    account_id: str
    region: str
    version: str
    weights: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Shift:
    """A CodeDeploy deployment: traffic goes from what was there to what is new, in `plan`'s steps.

    `plan` holds seconds since the traffic began to shift, and the percentage from then on. `ready_until` is when a
    deployment that waits to be continued gives up. `doom` is why it is going to fail, `doom_at` the lifecycle event in
    which it does, and `doom_code` the error's code. `service` is the ECS service that it deploys to.
    """

    id: str
    application: str
    group: str
    config: str
    revision: dict[str, Any]
    created_at: float
    platform: str
    plan: list[list[float]]
    settings: dict[str, Any]
    alias: str = ""
    before: str = ""
    after: str = ""
    status: str = "Created"
    weight: float = 0.0
    shifting_since: float | None = None
    ready_until: float | None = None
    ended_at: float | None = None
    due: float | None = None
    doom: str = ""
    doom_at: str = "AllowTraffic"
    doom_code: str = "HOOK_EXECUTION_FAILURE"
    service: str = ""
    code: str = ""
    message: str = ""
    creator: str = "user"
    description: str = ""
    rollback_of: str = ""
    rollback_by: str = ""
    hooks: dict[str, list[Any]] = field(default_factory=dict)
