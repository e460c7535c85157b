"""What goes wrong with deployments: why they failed, in their tools' own words, and runs that others supersede."""

from __future__ import annotations

from tests.stories.releases import is_rolling, knows, stands, targets
from tests.support.stage import Approver, Speaker, Stage, eventually
from tests.support.theatre import on_every_channel


@on_every_channel
async def test_a_failure_is_explained_with_the_builds_log_and_the_stacks_events(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    told = "column orders.currency does not exist\nDB_PASSWORD=hunter2hunter2"
    await stage.switches_on("pipeline_failed", names=["pool-7-pipeline"], stage="Build", message=told, times=1)
    request = await is_rolling(stage, ana, bo, "pool-7, then pool-1, stop after 2 failures")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.switches_on("pipeline_failed", names=["pool-1-pipeline"], stage="Deploy", times=1)
    await stage.advance(minutes=25)
    await stands(stage, request, failed=1, running=1)
    await ana.says("why did pool-7 fail?")
    ana.hears("stage Build", "The end of the build's log", "orders.currency does not exist", "Phase complete: BUILD")
    assert "hunter2" not in ana.transcript()
    await stage.advance(minutes=25)
    await stands(stage, request, failed=2)
    await ana.says(f"why did pool-1 fail in {request}?")
    ana.hears(
        "stage Deploy", "Service", "UPDATE_FAILED", "did not stabilize", "it kept what it made", "point of failure"
    )


async def test_a_run_that_another_supersedes_is_followed_where_it_takes_the_same_commit_and_begun_again_else(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    pipelines = stage.aws("codepipeline")
    for name in ("pool-1-pipeline", "pool-2-pipeline"):
        pipelines.disable_stage_transition(
            pipelineName=name, stageName="Deploy", transitionType="Inbound", reason="a rehearsal"
        )
    request = await is_rolling(stage, ana, bo, "pool-1 + pool-2")
    await stage.advance(seconds=10)
    await stands(stage, request, running=2)
    ours = (await stage.calls("StartPipelineExecution"))[0]["params"]["sourceRevisions"]
    await stage.pushes_commit(version="2.4.2", message="Not what was approved")
    await stage.advance(minutes=20)  # ours wait in front of the shut stage
    pipelines.start_pipeline_execution(name="pool-1-pipeline")
    same = pipelines.start_pipeline_execution(name="pool-2-pipeline", sourceRevisions=ours)["pipelineExecutionId"]
    await stage.advance(minutes=25)

    async def is_followed() -> bool:
        found = {t.key: t for t in await targets(stage, request)}
        return found["pool-2"].execution == same and bool(found["pool-1"].detail.get("busy"))

    await eventually(is_followed, lambda: "superseded runs were neither followed nor begun again")
    for name in ("pool-1-pipeline", "pool-2-pipeline"):
        pipelines.enable_stage_transition(pipelineName=name, stageName="Deploy", transitionType="Inbound")
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=1, running=1)  # what was in the way of pool-1's has ended
    await stage.advance(minutes=25)
    view = await stage.reaches(request, "succeeded")
    assert view["outcome"]["counts"] == {"succeeded": 2}
    last = pipelines.list_pipeline_executions(pipelineName="pool-1-pipeline")["pipelineExecutionSummaries"][0]
    assert last["sourceRevisions"][0]["revisionId"] == ours[0]["revisionValue"]
    starts = [c["params"] for c in await stage.calls("StartPipelineExecution")]
    begun = [p["name"] for p in starts if p["clientRequestToken"].startswith(request)]
    assert sorted(begun) == ["pool-1-pipeline"] * 2 + ["pool-2-pipeline"]
