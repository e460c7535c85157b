"""CloudFormation's stacks on their way: made, changed, failing, kept where they failed, tried again and rolled back."""

import json
from typing import Any

import pytest

from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of

TEMPLATE = """
Description: Orders
Parameters:
  Size: {Type: Number, Default: 1}
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: !Sub 'orders-${Size}', Target: !GetAtt Table.Arn}
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {Capacity: !Ref Size}
"""
WHY = "The table can't have that capacity"


@pytest.fixture
def stacks(aws: Aws) -> Any:
    return aws.client("cloudformation")


def size(value: int) -> list[dict[str, str]]:
    return [{"ParameterKey": "Size", "ParameterValue": str(value)}]


def status_of(stacks: Any, name: str = "orders") -> str:
    return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def failures(stacks: Any, name: str = "orders") -> list[tuple[str, str]]:
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (event["LogicalResourceId"], event["ResourceStatusReason"])
        for event in events
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack"
    ]


def make(aws: Aws, stacks: Any, **more: Any) -> str:
    made = stacks.create_stack(StackName="orders", TemplateBody=TEMPLATE, **more)["StackId"]
    aws.advance(5)
    return str(made)


def test_a_stack_is_made_in_the_order_of_its_references_and_deleted(aws: Aws, stacks: Any) -> None:
    made = stacks.create_stack(StackName="orders", TemplateBody=TEMPLATE, ClientRequestToken="t1")["StackId"]
    again = {"StackName": "orders", "TemplateBody": TEMPLATE}
    assert stacks.create_stack(**again, ClientRequestToken="t1")["StackId"] == made
    assert refusal_of(stacks.create_stack, **again) == "AlreadyExistsException"
    assert status_of(stacks) == "CREATE_IN_PROGRESS"
    aws.advance(5)
    assert status_of(stacks) == "CREATE_COMPLETE"
    events = reversed(stacks.describe_stack_events(StackName="orders")["StackEvents"])
    done = [e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "CREATE_COMPLETE"]
    assert done == ["Table", "Api", "orders"]
    resources = stacks.describe_stack_resources(StackName="orders")["StackResources"]
    assert {r["PhysicalResourceId"] for r in resources if r["LogicalResourceId"] == "Api"} == {"orders-1"}
    stacks.delete_stack(StackName="orders")
    aws.advance(5)
    assert status_of(stacks, made) == "DELETE_COMPLETE"
    assert refusal_of(stacks.describe_stacks, StackName="orders") == "ValidationError"
    stacks.delete_stack(StackName="orders")


@pytest.mark.parametrize(
    ("more", "status"),
    [({}, "ROLLBACK_COMPLETE"), ({"DisableRollback": True}, "CREATE_FAILED"), ({"OnFailure": "DELETE"}, "gone")],
)
def test_a_creation_that_fails_keeps_or_undoes_what_it_made(
    aws: Aws, stacks: Any, more: dict[str, Any], status: str
) -> None:
    aws.post("faults", name="stack_failed", on=True, names=["ord*"], resource="Api", message=WHY, times=1)
    made = make(aws, stacks, **more)
    assert status_of(stacks, made) == ("DELETE_COMPLETE" if status == "gone" else status)
    assert failures(stacks, made) == [("Api", WHY)]
    left = [r["LogicalResourceId"] for r in stacks.list_stack_resources(StackName=made)["StackResourceSummaries"]]
    assert left == (["Table"] if status == "CREATE_FAILED" else [])


@pytest.mark.parametrize("way", ["retry", "roll back"])
def test_an_update_that_kept_its_resources_is_tried_again_or_rolled_back(aws: Aws, stacks: Any, way: str) -> None:
    make(aws, stacks)
    again = {"StackName": "orders", "UsePreviousTemplate": True}
    assert refusal_of(stacks.update_stack, **again) == "ValidationError", "nothing changes"
    aws.post("faults", name="stack_failed", on=True, resource="Table", message=WHY, times=1)
    stacks.update_stack(**again, Parameters=size(9), DisableRollback=True)
    assert refusal_of(stacks.update_stack, **again, Parameters=size(8)) == "ValidationError", "it is busy"
    aws.advance(5)
    assert (status_of(stacks), failures(stacks)) == ("UPDATE_FAILED", [("Table", WHY)])
    (shown,) = stacks.describe_stacks(StackName="orders")["Stacks"]
    assert (shown["DisableRollback"], shown["StackStatusReason"]) == (
        True,
        "The following resource(s) failed to update: [Table]. ",
    )
    assert refusal_of(stacks.update_stack, **again, Parameters=size(3)) == "ValidationError", "with rollback"
    if way == "retry":
        stacks.update_stack(**again, Parameters=size(3), DisableRollback=True)
    else:
        stacks.rollback_stack(StackName="orders", ClientRequestToken="back")
        stacks.rollback_stack(StackName="orders", ClientRequestToken="back")
    aws.advance(5)
    assert status_of(stacks) == ("UPDATE_COMPLETE" if way == "retry" else "UPDATE_ROLLBACK_COMPLETE")
    (shown,) = stacks.describe_stacks(StackName="orders")["Stacks"]
    assert shown["Parameters"][0]["ParameterValue"] == ("3" if way == "retry" else "1")
    assert refusal_of(stacks.rollback_stack, StackName="orders") == "ValidationError"


