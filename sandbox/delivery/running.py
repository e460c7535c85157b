"""How executions of pipelines go on: into a stage, through its actions, out of it, and into the next.

Nothing runs in the background: `move` is called for what has come due, in the order of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.delivery import news, work
from sandbox.delivery.ids import new_execution_id
from sandbox.delivery.model import TERMINAL, ActionRun, Execution, Pipeline
from sandbox.delivery.stages import admit, begin_actions, current_runs, end, enter, release, schedule
from sandbox.delivery.structures import Structure

if TYPE_CHECKING:
    from sandbox.world import World

MOST_KEPT = 100
"""Executions of a pipeline that are remembered."""
ABANDONING_SECONDS = 2.0


def start(
    world: World,
    pipeline: Pipeline,
    at: float,
    *,
    trigger: str = "StartPipelineExecution",
    detail: str = "",
    token: str = "",
    variables: Mapping[str, str] | None = None,
    revisions: Mapping[str, dict[str, Any]] | None = None,
    target: Execution | None = None,
    stage: int = 0,
) -> Execution:
    """Begin an execution; with a `target`, the rollback of one stage to what that execution brought."""
    delivery = world.delivery
    pipeline.begun += 1
    draw = Random(f"{pipeline.seed}/{pipeline.name}/{pipeline.begun}")
    execution = Execution(
        id=new_execution_id(),
        pipeline=pipeline.key,
        number=pipeline.begun,
        version=pipeline.version,
        mode=delivery.structure_of(pipeline).mode,
        trigger=trigger,
        trigger_detail=detail,
        started_at=at,
        updated_at=at,
        seconds=draw.uniform(*pipeline.seconds),
        stage=stage,
        token=token,
        variables=dict(variables or {}),
        revisions={name: dict(found) for name, found in (revisions or {}).items()},
        target=target.id if target else "",
    )
    execution.doom = work.draw_doom(world, pipeline, execution, draw)
    delivery.keep("executions", execution.id, execution)
    pipeline.executions.append(execution.id)
    _forget_oldest(world, pipeline)
    news.pipeline_changed(world, pipeline, execution, "STARTED", at)
    enter(world, pipeline, execution, at)
    return execution


def seconds_of(pipeline: Pipeline, number: int) -> float:
    """What a pipeline's execution of that number, from 1, takes without those who are waited for."""
    draw = Random(f"{pipeline.seed}/{pipeline.name}/{number}")
    return draw.uniform(*pipeline.seconds)


def move(world: World, identifier: str, due: float) -> None:
    """Carry out what has come due of an execution."""
    execution = world.delivery.executions.get(identifier)
    if execution is None or execution.due != due:
        return
    pipeline = world.delivery.pipelines[execution.pipeline]
    if execution.status == "Stopping" and execution.is_abandoned:
        _end_stopped(world, pipeline, execution, due)
        return
    for run in current_runs(execution).values():
        if run.status == "InProgress" and run.due is not None and run.due <= due:
            problem = work.problem_of(world, pipeline, execution, run)
            end_run(world, pipeline, execution, run, due, problem)
    go_on(world, pipeline, execution, due)


def end_run(
    world: World,
    pipeline: Pipeline,
    execution: Execution,
    run: ActionRun,
    at: float,
    problem: tuple[str, str] | None,
) -> None:
    """End a try of an action, well or with a code and a message."""
    run.updated_at, run.due = at, None
    run.status = "Failed" if problem else "Succeeded"
    if problem:
        run.code, run.message = problem
    world.delivery.changed("executions", execution.id)
    news.action_changed(world, pipeline, execution, run, at)


def go_on(world: World, pipeline: Pipeline, execution: Execution, at: float) -> None:
    """After something of a stage has ended: the next actions, the next stage, or the end."""
    runs = current_runs(execution)
    execution.updated_at = at
    if any(run.status == "InProgress" for run in runs.values()):
        schedule(world, execution)
        return
    if any(run.status == "Failed" for run in runs.values()):
        _fail_stage(world, pipeline, execution, at)
        return
    if execution.status == "Stopping":
        _end_stopped(world, pipeline, execution, at)
        return
    structure = world.delivery.execution_structure(execution)
    for group in structure.groups[execution.stage]:
        missing = [number for number in group if number not in runs]
        if missing:
            begin_actions(world, pipeline, execution, missing, at)
            return
    _finish_stage(world, pipeline, execution, at)


def retry(world: World, pipeline: Pipeline, execution: Execution, at: float, *, is_all: bool) -> None:
    """Try the failed actions of the stage that an execution failed in again, or all of its actions."""
    structure = world.delivery.execution_structure(execution)
    name = structure.stages[execution.stage]["name"]
    draw = Random(f"{pipeline.seed}/{execution.id}/{len(execution.runs)}")
    execution.status, execution.summary = "InProgress", ""
    execution.doom = work.draw_doom(world, pipeline, execution, draw)
    execution.stages[name] = "InProgress"
    if execution.mode != "PARALLEL":
        pipeline.holders[name] = execution.id
        world.delivery.changed("pipelines", pipeline.key)
    news.pipeline_changed(world, pipeline, execution, "RESUMED", at)
    news.stage_changed(world, pipeline, execution, name, "RESUMED", at)
    if is_all:
        first = structure.groups[execution.stage][0]
        begin_actions(world, pipeline, execution, first, at, is_first=True)
        return
    failed = [number for number, run in current_runs(execution).items() if run.status == "Failed"]
    begin_actions(world, pipeline, execution, failed, at)


