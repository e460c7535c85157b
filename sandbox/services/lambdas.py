"""AWS Lambda, as far as deployments shift traffic and experiments hit it: functions and their aliases."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import FUNCTION
from sandbox.chaos_targets import describe
from sandbox.clock import moment
from sandbox.delivery.tool_model import Alias, Function
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.ec2 import machines_of
from sandbox.world import without_nothing

operation = serve(
    Service(
        "lambda",
        signing_name="lambda",
        invalid="InvalidParameterValueException",
        bad_page="InvalidParameterValueException",
        throttled="TooManyRequestsException",
        failed="ServiceException",
        throttled_status=429,
        denied_status=403,
    )
)


@operation("ListFunctions")
def list_functions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's functions, without their tags."""
    found = [describe(machine) for machine in machines_of(context, FUNCTION)]
    page, following = page_of(context, parameters, found, cursor="Marker", size="MaxItems", default_size=50)
    return without_nothing({"Functions": page, "NextMarker": following})


@operation("GetAlias")
def get_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Which version an alias points to, and which other gets a part of its traffic."""
    function = parameters["FunctionName"].rpartition(":")[2]
    alias = context.world.delivery.aliases.get(f"{context.account}/{context.region}/{function}:{parameters['Name']}")
    if alias is None:
        arn = f"arn:aws:lambda:{context.region}:{context.account}:function:{function}:{parameters['Name']}"
        raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {arn}", status=404)
    return _describe(alias)


@operation("ListAliases")
def list_aliases(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The aliases of a function."""
    function = parameters["FunctionName"].rpartition(":")[2]
    prefix = f"{context.account}/{context.region}/{function}:"
    found = [_describe(alias) for key, alias in context.world.delivery.aliases.items() if key.startswith(prefix)]
    page, following = page_of(context, parameters, found, cursor="Marker", size="MaxItems", default_size=50)
    return without_nothing({"Aliases": page, "NextMarker": following})


@operation("UpdateAlias")
def update_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Have an alias point to another version at once, as people do by hand."""
    function = parameters["FunctionName"].rpartition(":")[2]
    alias = context.world.delivery.aliases.get(f"{context.account}/{context.region}/{function}:{parameters['Name']}")
    if alias is None:
        raise AwsError("ResourceNotFoundException", f"Cannot find alias {parameters['Name']}.", status=404)
    alias.version = parameters.get("FunctionVersion", alias.version)
    alias.weights = dict(parameters.get("RoutingConfig", {}).get("AdditionalVersionWeights", alias.weights))
    context.world.delivery.changed("aliases", alias.key)
    return _describe(alias)


@operation("ListVersionsByFunction")
def list_versions_by_function(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The versions of a function, the unpublished one first, then from the oldest on."""
    function = _function(context, parameters)
    listed = [["$LATEST", "", context.now], *function.versions]
    found = [_describe_version(function, entry) for entry in listed]
    page, following = page_of(context, parameters, found, cursor="Marker", size="MaxItems", default_size=50)
    return without_nothing({"Versions": page, "NextMarker": following})


@operation("PublishVersion")
def publish_version(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Publish the next version of a function; each call is taken to come with new code."""
    function = _function(context, parameters)
    number = 1 + max((int(entry[0]) for entry in function.versions), default=0)
    function.versions.append([str(number), parameters.get("Description", ""), context.now])
    context.world.delivery.changed("functions", function.key)
    return _describe_version(function, function.versions[-1])


def _function(context: Context, parameters: Parameters) -> Function:
    name = parameters["FunctionName"].rpartition(":")[2]
    found = context.world.delivery.functions.get(f"{context.account}/{context.region}/{name}")
    if found is None:
        arn = f"arn:aws:lambda:{context.region}:{context.account}:function:{name}"
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", status=404)
    return found


def _describe_version(function: Function, entry: list[Any]) -> dict[str, Any]:
    number, description, at = entry
    return {
        "FunctionName": function.name,
        "FunctionArn": f"arn:aws:lambda:{function.region}:{function.account_id}:function:{function.name}:{number}",
        "Version": number,
        "Description": description,
        "Runtime": "python3.13",
        "LastModified": f"{moment(at):%Y-%m-%dT%H:%M:%S.000+0000}",
    }


def _describe(alias: Alias) -> dict[str, Any]:
    return {
        "AliasArn": f"arn:aws:lambda:{alias.region}:{alias.account_id}:function:{alias.function}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        **({"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}} if alias.weights else {}),
    }
