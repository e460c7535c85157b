"""AWS Service Catalog, the changing half: order, update, terminate, and the records of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.catalog import check_path, find_artifact, find_product, products_for, sees_catalog
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT, PRODUCTS, Artifact, Product
from sandbox.model import ProvisionedProduct, Record, SpentToken
from sandbox.provisioning import begin
from sandbox.registry import Context, Parameters
from sandbox.services.servicecatalog import listed, operation
from sandbox.world import World, without_nothing

_PRODUCTS_BY_ID = {product.id: product for product in PRODUCTS}


@operation("ProvisionProduct")
def provision_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Order a product; the same token with the same order answers with the record of the first."""
    spent = _find_spent(context, parameters, "ProvisionToken")
    if spent is not None:
        return {"RecordDetail": describe_record_detail(spent)}
    product = find_product(context, parameters, id_key="ProductId", name_key="ProductName")
    artifact = _require_active(product, find_artifact(product, parameters))
    path_id = check_path(product, parameters)
    values = _check_values(product, _as_dict(parameters.get("ProvisioningParameters", [])))
    name = parameters["ProvisionedProductName"]
    if _named(context.world, name) is not None:
        raise _invalid(f"A provisioned product named {name} already exists.")
    now = context.now
    provisioned = ProvisionedProduct(
        id=context.world.new_id("pp"),
        name=name,
        product_id=product.id,
        artifact_id=artifact.id,
        path_id=path_id,
        token=parameters["ProvisionToken"],
        created_at=now,
        ordered_by=context.caller,
        parameters=values,
        tags=_as_dict(parameters.get("Tags", [])),
    )
    context.world.zone.provisioned_products[provisioned.id] = provisioned
    record = _start(context, provisioned, "PROVISION_PRODUCT", artifact.id, values)
    return _spend(context, parameters, "ProvisionToken", record)


@operation("UpdateProvisionedProduct")
def update_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a provisioned product's parameters or version; what isn't given stays as it is."""
    spent = _find_spent(context, parameters, "UpdateToken")
    if spent is not None:
        return {"RecordDetail": describe_record_detail(spent)}
    provisioned = _require_idle(_find_provisioned(context, parameters))
    product = _PRODUCTS_BY_ID[provisioned.product_id]
    chooses_artifact = {"ProvisioningArtifactId", "ProvisioningArtifactName"} & set(parameters)
    artifact_id = (
        _require_active(product, find_artifact(product, parameters)).id if chooses_artifact else provisioned.artifact_id
    )
    check_path(product, parameters)
    changes = {
        entry["Key"]: entry.get("Value", "")
        for entry in parameters.get("ProvisioningParameters", [])
        if not entry.get("UsePreviousValue")
    }
    values = _check_values(product, {**provisioned.parameters, **changes})
    if provisioned.account_id is not None:
        for fixed in ("AccountEmail", "AccountName"):
            if values[fixed] != provisioned.parameters[fixed]:
                raise _invalid(f"{fixed} can't be changed once the account exists.")
    record = _start(context, provisioned, "UPDATE_PROVISIONED_PRODUCT", artifact_id, values)
    return _spend(context, parameters, "UpdateToken", record)


@operation("TerminateProvisionedProduct")
def terminate_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End a provisioned product: its account leaves its OU for the root and is governed no longer."""
    spent = _find_spent(context, parameters, "TerminateToken")
    if spent is not None:
        return {"RecordDetail": describe_record_detail(spent)}
    provisioned = _require_idle(_find_provisioned(context, parameters))
    record = _start(
        context,
        provisioned,
        "TERMINATE_PROVISIONED_PRODUCT",
        provisioned.artifact_id,
        provisioned.parameters,
    )
    return _spend(context, parameters, "TerminateToken", record)


