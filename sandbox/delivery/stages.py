"""Stages as executions pass them: entering, waiting in front, their actions, and leaving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.delivery import news, work
from sandbox.delivery.model import ActionRun, Execution, Pipeline
from sandbox.delivery.structures import Structure, waits

if TYPE_CHECKING:
    from sandbox.world import World

APPROVAL_SECONDS = 7 * 86_400.0
FUNCTION_SECONDS = 3_600.0
"""How long a manual approval and an invoked function may take."""


def current_runs(execution: Execution) -> dict[int, ActionRun]:
    """Of the actions of the stage that an execution is in, by number: the last try since the stage began."""
    found: dict[int, ActionRun] = {}
    for run in execution.runs:
        if run.stage == execution.stage:
            if run.detail.get("first") and run.action in found:
                found = {}
            found[run.action] = run
    return found


def enter(world: World, pipeline: Pipeline, execution: Execution, at: float) -> None:
    """Take an execution into the stage it has come to, or have it wait in front of it."""
    delivery = world.delivery
    stage = delivery.execution_structure(execution).stages[execution.stage]
    name = stage["name"]
    if execution.mode == "PARALLEL":
        _begin_stage(world, pipeline, execution, name, at)
        return
    others = pipeline.waiting.setdefault(name, [])
    if name not in pipeline.disabled and name not in pipeline.holders and not others:
        _begin_stage(world, pipeline, execution, name, at)
        return
    if execution.mode == "SUPERSEDED":
        for identifier in list(others):
            _supersede(world, pipeline, delivery.executions[identifier], execution, at)
        others.clear()
    others.append(execution.id)
    execution.is_waiting = True
    delivery.schedule("executions", execution, None)
    delivery.changed("pipelines", pipeline.key)


def _begin_stage(world: World, pipeline: Pipeline, execution: Execution, name: str, at: float) -> None:
    if execution.mode != "PARALLEL":
        pipeline.holders[name] = execution.id
    pipeline.latest[name] = execution.id
    execution.is_waiting, execution.stages[name], execution.entered[name] = False, "InProgress", at
    world.delivery.changed("pipelines", pipeline.key)
    news.stage_changed(world, pipeline, execution, name, "STARTED", at)
    first = world.delivery.execution_structure(execution).groups[execution.stage][0]
    begin_actions(world, pipeline, execution, first, at, is_first=True)


def begin_actions(
    world: World,
    pipeline: Pipeline,
    execution: Execution,
    numbers: list[int],
    at: float,
    *,
    is_first: bool = False,
) -> None:
    """Begin some actions of the stage that an execution is in."""
    structure = world.delivery.execution_structure(execution)
    for number in numbers:
        action = structure.action(execution.stage, number)
        attempt = 1 + sum((r.stage, r.action) == (execution.stage, number) for r in execution.runs)
        run = ActionRun(
            execution.stage, number, attempt, at, at, at + _seconds_of(structure, execution, number, action)
        )
        if is_first:
            run.detail["first"] = True
        work.begin(run, action)
        execution.runs.append(run)
        news.action_changed(world, pipeline, execution, run, at)
    schedule(world, execution)


def _seconds_of(structure: Structure, execution: Execution, number: int, action: Mapping[str, Any]) -> float:
    if waits(action):
        minutes = action.get("timeoutInMinutes")
        usual = APPROVAL_SECONDS if action["actionTypeId"]["category"] == "Approval" else FUNCTION_SECONDS
        return minutes * 60.0 if minutes else usual
    return execution.seconds * structure.shares[execution.stage, number]


def schedule(world: World, execution: Execution) -> None:
    """Have an execution looked at when the first of its actions ends."""
    dues = [run.due for run in current_runs(execution).values() if run.status == "InProgress" and run.due is not None]
    world.delivery.schedule("executions", execution, min(dues, default=None))


def end(world: World, pipeline: Pipeline, execution: Execution, status: str, at: float) -> None:
    """End an execution."""
    execution.status, execution.updated_at = status, at
    world.delivery.schedule("executions", execution, None)
    news.pipeline_changed(world, pipeline, execution, status.upper(), at)


def _supersede(world: World, pipeline: Pipeline, execution: Execution, by: Execution, at: float) -> None:
    execution.is_waiting = False
    execution.summary = f"Superseded by {by.id}."
    end(world, pipeline, execution, "Superseded", at)


def release(world: World, pipeline: Pipeline, execution: Execution, name: str, at: float) -> None:
    """Leave a stage, and let in who waits for it."""
    if pipeline.holders.get(name) == execution.id:
        del pipeline.holders[name]
        world.delivery.changed("pipelines", pipeline.key)
        admit(world, pipeline, name, at)


def admit(world: World, pipeline: Pipeline, name: str, at: float) -> None:
    """Let the first who waits into a stage that is free."""
    waiting = pipeline.waiting.get(name, [])
    if waiting and name not in pipeline.disabled and name not in pipeline.holders:
        execution = world.delivery.executions[waiting.pop(0)]
        execution.updated_at = at
        _begin_stage(world, pipeline, execution, name, at)
