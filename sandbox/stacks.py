"""CloudFormation stacks and what else is in an account.

Control Tower's own StackSet instances aren't kept: every governed account has them for as long as it is
governed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.landing_zone import FOUNDED, GOVERNED_REGIONS, HOME_REGION, MANAGEMENT_ACCOUNT
from sandbox.model import Account, LandingZone, Stack, StackResource

if TYPE_CHECKING:
    from sandbox.world import World

"""The Regions that every landing zone governs; a grown one may govern more."""
MORE_REGIONS = ("eu-west-1", "ap-southeast-2", "us-west-2")
_GOVERNED = "governed-region:"
CONTROL_TOWER_PREFIX = "StackSet-AWSControlTower"

# Blueprint, whether it is in the home Region only, and what it makes: logical id, type, physical id
_BLUEPRINTS = (
    (
        "BP-BASELINE-ROLES",
        True,
        (("ForwardSnsNotificationRole", "AWS::IAM::Role", "aws-controltower-ForwardSnsNotificationRole"),),
    ),
    (
        "BP-BASELINE-SERVICE-ROLES",
        True,
        (("ConfigRecorderRole", "AWS::IAM::Role", "aws-controltower-ConfigRecorderRole"),),
    ),
    (
        "BP-BASELINE-CONFIG",
        False,
        (
            ("ConfigRecorder", "AWS::Config::ConfigurationRecorder", "aws-controltower-BaselineConfigRecorder"),
            ("ConfigDeliveryChannel", "AWS::Config::DeliveryChannel", "aws-controltower-BaselineConfigDeliveryChannel"),
        ),
    ),
    (
        "BP-BASELINE-CLOUDWATCH",
        False,
        (("ForwardSnsNotification", "AWS::Lambda::Function", "aws-controltower-NotificationForwarder"),),
    ),
)


def governed_regions(zone: LandingZone) -> tuple[str, ...]:
    """The Regions that Control Tower governs."""
    more = tuple(mark.removeprefix(_GOVERNED) for mark in zone.marks if mark.startswith(_GOVERNED))
    return (*GOVERNED_REGIONS, *more)


def govern(zone: LandingZone, count: int) -> None:
    """Let Control Tower govern that many Regions, two at least."""
    for region in MORE_REGIONS[: max(0, count - len(GOVERNED_REGIONS))]:
        zone.marks[_GOVERNED + region] = FOUNDED


def stack_id_of(account_id: str, region: str, name: str, unique: str) -> str:
    """A stack's ARN; the same `unique` gives the same one."""
    stable = uuid.uuid5(uuid.NAMESPACE_URL, f"{account_id}/{region}/{name}/{unique}")
    return f"arn:aws:cloudformation:{region}:{account_id}:stack/{name}/{stable}"


def stacks_in(world: World, account_id: str, region: str) -> list[Stack]:
    """The stacks of an account in a Region, Control Tower's among them, latest first."""
    kept = [stack for stack in world.zone.stacks.values() if (stack.account_id, stack.region) == (account_id, region)]
    governance = [stack for stack, _ in _governance_of(world.zone, account_id, region)]
    return sorted([*kept, *governance], key=lambda stack: stack.created_at, reverse=True)


def resources_in_stack(world: World, stack: Stack) -> list[StackResource]:
    """What a stack made."""
    for governance, resources in _governance_of(world.zone, stack.account_id, stack.region):
        if governance.id == stack.id:
            return resources
    return [resource for resource in world.zone.resources.values() if resource.stack_id == stack.id]


def resources_in(world: World, account_id: str, region: str) -> list[StackResource]:
    """What is in an account and Region, but for what Control Tower keeps there."""
    return [
        resource
        for resource in world.zone.resources.values()
        if (resource.account_id, resource.region) == (account_id, region)
    ]


def add_stack(zone: LandingZone, stack: Stack, resources: list[StackResource]) -> None:
    """Keep a stack and what it made; its resources carry its tags and CloudFormation's own."""
    zone.stacks[stack.id] = stack
    for resource in resources:
        resource.stack_id = stack.id
        resource.tags = {
            **stack.tags,
            "aws:cloudformation:stack-name": stack.name,
            "aws:cloudformation:stack-id": stack.id,
            "aws:cloudformation:logical-id": resource.logical_id,
        }
        zone.resources[resource.arn] = resource


def delete_stack(zone: LandingZone, stack: Stack, at: float, *, retains_resources: bool = False) -> None:
    """End a stack; what it made goes with it, or stays behind as nobody's."""
    stack.status, stack.deleted_at = "DELETE_COMPLETE", at
    for resource in [entry for entry in zone.resources.values() if entry.stack_id == stack.id]:
        if retains_resources:
            resource.stack_id = ""
        else:
            del zone.resources[resource.arn]


