"""The actions of Fault Injection Service that the sandbox knows, and what they do to machines."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.chaos_model import seconds_of

INSTANCE, TASK, SUBNET = "aws:ec2:instance", "aws:ecs:task", "aws:ec2:subnet"
DATABASE, CLUSTER, FUNCTION = "aws:rds:db", "aws:rds:cluster", "aws:lambda:function"
RESOURCE_TYPES = {
    INSTANCE: "An EC2 instance",
    TASK: "An Amazon ECS task",
    SUBNET: "An EC2 subnet",
    DATABASE: "An Amazon RDS DB instance",
    CLUSTER: "An Amazon RDS DB cluster",
    FUNCTION: "An AWS Lambda function",
}
_AT_ONCE = 5.0
"""Seconds that an action takes which has no duration."""


@dataclass(frozen=True)
class Action:
    """One kind of action: what it aims at, which parameters it must have, and how much it troubles what it hits.

    `lasts` names the parameter that holds its duration; `state` is what machines are in meanwhile; `forever` says
    that they stay so.
    """

    id: str
    description: str
    target: str = ""
    aims_at: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lasts: str = ""
    trouble: float = 0.0
    state: str = ""
    forever: bool = False

    def seconds(self, parameters: dict[str, str]) -> float:
        """How long it takes with these parameters."""
        return seconds_of(parameters.get(self.lasts, "")) or _AT_ONCE


ACTIONS = {
    action.id: action
    for action in (
        Action(
            "aws:ec2:reboot-instances",
            "Reboot the specified EC2 instances.",
            "Instances",
            INSTANCE,
            trouble=1.0,
        ),
        Action(
            "aws:ec2:stop-instances",
            "Stop the specified EC2 instances.",
            "Instances",
            INSTANCE,
            optional=("startInstancesAfterDuration", "completeIfInstancesTerminated"),
            lasts="startInstancesAfterDuration",
            trouble=1.0,
            state="stopped",
        ),
        Action(
            "aws:ec2:terminate-instances",
            "Terminate the specified EC2 instances.",
            "Instances",
            INSTANCE,
            trouble=1.0,
            state="terminated",
            forever=True,
        ),
        Action("aws:ecs:stop-task", "Stop ECS tasks.", "Tasks", TASK, trouble=1.0, state="STOPPED"),
        Action(
            "aws:ecs:task-cpu-stress",
            "Runs CPU stress on the target tasks.",
            "Tasks",
            TASK,
            required=("duration",),
            optional=("percent", "workers", "installDependencies"),
            lasts="duration",
            trouble=0.4,
        ),
        Action(
            "aws:network:disrupt-connectivity",
            "Disrupt network connectivity.",
            "Subnets",
            SUBNET,
            required=("duration", "scope"),
            optional=("prefixListIdentifier",),
            lasts="duration",
            trouble=1.0,
        ),
        Action(
            "aws:rds:reboot-db-instances",
            "Reboot the specified DB instances.",
            "DBInstances",
            DATABASE,
            optional=("forceFailover",),
            trouble=1.0,
        ),
        Action("aws:rds:failover-db-cluster", "Failover a DB Cluster.", "Clusters", CLUSTER, trouble=1.0),
        Action(
            "aws:lambda:invocation-add-delay",
            "Delays the start of functions.",
            "Functions",
            FUNCTION,
            required=("duration", "startupDelayMilliseconds"),
            optional=("invocationPercentage",),
            lasts="duration",
            trouble=0.4,
        ),
        Action(
            "aws:lambda:invocation-error",
            "Marks invocations of functions as failed.",
            "Functions",
            FUNCTION,
            required=("duration", "preventExecution"),
            optional=("invocationPercentage",),
            lasts="duration",
            trouble=1.0,
        ),
        Action("aws:fis:wait", "Runs the AWS FIS wait action.", required=("duration",), lasts="duration"),
    )
}
