"""AWS CodePipeline: starting a pipeline, and what a function that its invoke action calls reports."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.chaos_model import PipelineExecution
from sandbox.errors import AwsError
from sandbox.pipelines import PIPELINES, SECONDS_TO_GO_ON, find_job, new_job
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(Service("codepipeline", signing_name="codepipeline"))


@operation("StartPipelineExecution")
def start_pipeline_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin a run, whose invoke action is due at once."""
    if parameters["name"] not in PIPELINES:
        raise AwsError("PipelineNotFoundException", f"Account {context.account} has no pipeline {parameters['name']}.")
    execution = PipelineExecution(str(uuid.uuid4()), parameters["name"], context.account, context.region)
    execution.jobs.append(new_job(context.now))
    context.world.zone.pipeline_executions[execution.id] = execution
    context.world.changed()
    return {"pipelineExecutionId": execution.id}


@operation("GetPipelineExecution")
def get_pipeline_execution(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How a run stands."""
    execution = context.world.zone.pipeline_executions.get(parameters["pipelineExecutionId"])
    if execution is None or execution.pipeline != parameters["pipelineName"]:
        raise AwsError("PipelineExecutionNotFoundException", "There is no such execution.")
    described = {
        "pipelineName": execution.pipeline,
        "pipelineVersion": 1,
        "pipelineExecutionId": execution.id,
        "status": execution.status,
    }
    return {"pipelineExecution": {**described, **({"statusSummary": execution.summary} if execution.summary else {})}}


@operation("PutJobSuccessResult")
def put_job_success_result(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End the action well, or have the function invoked again when it gives a continuation token."""
    execution, job = _open_job(context, parameters)
    job["is_answered"] = True
    execution.summary = parameters.get("executionDetails", {}).get("summary", "")
    if token := parameters.get("continuationToken"):
        execution.jobs.append(new_job(context.now + SECONDS_TO_GO_ON, token))
    else:
        execution.status = "Succeeded"
    context.world.changed()
    return {}


@operation("PutJobFailureResult")
def put_job_failure_result(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End the action, and with it the run, as failed."""
    execution, job = _open_job(context, parameters)
    job["is_answered"] = True
    execution.status, execution.summary = "Failed", parameters["failureDetails"]["message"]
    context.world.changed()
    return {}


def _open_job(context: Context, parameters: Parameters) -> tuple[PipelineExecution, dict[str, Any]]:
    found = find_job(context.world, parameters["jobId"])
    if found is None or found[0].account_id != context.account:
        raise AwsError("JobNotFoundException", f"There is no job {parameters['jobId']}.")
    if found[1]["is_answered"]:
        raise AwsError("InvalidJobStateException", f"Job {parameters['jobId']} is completed.")
    return found
