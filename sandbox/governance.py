"""What Control Tower has set up in OUs and accounts: baselines, controls, the trail and the recorders."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.landing_zone import (
    ACCOUNT_FACTORY_PRODUCT,
    HOME_REGION,
    MANAGEMENT_ACCOUNT,
    ROOT_ID,
    account_arn,
    unit_arn,
)
from sandbox.model import Account, OrganizationalUnit, ProvisionedProduct
from sandbox.provisioning import find_unit
from sandbox.stacks import governed_regions
from sandbox.world import World

BASELINE_VERSION = "4.0"
TRAIL_NAME = "aws-controltower-BaselineCloudTrail"
TRAIL_ARN = f"arn:aws:cloudtrail:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:trail/{TRAIL_NAME}"
RECORDER_NAME = "aws-controltower-BaselineConfigRecorder"
_SECURITY_UNIT = "Security"

_BASELINES = {
    "AuditBaseline": ("3RP6LQYZ2BR0MQSY", "Sets up the audit account."),
    "AWSControlTowerBaseline": ("17BSJV3IGJ2QSGA2", "Sets up resources and controls in an OU's accounts."),
    "BackupBaseline": ("3WPD0NA6TJ9AOMU2", "Sets up AWS Backup in an OU's accounts."),
    "IdentityCenterBaseline": ("LN25R72TTG6IGPTQ", "Sets up IAM Identity Center."),
    "LogArchiveBaseline": ("J8HX46AHS5MIKQPD", "Sets up the log archive account."),
}
BASELINES = {
    name: (f"arn:aws:controltower:{HOME_REGION}::baseline/{identifier}", description)
    for name, (identifier, description) in _BASELINES.items()
}
_TOWER_BASELINE = BASELINES["AWSControlTowerBaseline"][0]

_CONTROLS = (
    "AWS-GR_CLOUDTRAIL_CHANGE_PROHIBITED",
    "AWS-GR_CONFIG_CHANGE_PROHIBITED",
    "AWS-GR_ENCRYPTED_VOLUMES",
    "AWS-GR_RESTRICT_ROOT_USER",
)


@dataclass(frozen=True)
class Enabled:
    """A baseline or control that is enabled on an OU, or inherited by an account (then `parent` is the OU's)."""

    arn: str
    what: str
    target: str
    status: str = "SUCCEEDED"
    parent: str | None = None
    is_drifted: bool = False

    @property
    def operation_id(self) -> str:
        """The operation that set it up."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.arn))


def list_enabled_baselines(world: World) -> Iterator[Enabled]:
    """The baseline of each governed OU, and after them that of each account that Account Factory governs."""
    for unit in _governed_units(world):
        yield Enabled(_enabled_arn("enabledbaseline", unit_arn(unit.id)), _TOWER_BASELINE, unit_arn(unit.id))
    for product, account in _enrolled(world):
        home = world.zone.units.get(account.parent_id)
        is_governed = home is not None and home.registered
        ordered = find_unit(world, product.parameters.get("ManagedOrganizationalUnit", ""))
        yield Enabled(
            _enabled_arn("enabledbaseline", account_arn(account.id)),
            _TOWER_BASELINE,
            account_arn(account.id),
            status=_status_in(world, product, account),
            parent=_enabled_arn("enabledbaseline", unit_arn(account.parent_id)) if is_governed else None,
            is_drifted=product.status == "AVAILABLE" and (ordered is None or ordered.id != account.parent_id),
        )


def list_enabled_controls(world: World) -> Iterator[Enabled]:
    """The controls of each governed OU, and those that its accounts inherit."""
    for unit in _governed_units(world):
        for control in _CONTROLS:
            target = unit_arn(unit.id)
            yield Enabled(_enabled_arn("enabledcontrol", f"{target}/{control}"), control_arn(control), target)
    for _product, account in _enrolled(world):
        home = world.zone.units.get(account.parent_id)
        if home is None or not home.registered:
            continue
        for control in _CONTROLS:
            target = account_arn(account.id)
            parent = _enabled_arn("enabledcontrol", f"{unit_arn(home.id)}/{control}")
            arn = _enabled_arn("enabledcontrol", f"{target}/{control}")
            yield Enabled(arn, control_arn(control), target, parent=parent)


def control_arn(name: str) -> str:
    """A control's ARN."""
    return f"arn:aws:controltower:{HOME_REGION}::control/{name}"


def has_recorder(world: World, account_id: str, region: str) -> bool:
    """Whether Control Tower has set up AWS Config there: in governed accounts, in governed Regions."""
    if region not in governed_regions(world.zone):
        return False
    account = world.zone.accounts.get(account_id)
    unit = world.zone.units.get(account.parent_id) if account is not None else None
    if unit is not None and unit.registered and unit.name == _SECURITY_UNIT and unit.parent_id == ROOT_ID:
        return True
    return any(
        account.id == account_id and product.last_successful_record_id is not None
        for product, account in _enrolled(world)
    )


def describe_enabled(enabled: Enabled, what_key: str) -> dict[str, Any]:
    """What baselines and controls tell about themselves in the same words."""
    return {
        "arn": enabled.arn,
        what_key: enabled.what,
        "targetIdentifier": enabled.target,
        "statusSummary": {"status": enabled.status, "lastOperationIdentifier": enabled.operation_id},
        **({"parentIdentifier": enabled.parent} if enabled.parent else {}),
    }


def _governed_units(world: World) -> list[OrganizationalUnit]:
    return [unit for unit in world.zone.units.values() if unit.registered]


def _enrolled(world: World) -> Iterator[tuple[ProvisionedProduct, Account]]:
    for product in world.zone.provisioned_products.values():
        if product.product_id != ACCOUNT_FACTORY_PRODUCT or product.account_id is None or product.terminated:
            continue
        account = world.zone.accounts.get(product.account_id)
        if account is not None:
            yield product, account


def _status_in(world: World, product: ProvisionedProduct, account: Account) -> str:
    if product.status == "UNDER_CHANGE":
        return "UNDER_CHANGE"
    if product.status != "AVAILABLE" or account.id in world.zone.failed_baselines:
        return "FAILED"
    return "SUCCEEDED"


def _enabled_arn(kind: str, target: str) -> str:
    identifier = "XA" + uuid.uuid5(uuid.NAMESPACE_URL, target).hex[:15].upper()
    return f"arn:aws:controltower:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:{kind}/{identifier}"
