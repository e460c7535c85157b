"""Chaos experiments: run safely, watched, and stopped the moment somebody says so."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bot.errors import Refused
from intents.chaos.overriding import parted_override
from sandbox.chaos_seed import template_id
from tests.stories.accounts import is_approved
from tests.stories.experiments import PROD, TEST, has_started, in_account, is_running, plans, shows, status_in_fis
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel

HOUSE = Path(__file__).parents[2] / "house.yml"
CATALOGUE = "run the AZ outage experiment on catalogue-prod"


async def is_stopped_by_its_alarm(stage: Stage, ana: Speaker, bo: Approver) -> str:
    request = await is_running(stage, ana, bo)
    await stage.advance(minutes=3)
    watch = in_account(stage, TEST, "cloudwatch")
    watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="ALARM", StateReason="a rehearsal")
    await stage.advance(seconds=30)
    await ana.hears_later("stopped: Experiment halted by stop condition", "Not as expected", "fired")
    await stage.reaches(request, "stopped")
    return request


@on_every_channel
async def test_an_experiment_runs_to_its_end(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("run the AZ outage experiment on checkout-staging for 15 minutes")
    ana.hears("What do you expect to stay true")
    await ana.says("orders go through all the time")
    ana.hears("Outage of an Availability Zone", "2 of 6 instances", "us-east-1a", "1 of 3 subnets")
    ana.hears("checkout-staging-errors fires", "US dollars")
    request = await is_approved(ana, bo)
    await ana.hears_later("has been started")
    await stage.advance(minutes=13)
    await ana.hears_later("ran to its end", "As expected")
    view = await stage.reaches(request, "succeeded")
    assert view["outcome"]["status"] == "completed"
    assert len(await stage.calls("StartExperiment")) == 1


@on_every_channel
async def test_a_press_of_the_button_stops_it_at_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await is_running(stage, ana, bo)
    await ana.presses("Stop the experiment")
    ana.hears("Stopping the experiment of request")
    assert status_in_fis(stage) == "stopping"
    await stage.advance(seconds=30)
    await ana.hears_later("was stopped by", "FIS has confirmed it")
    await stage.reaches(request, "stopped")


@on_every_channel
async def test_stop_it_in_the_thread_stops_it_whatever_is_half_said(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await is_running(stage, ana, bo)
    await ana.says("I need an AWS account")
    await ana.says("stop it")
    ana.hears("Stopping the experiment of request")
    assert status_in_fis(stage) == "stopping"
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")


async def test_anybody_may_stop_it_from_anywhere_and_twice_is_like_once(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await is_running(stage, ana, bo)
    cy, dee = stage.speaker("Cy Young"), stage.speaker("Dee Dunn")
    await asyncio.gather(cy.says("stop the experiment"), dee.says(f"stop {request}"))
    assert "being stopped already" in cy.last_heard + dee.last_heard or "asked to end it" in cy.last_heard
    await cy.says(f"stop the experiment {request}")
    cy.hears("is being stopped already")
    await stage.advance(seconds=30)
    await ana.hears_later("was stopped by")
    await stage.reaches(request, "stopped")
    await cy.says(f"stop the experiment {request}")
    cy.hears("Nothing was stopped", "stopped already")
    assert len(await stage.calls("StartExperiment")) == 1


@on_every_channel
async def test_an_alarm_stops_it(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_stopped_by_its_alarm(stage, ana, bo)


async def test_the_report_tells_the_metric_and_is_handed_out(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await is_stopped_by_its_alarm(stage, ana, bo)
    await stage.advance(minutes=20)
    await ana.says(f"experiment report {request}")
    ana.hears("Chart of HTTPCode_Target_5XX_Count", "2 instances (instances)", "bo@corp.example", "on average")
    ana.does_not_hear("—")
    rest, console = stage.client(), stage.client()
    (told,) = (await rest.get(f"/v1/chaos/runs/{request}/report")).json()["alarms"]
    assert told["means"]["during"] > 10 * told["means"]["before"]
    assert told["changes"][0]["state"] == "ALARM"
    page = await console.get(f"/requests/{request}")
    assert f'href="/requests/{request}/report"' in page.text
    for download in (
        await console.get(f"/requests/{request}/report"),
        await rest.get(f"/v1/chaos/runs/{request}/report?format=html"),
    ):
        assert f'filename="experiment-{request}.html"' in download.headers["content-disposition"]
        assert "<svg" in download.text
        assert "Experiment</text>" in download.text


async def test_everybody_sees_what_runs_on_the_console_with_its_picture_and_can_stop_it_there(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await plans(ana)
    ana.hears("Picture of what az-outage-checkout-staging hits", "us-east-1a 2 of 2, us-east-1b 0 of 2")
    request = await is_approved(ana, bo)
    await ana.hears_later("has been started")
    await stage.advance(seconds=15)
    await shows(stage, request, "running. Experiment is running.")
    cy = stage.speaker("Cy Young", channel="console")
    await cy.says("which experiments are running?")
    cy.hears("Under way now: az-outage-checkout-staging", request)
    client = stage.client()
    listed = (await client.get("/experiments")).text
    assert f'action="/requests/{request}/stop"' in listed
    assert "Experiment is running." in listed
    page = (await client.get(f"/requests/{request}")).text
    assert 'src="data:image/svg+xml;base64,' in page
    token = re.search(r'name="csrf" value="([^"]+)"', listed)
    assert token is not None
    stopped = await client.post(f"/requests/{request}/stop", data={"csrf": token[1]}, headers={"origin": stage.url})
    assert stopped.status_code == 303, stopped.text
    assert status_in_fis(stage) == "stopping"
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")
    assert f"/requests/{request}/stop" not in (await client.get("/experiments")).text


@pytest.mark.settings(chaos_lease_minutes=3)
@on_every_channel
async def test_only_the_word_of_somebody_keeps_it_going(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await is_running(stage, ana, bo, CATALOGUE)
    await stage.advance(minutes=2)
    await ana.hears_later("keep going?")
    await ana.presses("Keep going")
    ana.hears("goes on; I ask again")
    await stage.advance(minutes=2, seconds=10)
    await ana.hears_later("keep going?")
    assert status_in_fis(stage, PROD) == "running"
    await stage.advance(minutes=1)
    await ana.hears_later("nobody said in time that it goes on")
    assert status_in_fis(stage, PROD) == "stopping"
    await ana.says(f"keep going with {request}")
    ana.hears("being stopped; that can't be called back")
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")


async def test_what_it_would_hit_is_told_without_starting_anything(stage: Stage, ana: Speaker) -> None:
    await ana.says("which experiments are there for checkout-staging?")
    ana.hears("az-outage-checkout-staging", "Cut us-east-1a off for 10 min")
    ana.does_not_hear("catalogue-prod")
    await ana.says("what would the AZ outage experiment on checkout-staging hit?")
    ana.hears("2 of 6 instances", "us-east-1a", "■■", "2 of 2", "us-east-1b", "□□", "0 of 2", "Nothing was started")
    await ana.says("what would az outage hit?")
    ana.hears("Several experiments fit", "az-outage-checkout-staging")
    await ana.says("run the AZ outage experiment on checkout-staging")
    await ana.says("what would it hit?")
    ana.hears("az-outage-checkout-staging would hit", "2 of 6 instances", "Back to your experiment")
    assert await stage.calls("StartExperiment") == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("run az outage on checkout-staging", "az-outage-checkout-staging"),
        ("pls kick off the az outtage on staging chekcout for 10 min", "az-outage-checkout-staging"),
        ("can you please start the task loss experiment on checkout-staging", "task-loss-checkout-staging"),
        ("schedule the az outage on catalogue-prod every tuesday at 10:00", "az-outage-catalogue-prod"),
        ("preview az outage on checkout-prod", "az-outage-checkout-prod"),
    ],
)
async def test_an_experiment_is_known_by_its_name_however_it_is_asked_for(
    stage: Stage, ana: Speaker, words: str, name: str
) -> None:
    await ana.says(words)
    if "preview" not in words:
        ana.hears("What do you expect to stay true")
        await ana.says("nobody notices")  # understood as anything else, it would be a question about accounts
    ana.hears(name)
    assert ("stopped after 10 min" in ana.last_heard) == ("10 min" in words)


async def test_a_question_is_no_expectation(stage: Stage, ana: Speaker) -> None:
    await ana.says("run the AZ outage experiment on checkout-staging for 10 minutes")
    await ana.says("will the orders still go through?")
    ana.hears("is a question, nothing that can stay true", "What do you expect to stay true")
    await ana.says("which experiments are there?")
    ana.hears("task-loss-checkout-staging", "What do you expect to stay true")
    await ana.says("orders go through all the time")
    ana.hears("Outage of an Availability Zone", "orders go through all the time")


async def test_what_only_sounds_like_an_order_begins_no_experiment(stage: Stage, ana: Speaker) -> None:
    for words in ("how do I run az outage on checkout-staging?", "don't run az outage on checkout-staging"):
        await ana.says(words)
        ana.does_not_hear("What do you expect")
    await ana.says("run az outage")
    ana.hears("Several experiments fit", "az-outage-catalogue-prod", "az-outage-checkout-staging")
    await ana.says("is an experiment running right now?")
    ana.hears("None is under way now", "az-outage-checkout-staging")


@on_every_channel
async def test_alarms_the_lever_and_the_quota_refuse(stage: Stage, ana: Speaker) -> None:
    fis, watch = in_account(stage, TEST, "fis"), in_account(stage, TEST, "cloudwatch")
    watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="ALARM", StateReason="a rehearsal")
    await plans(ana)
    ana.hears("The alarm checkout-staging-errors fires already")
    watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="OK", StateReason="over")
    for number in range(5):
        fis.start_experiment(experimentTemplateId=template_id("task-loss-checkout-staging"), clientToken=str(number))
    await ana.says("continue")
    ana.hears("5 experiments run in this account and Region already")
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("stop all experiments because production is on fire")
    boss.hears("The safety lever is engaged")
    assert fis.get_safety_lever(id="default")["safetyLever"]["state"]["reason"] == "production is on fire"
    await stage.advance(minutes=1)
    await ana.says("continue")
    ana.hears("The safety lever is engaged (“production is on fire”)")
    await ana.says("allow experiments again")
    ana.hears("No policy lets")
    await boss.says("allow experiments again")
    boss.hears("may be started again")
    await ana.says("continue")
    ana.hears("2 of 6 instances")


@pytest.mark.settings(approvers="bo@corp.example,eve@corp.example,ana@corp.example")
async def test_what_stands_against_it_is_set_aside_by_the_second_person_who_is_named_only(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await plans(ana, "run the AZ outage experiment on checkout-prod")
    ana.hears("override because")
    await ana.says("override because bo@corp.example knows of the drill, ana@corp.example is the second person")
    ana.hears("their own second person")
    await ana.says("override because it is the drill that was agreed on")
    ana.hears("Who is the second person", "bo@corp.example", "eve@corp.example")
    ana.does_not_hear("ana@corp.example")
    for nobody, why in (
        ("ana@corp.example", "their own second person"),
        ("mallory@corp.example", "is not among those"),
    ):
        await ana.says(nobody)
        ana.hears(why)
    await ana.says("bo@corp.example")
    ana.hears("OVERRIDE", "drill that was agreed on", "Second person", "Set aside by override")
    await ana.presses("Yes, go ahead")
    request = ana.request
    eve = await stage.application.services.people.of_email("eve@corp.example")
    with pytest.raises(Refused):
        await stage.application.services.approvals.decide_as(request, 1, eve, "approve", "", surface="console")
    await bo.opens_the_mail(about=request)
    await bo.approves()
    effects = (await stage.view(request))["plan"]["effects"]
    assert (effects["override"], effects["second_person"]) == ("it is the drill that was agreed on", "bo@corp.example")
    await ana.hears_later("has been started")
    assert [a["approver"] for a in (await stage.view(request))["approvals"]] == ["bo@corp.example"]


async def test_databases_and_functions_are_hit_as_fis_resolves_them(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("what would the db-failover-orders-staging experiment hit?")
    ana.hears("1 of 1 database clusters", "us-east-1a")
    await ana.says("what would slow-functions-orders-staging hit?")
    ana.hears("2 of 4 functions, taken by chance out of 4")
    request = await is_running(stage, ana, bo, "run the db-failover-orders-staging experiment")
    await stage.advance(minutes=8)
    await ana.hears_later("ran to its end")
    assert (await stage.view(request))["state"] == "succeeded"
    await is_running(stage, ana, bo, "run the slow-functions-orders-staging experiment")
    await stage.advance(minutes=8)
    await ana.hears_later("ran to its end")


@pytest.mark.settings(approvers="bo@corp.example,eve@corp.example")
async def test_the_second_person_is_named_in_the_sentence_of_the_reason(stage: Stage, ana: Speaker) -> None:
    await plans(ana, "run the AZ outage experiment on checkout-prod")
    await ana.says("override because bo@corp.example knows of the drill, eve@corp.example is the second person")
    ana.hears("bo@corp.example knows of the drill\n", "eve@corp.example", "Shall I go ahead?")


@pytest.mark.parametrize(
    ("said", "reason", "second"),
    [
        ("we know of it, with eve@corp.example as the second person", "we know of it", "eve@corp.example"),
        ("we know of it and the second person is eve@corp.example.", "we know of it", "eve@corp.example"),
        ("we know of it. Second person: eve@corp.example", "we know of it", "eve@corp.example"),
        ("we know of it, eve@corp.example answers for it with me", "we know of it", "eve@corp.example"),
        ("eve@corp.example asked for it", "eve@corp.example asked for it", ""),
        ("the second person is eve@corp.example", "the second person is eve@corp.example", ""),
    ],
)
def test_who_is_only_mentioned_in_a_reason_is_no_second_person(said: str, reason: str, second: str) -> None:
    assert parted_override(said) == (reason, second)


@pytest.mark.parametrize("channel", ["rest", "account", "console", "slack", "teams"])
async def test_every_other_reason_refuses_and_is_told(theatre: Theatre, tmp_path: Path, channel: str) -> None:
    house = tmp_path / "house.yml"
    freeze = "{name: Year end, since: 2020-01-01T00:00:00Z, until: 2190-01-01T00:00:00Z, stacks: [catalogue-staging]}"
    house.write_text(f"{HOUSE.read_text(encoding='utf-8')}\nfreezes: [{freeze}]\n", encoding="utf-8")
    slack, teams = channel == "slack", channel == "teams"
    async with theatre.open_stage(tmp_path, house_file=house, slack=slack, teams=teams) as stage:
        ana, bo = stage.speaker("Ana Lopez", channel=channel), stage.approver()
        for words, reason, may_be_set_aside in (
            ("run the unguarded-catalogue-prod experiment", "Nothing would stop this experiment by itself", False),
            ("run the AZ outage experiment on checkout-prod", "an insight of high severity is open", True),
            ("run the AZ outage experiment on catalogue-staging", "catalogue-staging is frozen: Year end", True),
        ):
            await plans(ana, words)
            ana.hears(reason, *(["override because"] if may_be_set_aside else []))
            ana.does_not_hear("Shall I go ahead")
            await ana.says("never mind")
        await starts_nothing_once_the_plan_has_changed(stage, ana, bo)
        await is_running(stage, ana, bo, "run the instance-loss-checkout-staging experiment")
        await plans(ana, "run the task-loss-checkout-staging experiment")
        ana.hears("is at work on checkout-staging", "override because")
        ana.does_not_hear("Shall I go ahead")
        assert len(await stage.calls("StartExperiment")) == 1


async def starts_nothing_once_the_plan_has_changed(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await plans(ana)
    await ana.presses("Yes, go ahead")
    request, fis = ana.request, in_account(stage, TEST, "fis")
    template = fis.get_experiment_template(id=template_id("az-outage-checkout-staging"))["experimentTemplate"]
    targets = template["targets"]
    targets["instances"]["selectionMode"] = "COUNT(1)"
    fis.update_experiment_template(id=template["id"], targets=targets)
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("the plan has changed since it was approved", "2 of 6 instances", "1 of 6 instances")
    await stage.reaches(request, "failed")
    assert await stage.calls("StartExperiment") == []


async def test_a_run_that_hits_something_else_is_stopped(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("targets_drift")
    await plans(ana)
    request = await is_approved(ana, bo)
    await ana.hears_later("has been started")
    await stage.advance(seconds=15)
    await ana.hears_later("what it hits is not what was approved")
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")


async def test_it_is_stopped_while_changes_are_paused_and_however_often_fis_refuses(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await is_running(stage, ana, bo)
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("pause changes because the network is being moved")
    await stage.switches_on("throttling", operations=["fis:StopExperiment"])
    await ana.presses("Stop the experiment")
    ana.hears("I keep asking until it is stopped")
    assert status_in_fis(stage) == "running"
    await stage.switches_off("throttling")
    await stage.advance(seconds=10)
    await stage.reaches(request, "stopping")

    async def has_taken_it() -> bool:
        return status_in_fis(stage) == "stopping"

    await eventually(has_taken_it, lambda: "FIS was not asked again")
    await boss.says("resume changes")
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")


async def test_fis_previews_the_targets_touches_nothing_and_the_plan_shows_it(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("preview the AZ outage experiment on checkout-staging")
    ana.hears("every action is skipped", "2 of 6 instances")
    await ana.says("yes")
    ana.hears("needs nobody's approval")
    await has_started(stage)
    await stage.advance(seconds=20)
    await ana.hears_later(
        "touched nothing", "same that I had looked up", "FIS resolved (instances)", "2 instances: i-0"
    )
    assert (await stage.view(ana.request))["outcome"]["status"] == "completed"
    started = await stage.calls("StartExperiment")
    assert [call["params"]["experimentOptions"] for call in started] == [{"actionsMode": "skip-all"}]
    states = [
        i["State"]["Name"]
        for r in in_account(stage, TEST, "ec2").describe_instances()["Reservations"]
        for i in r["Instances"]
    ]
    assert set(states) == {"running"}
    await plans(ana)
    ana.hears("FIS preview", "EXP", "came to the same")


async def test_a_preview_that_comes_to_something_else_says_what(stage: Stage, ana: Speaker) -> None:
    await stage.switches_on("targets_drift")
    await ana.says("preview the task-loss-checkout-staging experiment")
    await ana.says("yes")
    await has_started(stage)
    await stage.advance(seconds=20)
    await ana.hears_later("It is not what I had looked up: target tasks came to 2 tasks, planned were 3")
    await plans(ana, "run the task-loss-checkout-staging experiment")
    ana.hears("came to something else")


async def test_double_clicks_two_people_and_old_cards_start_and_stop_nothing_twice(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await plans(ana)
    await ana.presses("Yes, go ahead")
    request = ana.request
    await ana.presses("Yes, go ahead")
    ana.does_not_hear("is placed")
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("has been started")
    await stage.advance(seconds=15)

    async def presses_stop(email: str) -> str:
        body = {"user": {"email": email}, "press": {"verb": "stop_request", "value": request}}
        answer = await stage.client().post("/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["messages"][0]["text"])

    people = ("ana@corp.example", "ana@corp.example", "cy@corp.example", "dee@corp.example")
    said = await asyncio.gather(*(presses_stop(email) for email in people))
    assert sum("FIS has been asked to end it" in text for text in said) == 1
    assert sum("is being stopped already" in text for text in said) == len(said) - 1
    await stage.advance(seconds=30)
    await stage.reaches(request, "stopped")
    stops = len(await stage.calls("StopExperiment"))
    await ana.presses("Stop the experiment")
    ana.hears("Nothing was stopped", "stopped already")
    assert len(await stage.calls("StopExperiment")) == stops
    assert len(await stage.calls("StartExperiment")) == 1
    assert [entry["id"] for entry in await stage.requests()] == [request]
