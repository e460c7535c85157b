"""AWS Service Catalog, the reading half: portfolio, products, artifacts, launch paths, parameters."""

from __future__ import annotations

from typing import Any

from sandbox.catalog import (
    check_path,
    describe_details,
    describe_view,
    find_artifact,
    find_product,
    portfolios_for,
    products_as_admin,
    products_for,
    search,
)
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.landing_zone import FOUNDED, HOME_REGION, MANAGEMENT_ACCOUNT
from sandbox.parameters import describe_parameter
from sandbox.products import LAUNCH_ROLE, Artifact, Portfolio, Product
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(
    Service(
        "servicecatalog",
        signing_name="servicecatalog",
        bad_page="InvalidParametersException",
        failed="InternalFailure",
    )
)


@operation("ListPortfolios")
def list_portfolios(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All portfolios of the caller's account and Region."""
    portfolios = [_describe_portfolio(portfolio) for portfolio in portfolios_for(context)]
    return listed(context, parameters, "PortfolioDetails", portfolios)


@operation("DescribePortfolio")
def describe_portfolio(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One portfolio."""
    portfolio = _find_portfolio(context, parameters["Id"])
    return {"PortfolioDetail": _describe_portfolio(portfolio), "Tags": [], "TagOptions": [], "Budgets": []}


@operation("SearchProducts")
def search_products(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The products that the caller may order."""
    found = [describe_view(product) for product in search(products_for(context), parameters)]
    return {**listed(context, parameters, "ProductViewSummaries", found), "ProductViewAggregations": {}}


@operation("SearchProductsAsAdmin")
def search_products_as_admin(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The products of the caller's account, or of one portfolio."""
    products = products_as_admin(context)
    if "PortfolioId" in parameters:
        portfolio = _find_portfolio(context, parameters["PortfolioId"])
        products = [product for product in products if product.portfolio == portfolio]
    found = [describe_details(product) for product in search(products, parameters)]
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
        "LaunchPaths": [{"Id": product.path_id, "Name": product.portfolio.name}],
    }


@operation("DescribeProductAsAdmin")
def describe_product_as_admin(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A product with all its artifacts."""
    product = find_product(context, parameters, id_key="Id", name_key="Name", is_admin=True)
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
        "TagOptions": _describe_tag_options(product, is_detailed=True),
        "Budgets": [],
    }


@operation("ListProvisioningArtifacts")
def list_provisioning_artifacts(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All artifacts of a product, saying which are active and which deprecated."""
    product = find_product(context, parameters, id_key="ProductId", is_admin=True)
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
    path = {
        "Id": product.path_id,
        "Name": product.portfolio.name,
        "ConstraintSummaries": _describe_constraints(product),
        "Tags": [],
    }
    return listed(context, parameters, "LaunchPathSummaries", [path])


@operation("ListPortfoliosForProduct")
def list_portfolios_for_product(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The portfolios that a product is in."""
    product = find_product(context, parameters, id_key="ProductId", is_admin=True)
    return listed(context, parameters, "PortfolioDetails", [_describe_portfolio(product.portfolio)])


@operation("DescribeProvisioningParameters")
def describe_provisioning_parameters(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What must be given to order an artifact, and what is accepted."""
    product = find_product(context, parameters, id_key="ProductId", name_key="ProductName")
    artifact = find_artifact(product, parameters)
    check_path(product, parameters)
    outputs = [{"Key": key, "Description": description} for key, description in product.outputs]
    return {
        "ProvisioningArtifactParameters": [describe_parameter(parameter) for parameter in product.parameters],
        "ConstraintSummaries": _describe_constraints(product),
        "UsageInstructions": _describe_usage(product, artifact),
        "TagOptions": _describe_tag_options(product),
        "ProvisioningArtifactOutputKeys": outputs,
    }


def listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of entries under the name the operation gives them."""
    page, following = page_of(context, parameters, entries, cursor="PageToken", size="PageSize")
    return {member: page, **({"NextPageToken": following} if following else {})}


def _find_portfolio(context: Context, identifier: str) -> Portfolio:
    for portfolio in portfolios_for(context):
        if portfolio.id == identifier:
            return portfolio
    raise AwsError("ResourceNotFoundException", f"Portfolio {identifier} not found.")


def _describe_portfolio(portfolio: Portfolio) -> dict[str, Any]:
    return {
        "Id": portfolio.id,
        "ARN": f"arn:aws:catalog:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:portfolio/{portfolio.id}",
        "DisplayName": portfolio.name,
        "Description": portfolio.description,
        "CreatedTime": moment(FOUNDED),
        "ProviderName": portfolio.provider,
    }


def _describe_constraints(product: Product) -> list[dict[str, str]]:
    return [{"Type": kind, "Description": description} for kind, description in product.constraints]


def _describe_usage(product: Product, artifact: Artifact) -> list[dict[str, str]]:
    if not product.constraints:
        return []
    kinds = [kind for kind, _ in product.constraints]
    usage = [{"Type": "version", "Value": artifact.name}]
    if "LAUNCH" in kinds:
        usage.append({"Type": "launchAsRole", "Value": LAUNCH_ROLE})
    usage.append(
        {
            "Type": "tagUpdateOnProvisionedProduct",
            "Value": "ALLOWED" if "RESOURCE_UPDATE" in kinds else "NOT_ALLOWED",
        }
    )
    return usage + [{"Type": "rules", "Value": rule.as_template()} for rule in product.rules]


def _describe_tag_options(product: Product, *, is_detailed: bool = False) -> list[dict[str, Any]]:
    if not is_detailed:
        return [{"Key": key, "Values": list(values)} for key, values in product.tag_options.items()]
    return [
        {"Key": key, "Value": value, "Active": True, "Owner": MANAGEMENT_ACCOUNT}
        for key, values in product.tag_options.items()
        for value in values
    ]
