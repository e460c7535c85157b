"""Executions, stages and actions in the shapes of CodePipeline's API."""

from __future__ import annotations

import json
from typing import Any

from sandbox.clock import moment
from sandbox.delivery.ids import run_id
from sandbox.delivery.model import ActionRun, Execution, Pipeline
from sandbox.delivery.structures import Structure, fill
from sandbox.delivery.tools import external_id, external_url, log_stream_of
from sandbox.registry import Context
from sandbox.world import without_nothing


def describe_execution(context: Context, pipeline: Pipeline, execution: Execution) -> dict[str, Any]:
    """An execution as GetPipelineExecution tells it."""
    structure = context.world.delivery.execution_structure(execution)
    revisions = [
        without_nothing(
            {
                "name": _artifact_of(structure, name),
                "revisionId": found["revisionId"],
                "revisionSummary": found.get("summary"),
                "created": moment(found["at"]) if "at" in found else None,
                "revisionUrl": found.get("url"),
            }
        )
        for name, found in execution.revisions.items()
        if "revisionId" in found
    ]
    return without_nothing(
        {
            "pipelineName": pipeline.name,
            "pipelineVersion": execution.version,
            "pipelineExecutionId": execution.id,
            "status": execution.status,
            "statusSummary": execution.summary or None,
            "artifactRevisions": revisions,
            "variables": [{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
            **_how(execution),
        }
    )


def summarize_execution(execution: Execution) -> dict[str, Any]:
    """An execution as ListPipelineExecutions tells it."""
    revisions = [
        without_nothing(
            {
                "actionName": name,
                "revisionId": found["revisionId"],
                "revisionSummary": found.get("summary"),
                "revisionUrl": found.get("url"),
            }
        )
        for name, found in execution.revisions.items()
        if "revisionId" in found
    ]
    return without_nothing(
        {
            "pipelineExecutionId": execution.id,
            "status": execution.status,
            "statusSummary": execution.summary or None,
            "startTime": moment(execution.started_at),
            "lastUpdateTime": moment(execution.updated_at),
            "sourceRevisions": revisions,
            "stopTrigger": None if execution.stop_reason is None else {"reason": execution.stop_reason},
            **_how(execution),
        }
    )


def state_of(context: Context, pipeline: Pipeline) -> dict[str, Any]:
    """A pipeline as GetPipelineState tells it."""
    structure = context.world.delivery.structure_of(pipeline)
    stages = [_stage_state(context, pipeline, structure, number) for number in range(len(structure.stages))]
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": stages,
        "created": moment(pipeline.created_at),
        "updated": moment(pipeline.updated_at),
    }


def action_detail(context: Context, pipeline: Pipeline, execution: Execution, number: int) -> dict[str, Any]:
    """A run of an action as ListActionExecutions tells it."""
    structure, run = context.world.delivery.execution_structure(execution), execution.runs[number]
    action = structure.action(run.stage, run.action)
    configuration = filled_configuration(pipeline, action)
    result = without_nothing(
        {
            "externalExecutionId": external_id(pipeline, execution, number, action),
            "externalExecutionSummary": run.summary or run.message or None,
            "externalExecutionUrl": external_url(pipeline, execution, number, action),
            "errorDetails": _error(run),
            "logStreamARN": log_stream_of(pipeline, execution, number, action),
        }
    )
    return without_nothing(
        {
            "pipelineExecutionId": execution.id,
            "actionExecutionId": run_id(execution.id, number),
            "pipelineVersion": execution.version,
            "stageName": structure.stages[run.stage]["name"],
            "actionName": action["name"],
            "startTime": moment(run.started_at),
            "lastUpdateTime": moment(run.updated_at),
            "updatedBy": run.by or None,
            "status": run.status,
            "input": {
                "actionTypeId": action["actionTypeId"],
                "configuration": configuration,
                "resolvedConfiguration": configuration,
                "region": action.get("region", pipeline.region),
                "inputArtifacts": [{"name": entry["name"]} for entry in action.get("inputArtifacts", ())],
            },
            "output": {
                "outputArtifacts": [
                    {"name": entry["name"]} for entry in action.get("outputArtifacts", ()) if run.status == "Succeeded"
                ],
                "executionResult": result,
                "outputVariables": _variables(execution, action, run),
            },
        }
    )


def filled_configuration(pipeline: Pipeline, action: dict[str, Any]) -> dict[str, str]:
    """An action's configuration with the pipeline's values in it."""
    configuration: dict[str, str] = action.get("configuration", {})
    if not pipeline.values:
        return configuration
    return dict(json.loads(fill(json.dumps(configuration), pipeline.values)))


def _how(execution: Execution) -> dict[str, Any]:
    made: dict[str, Any] = {
        "trigger": {"triggerType": execution.trigger, "triggerDetail": execution.trigger_detail},
        "executionMode": execution.mode,
        "executionType": "ROLLBACK" if execution.target else "STANDARD",
    }
    if execution.target:
        made["rollbackMetadata"] = {"rollbackTargetPipelineExecutionId": execution.target}
    return made


def _stage_state(context: Context, pipeline: Pipeline, structure: Structure, number: int) -> dict[str, Any]:
    executions = context.world.delivery.executions
    stage = structure.stages[number]
    name = stage["name"]
    latest = executions.get(pipeline.latest.get(name, ""))
    waiting = [_stage_execution(executions[i], "InProgress") for i in pipeline.waiting.get(name, ())]
    shut = pipeline.disabled.get(name)
    transition: dict[str, Any] = {"enabled": shut is None}
    if shut is not None:
        transition |= {
            "lastChangedBy": shut["by"],
            "lastChangedAt": moment(shut["at"]),
            "disabledReason": shut["reason"],
        }
    return without_nothing(
        {
            "stageName": name,
            "inboundExecution": waiting[-1] if waiting else None,
            "inboundExecutions": waiting or None,
            "inboundTransitionState": transition,
            "actionStates": [
                _action_state(context, pipeline, structure, number, place) for place in range(len(stage["actions"]))
            ],
            "latestExecution": None if latest is None else _stage_execution(latest, latest.stages[name]),
        }
    )


def _stage_execution(execution: Execution, status: str) -> dict[str, Any]:
    kind = "ROLLBACK" if execution.target else "STANDARD"
    return {"pipelineExecutionId": execution.id, "status": status, "type": kind}


def _action_state(context: Context, pipeline: Pipeline, structure: Structure, stage: int, place: int) -> dict[str, Any]:
    action = structure.action(stage, place)
    found = _last_run(context, pipeline, stage, place)
    state: dict[str, Any] = {"actionName": action["name"]}
    if found is None:
        return state
    execution, number = found
    run = execution.runs[number]
    is_waiting = action["actionTypeId"]["provider"] == "Manual" and run.status == "InProgress"
    state["latestExecution"] = without_nothing(
        {
            "actionExecutionId": run_id(execution.id, number),
            "status": run.status,
            "summary": run.summary or None,
            "lastStatusChange": moment(run.updated_at),
            "token": run_id(execution.id, number) if is_waiting else None,
            "lastUpdatedBy": run.by or None,
            "externalExecutionId": external_id(pipeline, execution, number, action),
            "externalExecutionUrl": external_url(pipeline, execution, number, action),
            "errorDetails": _error(run),
            "logStreamARN": log_stream_of(pipeline, execution, number, action),
        }
    )
    revision = execution.revisions.get(action["name"], {}) if stage == 0 and run.status == "Succeeded" else {}
    if "revisionId" in revision:
        state["currentRevision"] = {
            "revisionId": revision["revisionId"],
            "revisionChangeId": revision["revisionId"][:100],
            "created": moment(revision.get("at", run.updated_at)),
        }
        if "url" in revision:
            state["revisionUrl"] = revision["url"]
    return state


def _last_run(context: Context, pipeline: Pipeline, stage: int, place: int) -> tuple[Execution, int] | None:
    for identifier in reversed(pipeline.executions):
        execution = context.world.delivery.executions[identifier]
        if execution.version != pipeline.version:
            continue
        for number in range(len(execution.runs) - 1, -1, -1):
            if (execution.runs[number].stage, execution.runs[number].action) == (stage, place):
                return execution, number
    return None


def _error(run: ActionRun) -> dict[str, str] | None:
    return {"code": run.code, "message": run.message} if run.code else None


def _variables(execution: Execution, action: dict[str, Any], run: ActionRun) -> dict[str, str]:
    revision = execution.revisions.get(action["name"], {})
    if run.status != "Succeeded" or run.stage != 0 or "revisionId" not in revision:
        return {}
    return {"CommitId": revision["revisionId"], "CommitMessage": revision.get("summary", "")}


def _artifact_of(structure: Structure, source: str) -> str:
    outputs = structure.sources.get(source, {}).get("outputArtifacts") or [{"name": source}]
    return str(outputs[0]["name"])
