"""AWS CloudFormation, the changing half: stacks made, updated, deleted, and rolled back from where they failed."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.clock import moment
from sandbox.delivery import stack_running
from sandbox.delivery.stack_templates import complete, needs_capability, read_template, refusal, resources_of
from sandbox.delivery.tool_model import StackLife
from sandbox.errors import AwsError
from sandbox.model import Stack
from sandbox.registry import Context, Parameters, page_of, serve
from sandbox.services.cloudformation import SERVICE, find_stack
from sandbox.stacks import resources_in_stack, stack_id_of, stacks_in
from sandbox.world import without_nothing

operation = serve(SERVICE)

_MAY_UPDATE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")
_PAGE = 100


@operation("CreateStack")
def create_stack(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a stack; the same ClientRequestToken again is the same stack."""
    name, token = parameters["StackName"], parameters.get("ClientRequestToken", "")
    for known in stacks_in(context.world, context.account, context.region):
        if known.name == name and known.deleted_at is None:
            life = context.world.delivery.stacks.get(known.id)
            if life is not None and token and life.token == token:
                return {"StackId": known.id}
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
    if "OnFailure" in parameters and "DisableRollback" in parameters:
        raise refusal("You can specify either DisableRollback or OnFailure, but not both.")
    text = _template(parameters)
    template = read_template(text)
    values = complete(template, _given(parameters), {})
    _require_capability(parameters, template)
    resources_of(template, values)
    tags = {entry["Key"]: entry["Value"] for entry in parameters.get("Tags", [])}
    stack = Stack(
        id=stack_id_of(context.account, context.region, name, str(uuid.uuid4())),
        name=name,
        account_id=context.account,
        region=context.region,
        description=str(template.get("Description", "")),
        status="CREATE_IN_PROGRESS",
        created_at=context.now,
        parameters=values,
        tags=tags,
    )
    on_failure = parameters.get("OnFailure", "DO_NOTHING" if parameters.get("DisableRollback") else "ROLLBACK")
    life = StackLife(stack.id, "CREATE", text, values, tags=tags, on_failure=on_failure, token=token)
    context.world.zone.stacks[stack.id] = stack
    context.world.delivery.keep("stacks", stack.id, life)
    stack_running.begin(context.world, stack, life, "CREATE", context.now)
    return {"StackId": stack.id}


