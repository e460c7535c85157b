"""Roll-outs of functions and services: CodeDeploy shifts their traffic, an alarm takes it back, waves go on as ever."""

from __future__ import annotations

from pathlib import Path

from tests.stories.accounts import is_approved
from tests.stories.codedeploy import (
    ALARM,
    PRICES,
    SERVICE,
    created,
    fires,
    makes_functions,
    member,
    shifts,
    tasks,
    traffic,
)
from tests.stories.releases import BOOTH, TENANTS, WEB, is_called, is_in_phase, is_rolling, knows, stands, targets
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel, on_every_database


@on_every_channel
async def test_a_function_gets_a_version_in_waves_and_its_traffic_by_a_tenth_first(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES, *await makes_functions(stage, "acme", "initech"))
    await ana.says("roll out 2.4.1")
    ana.hears("In which waves?")
    await ana.says("prices first, then everyone, shift 10 % for 10 minutes")
    ana.hears("Roll out shop 2.4.1 to 3 deployments in 2 waves", "pool-prices: shop-prices:live 7 → 8")
    ana.hears("10 % for 10 minutes", f"when {ALARM} fires")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=2)
    await stage.advance(minutes=1)
    await shifts(stage, "shop-prices", {"8": 0.1})
    (first,) = await created(stage)
    assert first["spec"] == {"Name": "shop-prices", "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"}
    assert first["deploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent10Minutes"
    assert first["description"].startswith(f"Quartermaster {request}-0-1:")
    events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
    assert first["autoRollbackConfiguration"] == {"enabled": True, "events": events}
    await stage.advance(minutes=12)
    await ana.hears_later("Wave 1 of request", "Wave 2 of 2 begins")
    await stands(stage, request, succeeded=1, running=2)
    assert traffic(stage) == ("8", {})
    await stage.advance(minutes=14)
    await ana.hears_later("3 of 3 deployments have 2.4.1")
    await stage.reaches(request, "succeeded")
    assert len(await created(stage)) == 3
    await ana.says("which deployments are behind?")
    ana.hears("All have 2.4.1")


@on_every_channel
async def test_an_alarm_takes_a_function_back_and_halts_the_roll_out_which_says_why(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES, *await makes_functions(stage, "acme"))
    request = await is_rolling(stage, ana, bo, "prices, then everyone")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=1)
    await shifts(stage, "shop-prices", {"8": 0.1})
    await fires(stage)
    await stage.advance(minutes=3)
    await ana.hears_later(f"is paused: in wave 1 failed: pool-prices (the alarm {ALARM} fired", "takes it back")
    await stage.reaches(request, "paused")
    assert traffic(stage) == ("7", {})
    await stands(stage, request, failed=1, waiting=1)
    assert len(await created(stage)) == 1
    await ana.says("why did pool-prices fail?")
    ana.hears("Why pool-prices failed", "7 → 8", f"{ALARM}: a rehearsal", "rolled back by deployment", "AllowTraffic")
    await fires(stage, "OK")
    await ana.says("retry the deployment pool-prices")
    ana.hears("tried again")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=8)
    await stands(stage, request, succeeded=1, running=1)
    assert traffic(stage) == ("8", {})
    await stage.advance(minutes=8)
    await stage.reaches(request, "succeeded")
    await ana.hears_later("Tried again", "pool-prices (2 tries)")


async def test_stopping_takes_the_traffic_back_before_the_roll_out_is_over(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES, *await makes_functions(stage, "acme"))
    request = await is_rolling(stage, ana, bo, "prices, then everyone")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=1)
    await shifts(stage, "shop-prices", {"8": 0.1})
    await stage.speaker("Cy Young").says("stop the rollout")
    await stage.advance(seconds=10)
    await is_called(stage, "StopDeployment")
    (stopped,) = await stage.calls("StopDeployment")
    assert stopped["params"]["autoRollbackEnabled"] is True
    await stage.advance(minutes=1)
    assert (await stage.view(request))["state"] == "stopping"  # until the traffic is where it was
    await stage.advance(minutes=1)
    await stage.reaches(request, "stopped")
    assert traffic(stage) == ("7", {})
    assert [t.state for t in await targets(stage, request)] == ["stopped", "stopped"]
    assert len(await created(stage)) == 1


