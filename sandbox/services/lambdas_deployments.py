"""Lambda, as far as the story of a slow function needs it: a deployment begins it, provisioned concurrency mends it."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.insight_kinds import KINDS
from sandbox.insight_stories import begin, fix, going_on
from sandbox.registry import Context, Parameters
from sandbox.services.lambdas import operation

STORY = "lambda-duration"


@operation("UpdateFunctionCode")
def update_function_code(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Deploy: what was well until now becomes slow; nothing more comes of it while it is slow already."""
    name, arn = _function(context, parameters)
    if going_on(context.world, STORY, context.account, context.region) is None and not parameters.get("DryRun"):
        begin(context.world, STORY, context.account, context.region)
    modified = f"{moment(context.now):%Y-%m-%dT%H:%M:%S.000+0000}"
    return {"FunctionName": name, "FunctionArn": arn, "LastModified": modified, "LastUpdateStatus": "InProgress"}


@operation("PutProvisionedConcurrencyConfig")
def put_provisioned_concurrency_config(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Keep so many execution environments ready: that mends what a deployment slowed down."""
    _function(context, parameters)
    fix(context.world, STORY, context.account, context.region)
    wanted = parameters["ProvisionedConcurrentExecutions"]
    return {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
        "LastModified": f"{moment(context.now):%Y-%m-%dT%H:%M:%S+0000}",
    }


def _function(context: Context, parameters: Parameters) -> tuple[str, str]:
    name = str(parameters["FunctionName"]).rpartition(":")[2]
    arn = f"arn:aws:lambda:{context.region}:{context.account}:function:{name}"
    if name != KINDS[STORY].resource:
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}", status=404)
    return name, arn
