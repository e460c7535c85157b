"""Jobs of CodePipeline's invoke actions: handed to a Lambda function, and open until it has reported its result."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sandbox.delivery.model import ActionRun, Execution
from sandbox.delivery.stages import current_runs
from sandbox.delivery.structures import fill

if TYPE_CHECKING:
    from sandbox.world import World

SECONDS_TO_GO_ON = 30.0
"""After how long a function that answered with a continuation token is invoked again."""


def find_job(world: World, identifier: str) -> tuple[Execution, ActionRun] | None:
    """A job's execution and run, by the job's id; also of a job that was answered."""
    for execution in world.delivery.executions.values():
        for run in execution.runs:
            job = run.detail.get("job")
            if job is not None and (job["id"] == identifier or identifier in job.get("past", ())):
                return execution, run
    return None


def renew(run: ActionRun, due: float, token: str) -> None:
    """Have the function invoked again, with what it asked to be told."""
    job = run.detail["job"]
    past = [*job.get("past", ()), job["id"]]
    run.detail["job"] = {"id": str(uuid.uuid4()), "due": due, "token": token, "is_answered": False, "past": past}


def invocations(world: World) -> list[dict[str, Any]]:
    """The events that functions are to be invoked with now: CodePipeline has no other way to tell them."""
    now = world.clock.now()
    return [
        _event(world, execution, run)
        for execution in world.delivery.executions.values()
        if execution.status == "InProgress"
        for run in current_runs(execution).values()
        if run.status == "InProgress"
        and "job" in run.detail
        and not run.detail["job"]["is_answered"]
        and run.detail["job"]["due"] <= now
    ]


def _event(world: World, execution: Execution, run: ActionRun) -> dict[str, Any]:
    pipeline, job = world.delivery.pipelines[execution.pipeline], run.detail["job"]
    action = world.delivery.execution_structure(execution).action(run.stage, run.action)
    configuration = {name: fill(value, pipeline.values) for name, value in action.get("configuration", {}).items()}
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }
    if job["token"]:
        data["continuationToken"] = job["token"]
    return {"CodePipeline.job": {"id": job["id"], "accountId": pipeline.account_id, "data": data}}