@on_every_database
async def test_what_was_shifted_is_rolled_back_to_the_version_before_though_its_alarm_fires(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES, *await makes_functions(stage, "acme"))
    request = await is_rolling(stage, ana, bo, "prices, then everyone, ask me between waves")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=8)
    await is_in_phase(stage, request, "gate")
    assert traffic(stage) == ("8", {})
    await fires(stage)
    await ana.says("roll back")
    ana.hears("Rolling back everything")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, stopped=1)
    await stage.advance(minutes=3)
    view = await stage.reaches(request, "stopped")
    assert "1 rolled back" in view["outcome"]["text"]
    back = (await created(stage))[-1]
    assert (back["spec"]["CurrentVersion"], back["spec"]["TargetVersion"]) == ("8", "7")
    assert back["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert traffic(stage) == ("7", {})


async def test_what_codedeploy_took_back_by_itself_is_not_deployed_once_more_to_go_back(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES)
    await stage.switches_on(
        "deployment_failed", names=["shop-prices/*"], event="BeforeAllowTraffic", message="3 of 20 were 500", times=1
    )
    request = await is_rolling(stage, ana, bo, "prices")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=6)
    await ana.hears_later("is paused: in wave 1 failed: pool-prices (BeforeAllowTraffic: 3 of 20 were 500")
    await ana.says("roll back")
    await stage.advance(seconds=10)
    await stands(stage, request, back=1)
    await stage.advance(seconds=10)
    await stage.reaches(request, "stopped")
    assert [t.state for t in await targets(stage, request)] == ["back"]
    assert len(await created(stage)) == 1


async def test_a_service_gets_its_tasks_line_by_line_and_goes_back_when_an_alarm_fires(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, SERVICE)
    await ana.says("roll out 2.4.1")
    await ana.says("everyone, shift 10 % every minute")
    ana.hears("pool-web: the service shop shop-web:7 → shop-web:8", "10 % every minute")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=4)
    await fires(stage)
    await stage.advance(minutes=6)
    await ana.hears_later(f"is paused: in wave 1 failed: pool-web (the alarm {ALARM} fired")
    (asked,) = await created(stage)
    balancer = {"ContainerName": "app", "ContainerPort": 8080}
    definition = f"arn:aws:ecs:us-east-1:{WEB}:task-definition/shop-web:8"
    assert asked["spec"] == {"TaskDefinition": definition, "LoadBalancerInfo": balancer}
    assert asked["deploymentConfigName"] == "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
    assert tasks(stage) == "shop-web:7"
    await fires(stage, "OK")
    await ana.says("retry the failed deployments")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=16)
    await stage.reaches(request, "succeeded")
    assert tasks(stage) == "shop-web:8"


