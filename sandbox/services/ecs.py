"""ECS, as far as experiments need it: clusters and their tasks."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import TASK
from sandbox.chaos_targets import describe
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.ec2 import machines_of
from sandbox.world import without_nothing

operation = serve(
    Service(
        "ecs",
        signing_name="ecs",
        invalid="InvalidParameterException",
        bad_page="InvalidParameterException",
        failed="ServerException",
    )
)


@operation("ListClusters")
def list_clusters(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ARNs of the account's clusters."""
    found = sorted({m.details["clusterArn"] for m in machines_of(context, TASK)})
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"clusterArns": page, "nextToken": following})


@operation("ListTasks")
def list_tasks(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ARNs of a cluster's tasks, of one service if it is named."""
    cluster = _cluster(context, parameters)
    service, wanted = parameters.get("serviceName"), parameters.get("desiredStatus", "RUNNING")
    found = [
        m.arn
        for m in machines_of(context, TASK)
        if m.details["clusterArn"] == cluster
        and (service is None or m.details["group"] == f"service:{service.rpartition('/')[2]}")
        and describe(m)["desiredStatus"] == wanted
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"taskArns": page, "nextToken": following})


@operation("DescribeTasks")
def describe_tasks(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Tasks of a cluster by ARN or id, with their tags when those are asked for."""
    cluster = _cluster(context, parameters)
    if not 1 <= len(parameters["tasks"]) <= 100:
        raise AwsError("InvalidParameterException", "Tasks must have from 1 to 100 entries.")
    known = {m.arn: m for m in machines_of(context, TASK) if m.details["clusterArn"] == cluster}
    tasks, failures = [], []
    for named in parameters["tasks"]:
        machine = next((m for arn, m in known.items() if named in (arn, arn.rpartition("/")[2])), None)
        if machine is None:
            failures.append({"arn": named, "reason": "MISSING"})
            continue
        entry = describe(machine)
        if "TAGS" not in parameters.get("include", ()):
            entry.pop("tags")
        tasks.append(entry)
    return {"tasks": tasks, "failures": failures}


def _cluster(context: Context, parameters: Parameters) -> str:
    named = parameters.get("cluster", "default")
    for machine in machines_of(context, TASK):
        arn = str(machine.details["clusterArn"])
        if named in (arn, arn.rpartition("/")[2]):
            return arn
    raise AwsError("ClusterNotFoundException", "Cluster not found.")
