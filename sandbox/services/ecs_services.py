"""ECS, as far as CodeDeploy deploys to it: services with their task sets, and the definitions of their tasks."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.delivery.tool_model import EcsService, TaskDefinition
from sandbox.delivery.traffic import task_sets_of
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, page_of
from sandbox.services.ecs import operation
from sandbox.world import without_nothing


@operation("DescribeServices")
def describe_services(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Up to ten services of a cluster, by name or ARN."""
    named = parameters["services"]
    if not 1 <= len(named) <= 10:
        raise AwsError("InvalidParameterException", "Services must have from 1 to 10 entries.")
    cluster = parameters.get("cluster", "default").rpartition("/")[2]
    prefix = f"{context.account}/{context.region}/{cluster}/"
    known = context.world.delivery.services
    if not any(key.startswith(prefix) for key in known):
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    services, failures = [], []
    for name in named:
        service = known.get(prefix + name.rpartition("/")[2])
        if service is None:
            arn = f"arn:aws:ecs:{context.region}:{context.account}:service/{cluster}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            services.append(_describe(context, service))
    return {"services": services, "failures": failures}


@operation("ListTaskDefinitions")
def list_task_definitions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ARNs of task definitions, of one family if it is named, from the oldest or from the newest revision on."""
    prefix, family = f"{context.account}/{context.region}/", parameters.get("familyPrefix")
    listed = [
        d
        for d in context.world.delivery.task_definitions.values()
        if d.key.startswith(prefix) and family in (None, d.family)
    ]
    listed.sort(key=lambda d: (d.family, d.revision), reverse=parameters.get("sort") == "DESC")
    found = [d.arn for d in listed]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"taskDefinitionArns": page, "nextToken": following})


@operation("DescribeTaskDefinition")
def describe_task_definition(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A task definition by family (its newest revision), family:revision or ARN; with its tags if those are asked."""
    named = parameters["taskDefinition"].rpartition("/")[2]
    prefix = f"{context.account}/{context.region}/"
    known = context.world.delivery.task_definitions
    family = [d for d in known.values() if d.key.startswith(prefix) and d.family == named]
    found = known.get(prefix + named) or max(family, key=lambda d: d.revision, default=None)
    if found is None:
        raise AwsError("ClientException", "Unable to describe task definition.")
    told: dict[str, Any] = {"taskDefinition": describe_definition(found)}
    return {**told, "tags": tags_of(found)} if "TAGS" in parameters.get("include", ()) else told


def describe_definition(definition: TaskDefinition) -> dict[str, Any]:
    """A task definition as ECS tells it."""
    return {
        "taskDefinitionArn": definition.arn,
        "family": definition.family,
        "revision": definition.revision,
        "status": "ACTIVE",
        "registeredAt": moment(definition.registered_at),
        "containerDefinitions": definition.containers,
    }


def tags_of(definition: TaskDefinition) -> list[dict[str, str]]:
    """A task definition's tags as ECS tells them."""
    return [{"key": key, "value": value} for key, value in definition.tags.items()]


def _describe(context: Context, service: EcsService) -> dict[str, Any]:
    base = f"arn:aws:ecs:{service.region}:{service.account_id}"
    return {
        "serviceArn": f"{base}:service/{service.cluster}/{service.name}",
        "serviceName": service.name,
        "clusterArn": f"{base}:cluster/{service.cluster}",
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "createdAt": moment(service.created_at),
        "deploymentController": {"type": "CODE_DEPLOY"},
        "taskSets": task_sets_of(context.world, service),
    }
