"""An experiment between waves: shown with the roll-out, run once, watched; what goes wrong in it shuts the gate."""

from __future__ import annotations

import pytest

from sandbox.chaos_seed import template_id
from tests.stories.accounts import is_approved
from tests.stories.experiments import TEST, has_started, in_account, status_in_fis
from tests.stories.releases import is_in_phase, is_rolling, knows, recorded, stands
from tests.stories.test_rollout_gates import ERRORS, sets_alarm
from tests.support.stage import Approver, Speaker, Stage, eventually
from tests.support.theatre import on_every_channel

OUTAGE = "az-outage-checkout-staging"
WAVES = f"pool-1, then run the {OUTAGE} experiment, then pool-2"


async def is_tried(stage: Stage, request: str) -> str:
    """Have the first wave end and its experiment begin; return the experiment's request."""
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await is_in_phase(stage, request, "gate")
    experiment = await begun(stage, request, 0)
    await has_started(stage)
    await stage.advance(seconds=30)
    return experiment


async def begun(stage: Stage, request: str, attempt: int, wave: int = 0) -> str:
    """Return the request of the experiment that a roll-out has begun in a try at the gate behind a wave."""
    found: list[str] = []

    async def is_there() -> bool:
        notes = (await stage.application.services.requests.find(request)).notes
        found[:] = [str(v) for n, v in notes.items() if n.startswith(f"experiment:{wave}:{attempt}:")]
        return bool(found)

    await eventually(is_there, lambda: f"{request} has begun no experiment in try {attempt}")
    return found[0]


async def runs_in_fis(stage: Stage, count: int) -> None:
    """Wait until FIS knows of so many runs."""

    async def is_so() -> bool:
        return len(in_account(stage, TEST, "fis").list_experiments()["experiments"]) == count

    await eventually(is_so, lambda: f"FIS has not {count} runs")


@on_every_channel
async def test_an_experiment_runs_once_between_two_waves_and_the_second_waits_for_it(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    await ana.says("pool-1, then run the AZ outage experiment on checkout-staging for 15 minutes, then pool-2")
    ana.hears("in 2 waves", f"before wave 2: {OUTAGE}", "2 of 6 instances", f"{ERRORS} fires", "US dollars")
    ana.hears("beside what experiments take", "12 min; stopped after 15 min")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    experiment = await is_tried(stage, request)
    await ana.hears_later(f"the experiment {OUTAGE} has to go well", "The roll-out whose gate it is was approved")
    await ana.says("how far is the rollout?")
    ana.hears(f"the experiment {OUTAGE} runs (request {experiment})")
    await stage.advance(minutes=6)
    await stands(stage, request, succeeded=1, waiting=1)
    await stage.advance(minutes=8)
    await stage.reaches(experiment, "succeeded")
    await stage.advance(seconds=40)
    await ana.hears_later("Wave 2 of 2 begins")
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    (call,) = await stage.calls("StartExperiment")
    assert call["params"]["experimentTemplateId"] == template_id(OUTAGE)
    notes = (await stage.application.services.requests.find(request)).outcome["notes"]  # type: ignore[index]
    assert notes["Experiments"] == f"{OUTAGE} ({experiment}) went well"
    await ana.says(f"experiment report {experiment}")
    ana.hears("nobody; the roll-out", "whose gate it is, was approved with it")
    record = await stage.application.services.requests.find(experiment)
    assert (record.slots["Via"], record.slots["Within"], record.requester.email) == (
        "roll-out", request, "ana@corp.example",
    )  # fmt: skip


@on_every_channel
async def test_an_alarm_stops_it_and_halts_the_roll_out_and_trying_again_runs_it_anew(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, WAVES)
    first = await is_tried(stage, request)
    sets_alarm(stage, "ALARM")
    await stage.advance(seconds=40)
    await stage.reaches(first, "stopped")
    await stage.advance(seconds=40)
    await ana.hears_later(f"is paused: the experiment {OUTAGE} of request {first} did not go well", "retry the gate")
    await stands(stage, request, succeeded=1, waiting=1)
    sets_alarm(stage, "OK")
    await stage.advance(minutes=20)
    await ana.says("retry the gate")
    ana.hears("are tried again; its experiment runs anew")
    await stage.advance(seconds=40)
    second = await begun(stage, request, 1)
    await runs_in_fis(stage, 2)
    await stage.advance(minutes=15)
    await stage.reaches(second, "succeeded")
    await stage.advance(seconds=40)
    await stands(stage, request, succeeded=1, running=1)
    assert await recorded(stage, request, "rollout.gate_retried") == 1


async def test_an_experiment_that_did_not_go_well_is_skipped_by_name(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, WAVES)
    experiment = await is_tried(stage, request)
    await ana.says(f"stop {experiment}")
    await stage.advance(seconds=40)
    await stage.reaches(experiment, "stopped")
    await stage.advance(seconds=40)
    await ana.hears_later(f"is paused: the experiment {OUTAGE} of request {experiment} did not go well: The experiment")
    await ana.presses("Skip the gate")
    ana.hears("before wave 2", "is skipped, and the roll-out goes on")
    await stage.advance(seconds=40)
    await stands(stage, request, succeeded=1, running=1)
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    notes = (await stage.application.services.requests.find(request)).outcome["notes"]  # type: ignore[index]
    assert OUTAGE in notes["Gates not kept"]
    assert len(await stage.calls("StartExperiment")) == 1


@on_every_channel
async def test_who_stops_the_roll_out_stops_its_experiment_at_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, WAVES)
    experiment = await is_tried(stage, request)
    await ana.says(f"stop {request}")
    assert status_in_fis(stage) == "stopping"  # at once: before anything is looked at
    await stage.reaches(experiment, "stopping")
    await stage.advance(seconds=40)
    await stage.reaches(experiment, "stopped")
    await stage.advance(seconds=40)
    await stage.reaches(request, "stopped")
    await stands(stage, request, succeeded=1, stopped=1)


