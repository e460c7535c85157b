"""Amazon DevOps Guru in one account: what it analyses there, and what that would cost."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.coverage import ALL, DELEGATED_AT, cover, covered, uncover
from sandbox.errors import AwsError
from sandbox.insights import DELEGATED_ADMINISTRATOR
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.registry import Context, Parameters, page_of
from sandbox.services.devopsguru import operation
from sandbox.services.organizations import operation as organizations_operation
from sandbox.stacks import resources_in_stack, stacks_in
from sandbox.world import without_nothing

_MOST_STACKS = 1_000
_ESTIMATED_IN = 600.0
_ESTIMATES = "cost-estimate:"
_PRICES = {"AWS::Lambda::Function": 0.0028, "AWS::S3::Bucket": 0.0028}
_OTHER_PRICE = 0.0042
_HOURS = 730


@operation("GetResourceCollection")
def get_resource_collection(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The stacks that are analysed in the caller's account and Region."""
    if parameters["ResourceCollectionType"] != "AWS_CLOUD_FORMATION":
        return {"ResourceCollection": {}}
    stacks = sorted(covered(context.world.zone, context.account, context.region))
    page, following = page_of(context, parameters, stacks, cursor="NextToken", size="", default_size=100)
    return without_nothing({"ResourceCollection": {"CloudFormation": {"StackNames": page}}, "NextToken": following})


@operation("UpdateResourceCollection")
def update_resource_collection(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add stacks to what is analysed, or take them out."""
    stacks = parameters["ResourceCollection"].get("CloudFormation", {}).get("StackNames", [])
    if not stacks:
        raise AwsError("ValidationException", "The sandboxed AWS covers stacks by their names.")
    if parameters["Action"] == "REMOVE":
        uncover(context.world.zone, context.account, context.region, stacks)
    else:
        there = {s.name for s in stacks_in(context.world, context.account, context.region) if s.deleted_at is None}
        unknown = [name for name in stacks if name not in there and name != ALL]
        if unknown:
            raise AwsError("ValidationException", f"There is no stack {unknown[0]} in {context.region}.")
        if len(covered(context.world.zone, context.account, context.region)) + len(stacks) > _MOST_STACKS:
            raise AwsError("ConflictException", f"At most {_MOST_STACKS} stacks are analysed.", ResourceId=stacks[0],
                           ResourceType="ResourceCollection")  # fmt: skip
        cover(context.world.zone, context.account, context.region, stacks, context.now)
    context.world.changed()
    return {}


@operation("StartCostEstimation")
def start_cost_estimation(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin to estimate what analysing a stack would cost a month; one at a time."""
    (stack,) = parameters["ResourceCollection"].get("CloudFormation", {}).get("StackNames", [""])
    begun, name = _estimate(context)
    if name and context.now < begun + _ESTIMATED_IN:
        raise AwsError("ConflictException", "An estimation is under way.", ResourceId=name, ResourceType="Estimation")
    marks = context.world.zone.marks
    for mark in [m for m in marks if m.startswith(_of(context))]:
        del marks[mark]
    marks[_of(context) + stack] = context.now
    context.world.changed()
    return {}


@operation("GetCostEstimation")
def get_cost_estimation(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What was estimated last."""
    begun, name = _estimate(context)
    if not name:
        raise AwsError("ResourceNotFoundException", "No estimation was started.", ResourceId="", ResourceType="Cost")
    described = {"ResourceCollection": {"CloudFormation": {"StackNames": [name]}}}
    if context.now < begun + _ESTIMATED_IN:
        return {**described, "Status": "ONGOING"}
    stack = next((s for s in stacks_in(context.world, context.account, context.region) if s.name == name), None)
    counts: dict[str, int] = {}
    for resource in resources_in_stack(context.world, stack) if stack else ():
        counts[resource.type] = counts.get(resource.type, 0) + 1
    costs = []
    for kind, count in sorted(counts.items()):
        price = _PRICES.get(kind, _OTHER_PRICE)
        costs.append(
            {"Type": kind, "State": "ACTIVE", "Count": count, "UnitCost": price, "Cost": price * _HOURS * count}
        )
    return {
        **described,
        "Status": "COMPLETED",
        "Costs": costs,
        "TotalCost": sum(cost["Cost"] for cost in costs),
        "TimeRange": {"StartTime": moment(begun), "EndTime": moment(begun + 30 * 86_400)},
    }


@organizations_operation("ListDelegatedAdministrators")
def list_delegated_administrators(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account that stands in for the management account, with DevOps Guru."""
    if context.account != MANAGEMENT_ACCOUNT:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    if parameters.get("ServicePrincipal", "devops-guru.amazonaws.com") != "devops-guru.amazonaws.com":
        return {"DelegatedAdministrators": []}
    account = context.world.zone.accounts[DELEGATED_ADMINISTRATOR]
    described = {"Id": account.id, "Name": account.name, "Email": account.email, "Status": "ACTIVE"}
    return {"DelegatedAdministrators": [{**described, "DelegationEnabledDate": moment(DELEGATED_AT)}]}


def _of(context: Context) -> str:
    return f"{_ESTIMATES}{context.account}/{context.region}/"


def _estimate(context: Context) -> tuple[float, str]:
    marks = context.world.zone.marks
    found = next((m for m in marks if m.startswith(_of(context))), "")
    return (marks[found], found.removeprefix(_of(context))) if found else (0.0, "")
