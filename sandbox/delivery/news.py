"""What pipelines tell the world: state changes as EventBridge words them, made only if somebody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.clock import moment
from sandbox.delivery.bus import is_heard, put_event
from sandbox.delivery.ids import run_id
from sandbox.delivery.model import ActionRun, Execution, Pipeline
from sandbox.delivery.tools import external_id, external_url

if TYPE_CHECKING:
    from sandbox.world import World

_SOURCE = "aws.codepipeline"
_TYPE = "CodePipeline {} Execution State Change"
_STATES = {"InProgress": "STARTED", "Succeeded": "SUCCEEDED", "Failed": "FAILED", "Abandoned": "ABANDONED"}


def pipeline_changed(world: World, pipeline: Pipeline, execution: Execution, state: str, at: float) -> None:
    """An execution has begun, ended, or is on its way to stop."""
    detail: dict[str, Any] = {"state": state}
    if state == "STARTED":
        detail["execution-trigger"] = {
            "trigger-type": execution.trigger,
            "trigger-detail": execution.trigger_detail,
        }
    if execution.target:
        detail |= {"type": "ROLLBACK", "rollback-metadata": {"rollback-target-execution-id": execution.target}}
    _tell(world, pipeline, execution, "Pipeline", detail, at)


def stage_changed(world: World, pipeline: Pipeline, execution: Execution, stage: str, state: str, at: float) -> None:
    """A stage of an execution has begun or ended."""
    _tell(world, pipeline, execution, "Stage", {"stage": stage, "state": state}, at)


def action_changed(world: World, pipeline: Pipeline, execution: Execution, run: ActionRun, at: float) -> None:
    """An action of an execution has begun or ended."""
    structure = world.delivery.execution_structure(execution)
    action = structure.action(run.stage, run.action)
    kind = action["actionTypeId"]
    if not _is_heard(world, pipeline, "Action", _STATES[run.status], kind["category"]):
        return
    detail: dict[str, Any] = {
        "stage": structure.stages[run.stage]["name"],
        "action": action["name"],
        "state": _STATES[run.status],
        "region": pipeline.region,
        "type": {name: kind[name] for name in ("owner", "provider", "category", "version")},
    }
    if run in execution.runs:
        number = execution.runs.index(run)
        detail["action-execution-id"] = run_id(execution.id, number)
        if run.status == "Failed":
            result = {
                "external-execution-id": external_id(pipeline, execution, number, action),
                "external-execution-url": external_url(pipeline, execution, number, action),
                "external-execution-summary": run.message or run.summary,
                "error-code": run.code,
            }
            detail["execution-result"] = {name: value for name, value in result.items() if value}
    _tell(world, pipeline, execution, "Action", detail, at)


def _tell(world: World, pipeline: Pipeline, execution: Execution, what: str, detail: dict[str, Any], at: float) -> None:
    if not _is_heard(world, pipeline, what, detail["state"]):
        return
    told = {
        "pipeline": pipeline.name,
        "execution-id": execution.id,
        "start-time": moment(execution.started_at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": float(execution.version),
        "pipeline-execution-attempt": 1.0,
        **detail,
    }
    put_event(
        world,
        pipeline.account_id,
        pipeline.region,
        source=_SOURCE,
        detail_type=_TYPE.format(what),
        detail=told,
        resources=[pipeline.arn],
        at=at,
    )


def _is_heard(world: World, pipeline: Pipeline, what: str, state: str, category: str = "") -> bool:
    where = (pipeline.account_id, pipeline.region)
    return is_heard(world, *where, _SOURCE, _TYPE.format(what), state, category)
