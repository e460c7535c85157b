"""CodeBuild and the logs that builds write; and what the project that provisions deployments does."""

from typing import Any

import pytest

from tests.sandbox.landing import Aws
from tests.sandbox.members import refusal_of

PROVISIONING = "deployment-provisioning"
DEPLOYMENT = {
    "COMPONENT": "shop",
    "DEPLOYMENT_TYPE": "silo",
    "DEPLOYMENT_ID": "umbrella",
    "DEPLOYMENT_ACCOUNT": "444466667777",
    "DEPLOYMENT_REGION": "eu-central-1",
}


@pytest.fixture
def builds(aws: Aws) -> Any:
    return aws.client("codebuild")


def run(aws: Aws, builds: Any, **changes: str) -> dict[str, Any]:
    """Provision (or retire) a deployment, and tell how the build ended."""
    given = [{"name": name, "value": value} for name, value in {**DEPLOYMENT, **changes}.items()]
    started = builds.start_build(projectName=PROVISIONING, environmentVariablesOverride=given)["build"]
    assert (started["buildStatus"], started["currentPhase"]) == ("IN_PROGRESS", "QUEUED")
    aws.advance(6)
    return dict(builds.batch_get_builds(ids=[started["id"]])["builds"][0])


def log_of(aws: Aws, build: dict[str, Any], **more: Any) -> list[str]:
    where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
    told = aws.client("logs").get_log_events(**where, startFromHead=True, **more)
    return [event["message"] for event in told["events"]]


def test_a_pipeline_s_build_has_its_phases_and_a_log_that_says_what_failed(aws: Aws, builds: Any) -> None:
    pipelines = aws.client("codepipeline")
    aws.post("faults", name="pipeline_failed", on=True, stage="Build", message="ImportError: no module named basket")
    pipelines.start_pipeline_execution(name="pool-1-pipeline")
    aws.advance(20)
    failed, _ = pipelines.list_action_executions(pipelineName="pool-1-pipeline")["actionExecutionDetails"]
    identifier = failed["output"]["executionResult"]["externalExecutionId"]
    (build,) = builds.batch_get_builds(ids=[identifier])["builds"]
    assert (build["buildStatus"], build["projectName"]) == ("FAILED", "shop-build")
    assert {p["phaseType"]: p.get("phaseStatus") for p in build["phases"]}["BUILD"] == "FAILED"
    assert any("no module named basket" in line for line in log_of(aws, build))
    assert builds.list_builds_for_project(projectName="shop-build")["ids"] == [identifier]
    found = aws.client("logs").filter_log_events(logGroupName="/aws/codebuild/shop-build", filterPattern="ImportError")
    assert [event["logStreamName"] for event in found["events"]] == [identifier.partition(":")[2]]
    assert builds.batch_get_builds(ids=["shop-verify:" + identifier.partition(":")[2]])["builds"] == []


def test_logs_are_read_in_pages_to_an_end_that_stays(aws: Aws, builds: Any) -> None:
    build = run(aws, builds)
    logs, everything = aws.client("logs"), log_of(aws, build)
    where = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}
    page = logs.get_log_events(**where, startFromHead=True, limit=5)
    read = [event["message"] for event in page["events"]]
    while page["events"]:
        page = logs.get_log_events(**where, limit=5, nextToken=page["nextForwardToken"])
        read += [event["message"] for event in page["events"]]
    assert read == everything
    newest = logs.get_log_events(**where, limit=2)["events"]
    assert [event["message"] for event in newest] == everything[-2:]
    (stream,) = logs.describe_log_streams(logGroupName=where["logGroupName"])["logStreams"]
    assert stream["logStreamName"] == where["logStreamName"]
    lost = {**where, "logStreamName": "nothing"}
    assert refusal_of(logs.get_log_events, **lost) == "ResourceNotFoundException"


def test_provisioning_makes_a_pipeline_and_retiring_takes_it_away(aws: Aws, builds: Any) -> None:
    pipelines = aws.client("codepipeline")
    assert run(aws, builds)["buildStatus"] == "SUCCEEDED"
    name = "silo-umbrella-pipeline"
    arn = pipelines.get_pipeline(name=name)["metadata"]["pipelineArn"]
    tags = {tag["key"]: tag["value"] for tag in pipelines.list_tags_for_resource(resourceArn=arn)["tags"]}
    assert (tags["account"], tags["region"]) == ("444466667777", "eu-central-1")
    pipelines.start_pipeline_execution(name=name)
    assert run(aws, builds, ACTION="retire")["buildStatus"] == "FAILED", "it is running"
    aws.advance(20)
    assert run(aws, builds, ACTION="retire")["buildStatus"] == "SUCCEEDED"
    assert refusal_of(pipelines.get_pipeline, name=name) == "PipelineNotFoundException"


def test_provisioning_into_no_account_fails_and_so_does_what_is_made_to(aws: Aws, builds: Any) -> None:
    lost = run(aws, builds, DEPLOYMENT_ACCOUNT="123456789012")
    assert lost["buildStatus"] == "FAILED"
    assert any("123456789012" in line for line in log_of(aws, lost))
    aws.post("faults", name="build_run_failed", on=True, names=["deployment-*"], message="Out of memory", times=1)
    assert run(aws, builds)["buildStatus"] == "FAILED"
    again = builds.list_builds_for_project(projectName=PROVISIONING)["ids"][0]
    assert builds.retry_build(id=again)["build"]["buildStatus"] == "IN_PROGRESS"
    aws.advance(6)
    assert aws.client("codepipeline").get_pipeline(name="silo-umbrella-pipeline")


def test_projects_and_builds_are_made_once_and_stopped(aws: Aws, builds: Any) -> None:
    (made,) = builds.batch_get_projects(names=[PROVISIONING])["projects"]
    declared = {name: made[name] for name in ("source", "artifacts", "environment", "serviceRole")}
    builds.create_project(name="mine", **declared)
    assert refusal_of(builds.create_project, name="mine", **declared) == "ResourceAlreadyExistsException"
    once = [builds.start_build(projectName="mine", idempotencyToken="t")["build"]["id"] for _ in range(2)]
    assert once[0] == once[1]
    aws.advance(0.5)
    stopped = builds.stop_build(id=once[0])["build"]
    assert (stopped["buildStatus"], stopped["buildComplete"]) == ("STOPPED", True)
    builds.delete_project(name="mine")
    assert builds.batch_get_builds(ids=once[:1])["buildsNotFound"] == once[:1]
    assert "mine" not in builds.list_projects()["projects"]
    assert refusal_of(builds.start_build, projectName="mine") == "ResourceNotFoundException"
