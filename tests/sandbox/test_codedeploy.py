"""CodeDeploy: traffic that shifts in steps, alarms and failures that take it back, and stopping by hand."""

import hashlib
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


def spec(kind: str, **properties: Any) -> dict[str, Any]:
    content = json.dumps({"version": 0.0, "Resources": [{"It": {"Type": kind, "Properties": properties}}]})
    digest = hashlib.sha256(content.encode()).hexdigest()
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}}


FUNCTION = spec("AWS::Lambda::Function", Name="shop-prices", Alias="live", CurrentVersion="7", TargetVersion="8")
BALANCER = {"ContainerName": "app", "ContainerPort": 8080}
TASKS = "arn:aws:ecs:us-east-1:666677778888:task-definition/shop-web"
SERVICE = spec("AWS::ECS::Service", TaskDefinition=f"{TASKS}:8", LoadBalancerInfo=BALANCER)


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


def test_an_alarm_is_named_as_codedeploy_names_it_and_so_is_the_deployment_that_takes_it_back(
    aws: Aws, deploy: Any
) -> None:
    watch = client_in(aws, SHOP, "cloudwatch")
    watch.set_alarm_state(AlarmName="checkout-prod-errors", StateValue="ALARM", StateReason="a rehearsal")
    identifier = deploy.create_deployment(**ECS, revision=SERVICE)["deploymentId"]
    aws.advance(2)
    ended = told(deploy, identifier)
    back = ended["rollbackInfo"]["rollbackDeploymentId"]
    assert ended["errorInformation"]["message"].endswith("have been stopped. Activated alarms: <checkout-prod-errors>")
    words = f"Deployment {identifier} terminated. Automatic rollback is triggered with a DeploymentId {back}."
    assert ended["rollbackInfo"]["rollbackMessage"] == words
    assert told(deploy, back)["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert statuses(deploy, identifier) == {"BeforeInstall": "Succeeded", "Install": "Failed"}


def statuses(deploy: Any, identifier: str) -> dict[str, str]:
    """What became of a deployment's lifecycle events, but for those that were skipped."""
    (target,) = deploy.list_deployment_targets(deploymentId=identifier)["targetIds"]
    found = deploy.get_deployment_target(deploymentId=identifier, targetId=target)["deploymentTarget"]
    events = (found.get("lambdaTarget") or found["ecsTarget"])["lifecycleEvents"]
    return {e["lifecycleEventName"]: e["status"] for e in events if e["status"] != "Skipped"}


@pytest.mark.parametrize("event", ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"])
def test_a_deployment_fails_in_the_lifecycle_event_that_is_named(aws: Aws, deploy: Any, event: str) -> None:
    aws.post("faults", name="deployment_failed", on=True, names=["shop-prices/*"], event=event, message="Smoke")
    identifier = begin(deploy)
    aws.advance(6)
    assert (told(deploy, identifier)["status"], traffic(aws)) == ("Failed", ("7", {}))
    assert [name for name, status in statuses(deploy, identifier).items() if status == "Failed"] == [event]


def test_what_does_not_fit_the_alias_or_is_not_there_fails_before_any_traffic(aws: Aws, deploy: Any) -> None:
    functions = client_in(aws, SHOP, "lambda")
    listed = functions.list_versions_by_function(FunctionName="shop-prices")["Versions"]
    assert [(v["Version"], v["Description"]) for v in listed][1:] == [("6", "2.3.0"), ("7", "2.4.0"), ("8", "2.4.1")]
    function = {"Name": "shop-prices", "Alias": "live"}
    wrong = {
        "INVALID_LAMBDA_CONFIGURATION": spec(
            "AWS::Lambda::Function", **function, CurrentVersion="6", TargetVersion="8"
        ),
        "INVALID_LAMBDA_FUNCTION": spec("AWS::Lambda::Function", **function, CurrentVersion="7", TargetVersion="9"),
    }
    for code, revision in wrong.items():
        identifier = deploy.create_deployment(**LAMBDA, revision=revision)["deploymentId"]
        aws.advance(1)
        assert (told(deploy, identifier)["errorInformation"]["code"], traffic(aws)) == (code, ("7", {}))
    assert functions.publish_version(FunctionName="shop-prices", Description="2.4.2")["Version"] == "9"
    functions.update_alias(FunctionName="shop-prices", Name="live", FunctionVersion="6")
    assert traffic(aws) == ("6", {})
    tampered = {**FUNCTION, "appSpecContent": {**FUNCTION["appSpecContent"], "sha256": "0" * 64}}
    assert refusal_of(deploy.create_deployment, **LAMBDA, revision=tampered) == "InvalidRevisionException"
    assert refusal_of(functions.list_versions_by_function, FunctionName="none") == "ResourceNotFoundException"


def test_a_service_tells_which_tasks_have_its_traffic_and_definitions_tell_their_version(aws: Aws, deploy: Any) -> None:
    ecs = client_in(aws, SHOP, "ecs")

    def task_sets() -> list[tuple[str, str]]:
        (service,) = ecs.describe_services(cluster="checkout-prod", services=["shop"])["services"]
        return [(s["status"], s["taskDefinition"]) for s in service["taskSets"]]

    newest = ecs.list_task_definitions(familyPrefix="shop-web", sort="DESC")["taskDefinitionArns"][0]
    assert newest == f"{TASKS}:8"
    described = ecs.describe_task_definition(taskDefinition=newest, include=["TAGS"])
    assert described["tags"] == [{"key": "version", "value": "2.4.1"}]
    assert task_sets() == [("PRIMARY", f"{TASKS}:7")]
    deploy.create_deployment(**ECS, revision=SERVICE)
    aws.advance(2)
    assert task_sets() == [("PRIMARY", f"{TASKS}:7"), ("ACTIVE", f"{TASKS}:8")]
    aws.advance(12)
    assert task_sets() == [("PRIMARY", f"{TASKS}:8")]
    missing = spec("AWS::ECS::Service", TaskDefinition=f"{TASKS}:99", LoadBalancerInfo=BALANCER)
    identifier = deploy.create_deployment(**ECS, revision=missing)["deploymentId"]
    aws.advance(2)
    assert told(deploy, identifier)["errorInformation"]["code"] == "ECS_UPDATE_ERROR"
    bare = spec("AWS::ECS::Service", TaskDefinition=f"{TASKS}:8")
    assert refusal_of(deploy.create_deployment, **ECS, revision=bare) == "InvalidRevisionException"
    made = ecs.register_task_definition(
        family="shop-web", containerDefinitions=[{"name": "app"}], tags=[{"key": "version", "value": "2.4.2"}]
    )
    assert made["taskDefinition"]["revision"] == 9
    assert ecs.describe_services(cluster="checkout-prod", services=["none"])["failures"][0]["reason"] == "MISSING"
    assert refusal_of(ecs.describe_services, cluster="none", services=["shop"]) == "ClusterNotFoundException"
    assert refusal_of(ecs.describe_task_definition, taskDefinition="none") == "ClientException"


def test_functions_and_services_are_made_many_at_once_and_found_by_the_tags_of_their_groups(aws: Aws) -> None:
    where = {"accounts": ["444466667777"], "regions": ["us-east-1"]}
    (first, _) = aws.post("deployables", count=2, tagged=True, **where)["deployments"]
    assert first["codedeploy"] == "lambda:shop-silo-t00001/production/shop-silo-t00001/live"
    aws.post("deployables", names=["9"], type="pool", platform="ECS", versions=["1.0", "1.1"], **where)
    tags = client_in(aws, "444466667777", "resourcegroupstaggingapi")
    wanted = {"ResourceTypeFilters": ["codedeploy:deploymentgroup"], "TagFilters": [{"Key": "component"}]}
    found = tags.get_resources(**wanted)["ResourceTagMappingList"]
    group = "arn:aws:codedeploy:us-east-1:444466667777:deploymentgroup:shop-silo-t00001/production"
    assert [entry["ResourceARN"] for entry in found] == [group, group.replace("t00001", "t00002")]
    codedeploy = client_in(aws, "444466667777", "codedeploy")
    application = group.replace("deploymentgroup", "application").rpartition("/")[0]
    codedeploy.tag_resource(ResourceArn=application, Tags=[{"Key": "team", "Value": "shop"}])
    assert codedeploy.list_tags_for_resource(ResourceArn=application)["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert refusal_of(codedeploy.list_tags_for_resource, ResourceArn="arn:aws:sns:x:1:y") == "InvalidArnException"
    for wish in ({"config": "CodeDeployDefault.ECSAllAtOnce"}, {"platform": "Server"}, {"minutes": [1, 2]}):
        assert aws.ask("POST", "deployables", wish)[0] == 422
