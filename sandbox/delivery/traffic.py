"""Where the traffic of functions and services goes while CodeDeploy shifts it: to which version, to which tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.delivery.tool_model import EcsService, Shift

if TYPE_CHECKING:
    from sandbox.world import World


def route(world: World, shift: Shift) -> None:
    """Let as much of the traffic be new as the deployment has come to."""
    if shift.rollback_of:
        return
    alias = world.delivery.aliases.get(shift.alias)
    if alias is not None:
        alias.version = shift.before if shift.weight < 100 else shift.after
        alias.weights = {shift.after: shift.weight / 100} if 0 < shift.weight < 100 else {}
        world.delivery.changed("aliases", alias.key)
    if shift.weight >= 100:
        _make_primary(world, shift, shift.after)


def settle(world: World, shift: Shift, what: str) -> None:
    """Let all of the traffic go to one version, or to the tasks of one definition."""
    alias = world.delivery.aliases.get(shift.alias)
    if alias is not None:
        alias.version, alias.weights = what, {}
        world.delivery.changed("aliases", alias.key)
    _make_primary(world, shift, what)


def misfit(world: World, shift: Shift) -> tuple[str, str]:
    """Why a deployment can't do what its revision says, as the code and words of its error; empty when it can."""
    delivery = world.delivery
    if shift.platform == "ECS":
        where = shift.application.rpartition("/")[0]
        if f"{where}/{shift.after}" in delivery.task_definitions or shift.service not in delivery.services:
            return "", ""
        words = "The ECS service cannot be updated due to an unexpected error: TaskDefinition not found."
        return "ECS_UPDATE_ERROR", words
    alias = delivery.aliases[shift.alias]
    if alias.version != shift.before:
        words = f"The alias {alias.name} of {alias.function} is at version {alias.version}, not at {shift.before}."
        return "INVALID_LAMBDA_CONFIGURATION", words
    function = delivery.functions.get(shift.alias.rpartition(":")[0])
    if function is not None and all(number != shift.after for number, *_ in function.versions):
        return "INVALID_LAMBDA_FUNCTION", f"There is no version {shift.after} of the function {function.name}."
    return "", ""


def task_sets_of(world: World, service: EcsService) -> list[dict[str, Any]]:
    """The task sets of a service as DescribeServices tells them: what has the traffic, and what is about to get it."""
    found = [(service.task, "PRIMARY", "")]
    for shift in world.delivery.shifts.values():
        if shift.service == service.key and shift.status in ("InProgress", "Ready") and shift.after != service.task:
            found.append((shift.after, "ACTIVE", shift.id))
    base = f"arn:aws:ecs:{service.region}:{service.account_id}"
    balancers = [
        {
            "targetGroupArn": f"arn:aws:elasticloadbalancing:{service.region}:{service.account_id}"
            f":targetgroup/{service.name}/0123456789abcdef",
            "containerName": service.container,
            "containerPort": service.port,
        }
    ]
    sets = []
    for number, (task, status, identifier) in enumerate(found):
        one = {
            "id": f"ecs-svc/{number}",
            "status": status,
            "taskDefinition": f"{base}:task-definition/{task}",
            "stabilityStatus": "STEADY_STATE",
            "loadBalancers": balancers,
            "scale": {"value": 100.0, "unit": "PERCENT"},
        }
        sets.append({**one, "externalId": identifier} if identifier else one)
    return sets


def _make_primary(world: World, shift: Shift, task: str) -> None:
    service = world.delivery.services.get(shift.service)
    if service is not None:
        service.task = task
        world.delivery.changed("services", service.key)