async def test_a_roll_out_that_goes_back_waits_until_its_experiment_has_ended(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    stage.aws("codepipeline").start_pipeline_execution(name="pool-1-pipeline")
    await stage.advance(minutes=25)
    request = await is_rolling(stage, ana, bo, WAVES)
    experiment = await is_tried(stage, request)
    await ana.says("roll back")
    ana.hears("Rolling back everything")
    assert status_in_fis(stage) == "stopping"
    await stage.advance(seconds=40)
    await stage.reaches(experiment, "stopped")
    await stage.advance(seconds=40)
    await stands(stage, request, running=1, stopped=1)
    await stage.advance(minutes=25)
    await stands(stage, request, back=1, stopped=1)


async def test_a_template_that_was_changed_since_is_not_run(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, WAVES)
    fis = in_account(stage, TEST, "fis")
    cut = {"actionId": "aws:network:disrupt-connectivity", "parameters": {"duration": "PT45M", "scope": "all"}}
    fis.update_experiment_template(
        id=template_id(OUTAGE), actions={"CutNetwork": {**cut, "targets": {"Subnets": "subnets"}}}
    )
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused", "Its template has been changed since the roll-out was approved")
    assert not await stage.calls("StartExperiment")


async def test_between_all_waves_each_gate_has_a_run_of_its_own(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    await ana.says(f"pool-1, then pool-2, then pool-7, run the {OUTAGE} experiment between waves")
    ana.hears("in 3 waves", f"before each wave but the first: {OUTAGE}")
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    await is_tried(stage, request)
    for wave in (0, 1):
        experiment = await begun(stage, request, 0, wave)
        await runs_in_fis(stage, wave + 1)
        await stage.advance(minutes=15)
        await stage.reaches(experiment, "succeeded")
        await stage.advance(seconds=40)
        await stands(stage, request, succeeded=wave + 1, running=1)
        await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    assert len(await stage.calls("StartExperiment")) == 2


@pytest.mark.parametrize(
    ("waves", "wanted"),
    [
        (f"run the {OUTAGE} experiment, then everyone", ("stands between two waves", "between waves")),
        (f"canary, then everyone, then the {OUTAGE} experiment", ("stands between two waves",)),
        ("pool-1, then run the banana experiment, then pool-2", ("banana",)),
        (
            "pool-1, then run the AZ outage experiment, then pool-2",
            ("Several experiments fit", OUTAGE),
        ),
    ],
    ids=["first", "last", "unknown", "several"],
)
async def test_what_can_not_be_a_gate_is_asked_again(
    stage: Stage, ana: Speaker, waves: str, wanted: tuple[str, ...]
) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    await ana.says(waves)
    ana.hears(*wanted)
    await ana.says("pool-1, then pool-2")
    ana.hears("in 2 waves")


async def test_an_experiment_that_no_alarm_watches_is_no_gate(stage: Stage, ana: Speaker) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    await ana.says("pool-1, then run the unguarded-catalogue-prod experiment, then pool-2")
    ana.hears("unguarded-catalogue-prod", "Nothing would stop this experiment by itself", "Choose another")
    ana.does_not_hear("Yes, go ahead")


@pytest.mark.parametrize("field", ["Via", "Within", "via", "slots", "values"])
async def test_nobody_says_of_an_experiment_that_a_roll_out_approved_it(stage: Stage, field: str) -> None:
    said = {"Via": "roll-out", "Within": "qm-23456789"} if field in ("slots", "values") else "roll-out"
    body = {"template": OUTAGE, "user": {"email": "eve@corp.example"}, field: said}
    answer = await stage.client().post("/v1/chaos/runs", json=body)
    if answer.status_code == 200:
        record = await stage.application.services.requests.find(answer.json()["id"])
        assert (record.state, record.slots["Via"]) == ("awaiting_approval", "pipeline")
    else:
        assert answer.status_code == 422
    assert not await stage.calls("StartExperiment")


async def test_the_wish_said_once_more_is_asked_for_its_waves_again(stage: Stage, ana: Speaker) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    await ana.says("roll out 2.4.1")
    ana.hears("says nothing about the waves yet", "In which waves?")
    await ana.says("pool-1, then pool-2")
    ana.hears("in 2 waves")
