"""AWS CodePipeline: what a function that an invoke action calls reports about its job."""

from __future__ import annotations

from typing import Any

from sandbox.delivery import running
from sandbox.delivery.jobs import SECONDS_TO_GO_ON, find_job, renew
from sandbox.delivery.model import ActionRun, Execution, Pipeline
from sandbox.delivery.moving import settle_deliveries
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, serve
from sandbox.services.codepipeline import SERVICE

operation = serve(SERVICE)


@operation("PutJobSuccessResult")
def put_job_success_result(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End the action well, or have the function invoked again when it gives a continuation token."""
    pipeline, execution, run = _open_job(context, parameters["jobId"])
    run.summary = execution.summary = parameters.get("executionDetails", {}).get("summary", "")
    if token := parameters.get("continuationToken"):
        renew(run, context.now + SECONDS_TO_GO_ON, token)
        context.world.delivery.changed("executions", execution.id)
        return {}
    _end(context, pipeline, execution, run, None)
    return {}


@operation("PutJobFailureResult")
def put_job_failure_result(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End the action, and with it the stage, as failed."""
    pipeline, execution, run = _open_job(context, parameters["jobId"])
    told = parameters["failureDetails"]
    run.summary = execution.summary = told["message"]
    _end(context, pipeline, execution, run, (told["type"], told["message"]))
    return {}


def _end(
    context: Context, pipeline: Pipeline, execution: Execution, run: ActionRun, problem: tuple[str, str] | None
) -> None:
    run.detail["job"]["is_answered"] = True
    running.end_run(context.world, pipeline, execution, run, context.now, problem)
    running.go_on(context.world, pipeline, execution, context.now)
    settle_deliveries(context.world)


def _open_job(context: Context, identifier: str) -> tuple[Pipeline, Execution, ActionRun]:
    found = find_job(context.world, identifier)
    pipeline = context.world.delivery.pipelines[found[0].pipeline] if found else None
    if found is None or pipeline is None or pipeline.account_id != context.account:
        raise AwsError("JobNotFoundException", f"There is no job {identifier}.")
    execution, run = found
    job = run.detail["job"]
    if job["id"] != identifier or job["is_answered"] or run.status != "InProgress":
        raise AwsError("InvalidJobStateException", f"Job {identifier} is completed.")
    return pipeline, execution, run
