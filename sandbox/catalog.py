"""What Service Catalog offers to a caller, and finding one thing among it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT, unit_id
from sandbox.model import ProvisionedProduct
from sandbox.products import PLATFORM_PORTFOLIO, PORTFOLIOS, PRODUCTS, Artifact, Portfolio, Product
from sandbox.registry import Context, Parameters

_SHARED_WITH = (unit_id("w0rkload"), unit_id("platf0rm"))


def portfolios_for(context: Context) -> list[Portfolio]:
    """The portfolios of the caller's account: all in the management account, shared ones in some members.

    The platform team's is shared with the active accounts below Workloads and Platform. Only the home Region
    has any.
    """
    if context.region != HOME_REGION:
        return []
    if context.account == MANAGEMENT_ACCOUNT:
        return list(PORTFOLIOS)
    account = context.world.zone.accounts.get(context.account)
    if account is None or account.status != "ACTIVE":
        return []
    path = context.world.path_of(account.id).split("/")
    return [PLATFORM_PORTFOLIO] if any(unit in path for unit in _SHARED_WITH) else []


def sees_catalog(context: Context) -> bool:
    """Whether the caller's account has any portfolio."""
    return bool(portfolios_for(context))


def products_as_admin(context: Context) -> list[Product]:
    """The products of the account's portfolios, whoever may launch them."""
    portfolios = portfolios_for(context)
    return [product for product in PRODUCTS if product.portfolio in portfolios]


def products_for(context: Context) -> list[Product]:
    """The products that the caller may launch."""
    return [product for product in products_as_admin(context) if _may_launch(context, product)]


def is_home_of(context: Context, provisioned: ProvisionedProduct) -> bool:
    """Whether the caller's Service Catalog knows a provisioned product."""
    home = provisioned.home_account or MANAGEMENT_ACCOUNT
    return context.account == home and context.region == HOME_REGION


def find_product(
    context: Context, parameters: Parameters, *, id_key: str, name_key: str = "", is_admin: bool = False
) -> Product:
    """The product named by id or by name (one of them); ResourceNotFoundException if there is none to launch."""
    identifier, name = _one_of(parameters, id_key, name_key)
    for product in products_as_admin(context) if is_admin else products_for(context):
        if product.id == identifier or (name is not None and product.name == name):
            return product
    raise AwsError("ResourceNotFoundException", f"Product {identifier or name} not found, or not yours to launch.")


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
    if asked != product.path_id or parameters.get("PathName", product.portfolio.name) != product.portfolio.name:
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


def _may_launch(context: Context, product: Product) -> bool:
    if not product.launchers:
        return True
    kind, _, rest = context.caller.rpartition(":")[2].partition("/")
    return kind == "assumed-role" and rest.partition("/")[0] in product.launchers
