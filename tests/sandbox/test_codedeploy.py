"""CodeDeploy: traffic that shifts in steps, alarms and failures that take it back, and stopping by hand."""

import json
from typing import Any

import pytest

from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of
from tests.sandbox.queues import heard

SHOP = "666677778888"
LAMBDA = {"applicationName": "shop-prices", "deploymentGroupName": "production"}
ECS = {"applicationName": "shop-web", "deploymentGroupName": "production"}


@pytest.fixture
def deploy(aws: Aws) -> Any:
    return client_in(aws, SHOP, "codedeploy")


def spec(kind: str, **properties: str) -> dict[str, Any]:
    content = json.dumps({"version": 0.0, "Resources": [{"It": {"Type": kind, "Properties": properties}}]})
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}


FUNCTION = spec("AWS::Lambda::Function", Name="shop-prices", Alias="live", CurrentVersion="7", TargetVersion="8")
SERVICE = spec("AWS::ECS::Service", TaskDefinition="arn:aws:ecs:us-east-1:666677778888:task-definition/shop:9")


def begin(deploy: Any, **more: Any) -> str:
    return str(deploy.create_deployment(**LAMBDA, revision=FUNCTION, **more)["deploymentId"])


def told(deploy: Any, identifier: str) -> dict[str, Any]:
    return dict(deploy.get_deployment(deploymentId=identifier)["deploymentInfo"])