@operation("DescribeRecord")
def describe_record(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One record, with its outputs once it has succeeded."""
    record = context.world.zone.records.get(parameters["Id"]) if sees_catalog(context) else None
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Record {parameters['Id']} not found.")
    outputs = listed(context, parameters, "RecordOutputs", _describe_outputs(record.outputs))
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
            raise _invalid("SearchFilter's Key must be product or provisionedproduct.")
        records = [record for record in records if getattr(record, field) == wanted.get("Value")]
    records.sort(key=lambda record: record.created_at, reverse=True)
    return listed(context, parameters, "RecordDetails", [describe_record_detail(record) for record in records])


@operation("DescribeProvisionedProduct")
def describe_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One provisioned product, by id or name."""
    found = _find_provisioned(context, parameters, id_key="Id", name_key="Name")
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
            raise _invalid(f"SortBy must be one of {', '.join(_SORT_KEYS)}.")
        found.sort(key=lambda entry: entry.get(key, ""), reverse=parameters.get("SortOrder") == "DESCENDING")
    return {**listed(context, parameters, "ProvisionedProducts", found), "TotalResultsCount": len(found)}


@operation("GetProvisionedProductOutputs")
def get_provisioned_product_outputs(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The outputs of the last operation that succeeded."""
    found = _find_provisioned(context, parameters)
    record_id = found.last_successful_record_id
    outputs = context.world.zone.records[record_id].outputs if record_id else {}
    wanted = parameters.get("OutputKeys") or list(outputs)
    missing = [key for key in wanted if key not in outputs]
    if missing:
        raise _invalid(f"{found.id} has no output {', '.join(missing)}.")
    chosen = {key: value for key, value in outputs.items() if key in wanted}
    return listed(context, parameters, "Outputs", _describe_outputs(chosen))


def describe_record_detail(record: Record) -> dict[str, Any]:
    """A record as Service Catalog tells it."""
    return {
        "RecordId": record.id,
        "ProvisionedProductName": record.provisioned_product_name,
        "Status": record.status,
        "CreatedTime": moment(record.created_at),
        "UpdatedTime": moment(record.updated_at),
        "ProvisionedProductType": _PRODUCTS_BY_ID[record.product_id].kind,
        "RecordType": record.type,
        "ProvisionedProductId": record.provisioned_product_id,
        "ProductId": record.product_id,
        "ProvisioningArtifactId": record.artifact_id,
        "PathId": record.path_id,
        "RecordErrors": list(record.errors),
        "RecordTags": _as_list(record.tags),
    }


def _start(
    context: Context, provisioned: ProvisionedProduct, kind: str, artifact_id: str, values: dict[str, str]
) -> Record:
    now = context.now
    record = Record(
        id=context.world.new_id("rec"),
        type=kind,
        provisioned_product_id=provisioned.id,
        provisioned_product_name=provisioned.name,
        product_id=provisioned.product_id,
        artifact_id=artifact_id,
        path_id=provisioned.path_id,
        created_at=now,
        updated_at=now,
        parameters=values,
        tags=provisioned.tags,
    )
    begin(context.world, record)
    provisioned.status, provisioned.status_message = "UNDER_CHANGE", ""
    provisioned.artifact_id = artifact_id
    provisioned.last_record_id = record.id
    provisioned.last_provisioning_record_id = record.id
    return record


def _find_spent(context: Context, parameters: Parameters, token_key: str) -> Record | None:
    spent = context.world.zone.tokens.get(_token_name(token_key, parameters))
    if spent is None:
        return None
    if spent.fingerprint != _fingerprint(parameters):
        raise _invalid(f"The {token_key} was used before, for a request with other parameters.")
    return context.world.zone.records[spent.record_id]


def _spend(context: Context, parameters: Parameters, token_key: str, record: Record) -> dict[str, Any]:
    spent = SpentToken(record.id, _fingerprint(parameters))
    context.world.zone.tokens[_token_name(token_key, parameters)] = spent
    context.world.changed()
    return {"RecordDetail": describe_record_detail(record)}


def _token_name(token_key: str, parameters: Parameters) -> str:
    return f"{token_key}:{parameters[token_key]}"


def _fingerprint(parameters: Parameters) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _require_active(product: Product, artifact: Artifact) -> Artifact:
    if not artifact.active:
        raise _invalid(f"Provisioning artifact {artifact.id} of product {product.id} is not active.")
    return artifact


def _require_idle(provisioned: ProvisionedProduct) -> ProvisionedProduct:
    if provisioned.status == "UNDER_CHANGE":
        raise _invalid(f"Provisioned product {provisioned.id} is under change; wait until that has ended.")
    return provisioned


def _check_values(product: Product, values: dict[str, str]) -> dict[str, str]:
    known = {parameter.key: parameter for parameter in product.parameters}
    unknown = [key for key in values if key not in known]
    if unknown:
        raise _invalid(f"Parameters [{', '.join(unknown)}] do not exist in the template.")
    missing = [key for key in known if not values.get(key)]
    if missing:
        raise _invalid(f"Parameters: [{', '.join(missing)}] must have values.")
    for key, parameter in known.items():
        value = values[key]
        if not parameter.min_length <= len(value) <= parameter.max_length:
            raise _invalid(f"Parameter {key} must have {parameter.min_length} to {parameter.max_length} characters.")
        if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
            raise _invalid(f"Parameter {key} must match the pattern {parameter.pattern}.")
    return values


def _named(world: World, name: str) -> ProvisionedProduct | None:
    for entry in world.zone.provisioned_products.values():
        if entry.name == name and not entry.terminated:
            return entry
    return None


def _find_provisioned(
    context: Context,
    parameters: Parameters,
    *,
    id_key: str = "ProvisionedProductId",
    name_key: str = "ProvisionedProductName",
) -> ProvisionedProduct:
    identifier, name = parameters.get(id_key), parameters.get(name_key)
    if (identifier is None) == (name is None):
        raise _invalid(f"Give exactly one of {id_key} and {name_key}.")
    found = None
    if sees_catalog(context):
        zone = context.world.zone
        found = zone.provisioned_products.get(identifier) if identifier else _named(context.world, str(name))
    if found is None or found.terminated:
        raise AwsError("ResourceNotFoundException", f"Provisioned product {identifier or name} not found.")
    return found


def _visible(context: Context, parameters: Parameters) -> list[ProvisionedProduct]:
    return [
        entry
        for entry in context.world.zone.provisioned_products.values()
        if not entry.terminated and _may_see(context, parameters, entry)
    ]


def _may_see(context: Context, parameters: Parameters, entry: ProvisionedProduct) -> bool:
    if not products_for(context):
        return False
    level = parameters.get("AccessLevelFilter", {"Key": "User", "Value": "self"})
    if level.get("Value") != "self":
        raise _invalid("AccessLevelFilter's Value must be self.")
    if level.get("Key") == "Account":
        return True
    if level.get("Key") == "Role":
        return entry.ordered_by.rpartition("/")[0] == context.caller.rpartition("/")[0]
    return entry.ordered_by == context.caller


def _describe_provisioned(entry: ProvisionedProduct) -> dict[str, Any]:
    return without_nothing(
        {
            "Name": entry.name,
            "Arn": f"arn:aws:servicecatalog:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:stack/{entry.name}/{entry.id}",
            "Type": _PRODUCTS_BY_ID[entry.product_id].kind,
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
    product = _PRODUCTS_BY_ID[entry.product_id]
    artifact = next(artifact for artifact in product.artifacts if artifact.id == entry.artifact_id)
    return without_nothing(
        {
            **_describe_provisioned(entry),
            "Tags": _as_list(entry.tags),
            "PhysicalId": entry.account_id,
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


def _describe_outputs(outputs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]


def _as_dict(pairs: list[Mapping[str, str]]) -> dict[str, str]:
    repeated = len(pairs) - len({pair["Key"] for pair in pairs})
    if repeated:
        raise _invalid("A key must not be given twice.")
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}


def _as_list(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParametersException", message)
