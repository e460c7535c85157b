"""AWS Service Catalog, what changes something: order, update, terminate; each repeatable by its token."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.catalog import check_path, find_artifact, find_product
from sandbox.landing_zone import Artifact, Product
from sandbox.model import ProvisionedProduct, Record, SpentToken
from sandbox.provisioning import begin
from sandbox.registry import Context, Parameters
from sandbox.services.servicecatalog import operation
from sandbox.services.servicecatalog_provisioned import (
    PRODUCTS_BY_ID,
    describe_record_detail,
    find_named,
    find_provisioned,
    invalid,
)


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
    if find_named(context.world, name) is not None:
        raise invalid(f"A provisioned product named {name} already exists.")
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
    provisioned = _require_idle(find_provisioned(context, parameters))
    product = PRODUCTS_BY_ID[provisioned.product_id]
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
                raise invalid(f"{fixed} can't be changed once the account exists.")
    record = _start(context, provisioned, "UPDATE_PROVISIONED_PRODUCT", artifact_id, values)
    return _spend(context, parameters, "UpdateToken", record)


@operation("TerminateProvisionedProduct")
def terminate_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End a provisioned product: its account leaves its OU for the root and is governed no longer."""
    spent = _find_spent(context, parameters, "TerminateToken")
    if spent is not None:
        return {"RecordDetail": describe_record_detail(spent)}
    provisioned = _require_idle(find_provisioned(context, parameters))
    record = _start(
        context,
        provisioned,
        "TERMINATE_PROVISIONED_PRODUCT",
        provisioned.artifact_id,
        provisioned.parameters,
    )
    return _spend(context, parameters, "TerminateToken", record)


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
        raise invalid(f"The {token_key} was used before, for a request with other parameters.")
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
        raise invalid(f"Provisioning artifact {artifact.id} of product {product.id} is not active.")
    return artifact


def _require_idle(provisioned: ProvisionedProduct) -> ProvisionedProduct:
    if provisioned.status == "UNDER_CHANGE":
        raise invalid(f"Provisioned product {provisioned.id} is under change; wait until that has ended.")
    return provisioned


def _check_values(product: Product, values: dict[str, str]) -> dict[str, str]:
    known = {parameter.key: parameter for parameter in product.parameters}
    unknown = [key for key in values if key not in known]
    if unknown:
        raise invalid(f"Parameters [{', '.join(unknown)}] do not exist in the template.")
    missing = [key for key in known if not values.get(key)]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values.")
    for key, parameter in known.items():
        value = values[key]
        if not parameter.min_length <= len(value) <= parameter.max_length:
            raise invalid(f"Parameter {key} must have {parameter.min_length} to {parameter.max_length} characters.")
        if parameter.pattern is not None and not re.fullmatch(parameter.pattern, value):
            raise invalid(f"Parameter {key} must match the pattern {parameter.pattern}.")
    return values


def _as_dict(pairs: list[Mapping[str, str]]) -> dict[str, str]:
    repeated = len(pairs) - len({pair["Key"] for pair in pairs})
    if repeated:
        raise invalid("A key must not be given twice.")
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}
