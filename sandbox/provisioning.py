"""Service Catalog's work, above all Account Factory's: each operation passes stages at set simulated times.

Nothing runs in the background: `settle` carries out whatever has come due whenever somebody looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import stack_orders
from sandbox.access import ADMINISTRATOR_ACCESS, Assignment, arn_of
from sandbox.closing import settle_closures
from sandbox.delivery.moving import settle_deliveries
from sandbox.experiments import settle_experiments
from sandbox.identities import ensure_user
from sandbox.landing_zone import ACCOUNT_FACTORY_PRODUCT, ROOT_ID, outputs_of
from sandbox.model import Account, OrganizationalUnit, ProvisionedProduct, Record
from sandbox.stack_orders import fail
from sandbox.world import World

MAX_CONCURRENT_OPERATIONS = 5
_NESTED_UNIT = re.compile(r"(?P<name>.+) \((?P<id>ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})\)")


@dataclass(frozen=True)
class Stage:
    """What happens how many simulated seconds after the operation was ordered."""

    name: str
    after: float


PROVISION = (
    Stage("start", 10),
    Stage("check", 60),
    Stage("create_account", 600),
    Stage("move_account", 1_080),
    Stage("finish", 1_200),
)
UPDATE = (Stage("start", 10), Stage("check", 60), Stage("move_account", 480), Stage("finish", 600))
TERMINATE = (Stage("start", 10), Stage("release_account", 240), Stage("finish", 300))


def _as_stages(steps: tuple[tuple[str, float], ...]) -> tuple[Stage, ...]:
    return tuple(Stage(name, after) for name, after in steps)


WAYS = {
    "provision": PROVISION,
    "update": UPDATE,
    "terminate": TERMINATE,
    "making_stacks": _as_stages(stack_orders.MAKING_STACKS),
    "changing_stacks": _as_stages(stack_orders.CHANGING_STACKS),
    "deleting_stacks": _as_stages(stack_orders.DELETING_STACKS),
}


def begin(world: World, record: Record) -> None:
    """Put a new record on its way."""
    record.over_capacity = (
        record.product_id == ACCOUNT_FACTORY_PRODUCT and operations_under_way(world) >= MAX_CONCURRENT_OPERATIONS
    )
    record.way = _choose_way(world, record)
    first = WAYS[record.way][0]
    record.next_stage, record.due = first.name, record.created_at + first.after
    world.zone.records[record.id] = record
    world.changed()


def operations_under_way(world: World) -> int:
    """How many account operations Control Tower is busy with."""
    return sum(
        1
        for record in world.zone.records.values()
        if record.due is not None and record.product_id == ACCOUNT_FACTORY_PRODUCT and not record.over_capacity
    )


def settle(world: World) -> None:
    """Carry out every stage that has come due, in the order of the times they were due at."""
    settle_closures(world)
    settle_experiments(world)
    settle_deliveries(world)
    now = world.clock.now()
    while True:
        due = [record for record in world.zone.records.values() if record.due is not None and record.due <= now]
        if not due:
            return
        record = min(due, key=lambda candidate: (candidate.due, candidate.created_at))
        _pass_stage(world, record)
        world.changed()


def find_unit(world: World, named: str) -> OrganizationalUnit | None:
    """The registered OU that a ManagedOrganizationalUnit names: a top-level name, or ``Name (ou-id)``."""
    nested = _NESTED_UNIT.fullmatch(named)
    if nested is not None:
        unit = world.zone.units.get(nested["id"])
        return unit if unit is not None and unit.registered and unit.name == nested["name"] else None
    for unit in world.children_of(ROOT_ID):
        if unit.name == named and unit.registered:
            return unit
    return None


def _choose_way(world: World, record: Record) -> str:
    if record.product_id != ACCOUNT_FACTORY_PRODUCT:
        return stack_orders.choose_way_of_stacks(world, record)
    if record.type == "TERMINATE_PROVISIONED_PRODUCT":
        return "terminate"
    if record.type == "UPDATE_PROVISIONED_PRODUCT" and _product_of(world, record).account_id is not None:
        return "update"
    # Also an update of a product whose account was never made.
    return "provision"


def _pass_stage(world: World, record: Record) -> None:
    stages = WAYS[record.way]
    position = next(number for number, stage in enumerate(stages) if stage.name == record.next_stage)
    assert record.due is not None  # noqa: S101 - settle picks records that are due
    record.updated_at = record.due
    _STAGES[stages[position].name](world, record)
    if record.status in ("SUCCEEDED", "FAILED"):
        record.next_stage = record.due = None
    else:
        following = stages[position + 1]
        record.next_stage, record.due = following.name, record.created_at + following.after


def _start(_world: World, record: Record) -> None:
    record.status = "IN_PROGRESS"


def _check(world: World, record: Record) -> None:
    product = _product_of(world, record)
    problem = _find_problem(world, record, product)
    if problem is not None:
        fail(product, record, *problem)


def _find_problem(world: World, record: Record, product: ProvisionedProduct) -> tuple[str, str] | None:
    parameters = record.parameters
    if record.over_capacity:
        return (
            "ConcurrentOperationLimitExceeded",
            f"AWS Control Tower is busy with {MAX_CONCURRENT_OPERATIONS} account operations, its maximum. "
            "Wait until one has finished, then try again.",
        )
    unit_name = parameters["ManagedOrganizationalUnit"]
    if find_unit(world, unit_name) is None:
        return (
            "InvalidOrganizationalUnit",
            f"The organizational unit {unit_name} does not exist, or is not registered with AWS Control Tower.",
        )
    if product.account_id is not None:
        account = world.zone.accounts.get(product.account_id)
        if account is None or account.status != "ACTIVE":
            return "InvalidAccountState", f"The account {product.account_id} is closed or being closed."
    else:
        email = parameters["AccountEmail"]
        if email.casefold() in _used_emails(world, record):
            return "EmailAlreadyExists", f"The e-mail address {email} already belongs to an AWS account."
        if len(world.zone.accounts) + _accounts_to_come(world, record) >= world.account_quota():
            world.faults.take("quota")
            return (
                "AccountLimitExceeded",
                f"You have reached the maximum number of AWS accounts ({world.account_quota():.0f}) "
                "for your organization.",
            )
        failure = world.faults.take("provisioning_failed")
        if failure is not None:
            return "InternalFailure", str(failure["message"])
    return None


def _create_account(world: World, record: Record) -> None:
    product = _product_of(world, record)
    parameters = record.parameters
    account = Account(
        id=world.new_account_id(),
        name=parameters["AccountName"],
        email=parameters["AccountEmail"],
        parent_id=ROOT_ID,
        joined_at=record.updated_at,
    )
    world.zone.accounts[account.id] = account
    product.account_id = account.id
    product.parameters = parameters


def _move_account(world: World, record: Record) -> None:
    account = world.zone.accounts[_account_of(world, record)]
    unit = find_unit(world, record.parameters["ManagedOrganizationalUnit"])
    if unit is None:
        unit_name = record.parameters["ManagedOrganizationalUnit"]
        message = f"The organizational unit {unit_name} is no longer registered with AWS Control Tower."
        fail(_product_of(world, record), record, "InvalidOrganizationalUnit", message)
        return
    account.parent_id = unit.id
    taint = world.faults.take("tainted")
    if taint is not None:
        record.status = "IN_PROGRESS_IN_ERROR"
        record.errors = [{"Code": "InternalFailure", "Description": str(taint["message"])}]


def _release_account(world: World, record: Record) -> None:
    product = _product_of(world, record)
    if product.account_id is not None:
        # The account stays in the organization; Control Tower only stops to govern it.
        account = world.zone.accounts.get(product.account_id)
        if account is not None:
            account.parent_id = ROOT_ID


def _finish(world: World, record: Record) -> None:
    product = _product_of(world, record)
    if record.status == "IN_PROGRESS_IN_ERROR":
        error = record.errors[0]
        fail(product, record, error["Code"], error["Description"])
        return
    record.status = "SUCCEEDED"
    if record.type == "TERMINATE_PROVISIONED_PRODUCT":
        product.terminated = True
        return
    product.status, product.status_message = "AVAILABLE", ""
    product.parameters = record.parameters
    product.last_successful_record_id = record.id
    if product.account_id is not None:
        record.outputs = outputs_of(world.zone.accounts[product.account_id], record.parameters)
        _let_in(world, product.account_id, record)
        _enable_baseline(world, product.account_id)


def _let_in(world: World, account_id: str, record: Record) -> None:
    """Account Factory makes the SSO user if there is none, and the account's administrator."""
    named = record.parameters
    user = ensure_user(
        world.zone.users,
        named["SSOUserEmail"],
        named["SSOUserFirstName"],
        named["SSOUserLastName"],
        record.updated_at,
    )
    assignment = Assignment(account_id, arn_of(ADMINISTRATOR_ACCESS), "USER", user.id)
    world.zone.assignments[assignment.key] = assignment