def test_a_rollback_that_fails_is_continued_without_what_is_skipped(aws: Aws, stacks: Any) -> None:
    make(aws, stacks)
    aws.post("faults", name="stack_failed", on=True, resource="Table", message=WHY, times=1)
    aws.post("faults", name="stack_rollback_failed", on=True, resource="Table", times=1)
    stacks.update_stack(StackName="orders", UsePreviousTemplate=True, Parameters=size(9))
    aws.advance(5)
    assert status_of(stacks) == "UPDATE_ROLLBACK_FAILED"
    wrong = {"StackName": "orders", "ResourcesToSkip": ["Api"]}
    assert refusal_of(stacks.continue_update_rollback, **wrong) == "ValidationError"
    stacks.continue_update_rollback(StackName="orders", ResourcesToSkip=["Table"])
    aws.advance(5)
    assert status_of(stacks) == "UPDATE_ROLLBACK_COMPLETE"


def test_what_no_template_is_and_what_lacks_a_word_is_refused(aws: Aws, stacks: Any) -> None:
    role = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}})
    for text, more, code in (
        ("{", {}, "ValidationError"),
        ('{"Resources": {}}', {}, "ValidationError"),
        (TEMPLATE, {"Parameters": [{"ParameterKey": "Colour", "ParameterValue": "red"}]}, "ValidationError"),
        (role, {}, "InsufficientCapabilitiesException"),
    ):
        assert refusal_of(stacks.create_stack, StackName="bad", TemplateBody=text, **more) == code
    stacks.create_stack(StackName="good", TemplateBody=role, Capabilities=["CAPABILITY_IAM"])


def test_a_stack_makes_a_deployment_s_pipeline_and_takes_it_away(aws: Aws, stacks: Any) -> None:
    tags = [{"Key": k, "Value": v} for k, v in {"type": "silo", "id": "umbrella", "account": "444466667777"}.items()]
    pipeline = {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Name": "silo-umbrella-pipeline", "Tags": tags}}
    stacks.create_stack(StackName="p", TemplateBody=json.dumps({"Resources": {"Pipeline": pipeline}}))
    aws.advance(5)
    pipelines = aws.client("codepipeline")
    declared = pipelines.get_pipeline(name="silo-umbrella-pipeline")["pipeline"]
    assert "444466667777" in json.dumps(declared)
    stacks.delete_stack(StackName="p")
    aws.advance(5)
    assert refusal_of(pipelines.get_pipeline, name="silo-umbrella-pipeline") == "PipelineNotFoundException"


def test_a_pipeline_that_fails_to_deploy_leaves_its_stack_where_it_failed(aws: Aws) -> None:
    pipelines, stacks = aws.client("codepipeline"), client_in(aws, "444466667777", "cloudformation")
    aws.post("faults", name="pipeline_failed", on=True, stage="Deploy", resource="Orders", message=WHY, times=1)
    execution = pipelines.start_pipeline_execution(name="silo-acme-pipeline")["pipelineExecutionId"]
    aws.advance(20)
    failed = pipelines.list_action_executions(pipelineName="silo-acme-pipeline")["actionExecutionDetails"][0]
    stack = failed["output"]["executionResult"]["externalExecutionId"]
    assert (status_of(stacks, stack), failures(stacks, "shop-silo-acme")) == ("UPDATE_FAILED", [("Orders", WHY)])
    stacks.rollback_stack(StackName=stack)
    aws.advance(5)
    assert status_of(stacks, stack) == "UPDATE_ROLLBACK_COMPLETE"
    again = {"pipelineName": "silo-acme-pipeline", "stageName": "Deploy", "pipelineExecutionId": execution}
    pipelines.retry_stage_execution(**again, retryMode="FAILED_ACTIONS")
    aws.advance(20)
    assert status_of(stacks, "shop-silo-acme") == "UPDATE_COMPLETE"
