"""Experiments that come again: approved once, run at their time, skipped with the reason, ended by anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.recurrence import read_recurrence
from sandbox.chaos_seed import template_id
from tests.stories.accounts import is_approved
from tests.stories.experiments import TEST, in_account, plans
from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel

TUESDAYS = "run the AZ outage experiment on checkout-staging every Tuesday at 10:00 for 15 minutes"
PRODUCTION = "schedule the AZ outage experiment on catalogue-prod every Tuesday at 10:00 UTC"


async def comes(stage: Stage, *, late: timedelta = timedelta(seconds=40)) -> datetime:
    """Let time pass up to the next Tuesday at ten, and a little more."""
    now = stage.application.clock.now()
    due = read_recurrence("every Tuesday at 10:00").after(now)
    assert due
    await stage.advance(seconds=(due + late - now).total_seconds())
    return due


async def is_scheduled(ana: Speaker, bo: Approver) -> str:
    await plans(ana, "schedule the AZ outage experiment on checkout-staging every Tuesday at 10:00")
    schedule = await is_approved(ana, bo)
    await ana.hears_later("comes every Tuesday at 10:00 UTC, for the first time on")
    return schedule


@on_every_channel
async def test_an_experiment_comes_each_week_until_its_schedule_is_ended(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await plans(ana, TUESDAYS)
    ana.hears("every Tuesday at 10:00 UTC", "Next", "at once: this approval stands for them")
    ana.hears("Hits now (instances)", "2 of 6 instances")
    schedule = await is_approved(ana, bo)
    await ana.hears_later("comes every Tuesday at 10:00 UTC, for the first time on")
    await comes(stage)
    await ana.hears_later("As scheduled every Tuesday at 10:00 UTC")
    await ana.hears_later("has been started")
    await stage.advance(minutes=14)
    await ana.hears_later("ran to its end")
    await ana.says("which experiments are scheduled?")
    ana.hears("az-outage-checkout-staging", "every Tuesday at 10:00 UTC", "request qm-", schedule)
    await ana.says("end the experiment schedule")
    ana.hears("The schedule of az-outage-checkout-staging", schedule, "has ended; what is running goes on")
    await comes(stage)
    await ana.says("which experiments are scheduled?")
    ana.hears("No experiment is scheduled")
    assert len(await stage.calls("StartExperiment")) == 1


async def test_a_run_is_skipped_for_what_stands_against_it_then_and_says_so(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await is_scheduled(ana, bo)
    watch, fis = in_account(stage, TEST, "cloudwatch"), in_account(stage, TEST, "fis")
    now = stage.application.clock.now()
    due = read_recurrence("every Tuesday at 10:00").after(now)
    assert due
    await stage.advance(seconds=(due - now).total_seconds() - 60)
    watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="ALARM", StateReason="a rehearsal")
    await stage.advance(seconds=100)
    await ana.hears_later("was skipped: The alarm checkout-staging-errors fires already. It comes again on Tue")
    await comes(stage, late=timedelta(hours=2))
    await ana.hears_later("was skipped: its time went by while I was not there")
    template = fis.get_experiment_template(id=template_id("az-outage-checkout-staging"))["experimentTemplate"]
    targets = template["targets"]
    targets["instances"]["selectionMode"] = "COUNT(1)"
    fis.update_experiment_template(id=template["id"], targets=targets)
    await comes(stage)
    await ana.hears_later("was skipped: its template has been changed since the schedule was approved")
    assert await stage.calls("StartExperiment") == []


async def test_in_production_each_run_is_approved_at_its_time_or_lapses_within_the_hour(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await plans(ana, PRODUCTION)
    ana.hears("after 1 approval, asked for at its time; within 60 minutes of their time, or not at all")
    await is_approved(ana, bo)
    await ana.hears_later("comes every Tuesday")
    await comes(stage)
    await ana.hears_later("As scheduled", "was asked to approve it")
    run = ana.request
    await stage.advance(minutes=61)
    await stage.reaches(run, "expired")
    assert await stage.calls("StartExperiment") == []


async def test_what_can_not_be_scheduled_is_said_and_it_means_the_experiment_talked_about(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("schedule the AZ outage experiment on checkout-staging every month")
    ana.hears("I can repeat things on days of the week, or on one of a month, only", "every Tuesday at 10:00")
    await ana.says("every Friday at 16:00 CET")
    ana.hears("“CET” can mean several time zones")
    await ana.says("every Friday at 16:00 Europe/Berlin")
    ana.hears("What do you expect to stay true")
    await ana.says("cancel")
    await plans(ana, "run the unguarded-catalogue-prod experiment every Tuesday at 10:00")
    ana.hears("Nothing would stop this experiment by itself")
    assert await stage.requests() == []


async def test_an_experiment_runs_once_on_a_date_and_another_every_second_week(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    now = stage.application.clock.now()
    day = (now + timedelta(days=9)).date()
    await plans(ana, f"run the AZ outage experiment on checkout-staging on {day.day} {day:%B} at 10:00 Europe/Berlin")
    ana.hears(f"on {day} at 10:00 Europe/Berlin", "at once: this approval stands for them")
    await is_approved(ana, bo)
    await ana.hears_later("comes once, on")
    due = read_recurrence(f"on {day} at 10:00 Europe/Berlin").after(now)
    assert due
    await stage.advance(seconds=(due - now).total_seconds() + 40)
    await ana.hears_later(f"As scheduled on {day}")
    await ana.hears_later("has been started")
    await ana.says("which experiments are scheduled?")
    ana.hears("No experiment is scheduled")
    await plans(ana, "run the AZ outage experiment on checkout-staging every second Friday at 16:00 Europe/Berlin")
    ana.hears("every second Friday from 20", "at 16:00 Europe/Berlin")
    later = (stage.application.clock.now() - timedelta(days=1)).date()
    await ana.says("no")
    await ana.says(f"run the AZ outage experiment on checkout-staging on {later} at 10:00")
    ana.hears("is over")