def _enable_baseline(world: World, account_id: str) -> None:
    # Every order and update enables it anew, so an update mends one that failed.
    world.zone.failed_baselines.pop(account_id, None)
    if world.faults.take("baseline_failed") is not None:
        world.zone.failed_baselines[account_id] = "AWSControlTowerBaseline could not be enabled."


_STAGES: dict[str, Callable[[World, Record], None]] = {
    "start": _start,
    "check": _check,
    "create_account": _create_account,
    "move_account": _move_account,
    "release_account": _release_account,
    "finish": _finish,
    "make_stacks": stack_orders.make_stacks,
    "change_stacks": stack_orders.change_stacks,
    "delete_stacks": stack_orders.delete_stacks,
    "finish_stacks": stack_orders.finish_stacks,
}


def _product_of(world: World, record: Record) -> ProvisionedProduct:
    return world.zone.provisioned_products[record.provisioned_product_id]


def _account_of(world: World, record: Record) -> str:
    account_id = _product_of(world, record).account_id
    if account_id is None:
        raise RuntimeError(f"{record.id} moves an account that was never made")
    return account_id


def _orders_being_carried_out(world: World, but: Record) -> list[Record]:
    """Checked orders whose account doesn't exist yet."""
    return [
        record
        for record in world.zone.records.values()
        if record is not but and record.next_stage == "create_account" and record.product_id == ACCOUNT_FACTORY_PRODUCT
    ]


def _used_emails(world: World, but: Record) -> set[str]:
    used = {account.email.casefold() for account in world.zone.accounts.values()}
    # The root e-mail of a closed account is never free again.
    used |= {closure.email.casefold() for closure in world.zone.closures.values()}
    return used | {record.parameters["AccountEmail"].casefold() for record in _orders_being_carried_out(world, but)}


def _accounts_to_come(world: World, but: Record) -> int:
    return len(_orders_being_carried_out(world, but))
