"""Roll-outs: in waves, approved as they run, with a hand on the brake."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.releases.rollouts import Rollouts
from bot.requests.record import OFFERS
from tests.stories.accounts import is_approved
from tests.stories.news import has_heard, listens
from tests.stories.releases import (
    TEST,
    has_looked,
    is_called,
    is_in_phase,
    is_rolling,
    knows,
    stands,
    targets,
    waits_for_its_own_approval,
)
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel


@on_every_channel
async def test_a_version_reaches_everyone_in_two_waves(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    ana.hears("In which waves?")
    await ana.says("canary first, then everyone, skip initech until Monday")
    ana.hears("Roll out shop 2.4.1 to 4 deployments in 2 waves", "7a1985db49c1", "silo-initech: skipped until")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=3)
    await stage.advance(minutes=25)
    await ana.hears_later("Wave 1 of request", "Wave 2 of 2 begins")
    await stands(stage, request, succeeded=1, running=3)
    await stage.advance(minutes=25)
    await ana.hears_later("4 of 4 deployments have 2.4.1")
    await stage.reaches(request, "succeeded")
    starts = await stage.calls("StartPipelineExecution")
    assert len(starts) == 4
    assert {c["params"]["sourceRevisions"][0]["revisionValue"][:12] for c in starts} == {"7a1985db49c1"}
    assert all(c["params"]["clientRequestToken"].startswith(request) for c in starts)


@on_every_channel
async def test_a_failure_halts_it_and_is_explained_and_tried_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await stage.switches_on("pipeline_failed", names=["pool-7-pipeline"], stage="Build", times=1)
    request = await is_rolling(stage, ana, bo, "pool-7, then everyone")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused: in wave 1 failed: pool-7")
    await stage.reaches(request, "paused")
    assert len(await stage.calls("StartPipelineExecution")) == 1
    await ana.says("why did pool-7 fail?")
    ana.hears("Why pool-7 failed", "stage", "pool-7-pipeline")
    await ana.says("retry the deployment pool-7")
    ana.hears("pool-7 of request", "tried again")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=1, running=4)
    assert [c["params"]["stageName"] for c in await stage.calls("RetryStageExecution")] == ["Build"]
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    await ana.hears_later(
        "Tried again", "pool-7 (2 tries)", "Approved by", "bo@corp.example", "Insights since it began"
    )


async def test_a_run_whose_pipeline_has_changed_is_begun_anew_and_the_notes_tell_the_commits(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    services, pipelines = stage.application.services, stage.aws("codepipeline")
    first = await is_rolling(stage, ana, bo, "pool-7")
    await stage.advance(seconds=10)
    await stands(stage, first, running=1)
    await stage.advance(minutes=25)
    await stage.reaches(first, "succeeded")
    await stage.pushes_commit(version="2.4.2", message="Baskets keep their order")
    await stage.switches_on("pipeline_failed", names=["pool-7-pipeline"], stage="Build", times=1)
    await ana.says("roll out 2.4.2, pool-7")
    request = await is_approved(ana, bo)
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused: in wave 1 failed: pool-7")
    declared = pipelines.get_pipeline(name="pool-7-pipeline")["pipeline"]
    pipelines.update_pipeline(pipeline=declared)
    await ana.says("retry the deployment pool-7")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    assert len(await stage.calls("StartPipelineExecution")) == 3
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    notes = (await services.requests.find(request)).outcome["notes"]  # type: ignore[index]
    assert notes["Commits"].endswith("Baskets keep their order (ana@corp.example)") or "Baskets" in notes["Commits"]
    assert ";" not in notes["Commits"]
    assert notes["Approved by"] == "bo@corp.example"


async def test_everybody_may_pause_and_stop_it_and_only_some_may_let_it_go_on(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, "one at a time")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=4)
    cy = stage.speaker("Cy Young")
    await cy.says("pause the rollout")
    cy.hears("is paused; what runs goes on to its end")
    await cy.says("pause the rollout")
    cy.hears("is paused already")
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=1, waiting=4)
    await cy.says("continue the rollout")
    cy.hears("No policy lets")
    await ana.says("continue the rollout")
    ana.hears("goes on")
    await stage.advance(seconds=10)
    await stands(stage, request, succeeded=1, running=1, waiting=3)
    await cy.says("stop the rollout")
    cy.hears("nothing more starts")
    await stage.advance(seconds=10)
    await is_called(stage, "StopPipelineExecution")
    await stage.advance(minutes=25)
    await stage.reaches(request, "stopped")
    assert len(await stage.calls("StartPipelineExecution")) == 2
    assert len(await stage.calls("StopPipelineExecution")) == 1


async def test_what_was_rolled_out_is_rolled_back_to_what_ran_before(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    pipelines = stage.aws("codepipeline")
    good = pipelines.start_pipeline_execution(name="pool-1-pipeline")["pipelineExecutionId"]
    await stage.advance(minutes=25)
    request = await is_rolling(stage, ana, bo, "pool-1 + pool-2, then everyone, ask me between waves")
    await stage.advance(seconds=10)
    await stands(stage, request, running=2)
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=2, waiting=3)
    await ana.says("roll back")
    ana.hears("Rolling back everything")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, failed=1)
    rolled = await stage.calls("RollbackStage")
    assert [c["params"]["targetPipelineExecutionId"] for c in rolled] == [good]
    await stage.advance(minutes=25)
    view = await stage.reaches(request, "stopped")
    found = {t.key: (t.state, t.why) for t in await targets(stage, request)}
    assert found["pool-1"][0] == "back"
    assert found["pool-2"] == ("failed", "could not be started: no good run from before is known")
    assert "1 rolled back" in view["outcome"]["text"]


async def test_a_pipelines_own_approval_is_answered_by_neither_its_requester_nor_a_program(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    record = {"component": "shop", "id": "6", "type": "pool", "account": "666677778888", "region": "eu-central-1"}
    await knows(stage, record)
    dee = stage.speaker("Dee Dunn")
    await dee.says("roll out 2.4.1, all at once")
    request = await is_approved(dee, bo)
    await dee.hears_later("has begun")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await waits_for_its_own_approval(stage, request)
    await dee.says("approve the pipeline of pool-6")
    dee.hears("Nobody may approve what they asked for themselves")
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says(f"approve the pipeline of pool-6 in {request}")
    boss.hears("A REST key may ask on behalf of people, but never decides")
    (waiting,) = [t for t in await targets(stage, request) if t.detail.get("approval")]
    wanted = waiting.detail["approval"]
    stage.aws("codepipeline").put_approval_result(
        pipelineName=waiting.pipeline,
        stageName=wanted["stage"],
        actionName=wanted["action"],
        token=wanted["token"],
        result={"summary": "looked at in the console", "status": "Approved"},
    )
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")


@on_every_channel
async def test_a_stop_waits_for_nobodys_approval_in_a_pipeline(stage: Stage, ana: Speaker, bo: Approver) -> None:
    record = {"component": "shop", "id": "6", "type": "pool", "account": "666677778888", "region": "eu-central-1"}
    await knows(stage, record)
    request = await is_rolling(stage, ana, bo, "all at once")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await waits_for_its_own_approval(stage, request)
    await ana.says("stop the rollout")
    ana.hears("nothing more starts")
    await stage.advance(seconds=30)
    await is_called(stage, "StopPipelineExecution")
    await stage.advance(seconds=90)
    await stage.reaches(request, "stopped")
    (call,) = await stage.calls("StopPipelineExecution")
    assert call["params"]["abandon"] is True


@pytest.mark.settings(approvers="bo@corp.example,eve@corp.example")
async def test_a_pipelines_own_approval_is_given_by_another_than_the_commits_author(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    record = {"component": "shop", "id": "6", "type": "pool", "account": "666677778888", "region": "eu-central-1"}
    await knows(stage, record)
    await stage.pushes_commit(version="2.4.1", message="Shorter queues", author="bo@corp.example")
    await ana.says("roll out 2.4.1, all at once")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await waits_for_its_own_approval(stage, request)
    author = stage.speaker("Bo Diaz", email="bo@corp.example", channel="console")
    await author.says(f"approve the pipeline of pool-6 in {request}")
    author.hears("You wrote the commit that is released")
    assert await stage.calls("PutApprovalResult") == []
    eve = stage.speaker("Eve Stone", channel="console")
    await eve.says(f"approve the pipeline of pool-6 in {request}")
    eve.hears("of pool-6 is approved")
    (answer,) = await stage.calls("PutApprovalResult")
    assert answer["params"]["result"]["status"] == "Approved"
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")


async def test_a_gate_that_fails_halts_the_roll_out_and_offers_the_ways_on(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, "pool-1, then pool-2, watch alarm shop-errors")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused: there is no alarm shop-errors", "continue the rollout", "roll back")
    await stage.reaches(request, "paused")
    record = await stage.application.services.requests.find(request)
    assert [title for title, _ in record.notes[OFFERS]] == ["Continue", "Retry the gate", "Skip the gate", "Roll back"]
    await stage.advance(minutes=5)
    await stands(stage, request, succeeded=1, waiting=1)
    assert len(await stage.calls("StartPipelineExecution")) == 1
    await ana.says("continue the rollout")
    ana.hears("goes on")
    await stage.advance(seconds=10)
    await stands(stage, request, succeeded=1, running=1)


async def test_a_halt_by_hand_opens_no_gate_and_what_was_left_out_excuses_no_later_failure(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    services = stage.application.services
    rollouts = Rollouts(services.database, services.clock)
    await stage.switches_on("pipeline_failed", names=["pool-1-pipeline"], stage="Build", times=1)
    request = await is_rolling(stage, ana, bo, "pool-1, then pool-2, bake 10 hours")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused: in wave 1 failed: pool-1")
    await ana.says("continue the rollout")
    ana.hears("goes on")
    assert (await rollouts.require(request)).forgiven == 1
    await ana.says("skip the failed deployments")
    ana.hears("left out")
    assert (await rollouts.require(request)).forgiven == 0
    await stage.advance(seconds=10)
    await is_in_phase(stage, request, "gate")
    await ana.says("pause the rollout")
    ana.hears("is paused")
    await ana.says("continue the rollout")
    ana.hears("looks at its gates first")
    await stage.advance(minutes=25)
    assert [t.state for t in await targets(stage, request)] == ["skipped", "waiting"]


async def test_what_still_ran_when_everything_is_rolled_back_goes_back_as_well(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    stage.aws("codepipeline").start_pipeline_execution(name="pool-1-pipeline")
    await stage.advance(minutes=25)
    request = await is_rolling(stage, ana, bo, "pool-1")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await ana.says("roll back")
    ana.hears("Rolling back everything")
    await stage.advance(minutes=25)
    await is_called(stage, "RollbackStage")
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await stage.reaches(request, "stopped")
    assert [t.state for t in await targets(stage, request)] == ["back"]


async def test_another_commit_pushed_after_the_approval_is_asked_about_again(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1, all at once")
    await ana.presses("Yes, go ahead")
    request = ana.request
    pushed = await stage.pushes_commit(version="2.4.1", message="Something that nobody has seen")
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("the plan has changed since it was approved", pushed[:12])
    await stage.reaches(request, "awaiting_approval")
    assert await stage.calls("StartPipelineExecution") == []


async def test_events_tell_at_once_what_looking_would_find_late(theatre: Theatre, tmp_path: Path) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/111122223333/releases"
    async with theatre.open_stage(tmp_path, release_events_queue=url) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        queue, bus = stage.aws("sqs"), stage.aws("events")
        assert queue.create_queue(QueueName="releases")["QueueUrl"] == url
        bus.put_rule(Name="pipelines", EventPattern='{"source": ["aws.codepipeline"]}')
        arn = "arn:aws:sqs:us-east-1:111122223333:releases"
        bus.put_targets(Rule="pipelines", Targets=[{"Id": "1", "Arn": arn}])
        await knows(stage)
        await stage.makes_pipelines(type="pool", names=["7"], minutes=[5, 5], accounts=[TEST], regions=["eu-central-1"])
        request = await is_rolling(stage, ana, bo, "pool-7")
        await stage.advance(seconds=10)
        await stands(stage, request, running=1)
        await stage.advance(minutes=2)
        await has_looked(stage, request)
        await stage.advance(minutes=4)  # the next look of its own would come after a quarter of an hour
        await stage.reaches(request, "succeeded")
        (target,) = await targets(stage, request)
        assert target.calls <= 6


async def test_events_over_sns_tell_of_an_end_before_anybody_would_look(theatre: Theatre, tmp_path: Path) -> None:
    topic = "arn:aws:sns:us-east-1:111122223333:quartermaster-releases"
    async with theatre.open_stage(tmp_path, sns_allowed_topics=(topic,)) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await listens(stage, topic)
        await knows(stage)
        await stage.makes_pipelines(type="pool", names=["7"], minutes=[3, 3], accounts=[TEST], regions=["eu-central-1"])
        request = await is_rolling(stage, ana, bo, "pool-7")
        await stage.advance(seconds=10)
        await stands(stage, request, running=1)
        await stage.advance(minutes=3, seconds=30)  # the first look of its own would come after five minutes
        await has_heard(stage, 1)
        await stage.advance(seconds=10)
        await stage.reaches(request, "succeeded")
        assert await stage.calls("ReceiveMessage") == []
        (target,) = await targets(stage, request)
        assert target.calls == 3


async def test_the_registry_is_filled_and_a_roll_out_is_asked_about(stage: Stage, ana: Speaker, bo: Approver) -> None:
    dee = stage.speaker("Dee Dunn")
    await dee.says("roll out 2.4.1, all at once")
    dee.hears("No deployments are known yet")
    await dee.says("import the deployments")
    dee.hears("Only operators may import deployments")
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("import the deployments")
    boss.hears("11 deployments were imported from 12 pipelines")
    await stage.switches_on("pipeline_failed", names=["pool-7-pipeline"], stage="Build", times=1)
    request = await is_rolling(stage, ana, bo, "pool-7 + pool-1, then acme, stop after 2 failures")
    await stage.advance(seconds=10)
    await stands(stage, request, running=2)
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=1, failed=1, running=1)
    await ana.says("how far is the rollout?")
    ana.hears("Wave 1: pool-7, pool-1", "1 of 2", "1 failed: pool-7 (Build/Build:")
    await ana.says("skip the failed deployments")
    ana.hears("pool-7 of request", "left out")
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    await ana.says("which deployments are behind?")
    ana.hears("9 are behind 2.4.1", "pool-7 (?)", "█")
    await ana.says("retry the failed deployments")
    ana.hears("is over")
    await ana.says("roll back wave 2")
    ana.hears("is over")


async def test_a_second_roll_out_waits_until_the_component_is_free_or_stolen(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    first = await is_rolling(stage, ana, bo, "one at a time")
    dee = stage.speaker("Dee Dunn")
    await dee.says("roll out 2.4.0, all at once")
    dee.hears(f"Request {first} is rolling shop out; this one waits in the queue")
    second = await is_approved(dee, bo)
    await dee.hears_later(f"being rolled out by {first}")
    await stage.reaches(second, "queued")
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says(f"steal shop for {second}")
    boss.hears("Both are told")
    await ana.hears_later("STOLEN")
    await stage.reaches(first, "paused")
    await stage.advance(seconds=20)
    await dee.hears_later("has begun")
    await ana.says(f"continue the rollout {first}")
    ana.hears("was taken by request")
