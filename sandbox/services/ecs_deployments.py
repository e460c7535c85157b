"""ECS, as far as the story of climbing memory needs it: a service's deployment begins it, more memory mends it."""

from __future__ import annotations

from typing import Any

from sandbox.delivery.tool_model import TaskDefinition
from sandbox.errors import AwsError
from sandbox.insight_kinds import KINDS
from sandbox.insight_stories import begin, fix, going_on
from sandbox.registry import Context, Parameters
from sandbox.services.ecs import operation
from sandbox.services.ecs_services import describe_definition, tags_of

STORY = "ecs-memory"
USUAL = 512.0
"""MiB that a task has unless its definition says more."""


@operation("RegisterTaskDefinition")
def register_task_definition(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The next revision of a family; of it the memory is kept."""
    family, marks, delivery = parameters["family"], context.world.zone.marks, context.world.delivery
    where = f"{context.account}/{context.region}"
    known = [d.revision for d in delivery.task_definitions.values() if d.key.startswith(f"{where}/{family}:")]
    revision = 1 + max(known, default=0)
    memory = float(parameters.get("memory") or 0) or sum(
        float(container.get("memory") or 0) for container in parameters["containerDefinitions"]
    )
    marks[f"{_mark(context, family)}{revision}"] = memory or USUAL
    context.world.changed()
    made = TaskDefinition(
        key=f"{where}/{family}:{revision}",
        family=family,
        revision=revision,
        account_id=context.account,
        region=context.region,
        registered_at=context.now,
        containers=list(parameters["containerDefinitions"]),
        tags={tag["key"]: tag["value"] for tag in parameters.get("tags", [])},
    )
    delivery.keep("task_definitions", made.key, made)
    return {"taskDefinition": describe_definition(made), "tags": tags_of(made)}


@operation("UpdateService")
def update_service(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Deploy a definition: with more memory than usual it mends what climbs, else memory begins to climb."""
    name, named = str(parameters["service"]).rpartition("/")[2], str(parameters.get("taskDefinition", ""))
    if name != KINDS[STORY].resource:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    where = (context.account, context.region)
    if named:
        family, _, revision = named.rpartition("/")[2].partition(":")
        memory = context.world.zone.marks.get(f"{_mark(context, family)}{revision}")
        if memory is None:
            raise AwsError("ClientException", "Unable to describe task definition.")
        if memory > USUAL:
            fix(context.world, STORY, *where)
        elif going_on(context.world, STORY, *where) is None:
            begin(context.world, STORY, *where)
    cluster = str(parameters.get("cluster", "default")).rpartition("/")[2]
    arn = f"arn:aws:ecs:{context.region}:{context.account}"
    return {
        "service": {
            "serviceArn": f"{arn}:service/{cluster}/{name}",
            "serviceName": name,
            "clusterArn": f"{arn}:cluster/{cluster}",
            "status": "ACTIVE",
        }
    }


def _mark(context: Context, family: str) -> str:
    """How the marks of a family's revisions begin, which end in the revision."""
    return f"task-memory/{context.account}/{context.region}/{family}:"
