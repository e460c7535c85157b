"""EC2, as far as experiments need it: instances and subnets."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import INSTANCE, SUBNET
from sandbox.chaos_model import Machine
from sandbox.chaos_targets import describe
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service(
        "ec2",
        signing_name="ec2",
        invalid="InvalidParameterValue",
        bad_page="InvalidParameterValue",
        throttled="RequestLimitExceeded",
        throttled_status=503,
        denied="UnauthorizedOperation",
        denied_status=403,
        failed="InternalError",
    )
)
_FIELDS = {"instance-id": "InstanceId", "subnet-id": "SubnetId", "vpc-id": "VpcId", "instance-type": "InstanceType"}


@operation("DescribeInstances")
def describe_instances(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's instances, each in a reservation of its own."""
    found = _found(context, parameters, INSTANCE, "InstanceIds", "InvalidInstanceID.NotFound")
    page, following = page_of(context, parameters, found, cursor="NextToken", size="MaxResults", default_size=1_000)
    reservations = [
        {"ReservationId": "r-" + i["InstanceId"][2:], "OwnerId": context.account, "Groups": [], "Instances": [i]}
        for i in page
    ]
    return without_nothing({"Reservations": reservations, "NextToken": following})


@operation("DescribeSubnets")
def describe_subnets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's subnets."""
    found = _found(context, parameters, SUBNET, "SubnetIds", "InvalidSubnetID.NotFound")
    page, following = page_of(context, parameters, found, cursor="NextToken", size="MaxResults", default_size=1_000)
    return without_nothing({"Subnets": page, "NextToken": following})


def machines_of(context: Context, kind: str) -> list[Machine]:
    """The caller's machines of a kind, in order of their ARNs."""
    mine = [
        m
        for m in context.world.zone.machines.values()
        if (m.account_id, m.region, m.kind) == (context.account, context.region, kind)
    ]
    return sorted(mine, key=lambda machine: machine.arn)


def _found(context: Context, parameters: Parameters, kind: str, ids: str, missing: str) -> list[dict[str, Any]]:
    described = {m.arn.rpartition("/")[2]: describe(m) for m in machines_of(context, kind)}
    if unknown := [i for i in parameters.get(ids, ()) if i not in described]:
        raise AwsError(missing, f"The ID '{unknown[0]}' does not exist")
    wanted = parameters.get(ids) or list(described)
    return [described[i] for i in wanted if all(_passes(described[i], f) for f in parameters.get("Filters", ()))]


def _passes(entry: dict[str, Any], wanted: Parameters) -> bool:
    name, values = wanted["Name"], wanted["Values"]
    tags = {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
    if name.startswith("tag:"):
        return tags.get(name.removeprefix("tag:")) in values
    if name == "tag-key":
        return any(key in values for key in tags)
    if name in ("availability-zone", "availabilityZone"):
        return entry.get("AvailabilityZone", entry.get("Placement", {}).get("AvailabilityZone")) in values
    if name == "instance-state-name":
        return entry["State"]["Name"] in values
    if name in _FIELDS:
        return entry.get(_FIELDS[name]) in values
    raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
