"""Which machines a target of an experiment comes to: tags, ARNs, parameters, filters, and how many of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.chaos_actions import CLUSTER, DATABASE, FUNCTION, INSTANCE, SUBNET, TASK
from sandbox.chaos_model import Machine
from sandbox.world import World

_MODE = re.compile(r"(COUNT|PERCENT)\((\d+)\)")


def is_selection_mode(text: str) -> bool:
    """Whether a text says how many of the candidates are taken."""
    found = _MODE.fullmatch(text)
    return text == "ALL" or (found is not None and 1 <= int(found[2]) <= (100 if found[1] == "PERCENT" else 10_000))


def resolve(world: World, accounts: Iterable[str], region: str, target: Mapping[str, Any], draw: str) -> list[str]:
    """The ARNs that a target comes to; `draw` decides which are taken when not all are."""
    found = [m.arn for m in candidates(world, accounts, region, target)]
    mode = _MODE.fullmatch(target["selectionMode"])
    if mode is None:
        return found
    wanted = int(mode[2]) if mode[1] == "COUNT" else len(found) * int(mode[2]) // 100
    return sorted(random.Random(draw).sample(found, min(wanted, len(found))))


def candidates(world: World, accounts: Iterable[str], region: str, target: Mapping[str, Any]) -> list[Machine]:
    """All machines that a target's type, ARNs, tags, parameters and filters fit, in order of their ARNs."""
    wanted = set(accounts)
    arns = set(target.get("resourceArns", ()))
    found = [
        machine
        for machine in world.zone.machines.values()
        if machine.account_id in wanted
        and machine.region == region
        and machine.kind == target["resourceType"]
        and machine.state not in ("terminated", "STOPPED")
        and (not arns or machine.arn in arns)
        and all(machine.tags.get(key) == value for key, value in target.get("resourceTags", {}).items())
        and _fits_parameters(machine, target.get("parameters", {}))
        and all(_passes(machine, f) for f in target.get("filters", ()))
    ]
    return sorted(found, key=lambda machine: machine.arn)


def describe(machine: Machine) -> dict[str, Any]:
    """A machine as its own service describes it, in the API's names."""
    tags = [{"Key": key, "Value": value} for key, value in machine.tags.items()]
    name = machine.arn.rpartition("/")[2]
    if machine.kind == INSTANCE:
        return {
            **machine.details,
            "InstanceId": name,
            "State": {"Code": {"running": 16, "stopped": 80, "terminated": 48}[machine.state], "Name": machine.state},
            "Placement": {"AvailabilityZone": machine.zone, "GroupName": "", "Tenancy": "default"},
            "SubnetId": machine.subnet,
            "Tags": tags,
        }
    if machine.kind == SUBNET:
        return {
            **machine.details,
            "SubnetId": name,
            "SubnetArn": machine.arn,
            "AvailabilityZone": machine.zone,
            "State": "available",
            "OwnerId": machine.account_id,
            "Tags": tags,
        }
    if machine.kind == DATABASE:
        name = machine.arn.rpartition(":")[2]
        known = {"DBInstanceIdentifier": name, "DBInstanceArn": machine.arn, "DBInstanceStatus": "available"}
        return {**machine.details, **known, "AvailabilityZone": machine.zone, "TagList": tags}
    if machine.kind == CLUSTER:
        name = machine.arn.rpartition(":")[2]
        return {**machine.details, "DBClusterIdentifier": name, "DBClusterArn": machine.arn, "TagList": tags}
    if machine.kind == FUNCTION:
        return {**machine.details, "FunctionName": machine.arn.rpartition(":")[2], "FunctionArn": machine.arn}
    lowered = [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
    status = {"running": "RUNNING"}.get(machine.state, machine.state)
    return {
        **machine.details,
        "taskArn": machine.arn,
        "availabilityZone": machine.zone,
        "lastStatus": status,
        "desiredStatus": "RUNNING" if status == "RUNNING" else "STOPPED",
        "tags": lowered,
    }


def _fits_parameters(machine: Machine, parameters: Mapping[str, str]) -> bool:
    checks = {
        "availabilityZoneIdentifier": machine.zone,
        "vpc": machine.details.get("VpcId", ""),
        "cluster": str(machine.details.get("clusterArn", "")),
        "service": str(machine.details.get("group", "")).removeprefix("service:"),
    }
    several = parameters.get("availabilityZoneIdentifiers") or parameters.get("writerAvailabilityZoneIdentifiers")
    if several and machine.zone not in [zone.strip() for zone in several.split(",")]:
        return False
    return all(
        checks.get(name) == value or (name == "cluster" and checks[name].endswith(f"/{value}"))
        for name, value in parameters.items()
        if name in checks
    )


def _passes(machine: Machine, wanted: Mapping[str, Any]) -> bool:
    values = set(_values([describe(machine)], wanted["path"].split(".")))
    return bool(values & set(wanted["values"]))


def _values(found: list[Any], path: list[str]) -> Iterator[str]:
    for entry in found:
        if isinstance(entry, list):
            yield from _values(entry, path)
        elif not path:
            yield str(entry)
        elif isinstance(entry, dict) and path[0] in entry:
            yield from _values([entry[path[0]]], path[1:])


KINDS = (INSTANCE, TASK, SUBNET, DATABASE, CLUSTER, FUNCTION)
