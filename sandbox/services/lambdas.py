"""AWS Lambda, as far as deployments shift traffic and experiments hit it: functions and their aliases."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import FUNCTION
from sandbox.chaos_targets import describe
from sandbox.delivery.tool_model import Alias
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


def _describe(alias: Alias) -> dict[str, Any]:
    return {
        "AliasArn": f"arn:aws:lambda:{alias.region}:{alias.account_id}:function:{alias.function}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        **({"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}} if alias.weights else {}),
    }
