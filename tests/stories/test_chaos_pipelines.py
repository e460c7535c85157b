"""Experiments as a stage of a pipeline: the Lambda function, CodePipeline and the bot, played whole."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from sandbox.chaos_seed import template_id
from tests.stories.experiments import TEST, has_started, in_account, status_in_fis
from tests.support.stage import Stage, Theatre, eventually

ROOT = Path(__file__).parents[2]
LOSS = template_id("instance-loss-checkout-staging")
KEY, OTHER = "pipelines-secret", "reporting-secret"
AT_ONCE = """
@id("pipelines-run-staging-at-once")
@reason("What a key is bound to runs at once in staging.")
@approvals("0")
permit (principal, action == Action::"require", resource is Request)
when { resource.intent == "StartExperiment" && context.values has Via && context.values.Via == "pipeline" };
"""


@pytest.fixture(scope="module")
def function() -> ModuleType:
    """The Lambda function, as its file is deployed."""
    spec = importlib.util.spec_from_file_location("chaos_stage", ROOT / "deploy" / "chaos-stage" / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    (policies / "pipelines.cedar").write_text(AT_ONCE, encoding="utf-8")
    bound: dict[str, Any] = {
        "api_keys": f"{KEY}:pipelines:corp.example,{OTHER}:reporting",
        "chaos_runs": f"pipelines:{LOSS}",
    }
    async with theatre.open_stage(tmp_path, policy_dir=policies, **bound) as stage:
        for name, value in {
            "AWS_ENDPOINT_URL": theatre.sandbox.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "QUARTERMASTER_URL": stage.url,
            "QUARTERMASTER_USER": "ana@corp.example",
            "QUARTERMASTER_KEY": KEY,
            "CHAOS_TEMPLATE_STAGING": LOSS,
        }.items():
            monkeypatch.setenv(name, value)
        yield stage


def client(stage: Stage, key: str) -> httpx.AsyncClient:
    found = stage.client()
    found.headers["Authorization"] = f"Bearer {key}"
    return found


async def deliver(stage: Stage, function: ModuleType) -> None:
    """Do what CodePipeline does: invoke the function for every job that is due."""
    for event in (await stage._sandbox.get("/_sandbox/invocations")).json():
        await asyncio.to_thread(function.handle, event)


def execution(stage: Stage, identifier: str) -> dict[str, Any]:
    found = stage.aws("codepipeline").get_pipeline_execution(
        pipelineName="checkout-delivery", pipelineExecutionId=identifier
    )
    return dict(found["pipelineExecution"])


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_a_pipeline_goes_on_when_its_experiment_went_well_and_fails_when_not(
    stage: Stage, function: ModuleType, ends: str
) -> None:
    started = stage.aws("codepipeline").start_pipeline_execution(name="checkout-delivery")["pipelineExecutionId"]
    await deliver(stage, function)
    await has_started(stage)
    await stage.advance(seconds=40)
    await deliver(stage, function)
    assert execution(stage, started)["status"] == "InProgress"
    if ends == "badly":
        watch = in_account(stage, TEST, "cloudwatch")
        watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="ALARM", StateReason="a rehearsal")
    await stage.advance(minutes=8)
    (run,) = (await client(stage, KEY).get("/v1/requests")).json()["requests"]

    async def is_over() -> bool:
        shown = (await client(stage, KEY).get(f"/v1/chaos/runs/{run['id']}")).json()
        return shown["state"] in ("succeeded", "stopped")

    await eventually(is_over, lambda: f"{run['id']} goes on")
    await deliver(stage, function)
    ended = execution(stage, started)
    assert ended["status"] == ("Succeeded" if ends == "well" else "Failed")
    assert run["id"] in ended["statusSummary"]
    assert len(await stage.calls("StartExperiment")) == 1


async def test_a_key_runs_and_stops_what_it_is_bound_to_and_nothing_else(stage: Stage) -> None:
    mine, others = client(stage, KEY), client(stage, OTHER)
    body = {"user": {"email": "ana@corp.example"}, "template": LOSS}
    headers = {"Idempotency-Key": "build-4711"}
    first, second = await asyncio.gather(*(mine.post("/v1/chaos/runs", json=body, headers=headers) for _ in range(2)))
    assert first.status_code == second.status_code == 200, first.text
    run = first.json()["id"]
    assert second.json()["id"] == run
    refused = await mine.post("/v1/chaos/runs", json={**body, "template": template_id("task-loss-checkout-staging")})
    assert (refused.status_code, "may not run the template" in refused.json()["detail"]) == (403, True)
    for _ in range(2):
        assert (await others.post("/v1/chaos/runs", json=body)).status_code == 403
    kept = [r for r in (await stage.application.services.audit.list(limit=100)).items if r["kind"] == "key.refused"]
    assert [r["payload"]["why"] for r in kept].count(f"This key may not run the template {body['template']}.") == 1
    assert {r["payload"]["route"] for r in kept} == {"POST /v1/chaos/runs"}
    assert (await others.get(f"/v1/chaos/runs/{run}")).status_code == 404
    assert (await others.post(f"/v1/chaos/runs/{run}/stop", json={})).status_code == 404
    await has_started(stage)
    await stage.advance(seconds=15)
    stopped = await mine.post(f"/v1/chaos/runs/{run}/stop", json={})
    assert stopped.status_code == 200, stopped.text
    assert status_in_fis(stage) == "stopping"
    assert len(await stage.calls("StartExperiment")) == 1


async def test_a_function_that_is_set_up_wrongly_fails_its_own_job_and_says_why(
    stage: Stage, function: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAOS_TEMPLATE_STAGING", "")
    started = stage.aws("codepipeline").start_pipeline_execution(name="checkout-delivery")["pipelineExecutionId"]
    await deliver(stage, function)
    ended = execution(stage, started)
    assert ended["status"] == "Failed"
    assert "CHAOS_TEMPLATE_STAGING is not set" in ended["statusSummary"]