@operation("UpdateStack")
def update_stack(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a stack, or try again what failed when it kept its resources."""
    stack, life = _require(context, parameters["StackName"])
    token = parameters.get("ClientRequestToken", "")
    if token and life.token == token:
        return {"StackId": stack.id}
    if stack.status not in _MAY_UPDATE:
        raise refusal(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    is_retry = stack.status.endswith("FAILED")
    keeps = bool(parameters.get("DisableRollback"))
    if is_retry and not keeps:
        raise refusal(
            f"Stack:{stack.id} is in {stack.status} state: update it with rollback disabled, or roll it back."
        )
    text = life.template if parameters.get("UsePreviousTemplate") else _template(parameters)
    template = read_template(text)
    values = complete(template, _given(parameters), life.parameters)
    _require_capability(parameters, template)
    wanted = resources_of(template, values)
    if not is_retry and life.template and wanted == resources_of(read_template(life.template), life.parameters):
        raise refusal("No updates are to be performed.")
    life.template, life.parameters, life.token = text, values, token
    life.on_failure = "DO_NOTHING" if keeps else "ROLLBACK"
    stack.parameters = values
    stack_running.begin(context.world, stack, life, "UPDATE", context.now)
    return {"StackId": stack.id}


@operation("DeleteStack")
def delete_stack(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a stack with what it made; one that isn't there doesn't matter."""
    named = parameters["StackName"]
    found = [s for s in stacks_in(context.world, context.account, context.region) if named in (s.id, s.name)]
    there = [s for s in found if s.deleted_at is None]
    if there:
        stack, life = _require(context, there[0].id)
        if not stack.status.startswith("DELETE_IN"):
            stack_running.begin(context.world, stack, life, "DELETE", context.now)
    return {}


@operation("RollbackStack")
def rollback_stack(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Roll a stack that failed and kept its resources back to where it last was well."""
    stack, life = _require(context, parameters["StackName"])
    token = parameters.get("ClientRequestToken", "")
    if token and life.token == token:
        return {"StackId": stack.id}
    kinds = {"CREATE_FAILED": "ROLLBACK", "UPDATE_FAILED": "UPDATE_ROLLBACK"}
    if stack.status not in kinds:
        raise refusal(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    life.token = token
    kind = kinds[stack.status] if life.good_template else "ROLLBACK"
    stack_running.begin(context.world, stack, life, kind, context.now)
    return {"StackId": stack.id}


@operation("ContinueUpdateRollback")
def continue_update_rollback(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Go on with a rollback that failed, leaving some resources as they are if so wished."""
    stack, life = _require(context, parameters["StackName"])
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise refusal(f"Stack:{stack.id} is in {stack.status} state and can not continue rolling back.")
    for name in parameters.get("ResourcesToSkip", []):
        if not life.statuses.get(name, [""])[0].endswith("FAILED"):
            raise refusal(f"Resource {name} did not fail, so it can't be skipped.")
        life.statuses[name][0] = "UPDATE_COMPLETE"
    stack_running.begin(context.world, stack, life, "UPDATE_ROLLBACK", context.now)
    return {}


@operation("CancelUpdateStack")
def cancel_update_stack(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Roll an update that is under way back."""
    stack, life = _require(context, parameters["StackName"])
    if stack.status != "UPDATE_IN_PROGRESS":
        raise refusal("CancelUpdateStack cannot be called from current stack status")
    stack_running.begin(context.world, stack, life, "UPDATE_ROLLBACK", context.now, "User Initiated")
    return {}


@operation("DescribeStackEvents")
def describe_stack_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What happened to a stack and its resources, newest first."""
    stack = find_stack(context, parameters["StackName"])
    life = context.world.delivery.stacks.get(stack.id)
    events = life.events if life is not None else _events_of_old(context, stack)
    found = [_event(stack, life, number, *event) for number, event in reversed(list(enumerate(events)))]
    page, following = page_of(context, parameters, found, cursor="NextToken", size="", default_size=_PAGE)
    return without_nothing({"StackEvents": page, "NextToken": following})


@operation("DescribeStackResources")
def describe_stack_resources(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a stack made or failed to make, with how each stands."""
    if "StackName" not in parameters:
        raise refusal("The sandbox finds resources by their stack only.")
    stack = find_stack(context, parameters["StackName"])
    found = [
        {
            "StackName": stack.name,
            "StackId": stack.id,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Timestamp": moment(stack.updated_at or stack.created_at),
            "ResourceStatus": status,
            **({"ResourceStatusReason": reason} if reason else {}),
        }
        for logical, (status, reason, kind, physical) in _statuses(context, stack).items()
        if parameters.get("LogicalResourceId") in (None, logical)
    ]
    return {"StackResources": found}


@operation("GetTemplate")
def get_template(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The template a stack was last given."""
    stack = find_stack(context, parameters.get("StackName", ""))
    life = context.world.delivery.stacks.get(stack.id)
    if life is None or not life.template:
        raise refusal(f"The sandbox keeps no template of {stack.name}.")
    return {"TemplateBody": life.template, "StagesAvailable": ["Original", "Processed"]}


def _require(context: Context, named: str) -> tuple[Stack, StackLife]:
    stack = find_stack(context, named)
    if stack.id not in context.world.zone.stacks:
        raise refusal(f"{stack.name} belongs to AWS Control Tower.")
    life = context.world.delivery.stacks.get(stack.id)
    if life is None:
        # A seed's stack, or a product's: it has a life of its own from now on.
        life = StackLife(stack.id, "CREATE", "", dict(stack.parameters), events=_events_of_old(context, stack))
        context.world.delivery.keep("stacks", stack.id, life)
    return stack, life


def _template(parameters: Parameters) -> str:
    if "TemplateBody" not in parameters:
        raise refusal("The sandbox reads templates from TemplateBody only.")
    return str(parameters["TemplateBody"])


def _given(parameters: Parameters) -> dict[str, str]:
    return {
        entry["ParameterKey"]: entry["ParameterValue"]
        for entry in parameters.get("Parameters", [])
        if not entry.get("UsePreviousValue")
    }


def _require_capability(parameters: Parameters, template: dict[str, Any]) -> None:
    if needs_capability(template) and not parameters.get("Capabilities"):
        raise AwsError("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")


def _statuses(context: Context, stack: Stack) -> dict[str, list[str]]:
    life = context.world.delivery.stacks.get(stack.id)
    made = {
        r.logical_id: ["CREATE_COMPLETE", "", r.type, r.physical_id] for r in resources_in_stack(context.world, stack)
    }
    return {**made, **(life.statuses if life is not None else {})}


def _events_of_old(context: Context, stack: Stack) -> list[list[Any]]:
    """The events of a stack that was there before anybody looked."""
    kind, at = "AWS::CloudFormation::Stack", stack.created_at
    events: list[list[Any]] = [[at, stack.name, stack.id, kind, "CREATE_IN_PROGRESS", "User Initiated"]]
    for resource in resources_in_stack(context.world, stack):
        events.append([at, resource.logical_id, resource.physical_id, resource.type, "CREATE_COMPLETE", ""])
    events.append([stack.updated_at or at, stack.name, stack.id, kind, stack.status, stack.status_reason])
    return events


def _event(
    stack: Stack, life: StackLife | None, number: int, at: float, logical: str, physical: str, kind: str, status: str,
    reason: str,
) -> dict[str, Any]:  # fmt: skip
    return without_nothing(
        {
            "StackId": stack.id,
            "EventId": f"{logical}-{uuid.uuid5(uuid.NAMESPACE_URL, f'{stack.id}/{at}/{number}/{status}')}",
            "StackName": stack.name,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Timestamp": moment(at),
            "ResourceStatus": status,
            "ResourceStatusReason": reason or None,
            "ClientRequestToken": (life.token or None) if life is not None else None,
        }
    )
