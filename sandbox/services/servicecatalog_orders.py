"""AWS Service Catalog, what changes something: order, update, terminate; each repeatable by its token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sandbox.catalog import check_path, find_artifact, find_product
from sandbox.landing_zone import ACCOUNT_FACTORY_PRODUCT, MANAGEMENT_ACCOUNT
from sandbox.model import ProvisionedProduct, Record, SpentToken
from sandbox.parameters import check_values, invalid
from sandbox.products import PRODUCTS_BY_ID, Artifact, Product
from sandbox.provisioning import begin
from sandbox.registry import Context, Parameters
from sandbox.services.servicecatalog import operation
from sandbox.services.servicecatalog_provisioned import describe_record_detail, find_named, find_provisioned


@operation("ProvisionProduct")
def provision_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Order a product; the same token with the same order answers with the record of the first."""
    spent = _find_spent(context, parameters, "ProvisionToken")
    if spent is not None:
        return {"RecordDetail": describe_record_detail(spent)}
    product = find_product(context, parameters, id_key="ProductId", name_key="ProductName")
    artifact = _require_active(product, find_artifact(product, parameters))
    path_id = check_path(product, parameters)
    values = check_values(product, _as_dict(parameters.get("ProvisioningParameters", [])))
    name = parameters["ProvisionedProductName"]
    if find_named(context, name) is not None:
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
        tags=_choose_tags(product, _as_dict(parameters.get("Tags", []))),
        home_account=context.account,
        targets=_choose_targets(context, product, parameters),
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
    if (
        parameters.get("ProductId", product.id) != product.id
        or parameters.get("ProductName", product.name) != product.name
    ):
        raise invalid(f"Provisioned product {provisioned.id} can't become one of another product.")
    chooses_artifact = {"ProvisioningArtifactId", "ProvisioningArtifactName"} & set(parameters)
    artifact_id = (
        _require_active(product, find_artifact(product, parameters)).id if chooses_artifact else provisioned.artifact_id
    )
    check_path(product, parameters)
    tags = provisioned.tags
    if "Tags" in parameters:
        if not _may_change_tags(product):
            raise invalid("Tags can't be changed: the product has no RESOURCE_UPDATE constraint that allows it.")
        tags = _choose_tags(product, {**tags, **_as_dict(parameters["Tags"])})
    if "ProvisioningPreferences" in parameters:
        targets = _choose_targets(context, product, parameters)
        if targets != provisioned.targets:
            raise invalid("The accounts and Regions of a provisioned product can't be changed.")
    changes = {
        entry["Key"]: entry.get("Value", "")
        for entry in parameters.get("ProvisioningParameters", [])
        if not entry.get("UsePreviousValue")
    }
    values = check_values(product, {**provisioned.parameters, **changes})
    if provisioned.account_id is not None:
        for fixed in ("AccountEmail", "AccountName"):
            if values[fixed] != provisioned.parameters[fixed]:
                raise invalid(f"{fixed} can't be changed once the account exists.")
    provisioned.tags = tags
    record = _start(context, provisioned, "UPDATE_PROVISIONED_PRODUCT", artifact_id, values)
    return _spend(context, parameters, "UpdateToken", record)


@operation("TerminateProvisionedProduct")
def terminate_provisioned_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End a provisioned product: its stacks are deleted.

    Of Account Factory's, the account leaves its OU for the root, stays open and is governed no longer.
    """
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
    record.ignores_errors = bool(parameters.get("IgnoreErrors"))
    record.retains_resources = bool(parameters.get("RetainPhysicalResources"))
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
    spent = context.world.zone.tokens.get(_token_name(context, token_key, parameters))
    if spent is None:
        return None
    if spent.fingerprint != _fingerprint(parameters):
        raise invalid(f"The {token_key} was used before, for a request with other parameters.")
    return context.world.zone.records[spent.record_id]


def _spend(context: Context, parameters: Parameters, token_key: str, record: Record) -> dict[str, Any]:
    spent = SpentToken(record.id, _fingerprint(parameters))
    context.world.zone.tokens[_token_name(context, token_key, parameters)] = spent
    context.world.changed()
    return {"RecordDetail": describe_record_detail(record)}


def _token_name(context: Context, token_key: str, parameters: Parameters) -> str:
    # Each account's Service Catalog knows its own tokens only.
    home = "" if context.account == MANAGEMENT_ACCOUNT else f"{context.account}:"
    return f"{home}{token_key}:{parameters[token_key]}"


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


def _choose_targets(context: Context, product: Product, parameters: Parameters) -> list[list[str]]:
    """Where the stacks go: the accounts and Regions of the preferences, else where the call is made."""
    if product.id == ACCOUNT_FACTORY_PRODUCT:
        return []
    preferences = parameters.get("ProvisioningPreferences", {})
    accounts = preferences.get("StackSetAccounts") or [context.account]
    if accounts != [context.account] and context.account != MANAGEMENT_ACCOUNT:
        raise invalid("Only the management account may choose StackSetAccounts.")
    for account_id in accounts:
        account = context.world.zone.accounts.get(account_id)
        if account is None or account.status != "ACTIVE":
            raise invalid(f"StackSetAccounts: {account_id} is not an active account of the organization.")
    return [[entry, region] for entry in accounts for region in preferences.get("StackSetRegions") or [context.region]]


def _choose_tags(product: Product, tags: dict[str, str]) -> dict[str, str]:
    """The tags given and those that a TagOption with one value adds; a TagOption's values are all there may be."""
    for key, values in product.tag_options.items():
        if key in tags and tags[key] not in values:
            raise invalid(f"Tag {key} must have one of the values of its TagOption [{', '.join(values)}].")
    added = {key: values[0] for key, values in product.tag_options.items() if len(values) == 1}
    return {**tags, **added}


def _may_change_tags(product: Product) -> bool:
    return any(kind == "RESOURCE_UPDATE" for kind, _ in product.constraints)


def _as_dict(pairs: list[Mapping[str, str]]) -> dict[str, str]:
    repeated = len(pairs) - len({pair["Key"] for pair in pairs})
    if repeated:
        raise invalid("A key must not be given twice.")
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}