def forget_account(zone: LandingZone, account_id: str) -> None:
    """Nothing in an account outlives it."""
    zone.stacks = {key: stack for key, stack in zone.stacks.items() if stack.account_id != account_id}
    zone.resources = {key: entry for key, entry in zone.resources.items() if entry.account_id != account_id}


def resource_arn(kind: str, account_id: str, region: str, physical_id: str) -> str:
    """The ARN of a resource, by its CloudFormation type."""
    patterns = {
        "AWS::S3::Bucket": "arn:aws:s3:::{name}",
        "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
        "AWS::EC2::Instance": "arn:aws:ec2:{region}:{account}:instance/{name}",
        "AWS::EC2::VPC": "arn:aws:ec2:{region}:{account}:vpc/{name}",
        "AWS::EC2::Subnet": "arn:aws:ec2:{region}:{account}:subnet/{name}",
        "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}",
        "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
        "AWS::RDS::DBInstance": "arn:aws:rds:{region}:{account}:db:{name}",
        "AWS::ECS::Cluster": "arn:aws:ecs:{region}:{account}:cluster/{name}",
        "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    }
    pattern = patterns.get(kind, "arn:aws:config:{region}:{account}:{name}")
    return pattern.format(region=region, account=account_id, name=physical_id)


def seed_contents(zone: LandingZone) -> None:
    """A few deployments and loose resources in accounts of the small seed."""
    webshop = {"team": "webshop"}
    _seed_stack(
        zone,
        "666677778888",
        "webshop-prod",
        "The web shop",
        webshop,
        (
            ("Assets", "AWS::S3::Bucket", "corp-webshop-assets"),
            ("Cluster", "AWS::ECS::Cluster", "webshop-prod"),
            ("Orders", "AWS::RDS::DBInstance", "webshop-orders"),
        ),
    )
    _seed_stack(
        zone,
        "666688889999",
        "webshop-test",
        "The web shop, to try things",
        webshop,
        (("Cluster", "AWS::ECS::Cluster", "webshop-test"),),
    )
    seed_loose(zone, "555566667777", "playground-scratch", {"team": "playground"})


def seed_loose(zone: LandingZone, account_id: str, bucket: str, tags: Mapping[str, str]) -> None:
    """A bucket and an instance that no stack made."""
    instance = "i-0" + uuid.uuid5(uuid.NAMESPACE_URL, account_id).hex[:16]
    for kind, physical_id in (("AWS::S3::Bucket", bucket), ("AWS::EC2::Instance", instance)):
        arn = resource_arn(kind, account_id, HOME_REGION, physical_id)
        zone.resources[arn] = StackResource(
            arn, account_id, HOME_REGION, kind, physical_id, created_at=FOUNDED, tags=dict(tags)
        )


def _seed_stack(
    zone: LandingZone,
    account_id: str,
    name: str,
    description: str,
    tags: Mapping[str, str],
    contents: tuple[tuple[str, str, str], ...],
) -> None:
    stack = Stack(
        id=stack_id_of(account_id, HOME_REGION, name, "seed"),
        name=name,
        account_id=account_id,
        region=HOME_REGION,
        description=description,
        status="CREATE_COMPLETE",
        created_at=FOUNDED + 30 * 86_400,
        tags=dict(tags),
    )
    add_stack(zone, stack, _resources(stack, contents))


def _resources(stack: Stack, contents: tuple[tuple[str, str, str], ...]) -> list[StackResource]:
    return [
        StackResource(
            arn=resource_arn(kind, stack.account_id, stack.region, physical_id),
            account_id=stack.account_id,
            region=stack.region,
            type=kind,
            physical_id=physical_id,
            logical_id=logical_id,
            stack_id=stack.id,
            created_at=stack.created_at,
        )
        for logical_id, kind, physical_id in contents
    ]


def _governance_of(zone: LandingZone, account_id: str, region: str) -> list[tuple[Stack, list[StackResource]]]:
    account = zone.accounts.get(account_id)
    if account is None or region not in governed_regions(zone) or not _is_governed(zone, account):
        return []
    made = []
    for blueprint, is_at_home_only, contents in _BLUEPRINTS:
        if is_at_home_only and region != HOME_REGION:
            continue
        name = f"{CONTROL_TOWER_PREFIX}{blueprint}-{uuid.uuid5(uuid.NAMESPACE_URL, account_id + blueprint)}"
        stack = Stack(
            id=stack_id_of(account_id, region, name, blueprint),
            name=name,
            account_id=account_id,
            region=region,
            description="A baseline of AWS Control Tower",
            status="CREATE_COMPLETE",
            created_at=account.joined_at,
        )
        made.append((stack, _resources(stack, contents)))
    return made


def _is_governed(zone: LandingZone, account: Account) -> bool:
    unit = zone.units.get(account.parent_id)
    return unit is not None and unit.registered and account.id != MANAGEMENT_ACCOUNT
