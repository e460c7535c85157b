"""What Service Catalog offers to a caller, and finding one thing among it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import (
    HOME_REGION,
    MANAGEMENT_ACCOUNT,
    PORTFOLIO,
    PRODUCTS,
    Artifact,
    Product,
)
from sandbox.registry import Context, Parameters


def sees_catalog(context: Context) -> bool:
    """Whether the portfolio is shared with the caller: the management account, in the home Region."""
    return context.account == MANAGEMENT_ACCOUNT and context.region == HOME_REGION


def products_for(context: Context) -> list[Product]:
    """The products that a caller may order."""
    return list(PRODUCTS) if sees_catalog(context) else []


def find_product(context: Context, parameters: Parameters, *, id_key: str, name_key: str = "") -> Product:
    """The product named by id or by name (one of them); ResourceNotFoundException if there is none."""
    identifier, name = _one_of(parameters, id_key, name_key)
    for product in products_for(context):
        if product.id == identifier or (name is not None and product.name == name):
            return product
    raise AwsError("ResourceNotFoundException", f"Product {identifier or name} not found.")


def find_artifact(product: Product, parameters: Parameters) -> Artifact:
    """The product's artifact named by id or by name."""
    identifier, name = _one_of(parameters, "ProvisioningArtifactId", "ProvisioningArtifactName")
    for artifact in product.artifacts:
        if artifact.id == identifier or (name is not None and artifact.name == name):
            return artifact
    raise AwsError(
        "ResourceNotFoundException",
        f"Provisioning artifact {identifier or name} of product {product.id} not found.",
    )


def check_path(product: Product, parameters: Parameters) -> str:
    """The launch path to take; a product has one, so it may be left out."""
    if "PathId" in parameters and "PathName" in parameters:
        raise AwsError("InvalidParametersException", "Give PathId or PathName, not both.")
    asked = parameters.get("PathId", product.path_id)
    if asked != product.path_id or parameters.get("PathName", PORTFOLIO.name) != PORTFOLIO.name:
        named = parameters.get("PathId") or parameters.get("PathName")
        raise AwsError("ResourceNotFoundException", f"Launch path {named} of {product.id} not found.")
    return product.path_id


def describe_view(product: Product) -> dict[str, Any]:
    """A product as those who order it see it."""
    return {
        "Id": product.view_id,
        "ProductId": product.id,
        "Name": product.name,
        "Owner": product.owner,
        "ShortDescription": product.description,
        "Type": "CLOUD_FORMATION_TEMPLATE",
        "Distributor": product.owner,
        "HasDefaultPath": False,
    }


def describe_details(product: Product) -> dict[str, Any]:
    """A product as an administrator sees it."""
    arn = f"arn:aws:catalog:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:product/{product.id}"
    return {
        "ProductViewSummary": describe_view(product),
        "Status": "AVAILABLE",
        "ProductARN": arn,
        "CreatedTime": moment(product.created_at),
    }


def search(products: Iterable[Product], parameters: Parameters) -> list[Product]:
    """The products that pass all filters, in the order asked for."""
    filters: Mapping[str, list[str]] = parameters.get("Filters", {})
    found = [product for product in products if _passes(product, filters)]
    keys = {
        "Title": lambda product: product.name.casefold(),
        "VersionCount": lambda product: len(product.artifacts),
        "CreationDate": lambda product: product.created_at,
    }
    if "SortBy" in parameters:
        found.sort(key=keys[parameters["SortBy"]], reverse=parameters.get("SortOrder") == "DESCENDING")
    return found


def _passes(product: Product, filters: Mapping[str, list[str]]) -> bool:
    texts = {
        "FullTextSearch": " ".join((product.name, product.owner, product.description)).casefold(),
        "Owner": product.owner.casefold(),
        "ProductType": "cloud_formation_template",
        "SourceProductId": product.id,
    }
    for name, wanted in filters.items():
        if name == "FullTextSearch":
            words = " ".join(wanted).casefold().split()
            if not all(word in texts[name] for word in words):
                return False
        elif texts[name] not in [value.casefold() for value in wanted]:
            return False
    return True


def _one_of(parameters: Parameters, id_key: str, name_key: str) -> tuple[str | None, str | None]:
    identifier, name = parameters.get(id_key), parameters.get(name_key) if name_key else None
    if (identifier is None) == (name is None):
        raise AwsError("InvalidParametersException", f"Give exactly one of {id_key} and {name_key}.")
    return identifier, name
