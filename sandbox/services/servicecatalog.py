"""AWS Service Catalog, the reading half: portfolio, products, artifacts, launch paths, parameters."""

from __future__ import annotations

from typing import Any

from sandbox.catalog import (
    check_path,
    describe_details,
    describe_view,
    find_artifact,
    find_product,
    products_for,
    search,
    sees_catalog,
)
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import FOUNDED, HOME_REGION, MANAGEMENT_ACCOUNT, PORTFOLIO, Parameter
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(
    Service(
        "servicecatalog",
        signing_name="servicecatalog",
        bad_page="InvalidParametersException",
        failed="InternalFailure",
    )
)

_PORTFOLIO_DETAIL = {
    "Id": PORTFOLIO.id,
    "ARN": f"arn:aws:catalog:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:portfolio/{PORTFOLIO.id}",
    "DisplayName": PORTFOLIO.name,
    "Description": PORTFOLIO.description,
    "CreatedTime": moment(FOUNDED),
    "ProviderName": PORTFOLIO.provider,
}


@operation("ListPortfolios")
def list_portfolios(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All portfolios of the caller's account and Region."""
    portfolios = [_PORTFOLIO_DETAIL] if sees_catalog(context) else []
    return listed(context, parameters, "PortfolioDetails", portfolios)


@operation("DescribePortfolio")
def describe_portfolio(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One portfolio."""
    if not sees_catalog(context) or parameters["Id"] != PORTFOLIO.id:
        raise AwsError("ResourceNotFoundException", f"Portfolio {parameters['Id']} not found.")
    return {"PortfolioDetail": _PORTFOLIO_DETAIL, "Tags": [], "TagOptions": [], "Budgets": []}


@operation("SearchProducts")
def search_products(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The products that the caller may order."""
    found = [describe_view(product) for product in search(products_for(context), parameters)]
    return {**listed(context, parameters, "ProductViewSummaries", found), "ProductViewAggregations": {}}


@operation("SearchProductsAsAdmin")
def search_products_as_admin(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The products of the caller's account, or of one portfolio."""
    if parameters.get("PortfolioId", PORTFOLIO.id) != PORTFOLIO.id:
        raise AwsError("ResourceNotFoundException", f"Portfolio {parameters['PortfolioId']} not found.")
    found = [describe_details(product) for product in search(products_for(context), parameters)]
    return listed(context, parameters, "ProductViewDetails", found)


@operation("DescribeProduct")
def describe_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A product with the artifacts that can be ordered (inactive ones aren't shown)."""
    product = find_product(context, parameters, id_key="Id", name_key="Name")
    return {
        "ProductViewSummary": describe_view(product),
        "ProvisioningArtifacts": [
            {
                "Id": artifact.id,
                "Name": artifact.name,
                "Description": artifact.description,
                "CreatedTime": moment(artifact.created_at),
                "Guidance": artifact.guidance,
            }
            for artifact in product.artifacts
            if artifact.active
        ],
        "Budgets": [],
        "LaunchPaths": [{"Id": product.path_id, "Name": PORTFOLIO.name}],
    }


@operation("DescribeProductAsAdmin")
def describe_product_as_admin(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A product with all its artifacts."""
    product = find_product(context, parameters, id_key="Id", name_key="Name")
    return {
        "ProductViewDetail": describe_details(product),
        "ProvisioningArtifactSummaries": [
            {
                "Id": artifact.id,
                "Name": artifact.name,
                "Description": artifact.description,
                "CreatedTime": moment(artifact.created_at),
            }
            for artifact in product.artifacts
        ],
        "Tags": [],
        "TagOptions": [],
        "Budgets": [],
    }


@operation("ListProvisioningArtifacts")
def list_provisioning_artifacts(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All artifacts of a product, saying which are active and which deprecated."""
    product = find_product(context, parameters, id_key="ProductId")
    return {
        "ProvisioningArtifactDetails": [
            {
                "Id": artifact.id,
                "Name": artifact.name,
                "Description": artifact.description,
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "CreatedTime": moment(artifact.created_at),
                "Active": artifact.active,
                "Guidance": artifact.guidance,
            }
            for artifact in product.artifacts
        ]
    }


@operation("ListLaunchPaths")
def list_launch_paths(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ways in which the caller may order a product."""
    product = find_product(context, parameters, id_key="ProductId")
    path = {"Id": product.path_id, "Name": PORTFOLIO.name, "ConstraintSummaries": [], "Tags": []}
    return listed(context, parameters, "LaunchPathSummaries", [path])


@operation("ListPortfoliosForProduct")
def list_portfolios_for_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The portfolios that a product is in."""
    find_product(context, parameters, id_key="ProductId")
    return listed(context, parameters, "PortfolioDetails", [_PORTFOLIO_DETAIL])


@operation("DescribeProvisioningParameters")
def describe_provisioning_parameters(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What must be given to order an artifact."""
    product = find_product(context, parameters, id_key="ProductId", name_key="ProductName")
    find_artifact(product, parameters)
    check_path(product, parameters)
    return {
        "ProvisioningArtifactParameters": [_describe_parameter(parameter) for parameter in product.parameters],
        "ConstraintSummaries": [],
        "UsageInstructions": [],
        "TagOptions": [],
    }


def listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of entries under the name the operation gives them."""
    page, following = page_of(context, parameters, entries, cursor="PageToken", size="PageSize")
    return {member: page, **({"NextPageToken": following} if following else {})}


def _describe_parameter(parameter: Parameter) -> dict[str, Any]:
    constraints = {"MinLength": str(parameter.min_length), "MaxLength": str(parameter.max_length)}
    if parameter.pattern is not None:
        constraints["AllowedPattern"] = parameter.pattern
    return {
        "ParameterKey": parameter.key,
        "ParameterType": "String",
        "IsNoEcho": False,
        "Description": parameter.description,
        "ParameterConstraints": constraints,
    }
