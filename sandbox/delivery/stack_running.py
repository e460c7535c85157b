"""CloudFormation stacks under way: resource after resource, and what happens when one of them fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.delivery.bus import put_event
from sandbox.delivery.seed import add_pipeline, deployment_structure
from sandbox.delivery.stack_templates import physical_id, read_template, resources_of
from sandbox.delivery.tool_model import StackLife
from sandbox.model import Stack, StackResource
from sandbox.stacks import resource_arn

if TYPE_CHECKING:
    from sandbox.world import World

STEP_SECONDS = 15.0
MOST_EVENTS = 400
_STACK = "AWS::CloudFormation::Stack"
_WENT_WRONG = 'Resource handler returned message: "Internal failure" (HandlerErrorCode: InternalFailure)'
_UNDER_WAY = {
    "CREATE": "CREATE_IN_PROGRESS",
    "UPDATE": "UPDATE_IN_PROGRESS",
    "DELETE": "DELETE_IN_PROGRESS",
    "ROLLBACK": "ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK": "UPDATE_ROLLBACK_IN_PROGRESS",
}


def begin(world: World, stack: Stack, life: StackLife, kind: str, at: float, reason: str = "User Initiated") -> None:
    """Put a stack on its way: CREATE, UPDATE, DELETE, ROLLBACK (of a creation) or UPDATE_ROLLBACK."""
    life.kind = kind
    set_status(world, stack, life, _UNDER_WAY[kind], at, reason)
    life.steps = _plan(world, stack, life)
    if kind in ("CREATE", "UPDATE"):
        life.doom = _draw_doom(world, stack, life, "stack_failed")
    else:
        life.doom = _draw_doom(world, stack, life, "stack_rollback_failed") if kind == "UPDATE_ROLLBACK" else {}
    _next(world, stack, life, at)


def move(world: World, identifier: str, due: float) -> None:
    """End the step that is under way, and begin the next."""
    life = world.delivery.stacks.get(identifier)
    stack = world.zone.stacks.get(identifier)
    if life is None or stack is None or life.due != due:
        return
    step = next((s for s in life.steps if s["status"] == "IN_PROGRESS"), None)
    if step is not None:
        if life.doom and life.doom["resource"] == step["logical"]:
            _fail(world, stack, life, step, due)
            return
        _carry_out(world, stack, life, step, due)
    _next(world, stack, life, due)


def set_status(world: World, stack: Stack, life: StackLife, status: str, at: float, reason: str = "") -> None:
    """Set a stack's status, and tell so."""
    stack.status, stack.status_reason = status, reason
    if not status.startswith("CREATE"):
        stack.updated_at = at
    note(world, life, at, stack.name, stack.id, _STACK, status, reason)
    world.changed()
    put_event(
        world,
        stack.account_id,
        stack.region,
        source="aws.cloudformation",
        detail_type="CloudFormation Stack Status Change",
        detail={
            "stack-id": stack.id,
            "status-details": {"status": status, "status-reason": reason},
            "client-request-token": life.token,
        },
        resources=[stack.id],
        at=at,
    )


def note(
    world: World, life: StackLife, at: float, logical: str, physical: str, kind: str, status: str, reason: str = ""
) -> None:
    """Write an event, and how that resource stands now."""
    life.events.append([at, logical, physical, kind, status, reason])
    del life.events[:-MOST_EVENTS]
    if kind != _STACK:
        life.statuses[logical] = [status, reason, kind, physical]
    world.delivery.changed("stacks", life.id)


def _plan(world: World, stack: Stack, life: StackLife) -> list[dict[str, str]]:
    there = {r.logical_id: (r.type, r.physical_id) for r in world.zone.resources.values() if r.stack_id == stack.id}
    if life.kind in ("DELETE", "ROLLBACK"):
        return [_step(name, *found, "DELETE") for name, found in reversed(there.items())]
    is_back = life.kind == "UPDATE_ROLLBACK"
    text, values = (life.good_template, life.good_parameters) if is_back else (life.template, life.parameters)
    wanted = resources_of(read_template(text), values) if text else {}
    other_text, other_values = (
        (life.template, life.parameters) if is_back else (life.good_template, life.good_parameters)
    )
    former = resources_of(read_template(other_text), other_values) if other_text else {}
    steps = []
    for name, resource in wanted.items():
        made = physical_id(stack.name, name, resource, stack.id)
        if name not in there:
            steps.append(_step(name, resource["Type"], made, "CREATE"))
        elif former.get(name) != resource or life.statuses.get(name, [""])[0].endswith("FAILED"):
            steps.append(_step(name, resource["Type"], there[name][1], "UPDATE"))
    steps += [_step(name, *there[name], "DELETE") for name in there if wanted and name not in wanted]
    return steps


def _step(logical: str, kind: str, physical: str, change: str) -> dict[str, str]:
    return {"logical": logical, "type": kind, "physical": physical, "change": change, "status": ""}


