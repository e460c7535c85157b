"""What stands behind an action in another service: the build, the stack or the deployment that it caused."""

from __future__ import annotations

from typing import Any

from sandbox.delivery.ids import run_id
from sandbox.delivery.model import Execution, Pipeline
from sandbox.delivery.structures import fill


def external_id(pipeline: Pipeline, execution: Execution, number: int, action: dict[str, Any]) -> str | None:
    """The id of what an action's run caused; None for what leads to no other service."""
    provider = action["actionTypeId"]["provider"]
    run = execution.runs[number]
    if provider == "CodeBuild":
        return f"{project_of(pipeline, action)}:{run_id(execution.id, number)}"
    if action["actionTypeId"]["category"] == "Source":
        revision = execution.revisions.get(action["name"], {})
        return revision.get("revisionId") if run.status == "Succeeded" else None
    return run.detail.get("external")


def external_url(pipeline: Pipeline, execution: Execution, number: int, action: dict[str, Any]) -> str | None:
    """Where that is shown in AWS's console."""
    identifier = external_id(pipeline, execution, number, action)
    if identifier is None:
        return None
    base = f"https://{pipeline.region}.console.aws.amazon.com"
    provider = action["actionTypeId"]["provider"]
    if provider == "CodeBuild":
        return f"{base}/codebuild/home?region={pipeline.region}#/builds/{identifier}/view/new"
    if provider == "CloudFormation":
        return f"{base}/cloudformation/home?region={pipeline.region}#/stacks/stackinfo?stackId={identifier}"
    if provider == "CodeDeploy":
        return f"{base}/codesuite/codedeploy/deployments/{identifier}"
    return execution.revisions.get(action["name"], {}).get("url")


def log_stream_of(pipeline: Pipeline, execution: Execution, number: int, action: dict[str, Any]) -> str | None:
    """The ARN of the log stream that an action wrote; None if it wrote none."""
    if action["actionTypeId"]["provider"] != "CodeBuild":
        return None
    group = f"/aws/codebuild/{project_of(pipeline, action)}"
    stream = run_id(execution.id, number)
    return f"arn:aws:logs:{pipeline.region}:{pipeline.account_id}:log-group:{group}:log-stream:{stream}"


def project_of(pipeline: Pipeline, action: dict[str, Any]) -> str:
    """The name of the CodeBuild project that an action builds."""
    return fill(action["configuration"]["ProjectName"], pipeline.values)