def traffic(aws: Aws) -> tuple[str, dict[str, float]]:
    alias = client_in(aws, SHOP, "lambda").get_alias(FunctionName="shop-prices", Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def test_a_canary_gets_a_tenth_of_the_traffic_and_then_all_of_it(aws: Aws, deploy: Any) -> None:
    identifier = begin(deploy)
    assert refusal_of(deploy.create_deployment, **LAMBDA, revision=FUNCTION) == "DeploymentLimitExceededException"
    assert traffic(aws) == ("7", {})
    aws.advance(1)
    assert traffic(aws) == ("7", {"8": 0.1})
    (target,) = deploy.list_deployment_targets(deploymentId=identifier)["targetIds"]
    seen = deploy.get_deployment_target(deploymentId=identifier, targetId=target)["deploymentTarget"]["lambdaTarget"]
    assert seen["lambdaFunctionInfo"]["targetVersionWeight"] == 0.1
    assert [event["status"] for event in seen["lifecycleEvents"]] == ["Succeeded", "InProgress", "Pending"]
    aws.advance(5)
    assert traffic(aws) == ("8", {})
    assert told(deploy, identifier)["status"] == "Succeeded"
    assert [event["detail"]["state"] for event in heard(aws.client("sqs"))] == ["SUCCESS"]
    assert refusal_of(deploy.stop_deployment, deploymentId=identifier) == "DeploymentAlreadyCompletedException"


@pytest.mark.parametrize("why", ["alarm", "failure", "request"])
def test_what_goes_wrong_takes_the_traffic_back_by_a_deployment_of_its_own(aws: Aws, deploy: Any, why: str) -> None:
    if why == "failure":
        aws.post("faults", name="deployment_failed", on=True, names=["shop-prices/*"], message="Smoke", times=1)
    identifier = begin(deploy)
    aws.advance(0.4)
    assert traffic(aws) == ("7", {"8": 0.1})
    if why == "alarm":
        watch = client_in(aws, SHOP, "cloudwatch")
        watch.set_alarm_state(AlarmName="checkout-prod-errors", StateValue="ALARM", StateReason="a rehearsal")
    elif why == "request":
        deploy.stop_deployment(deploymentId=identifier)
    aws.advance(1)
    assert traffic(aws) == ("7", {})
    ended = told(deploy, identifier)
    codes = {"alarm": "ALARM_ACTIVE", "failure": "HOOK_EXECUTION_FAILURE", "request": "MANUAL_STOP"}
    assert (ended["status"], ended["errorInformation"]["code"]) == (
        "Failed" if why == "failure" else "Stopped",
        codes[why],
    )
    back = told(deploy, ended["rollbackInfo"]["rollbackDeploymentId"])
    assert (back["creator"], back["status"]) == ("codeDeployRollback", "Succeeded")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == identifier
    assert deploy.list_deployments(**LAMBDA)["deployments"] == [back["deploymentId"], identifier]


def test_stopping_without_a_roll_back_leaves_the_traffic_as_it_is(aws: Aws, deploy: Any) -> None:
    identifier = begin(deploy, deploymentConfigName="CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
    aws.advance(3.5)
    deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=False)
    aws.advance(5)
    assert traffic(aws) == ("7", {"8": 0.4})
    (info,) = deploy.batch_get_deployments(deploymentIds=[identifier, "d-NOTHING00"])["deploymentsInfo"]
    assert (info["status"], "rollbackInfo" in info) == ("Stopped", False)


def test_a_service_waits_to_be_continued_and_keeps_its_old_tasks_for_a_while(aws: Aws, deploy: Any) -> None:
    blue_green = {
        "deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60},
        "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 10},
    }
    deploy.update_deployment_group(
        applicationName="shop-web",
        currentDeploymentGroupName="production",
        blueGreenDeploymentConfiguration=blue_green,
    )
    late = deploy.create_deployment(**ECS, revision=SERVICE)["deploymentId"]
    aws.advance(2)
    assert told(deploy, late)["status"] == "Ready"
    aws.advance(65)
    assert told(deploy, late)["status"] == "Stopped"
    kept = deploy.create_deployment(**ECS, revision=SERVICE)["deploymentId"]
    assert refusal_of(deploy.continue_deployment, deploymentId=kept) == "DeploymentIsNotInReadyStateException"
    aws.advance(2)
    deploy.continue_deployment(deploymentId=kept, deploymentWaitType="READY_WAIT")
    aws.advance(9.5)
    wanted = deploy.list_deployment_targets(deploymentId=kept)["targetIds"]
    (found,) = deploy.batch_get_deployment_targets(deploymentId=kept, targetIds=wanted)["deploymentTargets"]
    target = found["ecsTarget"]
    assert [tasks["trafficWeight"] for tasks in target["taskSetsInfo"]] == [0, 100]
    assert told(deploy, kept)["status"] == "InProgress"
    aws.advance(11)
    assert told(deploy, kept)["status"] == "Succeeded"
    group = deploy.get_deployment_group(**ECS)["deploymentGroupInfo"]
    assert group["lastSuccessfulDeployment"]["deploymentId"] == kept


def test_applications_groups_and_configurations_are_described(aws: Aws, deploy: Any) -> None:
    assert deploy.list_applications()["applications"] == ["shop-prices", "shop-web"]
    assert client_in(aws, "555566667777", "codedeploy").list_applications()["applications"] == []
    deploy.create_application(applicationName="mine", computePlatform="Lambda")
    again = {"applicationName": "mine", "computePlatform": "Lambda"}
    assert refusal_of(deploy.create_application, **again) == "ApplicationAlreadyExistsException"
    group = {"applicationName": "mine", "deploymentGroupName": "all", "serviceRoleArn": "arn:aws:iam::1:role/x"}
    wrong = {**group, "deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce"}
    assert refusal_of(deploy.create_deployment_group, **wrong) == "DeploymentConfigDoesNotExistException"
    deploy.create_deployment_group(**group)
    names = {"applicationName": "mine", "deploymentGroupName": "all"}
    bad = {**names, "revision": spec("AWS::Lambda::Function", Name="x")}
    assert refusal_of(deploy.create_deployment, **bad) == "InvalidRevisionException"
    assert refusal_of(deploy.create_deployment, **{**bad, "deploymentGroupName": "x"}) == (
        "DeploymentGroupDoesNotExistException"
    )
    config = "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes"
    routing = deploy.get_deployment_config(deploymentConfigName=config)["deploymentConfigInfo"]["trafficRoutingConfig"]
    assert routing["timeBasedLinear"] == {"linearPercentage": 10, "linearInterval": 3}
    assert refusal_of(deploy.get_deployment, deploymentId="d-NOTHING00") == "DeploymentDoesNotExistException"