def _draw_doom(world: World, stack: Stack, life: StackLife, name: str) -> dict[str, str]:
    may_fail = [step["logical"] for step in life.steps if step["change"] != "DELETE"]
    fault = world.faults.take(name, subject=stack.name) if may_fail else None
    if fault is None:
        return {}
    wanted = fault.get("resource")
    return {
        "resource": wanted if wanted in may_fail else may_fail[-1],
        "message": str(fault.get("message") or _WENT_WRONG),
    }


def _next(world: World, stack: Stack, life: StackLife, at: float) -> None:
    step = next((s for s in life.steps if not s["status"]), None)
    if step is None:
        _finish(world, stack, life, at)
        return
    step["status"] = "IN_PROGRESS"
    note(world, life, at, step["logical"], step["physical"], step["type"], f"{step['change']}_IN_PROGRESS")
    world.delivery.schedule("stacks", life, at + STEP_SECONDS)


def _carry_out(world: World, stack: Stack, life: StackLife, step: dict[str, str], at: float) -> None:
    step["status"] = "COMPLETE"
    arn = resource_arn(step["type"], stack.account_id, stack.region, step["physical"])
    if step["change"] == "DELETE":
        world.zone.resources.pop(arn, None)
        if step["type"] == "AWS::CodePipeline::Pipeline":
            world.delivery.drop("pipelines", f"{stack.account_id}/{stack.region}/{step['physical']}")
    elif step["change"] == "CREATE":
        tags = {**life.tags, "aws:cloudformation:stack-name": stack.name, "aws:cloudformation:stack-id": stack.id}
        world.zone.resources[arn] = StackResource(
            arn, stack.account_id, stack.region, step["type"], step["physical"], step["logical"], stack.id, at, tags
        )
        _make(world, stack, life, step, at)
    note(world, life, at, step["logical"], step["physical"], step["type"], f"{step['change']}_COMPLETE")
    world.changed()


def _make(world: World, stack: Stack, life: StackLife, step: dict[str, str], at: float) -> None:
    """A pipeline is really there once its stack has made it; its tags say which deployment it is for."""
    if step["type"] != "AWS::CodePipeline::Pipeline":
        return
    resource = resources_of(read_template(life.template), life.parameters)[step["logical"]]
    kind, _, rest = step["physical"].removesuffix("-pipeline").partition("-")
    tags = {entry["Key"]: str(entry["Value"]) for entry in resource["Properties"].get("Tags", [])}
    values = {
        "component": tags.get("component", "shop"),
        "type": tags.get("type", kind),
        "id": tags.get("id", rest),
        "account": tags.get("account", stack.account_id),
        "region": tags.get("region", stack.region),
    }
    home = (stack.account_id, stack.region)
    if world.delivery.pipeline_in(*home, step["physical"]) is None:
        add_pipeline(world.delivery, deployment_structure(), values, at, home=home, name=step["physical"])


def _fail(world: World, stack: Stack, life: StackLife, step: dict[str, str], at: float) -> None:
    why, life.doom = life.doom["message"], {}
    step["status"] = "FAILED"
    note(world, life, at, step["logical"], step["physical"], step["type"], f"{step['change']}_FAILED", why)
    if life.kind == "UPDATE_ROLLBACK":
        told = f"The following resource(s) failed to update: [{step['logical']}]. "
        set_status(world, stack, life, "UPDATE_ROLLBACK_FAILED", at, told)
        world.delivery.schedule("stacks", life, None)
        return
    change = "create" if life.kind == "CREATE" else "update"
    told = f"The following resource(s) failed to {change}: [{step['logical']}]. "
    life.reason = told
    if life.on_failure == "DO_NOTHING":
        set_status(world, stack, life, f"{life.kind}_FAILED", at, told)
        world.delivery.schedule("stacks", life, None)
    elif life.kind == "UPDATE":
        begin(world, stack, life, "UPDATE_ROLLBACK", at, told)
    else:
        begin(world, stack, life, "DELETE" if life.on_failure == "DELETE" else "ROLLBACK", at, told)


def _finish(world: World, stack: Stack, life: StackLife, at: float) -> None:
    world.delivery.schedule("stacks", life, None)
    if life.kind in ("CREATE", "UPDATE"):
        life.good_template, life.good_parameters = life.template, dict(life.parameters)
    elif life.kind == "UPDATE_ROLLBACK":
        life.template, life.parameters = life.good_template, dict(life.good_parameters)
    stack.parameters = dict(life.parameters)
    set_status(world, stack, life, f"{life.kind}_COMPLETE", at, "")
    if life.kind == "DELETE":
        stack.deleted_at = at


def template_of_deployment(component: str) -> str:
    """The template that deployments' pipelines deploy."""
    resources: dict[str, Any] = {
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}},
        "Service": {"Type": "AWS::ECS::Service", "Properties": {"DesiredCount": {"Ref": "DesiredCount"}}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP"}, "DependsOn": "Service"},
    }
    template = {
        "Description": f"One deployment of {component}",
        "Parameters": {
            "DesiredCount": {"Type": "Number", "Default": "2"},
            "Version": {"Type": "String", "Default": "-"},
        },
        "Resources": resources,
    }
    return json.dumps(template)
