"""AWS CloudFormation, the reading half: the stacks in an account, and what they made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.model import Stack
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.stacks import resources_in_stack, stacks_in
from sandbox.world import without_nothing

SERVICE = Service(
    "cloudformation",
    signing_name="cloudformation",
    invalid="ValidationError",
    bad_page="ValidationError",
    throttled="Throttling",
    denied="AccessDenied",
    failed="InternalFailure",
    denied_status=403,
)
operation = serve(SERVICE)

_PAGE = 100
_KEPT_AFTER_DELETION = timedelta(days=90).total_seconds()


@operation("ListStacks")
def list_stacks(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The stacks of the caller's account and Region, deleted ones for 90 days, narrowed to some states."""
    wanted = parameters.get("StackStatusFilter", [])
    found = [
        _summarize(stack)
        for stack in stacks_in(context.world, context.account, context.region)
        if (not wanted or stack.status in wanted)
        and (stack.deleted_at is None or stack.deleted_at > context.now - _KEPT_AFTER_DELETION)
    ]
    return _listed(context, parameters, "StackSummaries", found)


@operation("DescribeStacks")
def describe_stacks(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One stack by name or id, a deleted one by id only; without a name, all that aren't deleted."""
    if "StackName" in parameters:
        return {"Stacks": [_describe(context, find_stack(context, parameters["StackName"]))]}
    found = [
        _describe(context, stack)
        for stack in stacks_in(context.world, context.account, context.region)
        if stack.deleted_at is None
    ]
    return _listed(context, parameters, "Stacks", found)


@operation("ListStackResources")
def list_stack_resources(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a stack made."""
    stack = find_stack(context, parameters["StackName"])
    life = context.world.delivery.stacks.get(stack.id)
    statuses = life.statuses if life is not None else {}
    found = [
        {
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "LastUpdatedTimestamp": moment(resource.created_at),
            "ResourceStatus": statuses.get(resource.logical_id, ["CREATE_COMPLETE"])[0],
        }
        for resource in resources_in_stack(context.world, stack)
    ]
    return _listed(context, parameters, "StackResourceSummaries", found)


def find_stack(context: Context, named: str) -> Stack:
    """A stack by name or id, a deleted one by id only; ValidationError without it."""
    for stack in stacks_in(context.world, context.account, context.region):
        if stack.id == named or (stack.name == named and stack.deleted_at is None):
            return stack
    raise AwsError("ValidationError", f"Stack with id {named} does not exist")


def _summarize(stack: Stack) -> dict[str, Any]:
    return without_nothing(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "TemplateDescription": stack.description,
            "CreationTime": moment(stack.created_at),
            "LastUpdatedTime": None if stack.updated_at is None else moment(stack.updated_at),
            "DeletionTime": None if stack.deleted_at is None else moment(stack.deleted_at),
            "StackStatus": stack.status,
            "StackStatusReason": stack.status_reason or None,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def _describe(context: Context, stack: Stack) -> dict[str, Any]:
    summary, life = _summarize(stack), context.world.delivery.stacks.get(stack.id)
    del summary["TemplateDescription"]
    return {
        **summary,
        **({"Description": stack.description} if stack.description else {}),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items() if not key.startswith("aws:")],
        "DisableRollback": life is not None and life.on_failure == "DO_NOTHING",
    }


def _listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="NextToken", size="", default_size=_PAGE)
    return {member: page, **({"NextToken": following} if following else {})}
