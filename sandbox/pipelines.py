"""CodePipeline, as far as an invoke action needs it: executions whose one action waits for a Lambda function's word."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.chaos_model import PipelineExecution
from sandbox.world import World

SECONDS_TO_GO_ON = 30.0
"""After how long a function that answered with a continuation token is invoked again."""
FUNCTION = "chaos-stage"
PIPELINES = {"checkout-delivery": {"environment": "staging"}}
"""The seed's pipelines, each with the user parameters of its invoke action."""


def new_job(due: float, token: str = "") -> dict[str, Any]:
    """A job that will be handed to the function then; it is answered once."""
    return {"id": str(uuid.uuid4()), "due": due, "token": token, "is_answered": False}


def find_job(world: World, identifier: str) -> tuple[PipelineExecution, dict[str, Any]] | None:
    """A job and its execution."""
    for execution in world.zone.pipeline_executions.values():
        for job in execution.jobs:
            if job["id"] == identifier:
                return execution, job
    return None


def invocations(world: World) -> list[dict[str, Any]]:
    """The events that functions are to be invoked with now: CodePipeline has no other way to tell them."""
    now = world.clock.now()
    return [
        _event(execution, job)
        for execution in world.zone.pipeline_executions.values()
        if execution.status == "InProgress"
        for job in execution.jobs
        if not job["is_answered"] and job["due"] <= now
    ]


def _event(execution: PipelineExecution, job: dict[str, Any]) -> dict[str, Any]:
    parameters = json.dumps(PIPELINES[execution.pipeline])
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": {"FunctionName": FUNCTION, "UserParameters": parameters}},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }
    if job["token"]:
        data["continuationToken"] = job["token"]
    return {"CodePipeline.job": {"id": job["id"], "accountId": execution.account_id, "data": data}}
