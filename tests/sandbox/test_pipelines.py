"""CodePipeline: executions on their way through stages, and what is told of them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.landing import Aws
from tests.sandbox.members import refusal_of
from tests.sandbox.queues import URL
from tests.sandbox.roles import assume, make_role

POOL = "pool-1-pipeline"


@pytest.fixture
def pipelines(aws: Aws) -> Any:
    return aws.client("codepipeline")


def status_of(pipelines: Any, execution: str, name: str = POOL) -> str:
    found = pipelines.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
    return str(found["pipelineExecution"]["status"])


def begin(pipelines: Any, name: str = POOL, **more: Any) -> str:
    return str(pipelines.start_pipeline_execution(name=name, **more)["pipelineExecutionId"])


def stages_of(pipelines: Any, name: str = POOL) -> dict[str, Any]:
    return {stage["stageName"]: stage for stage in pipelines.get_pipeline_state(name=name)["stageStates"]}


def test_an_execution_passes_every_stage_within_its_time(aws: Aws, pipelines: Any) -> None:
    execution = begin(pipelines, clientRequestToken="once")
    assert begin(pipelines, clientRequestToken="once") == execution
    assert stages_of(pipelines)["Source"]["latestExecution"]["status"] == "InProgress"
    aws.advance(20)
    assert status_of(pipelines, execution) == "Succeeded"
    (summary,) = pipelines.list_pipeline_executions(pipelineName=POOL)["pipelineExecutionSummaries"]
    assert 180 <= (summary["lastUpdateTime"] - summary["startTime"]).total_seconds() <= 1_200
    details = pipelines.list_action_executions(pipelineName=POOL)["actionExecutionDetails"]
    assert [entry["stageName"] for entry in details] == ["Verify", "Deploy", "Build", "Source"]
    assert {entry["status"] for entry in details} == {"Succeeded"}


def test_a_pinned_commit_is_what_runs_and_an_unknown_one_fails(aws: Aws, pipelines: Any) -> None:
    newest = begin(pipelines)
    aws.advance(20)
    found = pipelines.get_pipeline_execution(pipelineName=POOL, pipelineExecutionId=newest)["pipelineExecution"]
    wish = {"actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": "f" * 40}
    assert found["artifactRevisions"][0]["revisionId"] != wish["revisionValue"]
    lost = begin(pipelines, sourceRevisions=[wish])
    aws.advance(20)
    assert status_of(pipelines, lost) == "Failed"
    failed = pipelines.list_action_executions(pipelineName=POOL, filter={"pipelineExecutionId": lost})
    (source,) = failed["actionExecutionDetails"]
    assert "does not exist" in source["output"]["executionResult"]["errorDetails"]["message"]
    wrong = {"name": POOL, "sourceRevisions": [{**wish, "revisionType": "IMAGE_DIGEST"}]}
    assert refusal_of(pipelines.start_pipeline_execution, **wrong) == "ValidationException"
    assert refusal_of(pipelines.start_pipeline_execution, name="none") == "PipelineNotFoundException"


def approval_of(pipelines: Any, name: str = "pool-6-pipeline") -> dict[str, str]:
    """What PutApprovalResult needs to answer the approval that waits."""
    (action,) = stages_of(pipelines, name)["Approve"]["actionStates"]
    token = action["latestExecution"].get("token", "")
    return {"pipelineName": name, "stageName": "Approve", "actionName": "Approve", "token": token}


def test_an_approval_is_answered_once_and_by_its_own_token(aws: Aws, pipelines: Any) -> None:
    execution = begin(pipelines, "pool-6-pipeline")
    aws.advance(20)
    asked = approval_of(pipelines)
    yes = {"summary": "Looks good", "status": "Approved"}
    other = {**asked, "token": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    assert refusal_of(pipelines.put_approval_result, **other, result=yes) == "InvalidApprovalTokenException"
    pipelines.put_approval_result(**asked, result=yes)
    assert refusal_of(pipelines.put_approval_result, **asked, result=yes) == "ApprovalAlreadyCompletedException"
    aws.advance(20)
    assert status_of(pipelines, execution, "pool-6-pipeline") == "Succeeded"


@pytest.mark.parametrize("why", ["refused", "expired"])
def test_without_a_yes_the_stage_fails_and_a_retry_asks_anew(aws: Aws, pipelines: Any, why: str) -> None:
    execution = begin(pipelines, "pool-6-pipeline")
    aws.advance(20)
    asked = approval_of(pipelines)
    if why == "refused":
        pipelines.put_approval_result(**asked, result={"summary": "Not on a Friday", "status": "Rejected"})
    else:
        aws.advance(7 * 24 * 60)
    assert status_of(pipelines, execution, "pool-6-pipeline") == "Failed"
    stage = {"pipelineName": "pool-6-pipeline", "stageName": "Approve", "pipelineExecutionId": execution}
    pipelines.retry_stage_execution(**stage, retryMode="FAILED_ACTIONS")
    assert approval_of(pipelines)["token"] not in ("", asked["token"])
    yes = {"summary": "", "status": "Approved"}
    assert refusal_of(pipelines.put_approval_result, **asked, result=yes) == "ApprovalAlreadyCompletedException"


def test_the_newer_execution_supersedes_the_one_that_waits(aws: Aws, pipelines: Any) -> None:
    pipelines.disable_stage_transition(
        pipelineName=POOL, stageName="Deploy", transitionType="Inbound", reason="Freeze until Monday"
    )
    first = begin(pipelines)
    aws.advance(20)
    second = begin(pipelines)
    aws.advance(20)
    assert status_of(pipelines, first) == "Superseded"
    shut = stages_of(pipelines)["Deploy"]
    assert shut["inboundExecution"]["pipelineExecutionId"] == second
    assert (shut["inboundTransitionState"]["enabled"], status_of(pipelines, second)) == (False, "InProgress")
    pipelines.enable_stage_transition(pipelineName=POOL, stageName="Deploy", transitionType="Inbound")
    aws.advance(20)
    assert status_of(pipelines, second) == "Succeeded"


def test_a_queued_pipeline_keeps_the_order_and_a_parallel_one_keeps_nobody_waiting(aws: Aws, pipelines: Any) -> None:
    queued = [begin(pipelines, "pool-7-pipeline") for _ in range(3)]
    beside = [begin(pipelines, "silo-hooli-pipeline") for _ in range(50)]
    assert refusal_of(pipelines.start_pipeline_execution, name="silo-hooli-pipeline") == (
        "ConcurrentPipelineExecutionsLimitExceededException"
    )
    waiting = stages_of(pipelines, "pool-7-pipeline")["Source"]["inboundExecutions"]
    assert [entry["pipelineExecutionId"] for entry in waiting] == queued[1:]
    aws.advance(20)
    assert {status_of(pipelines, one, "silo-hooli-pipeline") for one in beside} == {"Succeeded"}
    aws.advance(60)
    listed = pipelines.list_pipeline_executions(pipelineName="pool-7-pipeline")["pipelineExecutionSummaries"]
    ended = sorted(listed, key=lambda entry: entry["lastUpdateTime"])
    assert [(entry["pipelineExecutionId"], entry["status"]) for entry in ended] == [(i, "Succeeded") for i in queued]


@pytest.mark.parametrize("mode", ["FAILED_ACTIONS", "ALL_ACTIONS"])
def test_what_fails_by_name_says_why_and_is_tried_again(aws: Aws, pipelines: Any, mode: str) -> None:
    why = "CREATE_FAILED: the table is there already"
    aws.post("faults", name="pipeline_failed", on=True, names=["pool-[12]-*"], stage="Deploy", message=why)
    execution, spared = begin(pipelines), begin(pipelines, "pool-3-pipeline")
    aws.advance(20)
    assert (status_of(pipelines, execution), status_of(pipelines, spared, "pool-3-pipeline")) == ("Failed", "Succeeded")
    (action,) = stages_of(pipelines)["Deploy"]["actionStates"]
    assert action["latestExecution"]["errorDetails"]["message"] == why
    again = {"pipelineName": POOL, "stageName": "Deploy", "pipelineExecutionId": execution, "retryMode": mode}
    aws.post("faults", name="pipeline_failed", on=False)
    pipelines.retry_stage_execution(**again)
    assert refusal_of(pipelines.retry_stage_execution, **again) == "StageNotRetryableException"
    aws.advance(20)
    assert status_of(pipelines, execution) == "Succeeded"
    tried = pipelines.list_action_executions(pipelineName=POOL, filter={"pipelineExecutionId": execution})
    assert [e["status"] for e in tried["actionExecutionDetails"] if e["stageName"] == "Deploy"] == [
        "Succeeded",
        "Failed",
    ]


def test_a_failed_execution_that_is_not_the_latest_is_not_tried_again(aws: Aws, pipelines: Any) -> None:
    aws.post("faults", name="pipeline_failed", on=True, times=1, stage="Deploy")
    failed = begin(pipelines)
    aws.advance(20)
    begin(pipelines)
    aws.advance(20)
    again = {"pipelineName": POOL, "stageName": "Deploy", "pipelineExecutionId": failed}
    code = refusal_of(pipelines.retry_stage_execution, **again, retryMode="FAILED_ACTIONS")
    assert code == "NotLatestPipelineExecutionException"


@pytest.mark.parametrize("abandon", [True, False])
def test_stopping_waits_for_what_is_being_done_or_abandons_it(aws: Aws, pipelines: Any, abandon: bool) -> None:
    execution = begin(pipelines)
    wish = {"pipelineName": POOL, "pipelineExecutionId": execution, "reason": "wrong version"}
    pipelines.stop_pipeline_execution(**wish, abandon=abandon)
    assert status_of(pipelines, execution) == "Stopping"
    assert refusal_of(pipelines.stop_pipeline_execution, **wish) == "DuplicatedStopRequestException"
    aws.advance(20)
    assert status_of(pipelines, execution) == "Stopped"
    (source,) = pipelines.list_action_executions(pipelineName=POOL)["actionExecutionDetails"]
    assert source["status"] == ("Abandoned" if abandon else "Succeeded")
    assert refusal_of(pipelines.stop_pipeline_execution, **wish) == "PipelineExecutionNotStoppableException"


def test_a_stage_rolls_back_to_what_succeeded_in_this_structure(aws: Aws, pipelines: Any) -> None:
    good = begin(pipelines)
    aws.advance(20)
    aws.post("faults", name="pipeline_failed", on=True, times=1, stage="Deploy")
    bad = begin(pipelines)
    aws.advance(20)
    wish = {"pipelineName": POOL, "stageName": "Deploy", "targetPipelineExecutionId": good}
    for wrong in ({"stageName": "Source"}, {"targetPipelineExecutionId": bad}):
        assert refusal_of(pipelines.rollback_stage, **{**wish, **wrong}) == "UnableToRollbackStageException"
    back = pipelines.rollback_stage(**wish)["pipelineExecutionId"]
    assert refusal_of(pipelines.rollback_stage, **wish) == "ConflictException"
    aws.advance(20)
    told = pipelines.get_pipeline_execution(pipelineName=POOL, pipelineExecutionId=back)["pipelineExecution"]
    assert (told["status"], told["executionType"]) == ("Succeeded", "ROLLBACK")
    assert told["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    twice = {**wish, "targetPipelineExecutionId": back}
    assert refusal_of(pipelines.rollback_stage, **twice) == "UnableToRollbackStageException"
    declared = pipelines.get_pipeline(name=POOL)["pipeline"]
    assert pipelines.update_pipeline(pipeline=declared)["pipeline"]["version"] == 2
    assert refusal_of(pipelines.rollback_stage, **wish) == "PipelineExecutionOutdatedException"


def test_pipelines_are_declared_tagged_and_deleted(aws: Aws, pipelines: Any) -> None:
    declared = {**pipelines.get_pipeline(name=POOL)["pipeline"], "name": "silo-new-pipeline"}
    pipelines.create_pipeline(pipeline=declared, tags=[{"key": "type", "value": "silo"}])
    assert refusal_of(pipelines.create_pipeline, pipeline=declared) == "PipelineNameInUseException"
    short = {**declared, "name": "short", "stages": declared["stages"][:1]}
    assert refusal_of(pipelines.create_pipeline, pipeline=short) == "InvalidStructureException"
    arn = pipelines.get_pipeline(name="silo-new-pipeline")["metadata"]["pipelineArn"]
    pipelines.tag_resource(resourceArn=arn, tags=[{"key": "id", "value": "new"}])
    pipelines.untag_resource(resourceArn=arn, tagKeys=["type"])
    assert pipelines.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "id", "value": "new"}]
    aws.post("pipelines", count=30, prefix="many")
    pages = pipelines.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 10})
    names = [entry["name"] for page in pages for entry in page["pipelines"]]
    assert len(names) == len(set(names)) == 12 + 1 + 30
    pipelines.delete_pipeline(name="silo-new-pipeline")
    assert refusal_of(pipelines.get_pipeline, name="silo-new-pipeline") == "PipelineNotFoundException"


def test_a_function_is_invoked_until_it_reports_a_result(aws: Aws, pipelines: Any) -> None:
    execution = begin(pipelines, "checkout-delivery")
    (event,) = aws.get("invocations")
    first = event["CodePipeline.job"]["id"]
    pipelines.put_job_success_result(jobId=first, continuationToken="more")
    assert refusal_of(pipelines.put_job_success_result, jobId=first) == "InvalidJobStateException"
    assert aws.get("invocations") == []
    aws.advance(0.5)
    (event,) = aws.get("invocations")
    assert event["CodePipeline.job"]["data"]["continuationToken"] == "more"
    second, why = event["CodePipeline.job"]["id"], {"type": "JobFailed", "message": "It went badly."}
    pipelines.put_job_failure_result(jobId=second, failureDetails=why)
    found = pipelines.get_pipeline_execution(pipelineName="checkout-delivery", pipelineExecutionId=execution)
    told = found["pipelineExecution"]
    assert (told["status"], told["statusSummary"]) == ("Failed", "It went badly.")
    assert refusal_of(pipelines.put_job_success_result, jobId=execution) == "JobNotFoundException"


def test_a_role_is_held_to_the_pipelines_and_stages_that_its_policy_names(aws: Aws) -> None:
    arn = "arn:aws:codepipeline:us-east-1:111122223333:pool-6-pipeline"
    allowed: list[dict[str, Any]] = [
        {"Action": ["codepipeline:StartPipelineExecution", "codepipeline:GetPipelineState"], "Resource": arn},
        {"Action": "codepipeline:PutApprovalResult", "Resource": f"{arn}/Approve/*"},
    ]
    held = aws.client("codepipeline", **assume(aws, make_role(aws, "Releases", *allowed)))
    begin(held, "pool-6-pipeline")
    aws.advance(20)
    held.put_approval_result(**approval_of(held), result={"summary": "", "status": "Approved"})
    assert refusal_of(held.start_pipeline_execution, name=POOL) == "AccessDeniedException"
    assert refusal_of(held.delete_pipeline, name="pool-6-pipeline") == "AccessDeniedException"


@pytest.mark.parametrize(("wanted", "ends"), [("RETRY", "Succeeded"), ("ROLLBACK", "Failed")])
def test_a_stage_that_fails_is_tried_again_or_rolled_back_by_itself_where_it_says_so(
    aws: Aws, pipelines: Any, wanted: str, ends: str
) -> None:
    declared = pipelines.get_pipeline(name=POOL)["pipeline"]
    declared["stages"][2]["onFailure"] = {"result": wanted}
    pipelines.update_pipeline(pipeline=declared)
    good = begin(pipelines)
    aws.advance(20)
    aws.post("faults", name="pipeline_failed", on=True, stage="Deploy", times=1)
    bad = begin(pipelines)
    aws.advance(40)
    assert status_of(pipelines, bad) == ends
    newest = pipelines.list_pipeline_executions(pipelineName=POOL)["pipelineExecutionSummaries"][0]
    if wanted == "ROLLBACK":
        assert (newest["trigger"]["triggerType"], newest["status"]) == ("AutomatedRollback", "Succeeded")
        assert newest["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    else:
        assert newest["pipelineExecutionId"] == bad


def test_one_token_begins_one_execution_however_many_ask_at_once(aws: Aws, pipelines: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(begin, pipelines, "silo-hooli-pipeline", clientRequestToken="same") for _ in range(16)]
    assert len({answer.result() for answer in asked}) == 1
    assert (
        len(pipelines.list_pipeline_executions(pipelineName="silo-hooli-pipeline")["pipelineExecutionSummaries"]) == 1
    )


def test_what_is_due_happens_while_nobody_calls(aws: Aws, pipelines: Any) -> None:
    sqs, execution = aws.client("sqs"), begin(pipelines)
    with ThreadPoolExecutor(1) as pool:
        polled = pool.submit(sqs.receive_message, QueueUrl=URL, WaitTimeSeconds=15)
        while not aws.get("calls?operation=ReceiveMessage"):
            pass
        aws.post("clock", speed=1_000)
        (message,) = polled.result()["Messages"]
    assert (execution in message["Body"], "SUCCEEDED" in message["Body"]) == (True, True)