async def test_a_service_is_rolled_back_to_the_tasks_before(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage, SERVICE, PRICES)
    request = await is_rolling(stage, ana, bo, "web, then everyone, ask me between waves")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=14)
    await is_in_phase(stage, request, "gate")
    assert tasks(stage) == "shop-web:8"
    await ana.says("roll back")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, stopped=1)
    await stage.advance(minutes=4)
    await stands(stage, request, back=1, stopped=1)
    assert (await created(stage))[-1]["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert tasks(stage) == "shop-web:7"


@on_every_channel
async def test_pipelines_and_codedeploy_share_the_waves_of_one_component(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, *TENANTS[:2], PRICES, SERVICE, *await makes_functions(stage, "globex"))
    await ana.says("roll out 2.4.1")
    await ana.says("pool-1 + prices, then everyone, at most 3 at once")
    ana.hears(
        "Roll out shop 2.4.1 to 5 deployments in 2 waves", "7a1985db49c1", "silo-globex: shop-silo-globex:live 1 → 2"
    )
    request = await is_approved(ana, bo)
    await stage.advance(seconds=10)
    await stands(stage, request, running=2, waiting=3)
    await stage.advance(minutes=25)
    await ana.hears_later("Wave 1 of request")
    await stands(stage, request, succeeded=2, running=3)
    await stage.advance(minutes=25)
    await ana.hears_later("5 of 5 deployments have 2.4.1")
    await stage.reaches(request, "succeeded")
    assert len(await stage.calls("StartPipelineExecution")) == 2
    assert len(await created(stage)) == 3
    found = {t.key: t.calls for t in await targets(stage, request)}
    assert max(found.values()) <= 6


async def test_the_registry_is_filled_from_the_tags_of_deployment_groups_too(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await makes_functions(stage, "one", "acme", tagged=True)
    await makes_functions(stage, "shop", type="pool", platform="ECS", tagged=True, accounts=[WEB])
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("import the deployments")
    boss.hears("13 deployments were imported from 12 pipelines and 2 deployment groups of CodeDeploy.")
    boss.hears("Left out", "shop-silo-acme/live (a pipeline has its name)")
    known = {d.key: d.codedeploy for d in await stage.application.services.deployments.all("shop")}
    assert known["silo-one"] == "lambda:shop-silo-one/production/shop-silo-one/live"
    assert known["pool-shop"] == "ecs:shop-pool-shop/production/shop-pool-shop/shop-pool-shop"
    assert known["silo-acme"] == ""
    await is_rolling(stage, ana, bo, "one + pool-shop")


async def test_events_of_codedeploy_tell_at_once_what_looking_would_find_late(theatre: Theatre, tmp_path: Path) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/quartermaster-releases"
    async with theatre.open_stage(tmp_path, release_events_queue=url) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await knows(stage, PRICES)
        request = await is_rolling(stage, ana, bo, "everyone, shift 10 % every 10 minutes")
        await stage.advance(seconds=10)
        await stands(stage, request, running=1)
        await stage.advance(minutes=12)
        await fires(stage)  # the first look of its own would come after three quarters of an hour
        await stage.advance(seconds=20)
        await ana.hears_later(f"failed: pool-prices (the alarm {ALARM} fired")
        (target,) = await targets(stage, request)
        assert target.calls <= 5


async def test_another_build_of_the_version_is_asked_about_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage, PRICES)
    await ana.says("roll out 2.4.1, all at once")
    ana.hears("7 → 8")
    await ana.presses("Yes, go ahead")
    request = ana.request
    member(stage, "lambda").publish_version(FunctionName="shop-prices", Description="2.4.1")
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("the plan has changed since it was approved", "7 → 9")
    await stage.reaches(request, "awaiting_approval")
    assert await created(stage) == []


async def test_what_has_no_such_version_or_has_it_already_is_left_out_and_the_rest_is_shifted(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    old = await makes_functions(stage, "old", accounts=[BOOTH], versions=["2.3.0"])
    new = await makes_functions(stage, "new", accounts=[BOOTH], versions=["2.4.1"])
    gone = {**PRICES, "id": "gone", "codedeploy": "lambda:no-such/production/no-such/live"}
    await knows(stage, PRICES, *old, *new, gone)
    await ana.says("roll out 2.4.1")
    await ana.says("everyone, shift 10 % for 7 minutes")
    ana.hears("CodeDeploy has no such way to shift the traffic of Lambda")
    await ana.says("everyone")
    ana.hears(
        "pool-gone: No application found for name: no-such",
        "silo-new: has 2.4.1 already",
        "silo-old: no version of shop-silo-old is described as 2.4.1",
    )
    request = await is_approved(ana, bo)
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)


async def test_somebody_elses_deployment_is_waited_for_and_what_was_changed_by_hand_is_not_overwritten(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage, PRICES)
    await ana.says("roll out 2.4.1")
    await ana.says("all at once")
    revision = {
        "revisionType": "AppSpecContent",
        "appSpecContent": {
            "content": "{version: 0.0, Resources: [{It: {Type: 'AWS::Lambda::Function', Properties: "
            "{Name: shop-prices, Alias: live, CurrentVersion: '7', TargetVersion: '6'}}}]}"
        },
    }
    named = {"applicationName": "shop-prices", "deploymentGroupName": "production"}
    config = "CodeDeployDefault.LambdaAllAtOnce"
    member(stage, "codedeploy").create_deployment(**named, revision=revision, deploymentConfigName=config)
    request = await is_approved(ana, bo)

    async def is_waited_for() -> bool:
        return any("which is not ours" in target.why for target in await targets(stage, request))

    await eventually(is_waited_for, lambda: "nobody else's deployment is waited for")
    await stage.advance(minutes=2)
    await ana.hears_later("pool-prices (shop-prices:live is at 6, not at 7 as planned: somebody has changed it since)")
    assert traffic(stage) == ("6", {})
