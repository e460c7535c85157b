"""Stories: deployments come and go, with their pipelines."""

from __future__ import annotations

from pathlib import Path

from bot.releases.rollouts import Rollouts
from tests.stories.accounts import is_approved
from tests.stories.releases import WEB, is_rolling, knows
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel

TEMPLATE = """
Parameters:
  Component: {Type: String}
  DeploymentType: {Type: String}
  DeploymentId: {Type: String}
  DeploymentAccount: {Type: String}
  DeploymentRegion: {Type: String}
Resources:
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Sub "${DeploymentType}-${DeploymentId}-pipeline"
      Tags:
        - {Key: component, Value: !Ref Component}
        - {Key: type, Value: !Ref DeploymentType}
        - {Key: id, Value: !Ref DeploymentId}
        - {Key: account, Value: !Ref DeploymentAccount}
        - {Key: region, Value: !Ref DeploymentRegion}
"""


async def known(stage: Stage) -> set[str]:
    return {d.key for d in await stage.application.services.deployments.all()}


async def test_what_codedeploy_changes_is_forgotten_and_nothing_of_it_deleted(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    target = "lambda:shop-prices/production/shop-prices/live"
    place = {"type": "pool", "account": WEB, "region": "us-east-1", "component": "shop"}
    await knows(stage, {**place, "id": "prices", "codedeploy": target})
    await ana.says(f"add pool prices in {WEB} us-east-1")
    ana.hears(f"CodeDeploy changes it ({target})")
    await ana.says("remove pool prices")
    ana.hears("Remove pool-prices of shop", f"{target} is only forgotten here")
    request = await is_approved(ana, bo)
    await ana.hears_later("pool-prices of shop is not known here any more")
    await stage.reaches(request, "succeeded")
    assert await known(stage) == set()
    assert await stage.calls("StartBuild") == []


@on_every_channel
async def test_a_silo_comes_with_its_pipeline_and_goes_with_its_stacks(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    await ana.says(f"add silo umbrella in {WEB} eu-central-1")
    ana.hears(f"Add silo-umbrella of shop in {WEB}, eu-central-1", "the CodeBuild project deployment-provisioning")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella-pipeline is being made")
    assert "silo-umbrella" not in await known(stage)
    await stage.advance(minutes=6)
    await ana.hears_later("silo-umbrella of shop is there")
    await stage.reaches(request, "succeeded")
    assert "silo-umbrella" in await known(stage)
    await ana.says("remove silo umbrella")
    ana.hears("Remove silo-umbrella of shop", "this can't be undone")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella is being retired")
    await stage.advance(minutes=6)
    await ana.hears_later("silo-umbrella of shop is gone")
    await stage.reaches(request, "succeeded")
    assert "silo-umbrella" not in await known(stage)
    names = [p["name"] for p in stage.aws("codepipeline").list_pipelines(maxResults=1000)["pipelines"]]
    assert "silo-umbrella-pipeline" not in names
    assert len(await stage.calls("StartBuild")) == 2


async def test_nothing_is_added_where_nothing_may_be_deployed_nor_twice(stage: Stage, ana: Speaker) -> None:
    await knows(stage)
    await ana.says("add silo umbrella in 111122223333 us-east-1")
    ana.hears("is no active member of the organization under")
    await ana.says("cancel")
    await ana.says("add silo acme in 444466667777 us-east-1")
    ana.hears("silo-acme of shop is there already")
    await ana.says("cancel")
    await ana.says("add silo acme in 444466667777 eu-west-1")
    ana.hears("silo-acme of shop is known already, in 444466667777, us-east-1")
    await ana.says("cancel")
    await ana.says(f"add silo hooli in {WEB} us-east-1")
    ana.hears("There is a pipeline silo-hooli-pipeline already", "account 444455556666")
    assert await stage.calls("StartBuild") == []


async def test_a_build_that_fails_is_explained_and_tried_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    message = "The quota of roles is used up"
    await stage.switches_on("build_run_failed", names=["deployment-provisioning"], message=message, times=1)
    await ana.says(f"add pool 9 in {WEB} us-east-1")
    request = await is_approved(ana, bo)
    await ana.hears_later("pool-9-pipeline is being made")
    await stage.advance(minutes=6)
    await ana.hears_later("The pipeline was not made", "ended as failed", message)
    await stage.reaches(request, "failed")
    assert "pool-9" not in await known(stage)
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says(f"retry {request}")
    await stage.advance(seconds=20)
    await ana.hears_later("pool-9-pipeline is being made")
    await stage.advance(minutes=6)
    await stage.reaches(request, "succeeded")
    assert len({c["params"]["idempotencyToken"] for c in await stage.calls("StartBuild")}) == 2


async def test_a_deployment_stays_while_a_roll_out_has_its_component(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await ana.says("remove silo acme")
    ana.hears("Remove silo-acme of shop", "nothing is rolling shop out")
    await ana.presses("Yes, go ahead")
    removal = ana.request
    dee = stage.speaker("Dee Dunn")
    rollout = await is_rolling(stage, dee, bo, "one at a time")
    await bo.opens_the_mail(about=removal)
    await bo.approves()
    await ana.hears_later("Nothing was done", rollout)
    await stage.reaches(removal, "failed")
    await ana.says("remove silo acme")
    ana.hears(f"Request {rollout} holds shop")
    assert await stage.calls("StartBuild") == []
    services = stage.application.services
    assert await Rollouts(services.database, services.clock).holder("shop") == rollout


async def test_a_silo_comes_in_an_account_that_is_vended_first(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await ana.says("add silo umbrella in a new account")
    ana.hears("In which Region?")
    await ana.says("eu-west-1")
    ana.hears("what account type do you want?")
    await ana.says("Sandbox")
    await ana.says("umbrella@corp.example")
    await ana.says("Demos")
    ana.hears("Add silo-umbrella of shop in a new account", "First", "a request of its own, approved on its own")
    request = await is_approved(ana, bo)
    await ana.hears_later(f"Request {request} needs an account for umbrella")
    await stage.reaches(request, "queued")
    vending = str((await stage.application.services.requests.find(request)).notes["account_request"])
    await bo.opens_the_mail(about=vending)
    await bo.approves()
    await stage.reaches(vending, "running")
    assert await stage.calls("StartBuild") == []
    await stage.advance(hours=1)
    await stage.reaches(vending, "succeeded")
    await stage.advance(minutes=1)
    await ana.hears_later("silo-umbrella-pipeline is being made")
    await stage.advance(minutes=6)
    view = await stage.reaches(request, "succeeded")
    made = {d.key: d for d in await stage.application.services.deployments.all()}["silo-umbrella"]
    assert made.account == view["outcome"]["account_id"] != ""


async def test_a_pipeline_is_made_and_retired_as_a_stack_where_a_template_is_named(
    theatre: Theatre, tmp_path: Path
) -> None:
    template = tmp_path / "pipeline.yml"
    template.write_text(TEMPLATE, encoding="utf-8")
    async with theatre.open_stage(tmp_path, deployment_template=str(template)) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await knows(stage)
        await stage.switches_on("stack_failed", names=["silo-umbrella-pipeline"], message="No more roles", times=1)
        await ana.says(f"add silo umbrella in {WEB} us-east-1")
        ana.hears("the stack silo-umbrella-pipeline from pipeline.yml")
        request = await is_approved(ana, bo)
        await ana.hears_later("silo-umbrella-pipeline is being made")
        await stage.advance(minutes=5)
        await ana.hears_later("The stack silo-umbrella-pipeline is in ROLLBACK")
        await stage.reaches(request, "failed")
        await ana.says(f"add silo globex in {WEB} us-east-1")
        ana.hears("There is a pipeline silo-globex-pipeline already")
        await ana.says("cancel")
        await ana.says(f"add silo wayne in {WEB} us-east-1")
        await is_approved(ana, bo)
        await ana.hears_later("silo-wayne-pipeline is being made")
        await stage.advance(minutes=5)
        await ana.hears_later("silo-wayne of shop is there")
        await ana.says("remove silo wayne")
        request = await is_approved(ana, bo)
        await ana.hears_later("silo-wayne is being retired")
        await stage.advance(minutes=5)
        await stage.reaches(request, "succeeded")
        assert len(await stage.calls("CreateStack")) == 2
        assert len(await stage.calls("DeleteStack")) == 1
