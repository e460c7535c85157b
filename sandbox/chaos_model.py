"""What AWS Fault Injection Service works on in the sandbox: templates, experiments, machines, and alarms on them.

Plain records that go to JSON and back; times are seconds since the epoch on the simulated clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

ENDED = ("completed", "stopped", "failed", "cancelled")
"""Statuses of an experiment to which nothing happens any more."""
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass
class ExperimentTemplate:
    """An experiment template; targets, actions and stop conditions as FIS's API words them.

    `accounts` are the target accounts of a multi-account experiment: account id to {"roleArn", "description"}.
    """

    id: str
    account_id: str
    region: str
    description: str
    role_arn: str
    targets: dict[str, Any]
    actions: dict[str, Any]
    stop_conditions: list[dict[str, str]]
    tags: dict[str, str]
    options: dict[str, str]
    created_at: float
    updated_at: float
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Experiment:
    """One run of a template as it was at the start; `due` is when its status changes by itself.

    `progress` holds each action's status, reason, start, end and due; `resolved` what each target came to.
    """

    id: str
    template_id: str
    account_id: str
    region: str
    token: str
    fingerprint: str
    actions_mode: str
    role_arn: str
    targets: dict[str, Any]
    actions: dict[str, Any]
    stop_conditions: list[dict[str, str]]
    options: dict[str, str]
    tags: dict[str, str]
    accounts: dict[str, dict[str, str]]
    created_at: float
    due: float | None
    status: str = "pending"
    reason: str = "Experiment is pending."
    error: dict[str, str] = field(default_factory=dict)
    started_at: float | None = None
    ended_at: float | None = None
    resolved: dict[str, list[str]] = field(default_factory=dict)
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Machine:
    """Something that runs, or that things run in: an EC2 instance, an ECS task or a subnet.

    `details` is how its service describes it, as far as FIS's filters can look; `troubles` are the actions that
    trouble it now, each with how much of its work it can't do: "experiment/action" to a share from 0 to 1.
    """

    arn: str
    kind: str
    account_id: str
    region: str
    zone: str
    tags: dict[str, str]
    details: dict[str, Any]
    subnet: str = ""
    state: str = "running"
    troubles: dict[str, float] = field(default_factory=dict)


@dataclass
class WorkloadAlarm:
    """An alarm on a metric that follows how much of a workload is in trouble.

    It watches the machines that carry `watches`. The metric goes from `usual` to `worst` with the share of them in
    trouble; above `threshold` the alarm changes its state one period later. `shares` and `states` are what was, each
    with the time it began at; `due` is when the state follows the metric.
    """

    name: str
    account_id: str
    region: str
    namespace: str
    metric: str
    dimension: tuple[str, str]
    unit: str
    watches: dict[str, str]
    usual: float
    worst: float
    threshold: float
    period: int = 60
    shares: list[list[float]] = field(default_factory=list)
    states: list[list[Any]] = field(default_factory=list)
    due: float | None = None

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudwatch:{self.region}:{self.account_id}:alarm:{self.name}"

    @property
    def state(self) -> str:
        """The state it is in."""
        return str(self.states[-1][1]) if self.states else "OK"

    def share_at(self, at: float) -> float:
        """How much of its workload was in trouble then."""
        return next((share for since, share in reversed(self.shares) if since <= at), 0.0)


def experiment_arn(kind: str, account_id: str, region: str, identifier: str) -> str:
    """An ARN of FIS: of an experiment, an experiment-template, an action or a safety-lever."""
    return f"arn:aws:fis:{region}:{account_id}:{kind}/{identifier}"


def seconds_of(duration: str) -> float | None:
    """The seconds of an ISO 8601 duration in hours, minutes and seconds (PT10M); None for anything else."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3_600 + minutes * 60 + seconds
