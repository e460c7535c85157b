"""What a pipeline's Deploy action leaves behind: a stack that kept its resources where it failed, mended by a retry.

Stacks of deployments are made only when something fails there: ten thousand that go well need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.delivery.model import ActionRun, Pipeline
from sandbox.delivery.stack_running import note, set_status, template_of_deployment
from sandbox.delivery.stack_templates import complete, physical_id, read_template, resources_of
from sandbox.delivery.tool_model import StackLife
from sandbox.model import Stack, StackResource
from sandbox.stacks import add_stack, resource_arn, stack_id_of

if TYPE_CHECKING:
    from sandbox.world import World

_USUAL = (
    'Resource handler returned message: "Service did not stabilize: 2 tasks stopped (Essential container in task '
    'exited)" (HandlerErrorCode: NotStabilized)'
)
_FAILING = "Service"


def fail_stack(world: World, pipeline: Pipeline, run: ActionRun, at: float, message: str, resource: str) -> None:
    """Leave the deployment's stack as UPDATE_FAILED, with the resource that failed in its events."""
    values = pipeline.values
    if not values or values["account"] not in world.zone.accounts:
        return
    stack, life = _stack_of(world, pipeline)
    if stack.status.endswith("IN_PROGRESS"):
        return
    named = resource if resource in life.statuses else _FAILING
    _, _, kind, physical = life.statuses[named]
    why = message if message and not message.startswith("Action execution failed") else _USUAL
    run.detail["external"] = pipeline.stack = stack.id
    world.delivery.changed("pipelines", pipeline.key)
    life.on_failure, life.doom, life.steps = "DO_NOTHING", {}, []
    begun = run.started_at
    set_status(world, stack, life, "UPDATE_IN_PROGRESS", begun, "User Initiated")
    note(world, life, begun, named, physical, kind, "UPDATE_IN_PROGRESS")
    note(world, life, at, named, physical, kind, "UPDATE_FAILED", why)
    told = f"The following resource(s) failed to update: [{named}]. "
    set_status(world, stack, life, "UPDATE_FAILED", at, told)


def mend_stack(world: World, pipeline: Pipeline, run: ActionRun, at: float) -> None:
    """A deployment that went well leaves its stack well, if there is one."""
    found, life = world.zone.stacks.get(pipeline.stack), world.delivery.stacks.get(pipeline.stack)
    if found is None or life is None or found.deleted_at is not None or found.status.endswith("IN_PROGRESS"):
        return
    run.detail["external"] = found.id
    set_status(world, found, life, "UPDATE_IN_PROGRESS", run.started_at, "User Initiated")
    for name, (status, _, kind, physical) in list(life.statuses.items()):
        if status.endswith("FAILED"):
            note(world, life, at, name, physical, kind, "UPDATE_COMPLETE")
    set_status(world, found, life, "UPDATE_COMPLETE", at)


def _find(world: World, pipeline: Pipeline) -> Stack | None:
    values = pipeline.values
    where = (values["account"], values["region"], "{component}-{type}-{id}".format(**values))
    for identifier in world.delivery.stacks:
        stack = world.zone.stacks.get(identifier)
        if stack is not None and stack.deleted_at is None and (stack.account_id, stack.region, stack.name) == where:
            return stack
    return None


def _stack_of(world: World, pipeline: Pipeline) -> tuple[Stack, StackLife]:
    values = pipeline.values
    found = _find(world, pipeline)
    if found is not None:
        return found, world.delivery.stacks[found.id]
    name = "{component}-{type}-{id}".format(**values)
    text = template_of_deployment(values["component"])
    given = complete(read_template(text), {}, {})
    stack = Stack(
        id=stack_id_of(values["account"], values["region"], name, "deployment"),
        name=name,
        account_id=values["account"],
        region=values["region"],
        description=f"One deployment of {values['component']}",
        status="CREATE_COMPLETE",
        created_at=pipeline.created_at,
        parameters=given,
        tags=dict(values),
    )
    life = StackLife(stack.id, "CREATE", text, given, text, dict(given), tags=dict(values))
    made = []
    for logical, resource in resources_of(read_template(text), given).items():
        physical = physical_id(name, logical, resource, stack.id)
        arn = resource_arn(resource["Type"], stack.account_id, stack.region, physical)
        made.append(
            StackResource(
                arn, stack.account_id, stack.region, resource["Type"], physical, logical, stack.id, stack.created_at
            )
        )
        note(world, life, stack.created_at, logical, physical, resource["Type"], "CREATE_COMPLETE")
    add_stack(world.zone, stack, made)
    world.delivery.keep("stacks", stack.id, life)
    return stack, life
