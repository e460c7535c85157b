"""The platform team's products on their way: each order, update and termination works on CloudFormation stacks.

A product has one stack for each of its targets. The faults `provisioning_failed` and `tainted` strike here as
they strike accounts: the first before anything is made (or, at an update or a termination, changed), the
second after.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sandbox.landing_zone import MANAGEMENT_ACCOUNT, provisioned_product_arn
from sandbox.model import ProvisionedProduct, Record, Stack, StackResource
from sandbox.parameters import mask_hidden
from sandbox.products import PRODUCTS_BY_ID
from sandbox.stacks import add_stack, delete_stack, stack_id_of
from sandbox.templates import carry_out
from sandbox.world import World

# Seconds of simulated time from the order on
MAKING_STACKS = (("start", 5.0), ("make_stacks", 60.0), ("finish_stacks", 180.0))
CHANGING_STACKS = (("start", 5.0), ("change_stacks", 30.0), ("finish_stacks", 120.0))
DELETING_STACKS = (("start", 5.0), ("delete_stacks", 60.0), ("finish_stacks", 120.0))


def choose_way_of_stacks(world: World, record: Record) -> str:
    """Which stages a record passes."""
    if record.type == "TERMINATE_PROVISIONED_PRODUCT":
        return "deleting_stacks"
    # Also an update of a product whose stacks were never made makes them.
    return "changing_stacks" if _product_of(world, record).stack_ids else "making_stacks"


def make_stacks(world: World, record: Record) -> None:
    """Make one stack for each target, or none at all."""
    product = _product_of(world, record)
    planned = [_plan(record, product, account_id, region) for account_id, region in product.targets]
    if _is_stopped(world, product, record, planned):
        return
    for plan in planned:
        plan.stack.outputs = plan.outputs
        add_stack(world.zone, plan.stack, plan.resources)
    product.stack_ids = [plan.stack.id for plan in planned]
    _maybe_taint(world, record)


def change_stacks(world: World, record: Record) -> None:
    """Replace what the stacks made by what the new parameters make."""
    product, zone = _product_of(world, record), world.zone
    planned = []
    for stack_id in product.stack_ids:
        stack = zone.stacks[stack_id]
        planned.append(_Plan(stack, *carry_out(product.product_id, stack, record.parameters)))
    if _is_stopped(world, product, record, planned):
        for plan in planned:
            plan.stack.status, plan.stack.status_reason = "UPDATE_ROLLBACK_COMPLETE", product.status_message
        return
    for plan in planned:
        stack = plan.stack
        for arn in [entry.arn for entry in zone.resources.values() if entry.stack_id == stack.id]:
            del zone.resources[arn]
        stack.parameters = mask_hidden(PRODUCTS_BY_ID[product.product_id], record.parameters)
        stack.status, stack.status_reason = "UPDATE_IN_PROGRESS", ""
        stack.updated_at, stack.outputs = record.updated_at, plan.outputs
        add_stack(zone, stack, plan.resources)
    _maybe_taint(world, record)


def delete_stacks(world: World, record: Record) -> None:
    """Delete the stacks; when that fails, IgnoreErrors ends the product all the same and leaves them behind."""
    product = _product_of(world, record)
    failure = world.faults.take("provisioning_failed") or world.faults.take("tainted")
    if failure is None:
        for stack_id in product.stack_ids:
            stack = world.zone.stacks[stack_id]
            delete_stack(world.zone, stack, record.updated_at, retains_resources=record.retains_resources)
        return
    for stack_id in product.stack_ids:
        stack = world.zone.stacks[stack_id]
        stack.status, stack.status_reason = "DELETE_FAILED", str(failure["message"])
    if not record.ignores_errors:
        fail(product, record, "CloudFormationStackFailed", str(failure["message"]))


def finish_stacks(world: World, record: Record) -> None:
    """End the record: outputs and an available product, or what went wrong on the way."""
    product = _product_of(world, record)
    if record.status == "IN_PROGRESS_IN_ERROR":
        error = record.errors[0]
        fail(product, record, error["Code"], error["Description"])
        _end_stacks(world, product, "CREATE_FAILED", "UPDATE_FAILED")
        return
    record.status = "SUCCEEDED"
    if record.type == "TERMINATE_PROVISIONED_PRODUCT":
        product.terminated = True
        return
    product.status, product.status_message = "AVAILABLE", ""
    _end_stacks(world, product, "CREATE_COMPLETE", "UPDATE_COMPLETE")
    product.parameters = record.parameters
    product.last_successful_record_id = record.id
    record.outputs = dict(world.zone.stacks[product.stack_ids[0]].outputs)


def fail(product: ProvisionedProduct, record: Record, code: str, description: str) -> None:
    """End a record as failed; its product is TAINTED if something of it is there, else in ERROR."""
    record.status = "FAILED"
    record.errors = [{"Code": code, "Description": description}]
    is_there = product.account_id is not None or product.stack_ids
    product.status = "TAINTED" if is_there else "ERROR"
    product.status_message = description


@dataclass(frozen=True)
class _Plan:
    stack: Stack
    resources: list[StackResource]
    outputs: dict[str, str]


def _plan(record: Record, product: ProvisionedProduct, account_id: str, region: str) -> _Plan:
    home = product.home_account or MANAGEMENT_ACCOUNT
    name = f"SC-{home}-{product.id}"
    definition = PRODUCTS_BY_ID[product.product_id]
    stack = Stack(
        id=stack_id_of(account_id, region, name, record.id),
        name=name,
        account_id=account_id,
        region=region,
        description=definition.description,
        status="CREATE_IN_PROGRESS",
        created_at=record.updated_at,
        parameters=mask_hidden(definition, record.parameters),
        tags={
            **product.tags,
            "aws:servicecatalog:provisionedProductArn": provisioned_product_arn(home, product.name, product.id),
        },
    )
    return _Plan(stack, *carry_out(product.product_id, stack, record.parameters))


def _is_stopped(world: World, product: ProvisionedProduct, record: Record, planned: list[_Plan]) -> bool:
    failure = world.faults.take("provisioning_failed")
    if failure is not None:
        fail(product, record, "InternalFailure", str(failure["message"]))
        return True
    wanted = [resource for plan in planned for resource in plan.resources]
    repeated = [arn for arn, times in Counter(resource.arn for resource in wanted).items() if times > 1]
    own = {plan.stack.id for plan in planned}
    taken = [
        resource.arn
        for resource in wanted
        if resource.arn in world.zone.resources and world.zone.resources[resource.arn].stack_id not in own
    ]
    if repeated or taken:
        fail(product, record, "CloudFormationStackFailed", f"{(repeated or taken)[0]} already exists.")
        return True
    return False


def _maybe_taint(world: World, record: Record) -> None:
    taint = world.faults.take("tainted")
    if taint is not None:
        record.status = "IN_PROGRESS_IN_ERROR"
        record.errors = [{"Code": "InternalFailure", "Description": str(taint["message"])}]


def _end_stacks(world: World, product: ProvisionedProduct, made: str, changed: str) -> None:
    for stack_id in product.stack_ids:
        stack = world.zone.stacks[stack_id]
        stack.status = made if stack.status == "CREATE_IN_PROGRESS" else changed
        stack.status_reason = product.status_message


def _product_of(world: World, record: Record) -> ProvisionedProduct:
    return world.zone.provisioned_products[record.provisioned_product_id]
