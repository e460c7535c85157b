"""What the sandboxed landing zone consists of; plain records that go to JSON and back as they are.

Times are seconds since the epoch on the simulated clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.access import Assignment, AssignmentRequest
from sandbox.budgeting import Budget
from sandbox.chaos_model import Experiment, ExperimentTemplate, Machine, WorkloadAlarm
from sandbox.identities import Group, User
from sandbox.lex_model import ModelledBot


@dataclass
class OrganizationalUnit:
    """An OU; `registered` says whether Control Tower governs it."""

    id: str
    name: str
    parent_id: str
    registered: bool


@dataclass
class Account:
    """An account of the organization."""

    id: str
    name: str
    email: str
    parent_id: str
    joined_at: float
    joined_method: str = "CREATED"
    status: str = "ACTIVE"


@dataclass
class Closure:
    """A closed account, also after it is gone: its root e-mail stays used, and it counts in the quota.

    `suspended_at` is when it is SUSPENDED from, `gone_at` when Organizations no longer knows it.
    """

    account_id: str
    email: str
    asked_at: float
    suspended_at: float
    gone_at: float


@dataclass
class ProvisionedProduct:
    """What was ordered, as Service Catalog sees it, from the order on.

    `targets` are the account ids and Regions that its stacks go to, `stack_ids` the stacks that are there; an
    account of Account Factory has an `account_id` instead. `home_account` is whose Service Catalog knows it
    (empty: the management account's).
    """

    id: str
    name: str
    product_id: str
    artifact_id: str
    path_id: str
    token: str
    created_at: float
    ordered_by: str
    parameters: dict[str, str]
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "UNDER_CHANGE"
    status_message: str = ""
    account_id: str | None = None
    last_record_id: str = ""
    last_provisioning_record_id: str = ""
    last_successful_record_id: str | None = None
    terminated: bool = False
    home_account: str = ""
    targets: list[list[str]] = field(default_factory=list)
    stack_ids: list[str] = field(default_factory=list)


@dataclass
class Record:
    """One operation on a provisioned product, and how far it has come.

    `way` names the stages it passes; `next_stage` happens at `due`; both are None once the record is at its end.
    """

    id: str
    type: str
    provisioned_product_id: str
    provisioned_product_name: str
    product_id: str
    artifact_id: str
    path_id: str
    created_at: float
    updated_at: float
    parameters: dict[str, str]
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "CREATED"
    errors: list[dict[str, str]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    over_capacity: bool = False
    ignores_errors: bool = False
    retains_resources: bool = False
    way: str = ""
    next_stage: str | None = None
    due: float | None = None


@dataclass
class SpentToken:
    """An idempotency token that was used, for which request, and what came of it."""

    record_id: str
    fingerprint: str


@dataclass
class RoleSession:
    """Temporary credentials, found again by their access key; `expires_at` is wall-clock time."""

    access_key: str
    account_id: str
    role_name: str
    session_name: str
    role_id: str
    expires_at: float
    role_arn: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    transitive_keys: list[str] = field(default_factory=list)
    source_identity: str = ""
    policy: str = ""


@dataclass
class Role:
    """An IAM role: its trust policy and inline policies as the JSON texts they were given as."""

    arn: str
    name: str
    path: str
    account_id: str
    role_id: str
    created_at: float
    trust_policy: str
    description: str = ""
    max_session_seconds: int = 3_600
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


@dataclass
class StackResource:
    """Something real in an account; `stack_id` is empty for what no stack made."""

    arn: str
    account_id: str
    region: str
    type: str
    physical_id: str
    logical_id: str = ""
    stack_id: str = ""
    created_at: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Stack:
    """A CloudFormation stack; what it made are the `StackResource`s that name it."""

    id: str
    name: str
    account_id: str
    region: str
    description: str
    status: str
    created_at: float
    updated_at: float | None = None
    deleted_at: float | None = None
    status_reason: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Topic:
    """An SNS topic."""

    arn: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Subscription:
    """A subscription to an SNS topic; one with a `token` waits to be confirmed with it."""

    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    owner: str
    token: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Post:
    """What SNS has to post to an endpoint: its `members` are signed when it goes out; `due` is simulated time."""

    id: str
    kind: str
    subscription_arn: str
    endpoint: str
    topic_arn: str
    members: dict[str, str]
    first_at: float
    due: float
    attempts: int = 0


@dataclass
class NotificationChannel:
    """Where DevOps Guru publishes what it finds, narrowed to severities and kinds of news (none: all)."""

    id: str
    account_id: str
    region: str
    topic_arn: str
    severities: list[str] = field(default_factory=list)
    message_types: list[str] = field(default_factory=list)


@dataclass
class PlayedStory:
    """A story that was asked for: the deployment it begins with, and the fix that ends it."""

    id: str
    kind: str
    account_id: str
    region: str
    deployed_at: float
    fixed_at: float | None = None


@dataclass
class LexBot:
    """A Lex V2 bot's definition as registered, served by the local engine."""

    bot_id: str
    bot_alias_id: str
    locale_id: str
    definition: dict[str, Any]


@dataclass
class LandingZone:
    """Everything the sandbox's own services know, keyed by id, ARN or token."""

    units: dict[str, OrganizationalUnit] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    quotas: dict[str, float] = field(default_factory=dict)
    provisioned_products: dict[str, ProvisionedProduct] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    tokens: dict[str, SpentToken] = field(default_factory=dict)
    sessions: dict[str, RoleSession] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    bots: dict[str, LexBot] = field(default_factory=dict)
    lex_bots: dict[str, ModelledBot] = field(default_factory=dict)
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    assignment_requests: dict[str, AssignmentRequest] = field(default_factory=dict)
    failed_baselines: dict[str, str] = field(default_factory=dict)
    closures: dict[str, Closure] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    stacks: dict[str, Stack] = field(default_factory=dict)
    resources: dict[str, StackResource] = field(default_factory=dict)
    coverage: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of "account/Region": the stacks that DevOps Guru analyses ("*": all there is), and since when."""
    experiment_templates: dict[str, ExperimentTemplate] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    workload_alarms: dict[str, WorkloadAlarm] = field(default_factory=dict)
    levers: dict[str, dict[str, str]] = field(default_factory=dict)
    """FIS's safety levers, of "account/Region": status and reason."""
    posts: dict[str, Post] = field(default_factory=dict)
    notification_channels: dict[str, NotificationChannel] = field(default_factory=dict)
    stories: dict[str, PlayedStory] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    """When something first happened, by what it is called."""


_RECORD_TYPES: dict[str, type] = {
    "units": OrganizationalUnit,
    "accounts": Account,
    "provisioned_products": ProvisionedProduct,
    "records": Record,
    "tokens": SpentToken,
    "sessions": RoleSession,
    "topics": Topic,
    "subscriptions": Subscription,
    "bots": LexBot,
    "lex_bots": ModelledBot,
    "budgets": Budget,
    "users": User,
    "groups": Group,
    "assignments": Assignment,
    "assignment_requests": AssignmentRequest,
    "closures": Closure,
    "roles": Role,
    "stacks": Stack,
    "resources": StackResource,
    "experiment_templates": ExperimentTemplate,
    "experiments": Experiment,
    "machines": Machine,
    "workload_alarms": WorkloadAlarm,
    "posts": Post,
    "notification_channels": NotificationChannel,
    "stories": PlayedStory,
}


_FORMER = ("pipeline_executions",)
"""Parts that older states hold, and that are kept elsewhere now."""


def from_document(document: Mapping[str, Any]) -> LandingZone:
    """The landing zone that a document is of: its parts, each with its records by key."""
    parts: dict[str, Any] = {}
    for part, entries in document.items():
        if part in _FORMER:
            continue
        record_type = _RECORD_TYPES.get(part)
        parts[part] = {key: record_type(**entry) for key, entry in entries.items()} if record_type else dict(entries)
    return LandingZone(**parts)
