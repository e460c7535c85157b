"""What the platform team's products make: resources and outputs from a product's parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from sandbox.model import Stack, StackResource
from sandbox.products import BASTION_PRODUCT, BUCKET_PRODUCT, DATABASE_PRODUCT, NETWORK_PRODUCT
from sandbox.stacks import resource_arn

Values = Mapping[str, str]
_Made = tuple[list[tuple[str, str, str]], dict[str, str]]


def carry_out(product_id: str, stack: Stack, values: Values) -> tuple[list[StackResource], dict[str, str]]:
    """The resources and outputs of a product's stack; the same stack and values give the same."""
    contents, outputs = _TEMPLATES[product_id](stack, values)
    resources = [
        StackResource(
            arn=resource_arn(kind, stack.account_id, stack.region, physical_id),
            account_id=stack.account_id,
            region=stack.region,
            type=kind,
            physical_id=physical_id,
            logical_id=logical_id,
            created_at=stack.created_at,
        )
        for logical_id, kind, physical_id in contents
    ]
    return resources, {**outputs, "CloudformationStackARN": stack.id}


def _bucket(stack: Stack, values: Values) -> _Made:
    name = values["BucketName"]
    contents = [("Bucket", "AWS::S3::Bucket", name), ("Key", "AWS::KMS::Key", _unique(stack, "key", 32))]
    return contents, {"BucketName": name, "BucketArn": f"arn:aws:s3:::{name}"}


def _database(stack: Stack, values: Values) -> _Made:
    name = f"{values['DatabaseName'].replace('_', '-')}-{_unique(stack, 'db', 6)}"
    endpoint = f"{name}.c{_unique(stack, 'zone', 11)}.{stack.region}.rds.amazonaws.com"
    return [("Database", "AWS::RDS::DBInstance", name)], {"Endpoint": endpoint, "Port": "5432"}


def _network(stack: Stack, values: Values) -> _Made:
    vpc = "vpc-0" + _unique(stack, "vpc", 16)
    zones = [zone.strip() for zone in values["AvailabilityZones"].split(",")]
    subnets = {zone: "subnet-0" + _unique(stack, zone, 16) for zone in zones}
    contents = [("Vpc", "AWS::EC2::VPC", vpc)]
    contents += [(f"Subnet{zone.upper()}", "AWS::EC2::Subnet", subnet) for zone, subnet in subnets.items()]
    if values["FlowLogs"] == "true":
        contents.append(("FlowLogs", "AWS::Logs::LogGroup", f"/vpc/{vpc}/flow"))
    return contents, {"VpcId": vpc, "SubnetIds": ",".join(subnets.values())}


def _bastion(stack: Stack, _values: Values) -> _Made:
    instance = "i-0" + _unique(stack, "host", 16)
    return [("Host", "AWS::EC2::Instance", instance)], {"InstanceId": instance}


def _unique(stack: Stack, what: str, length: int) -> str:
    return hashlib.sha256(f"{stack.id}/{what}".encode()).hexdigest()[:length]


_TEMPLATES: dict[str, Callable[[Stack, Values], _Made]] = {
    BUCKET_PRODUCT: _bucket,
    DATABASE_PRODUCT: _database,
    NETWORK_PRODUCT: _network,
    BASTION_PRODUCT: _bastion,
}
