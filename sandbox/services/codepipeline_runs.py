"""AWS CodePipeline: starting executions, telling how they stand, and what their actions did."""

from __future__ import annotations

from typing import Any

from sandbox.delivery import running
from sandbox.delivery.model import Execution, Pipeline
from sandbox.delivery.moving import settle_deliveries
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, page_of, serve
from sandbox.services.codepipeline import SERVICE, find_pipeline
from sandbox.services.codepipeline_shapes import action_detail, describe_execution, state_of, summarize_execution
from sandbox.world import without_nothing

operation = serve(SERVICE)

MOST_AT_ONCE = 50
"""Executions of a queued or parallel pipeline that may be under way."""
_REVISIONS = {
    "CodeCommit": ("COMMIT_ID",),
    "CodeStarSourceConnection": ("COMMIT_ID",),
    "GitHub": ("COMMIT_ID",),
    "ECR": ("IMAGE_DIGEST",),
    "S3": ("S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"),
}


@operation("StartPipelineExecution")
def start_pipeline_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin an execution; a clientRequestToken that was used before answers with the one it began."""
    pipeline = find_pipeline(context, parameters["name"])
    token = parameters.get("clientRequestToken", "")
    executions = context.world.delivery.executions
    for identifier in pipeline.executions if token else ():
        if executions[identifier].token == token:
            return {"pipelineExecutionId": identifier}
    revisions = _pinned(context, pipeline, parameters.get("sourceRevisions", []))
    variables = _variables(context, pipeline, parameters.get("variables", []))
    require_room(context, pipeline)
    execution = running.start(
        context.world,
        pipeline,
        context.now,
        detail=context.caller,
        token=token,
        variables=variables,
        revisions=revisions,
    )
    settle_deliveries(context.world)
    return {"pipelineExecutionId": execution.id}


@operation("GetPipelineExecution")
def get_pipeline_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How an execution stands."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    execution = find_execution(context, pipeline, parameters["pipelineExecutionId"])
    return {"pipelineExecution": describe_execution(context, pipeline, execution)}


@operation("ListPipelineExecutions")
def list_pipeline_executions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A pipeline's executions, newest first; with a filter, those of the current version that a stage succeeded in."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    found = [context.world.delivery.executions[identifier] for identifier in reversed(pipeline.executions)]
    wanted = parameters.get("filter", {}).get("succeededInStage", {}).get("stageName")
    if wanted is not None:
        found = [e for e in found if e.version == pipeline.version and e.stages.get(wanted) == "Succeeded"]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    summaries = [summarize_execution(execution) for execution in page]
    return without_nothing({"pipelineExecutionSummaries": summaries, "nextToken": following})


@operation("GetPipelineState")
def get_pipeline_state(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Every stage of a pipeline: who is in it, who waits for it, and how its actions stand."""
    return state_of(context, find_pipeline(context, parameters["name"]))


@operation("ListActionExecutions")
def list_action_executions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What actions did, newest first, of a whole pipeline or of one execution."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    wanted = parameters.get("filter", {})
    latest = wanted.get("latestInPipelineExecution", {})
    identifier = wanted.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    if identifier is not None:
        executions = [find_execution(context, pipeline, identifier)]
    else:
        executions = [context.world.delivery.executions[i] for i in reversed(pipeline.executions)]
    found = []
    for execution in executions:
        seen = set()
        for number, run in reversed(list(enumerate(execution.runs))):
            if latest.get("startTimeRange") == "Latest" and (run.stage, run.action) in seen:
                continue
            seen.add((run.stage, run.action))
            found.append((execution, number))
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    details = [action_detail(context, pipeline, execution, number) for execution, number in page]
    return without_nothing({"actionExecutionDetails": details, "nextToken": following})


def find_execution(context: Context, pipeline: Pipeline, identifier: str) -> Execution:
    """An execution of a pipeline; PipelineExecutionNotFoundException without it."""
    execution = context.world.delivery.executions.get(identifier)
    if execution is None or execution.pipeline != pipeline.key:
        raise AwsError(
            "PipelineExecutionNotFoundException",
            f"{pipeline.name} has no execution {identifier}.",
        )
    return execution


def require_room(context: Context, pipeline: Pipeline) -> None:
    """ConcurrentPipelineExecutionsLimitExceededException when as many are under way as may be."""
    mode = context.world.delivery.structure_of(pipeline).mode
    if mode != "SUPERSEDED" and len(running.running_of(context.world, pipeline)) >= MOST_AT_ONCE:
        raise AwsError(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"{pipeline.name} has {MOST_AT_ONCE} executions under way, which is the most in the mode {mode}.",
        )


def _pinned(context: Context, pipeline: Pipeline, wished: list[dict[str, str]]) -> dict[str, dict[str, Any]]:
    sources = context.world.delivery.structure_of(pipeline).sources
    pinned: dict[str, dict[str, Any]] = {}
    for wish in wished:
        name, kind = wish["actionName"], wish["revisionType"]
        if name not in sources:
            raise AwsError("ValidationException", f"{name} is not a source action of {pipeline.name}.")
        provider = sources[name]["actionTypeId"]["provider"]
        if kind not in _REVISIONS.get(provider, (kind,)):
            raise AwsError("ValidationException", f"The revision type {kind} does not fit the provider {provider}.")
        pinned[name] = {"revisionId": wish["revisionValue"], "isPinned": True}
    return pinned


def _variables(context: Context, pipeline: Pipeline, given: list[dict[str, str]]) -> dict[str, str]:
    declared = context.world.delivery.structure_of(pipeline).declaration.get("variables", [])
    values = {entry["name"]: entry.get("defaultValue") for entry in declared}
    for entry in given:
        if entry["name"] not in values:
            raise AwsError("ValidationException", f"{pipeline.name} has no variable {entry['name']}.")
        values[entry["name"]] = entry["value"]
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise AwsError("ValidationException", f"The variable {missing[0]} needs a value.")
    return {name: str(value) for name, value in values.items()}
