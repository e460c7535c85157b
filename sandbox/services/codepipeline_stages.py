"""AWS CodePipeline: what people do to executions under way: approve, retry, stop, roll back, shut and open stages."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.delivery import running
from sandbox.delivery.ids import find_run
from sandbox.delivery.model import TERMINAL, ActionRun, Execution, Pipeline
from sandbox.delivery.moving import settle_deliveries
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, serve
from sandbox.services.codepipeline import SERVICE, find_pipeline
from sandbox.services.codepipeline_runs import find_execution, require_room

operation = serve(SERVICE)


@operation("PutApprovalResult")
def put_approval_result(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Answer a manual approval by the token that its action has for this try."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    structure = context.world.delivery.structure_of(pipeline)
    stage = _require_stage(context, pipeline, parameters["stageName"])
    named = parameters["actionName"]
    if all(action["name"] != named for action in structure.stages[stage]["actions"]):
        raise AwsError("ActionNotFoundException", f"Stage {parameters['stageName']} has no action {named}.")
    execution, run = _approval(context, pipeline, parameters["token"], stage, named)
    if run.status != "InProgress":
        raise AwsError(
            "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected."
        )
    result = parameters["result"]
    run.summary, run.by = result["summary"], context.caller
    problem = None if result["status"] == "Approved" else ("Rejected", f"Rejected: {result['summary']}".strip())
    running.end_run(context.world, pipeline, execution, run, context.now, problem)
    running.go_on(context.world, pipeline, execution, context.now)
    settle_deliveries(context.world)
    return {"approvedAt": moment(context.now)}


@operation("RetryStageExecution")
def retry_stage_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Try a failed stage again: its failed actions, or all of them."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    name = parameters["stageName"]
    _require_stage(context, pipeline, name)
    execution = context.world.delivery.executions.get(parameters["pipelineExecutionId"])
    if execution is None or execution.pipeline != pipeline.key:
        raise AwsError("ValidationException", f"{pipeline.name} has no execution {parameters['pipelineExecutionId']}.")
    if execution.mode != "PARALLEL" and pipeline.latest.get(name) != execution.id:
        raise AwsError(
            "NotLatestPipelineExecutionException",
            f"The execution {execution.id} is not the latest one in the stage {name}.",
        )
    structure = context.world.delivery.execution_structure(execution)
    is_here = structure.stages[execution.stage]["name"] == name
    if execution.status != "Failed" or not is_here or execution.version != pipeline.version:
        raise AwsError(
            "StageNotRetryableException",
            f"Unable to retry the stage {name}: it contains no failed actions, or the pipeline has changed meanwhile.",
        )
    require_room(context, pipeline)
    is_all = parameters["retryMode"] == "ALL_ACTIONS"
    running.retry(context.world, pipeline, execution, context.now, is_all=is_all)
    settle_deliveries(context.world)
    return {"pipelineExecutionId": execution.id}


@operation("StopPipelineExecution")
def stop_pipeline_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Stop an execution after what it is doing, or at once by abandoning that."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    identifier = parameters["pipelineExecutionId"]
    execution = context.world.delivery.executions.get(identifier)
    if execution is None or execution.pipeline != pipeline.key or execution.status in TERMINAL:
        raise AwsError(
            "PipelineExecutionNotStoppableException",
            f"The pipeline execution {identifier} is not in progress, so it can't be stopped.",
        )
    abandon = bool(parameters.get("abandon", False))
    if execution.status == "Stopping" and execution.is_abandoned >= abandon:
        raise AwsError("DuplicatedStopRequestException", f"The pipeline execution {identifier} is already stopping.")
    running.stop(context.world, pipeline, execution, context.now, parameters.get("reason", ""), abandon=abandon)
    return {"pipelineExecutionId": execution.id}


@operation("RollbackStage")
def rollback_stage(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Run a stage again with what an earlier execution brought: of this structure, successful there, no rollback."""
    pipeline = find_pipeline(context, parameters["pipelineName"])
    name = parameters["stageName"]
    stage = _require_stage(context, pipeline, name)
    target = find_execution(context, pipeline, parameters["targetPipelineExecutionId"])
    structure = context.world.delivery.structure_of(pipeline)
    if target.version != pipeline.version:
        raise AwsError(
            "PipelineExecutionOutdatedException",
            f"The execution {target.id} ran version {target.version} of {pipeline.name}, which is at "
            f"{pipeline.version} now. Choose one of the current version.",
        )
    reason = ""
    if structure.declaration.get("pipelineType") != "V2":
        reason = "only pipelines of type V2 can roll back"
    elif structure.mode == "PARALLEL":
        reason = "a pipeline that runs in parallel can't roll back"
    elif stage == 0:
        reason = "a source stage can't be rolled back"
    elif target.target:
        reason = f"{target.id} is itself a rollback"
    elif target.stages.get(name) != "Succeeded":
        reason = f"{target.id} did not succeed there"
    elif name in pipeline.disabled:
        reason = "the transition into it is disabled"
    if reason:
        raise AwsError("UnableToRollbackStageException", f"Unable to roll back the stage {name}: {reason}.")
    if name in pipeline.holders:
        raise AwsError("ConflictException", f"The stage {name} is busy. Try again later.")
    require_room(context, pipeline)
    execution = running.start(
        context.world,
        pipeline,
        context.now,
        trigger="ManualRollback",
        detail=context.caller,
        target=target,
        stage=stage,
        revisions=target.revisions,
        variables=target.variables,
    )
    settle_deliveries(context.world)
    return {"pipelineExecutionId": execution.id}


