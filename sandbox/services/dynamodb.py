"""Amazon DynamoDB, as far as a registry needs it: a table that is described, scanned in pages, and changed by items."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox.clock import moment
from sandbox.delivery.conditions import CONDITIONS, require_condition
from sandbox.delivery.table_model import Table
from sandbox.delivery.tables import find_item, invalid, on_wire, put_item, scan, size_of_table
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, serve
from sandbox.world import without_nothing

operation = serve(Service("dynamodb", signing_name="dynamodb", throttled="ProvisionedThroughputExceededException"))


@operation("DescribeTable")
def describe_table(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A table: its key, how many items it has."""
    name = _name(parameters)
    table = context.world.delivery.tables.get(f"{context.account}/{context.region}/{name}")
    if table is None:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    count, size = size_of_table(context.world.delivery, table)
    return {
        "Table": {
            "TableName": table.name,
            "TableArn": table.arn,
            "TableId": _id_of(table),
            "TableStatus": "ACTIVE",
            "CreationDateTime": moment(table.created_at),
            "KeySchema": [{"AttributeName": table.key_name, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": table.key_name, "AttributeType": table.key_type}],
            "ItemCount": count,
            "TableSizeBytes": size,
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        }
    }


@operation("Scan")
def scan_table(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A page of a table's items: up to Limit, up to a megabyte, after ExclusiveStartKey."""
    _only(parameters, "TableName", "Limit", "ExclusiveStartKey", "ConsistentRead", "ReturnConsumedCapacity")
    table, limit = _find(context, parameters), parameters.get("Limit")
    if limit is not None and limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    page, following = scan(context.world.delivery, table, parameters.get("ExclusiveStartKey"), limit)
    return without_nothing(
        {"Items": page, "Count": len(page), "ScannedCount": len(page), "LastEvaluatedKey": following}
    )


@operation("GetItem")
def get_item(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One item by its key; nothing at all when there is none."""
    _only(parameters, "TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity")
    found = find_item(context.world.delivery, _find(context, parameters), parameters["Key"])
    return {"Item": on_wire(found.attributes)} if found else {}


@operation("PutItem")
def put(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Put an item in, or replace the one with its key as a whole."""
    _only(parameters, "TableName", "Item", "ReturnValues", "ReturnConsumedCapacity", *CONDITIONS)
    is_told, delivery, table = _wants_old(parameters), context.world.delivery, _find(context, parameters)
    if any(name in parameters for name in CONDITIONS):
        key = {name: value for name, value in parameters["Item"].items() if name == table.key_name}
        require_condition(parameters, find_item(delivery, table, key))
    before = put_item(delivery, table, parameters["Item"])
    return {"Attributes": before} if before and is_told else {}


@operation("DeleteItem")
def delete_item(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take an item out; one that isn't there doesn't matter."""
    _only(parameters, "TableName", "Key", "ReturnValues", "ReturnConsumedCapacity", *CONDITIONS)
    is_told, delivery = _wants_old(parameters), context.world.delivery
    found = find_item(delivery, _find(context, parameters), parameters["Key"])
    require_condition(parameters, found)
    if found is None:
        return {}
    delivery.drop("items", found.key)
    return {"Attributes": on_wire(found.attributes)} if is_told else {}


def _only(parameters: Mapping[str, Any], *served: str) -> None:
    """Refuse what would be passed over: a condition that is not looked at is worse than none."""
    if other := sorted(set(parameters) - set(served)):
        raise invalid(f"The sandbox does not know {', '.join(other)} of this operation.")


def _wants_old(parameters: Parameters) -> bool:
    wanted = parameters.get("ReturnValues", "NONE")
    if wanted not in ("NONE", "ALL_OLD"):
        raise invalid("ReturnValues can only be ALL_OLD or NONE")
    return bool(wanted == "ALL_OLD")


def _name(parameters: Parameters) -> str:
    return str(parameters["TableName"]).rpartition(":table/")[2]


def _find(context: Context, parameters: Parameters) -> Table:
    table = context.world.delivery.tables.get(f"{context.account}/{context.region}/{_name(parameters)}")
    if table is None:
        raise AwsError("ResourceNotFoundException", "Requested resource not found")
    return table


def _id_of(table: Table) -> str:
    digest = hashlib.sha256(table.key.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