def stop(world: World, pipeline: Pipeline, execution: Execution, at: float, reason: str, *, abandon: bool) -> None:
    """Have an execution stop: after what is being done, or at once when that is abandoned."""
    delivery = world.delivery
    if execution.status != "Stopping":
        execution.status = "Stopping"
        news.pipeline_changed(world, pipeline, execution, "STOPPING", at)
    execution.stop_reason, execution.is_abandoned, execution.updated_at = reason, abandon, at
    structure = delivery.execution_structure(execution)
    if execution.is_waiting:
        _stop_waiting(delivery, pipeline, execution, structure)
        _end_stopped(world, pipeline, execution, at)
        return
    execution.stages[structure.stages[execution.stage]["name"]] = "Stopping"
    if abandon:
        for run in current_runs(execution).values():
            if run.status == "InProgress":
                run.status, run.updated_at, run.due = "Abandoned", at, None
                news.action_changed(world, pipeline, execution, run, at)
        delivery.schedule("executions", execution, at + ABANDONING_SECONDS)
    delivery.changed("executions", execution.id)


def set_transition(world: World, pipeline: Pipeline, stage: str, at: float, reason: str | None, by: str) -> None:
    """Shut the way into a stage for a reason, or open it (None), which lets in who waits."""
    if reason is not None:
        pipeline.disabled[stage] = {"reason": reason, "at": at, "by": by}
    else:
        pipeline.disabled.pop(stage, None)
        admit(world, pipeline, stage, at)
    world.delivery.changed("pipelines", pipeline.key)


def running_of(world: World, pipeline: Pipeline) -> list[Execution]:
    """The executions of a pipeline that have not ended."""
    found = (world.delivery.executions[identifier] for identifier in pipeline.executions)
    return [execution for execution in found if execution.status not in TERMINAL]


def _finish_stage(world: World, pipeline: Pipeline, execution: Execution, at: float) -> None:
    structure = world.delivery.execution_structure(execution)
    name = structure.stages[execution.stage]["name"]
    execution.stages[name] = "Succeeded"
    news.stage_changed(world, pipeline, execution, name, "SUCCEEDED", at)
    is_last = bool(execution.target) or execution.stage + 1 == len(structure.stages)
    if is_last:
        end(world, pipeline, execution, "Succeeded", at)
    else:
        execution.stage += 1
        enter(world, pipeline, execution, at)
    release(world, pipeline, execution, name, at)


def _fail_stage(world: World, pipeline: Pipeline, execution: Execution, at: float) -> None:
    structure = world.delivery.execution_structure(execution)
    stage = structure.stages[execution.stage]
    name = stage["name"]
    execution.stages[name] = "Failed"
    news.stage_changed(world, pipeline, execution, name, "FAILED", at)
    end(world, pipeline, execution, "Failed", at)
    wanted = stage.get("onFailure", {}).get("result")
    tries = max((run.attempt for run in execution.runs if run.stage == execution.stage), default=1)
    if wanted == "RETRY" and tries == 1:
        mode = stage["onFailure"].get("retryConfiguration", {}).get("retryMode", "FAILED_ACTIONS")
        retry(world, pipeline, execution, at, is_all=mode == "ALL_ACTIONS")
        return
    release(world, pipeline, execution, name, at)
    if wanted == "ROLLBACK" and not execution.target and name not in pipeline.holders:
        good = last_good(world, pipeline, name)
        if good is not None:
            start(
                world,
                pipeline,
                at,
                trigger="AutomatedRollback",
                detail=execution.id,
                target=good,
                stage=execution.stage,
                revisions=good.revisions,
                variables=good.variables,
            )


def last_good(world: World, pipeline: Pipeline, stage: str) -> Execution | None:
    """The last execution of the current structure that succeeded in a stage and was no rollback."""
    for identifier in reversed(pipeline.executions):
        execution = world.delivery.executions[identifier]
        is_current = execution.version == pipeline.version
        if is_current and not execution.target and execution.stages.get(stage) == "Succeeded":
            return execution
    return None


def _end_stopped(world: World, pipeline: Pipeline, execution: Execution, at: float) -> None:
    name = world.delivery.execution_structure(execution).stages[execution.stage]["name"]
    is_inside = execution.stages.get(name) == "Stopping"
    if is_inside:
        execution.stages[name] = "Stopped"
        news.stage_changed(world, pipeline, execution, name, "STOPPED", at)
    end(world, pipeline, execution, "Stopped", at)
    if is_inside:
        release(world, pipeline, execution, name, at)


def _stop_waiting(delivery: Any, pipeline: Pipeline, execution: Execution, structure: Structure) -> None:
    name = structure.stages[execution.stage]["name"]
    pipeline.waiting[name] = [other for other in pipeline.waiting.get(name, []) if other != execution.id]
    execution.is_waiting = False
    delivery.changed("pipelines", pipeline.key)


def _forget_oldest(world: World, pipeline: Pipeline) -> None:
    while len(pipeline.executions) > MOST_KEPT:
        oldest = world.delivery.executions[pipeline.executions[0]]
        if oldest.status not in TERMINAL:
            return
        del pipeline.executions[0]
        world.delivery.drop("executions", oldest.id)
