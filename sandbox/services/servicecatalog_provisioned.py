"""AWS Service Catalog, what has been provisioned: products, their records and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.catalog import is_home_of
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT, provisioned_product_arn
from sandbox.model import ProvisionedProduct, Record
from sandbox.parameters import invalid
from sandbox.products import LAUNCH_ROLE, PRODUCTS_BY_ID
from sandbox.registry import Context, Parameters
from sandbox.services.servicecatalog import listed, operation
from sandbox.world import without_nothing


@operation("DescribeRecord")
def describe_record(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One record, with its outputs once it has succeeded."""
    zone = context.world.zone
    record = zone.records.get(parameters["Id"])
    if record is None or not is_home_of(context, zone.provisioned_products[record.provisioned_product_id]):
        raise AwsError("ResourceNotFoundException", f"Record {parameters['Id']} not found.")
    outputs = listed(context, parameters, "RecordOutputs", _describe_outputs(record.product_id, record.outputs))
    return {"RecordDetail": describe_record_detail(record), **outputs}


@operation("ListRecordHistory")
def list_record_history(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Records, latest first."""
    world = context.world
    records = [
        record
        for record in world.zone.records.values()
        if _may_see(context, parameters, world.zone.provisioned_products[record.provisioned_product_id])
    ]
    wanted = parameters.get("SearchFilter", {})
    if wanted:
        field = {"product": "product_id", "provisionedproduct": "provisioned_product_id"}.get(wanted.get("Key"))
        if field is None:
            raise invalid("SearchFilter's Key must be product or provisionedproduct.")
        records = [record for record in records if getattr(record, field) == wanted.get("Value")]
    records.sort(key=lambda record: record.created_at, reverse=True)
    return listed(context, parameters, "RecordDetails", [describe_record_detail(record) for record in records])


@operation("DescribeProvisionedProduct")
def describe_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One provisioned product, by id or name."""
    found = find_provisioned(context, parameters, id_key="Id", name_key="Name")
    return {"ProvisionedProductDetail": _describe_provisioned(found), "CloudWatchDashboards": []}


@operation("ScanProvisionedProducts")
def scan_provisioned_products(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The provisioned products that the access level lets the caller see (by default their own)."""
    found = [_describe_provisioned(entry) for entry in _visible(context, parameters)]
    return listed(context, parameters, "ProvisionedProducts", found)


@operation("SearchProvisionedProducts")
def search_provisioned_products(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The visible provisioned products that match every query (``key:value`` or free text)."""
    queries = parameters.get("Filters", {}).get("SearchQuery", [])
    found = [
        entry
        for entry in map(_describe_attributes, _visible(context, parameters))
        if all(_matches(entry, query) for query in queries)
    ]
    if "SortBy" in parameters:
        key = _SORT_KEYS.get(parameters["SortBy"])
        if key is None:
            raise invalid(f"SortBy must be one of {', '.join(_SORT_KEYS)}.")
        found.sort(key=lambda entry: entry.get(key, ""), reverse=parameters.get("SortOrder") == "DESCENDING")
    return {**listed(context, parameters, "ProvisionedProducts", found), "TotalResultsCount": len(found)}


@operation("GetProvisionedProductOutputs")
def get_provisioned_product_outputs(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The outputs of the last operation that succeeded."""
    found = find_provisioned(context, parameters)
    record_id = found.last_successful_record_id
    outputs = context.world.zone.records[record_id].outputs if record_id else {}
    wanted = parameters.get("OutputKeys") or list(outputs)
    missing = [key for key in wanted if key not in outputs]
    if missing:
        raise invalid(f"{found.id} has no output {', '.join(missing)}.")
    chosen = {key: value for key, value in outputs.items() if key in wanted}
    return listed(context, parameters, "Outputs", _describe_outputs(found.product_id, chosen))


def describe_record_detail(record: Record) -> dict[str, Any]:
    """A record as Service Catalog tells it."""
    product = PRODUCTS_BY_ID[record.product_id]
    has_launch_role = any(kind == "LAUNCH" for kind, _ in product.constraints)
    return {
        **({"LaunchRoleArn": LAUNCH_ROLE} if has_launch_role else {}),
        "RecordId": record.id,
        "ProvisionedProductName": record.provisioned_product_name,
        "Status": record.status,
        "CreatedTime": moment(record.created_at),
        "UpdatedTime": moment(record.updated_at),
        "ProvisionedProductType": product.kind,
        "RecordType": record.type,
        "ProvisionedProductId": record.provisioned_product_id,
        "ProductId": record.product_id,
        "ProvisioningArtifactId": record.artifact_id,
        "PathId": record.path_id,
        "RecordErrors": list(record.errors),
        "RecordTags": _as_list(record.tags),
    }


def find_named(context: Context, name: str) -> ProvisionedProduct | None:
    """The provisioned product of that name in the caller's Service Catalog, if there is one."""
    for entry in context.world.zone.provisioned_products.values():
        if entry.name == name and not entry.terminated and is_home_of(context, entry):
            return entry
    return None


def find_provisioned(
    context: Context,
    parameters: Parameters,
    *,
    id_key: str = "ProvisionedProductId",
    name_key: str = "ProvisionedProductName",
) -> ProvisionedProduct:
    """The provisioned product that the parameters name by id or name; ResourceNotFoundException."""
    identifier, name = parameters.get(id_key), parameters.get(name_key)
    if (identifier is None) == (name is None):
        raise invalid(f"Give exactly one of {id_key} and {name_key}.")
    known = context.world.zone.provisioned_products
    found = known.get(identifier) if identifier else find_named(context, str(name))
    if found is None or found.terminated or not is_home_of(context, found):
        raise AwsError("ResourceNotFoundException", f"Provisioned product {identifier or name} not found.")
    return found


def _visible(context: Context, parameters: Parameters) -> list[ProvisionedProduct]:
    return [
        entry
        for entry in context.world.zone.provisioned_products.values()
        if not entry.terminated and _may_see(context, parameters, entry)
    ]


def _may_see(context: Context, parameters: Parameters, entry: ProvisionedProduct) -> bool:
    if not is_home_of(context, entry):
        return False
    level = parameters.get("AccessLevelFilter", {"Key": "User", "Value": "self"})
    if level.get("Value") != "self":
        raise invalid("AccessLevelFilter's Value must be self.")
    if level.get("Key") == "Account":
        return True
    if level.get("Key") == "Role":
        return entry.ordered_by.rpartition("/")[0] == context.caller.rpartition("/")[0]
    return entry.ordered_by == context.caller


def _describe_provisioned(entry: ProvisionedProduct) -> dict[str, Any]:
    return without_nothing(
        {
            "Name": entry.name,
            "Arn": provisioned_product_arn(entry.home_account or MANAGEMENT_ACCOUNT, entry.name, entry.id),
            "Type": PRODUCTS_BY_ID[entry.product_id].kind,
            "Id": entry.id,
            "Status": entry.status,
            "StatusMessage": entry.status_message or None,
            "CreatedTime": moment(entry.created_at),
            "IdempotencyToken": entry.token,
            "LastRecordId": entry.last_record_id,
            "LastProvisioningRecordId": entry.last_provisioning_record_id,
            "LastSuccessfulProvisioningRecordId": entry.last_successful_record_id,
            "ProductId": entry.product_id,
            "ProvisioningArtifactId": entry.artifact_id,
        }
    )


def _describe_attributes(entry: ProvisionedProduct) -> dict[str, Any]:
    product = PRODUCTS_BY_ID[entry.product_id]
    artifact = next(artifact for artifact in product.artifacts if artifact.id == entry.artifact_id)
    return without_nothing(
        {
            **_describe_provisioned(entry),
            "Tags": _as_list(entry.tags),
            "PhysicalId": entry.account_id or next(iter(entry.stack_ids), None),
            "ProductName": product.name,
            "ProvisioningArtifactName": artifact.name,
            "UserArn": entry.ordered_by,
            "UserArnSession": entry.ordered_by,
        }
    )


_SEARCH_KEYS = {
    "arn": "Arn",
    "id": "Id",
    "idempotencyToken": "IdempotencyToken",
    "lastRecordId": "LastRecordId",
    "name": "Name",
    "physicalId": "PhysicalId",
    "productId": "ProductId",
    "productName": "ProductName",
    "provisioningArtifactId": "ProvisioningArtifactId",
    "provisioningArtifactName": "ProvisioningArtifactName",
    "status": "Status",
    "type": "Type",
    "userArn": "UserArn",
    "userArnSession": "UserArnSession",
}
_SORT_KEYS = {
    "arn": "Arn",
    "createdTime": "CreatedTime",
    "id": "Id",
    "lastRecordId": "LastRecordId",
    "name": "Name",
}


def _matches(entry: Mapping[str, Any], query: str) -> bool:
    key, colon, value = query.partition(":")
    if colon and key in _SEARCH_KEYS:
        return bool(entry.get(_SEARCH_KEYS[key]) == value)
    return any(query.casefold() in str(entry.get(name, "")).casefold() for name in _SEARCH_KEYS.values())


def _describe_outputs(product_id: str, outputs: Mapping[str, str]) -> list[dict[str, Any]]:
    descriptions = dict(PRODUCTS_BY_ID[product_id].outputs)
    return [
        without_nothing({"OutputKey": key, "OutputValue": value, "Description": descriptions.get(key)})
        for key, value in outputs.items()
    ]


def _as_list(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]