@operation("DisableStageTransition")
def disable_stage_transition(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Let nothing into a stage, or out of it, which is into the next."""
    pipeline, name = _transition(context, parameters)
    if name is not None:
        running.set_transition(context.world, pipeline, name, context.now, parameters["reason"], context.caller)
    return {}


@operation("EnableStageTransition")
def enable_stage_transition(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Open the way again; what waits goes in."""
    pipeline, name = _transition(context, parameters)
    if name is not None:
        running.set_transition(context.world, pipeline, name, context.now, None, context.caller)
        settle_deliveries(context.world)
    return {}


def _transition(context: Context, parameters: Parameters) -> tuple[Pipeline, str | None]:
    pipeline = find_pipeline(context, parameters["pipelineName"])
    stage = _require_stage(context, pipeline, parameters["stageName"])
    structure = context.world.delivery.structure_of(pipeline)
    if structure.mode == "PARALLEL":
        raise AwsError("ValidationException", "Transitions of a pipeline that runs in parallel can't be disabled.")
    if parameters["transitionType"] == "Outbound":
        stage += 1
    return pipeline, structure.stages[stage]["name"] if stage < len(structure.stages) else None


def _require_stage(context: Context, pipeline: Pipeline, name: str) -> int:
    found = context.world.delivery.structure_of(pipeline).find_stage(name)
    if found is None:
        raise AwsError("StageNotFoundException", f"{pipeline.name} has no stage {name}.")
    return found


def _approval(context: Context, pipeline: Pipeline, token: str, stage: int, action: str) -> tuple[Execution, ActionRun]:
    found = find_run(token)
    execution = context.world.delivery.executions.get(found[0]) if found else None
    if found is not None and execution is not None and execution.pipeline == pipeline.key:
        runs = execution.runs[found[1] : found[1] + 1]
        structure = context.world.delivery.execution_structure(execution)
        for run in runs:
            declared = structure.action(run.stage, run.action)
            if run.stage == stage and declared["name"] == action and declared["actionTypeId"]["provider"] == "Manual":
                return execution, run
    raise AwsError("InvalidApprovalTokenException", "The approval request already received a response or has expired.")
