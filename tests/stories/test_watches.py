"""The bot speaks first: insights are told where somebody asked for it, kept up to date, and it can be left alone."""

from __future__ import annotations

import pytest

from tests.stories.news import has_heard, listens, plays, publishes_again
from tests.support.stage import Speaker, Stage
from tests.support.theatre import on_every_database

LAMBDA = "Lambda p50 duration is anomalous in checkout-service"
ECS = "ECS memory utilization will reach its limit in orders-service"


@pytest.mark.parametrize("ana", ["rest", "account", "console"], indirect=True)
async def test_a_deployment_slows_a_function_down_and_it_is_followed_to_the_fix(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("tell us here about insights in Production")
    ana.hears("From now on I tell you here about new insights in Platform/Prod and Workloads/Prod")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await ana.hears_later(f"Medium: {LAMBDA}", "Webshop Prod (666677778888)", "Workloads/Prod", "Duration (p50)")
    ana.hears("A deployment came 12 min before it", "Configure provisioned concurrency")
    await stage.advance(minutes=30)
    await ana.hears_later("its severity is high now.")
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=16)
    await ana.hears_later("it has closed, after 4")
    await ana.says("what do you watch for?")
    ana.hears("here", "new insights in Platform/Prod and Workloads/Prod")
    await ana.says("stop telling us about insights in Production")
    ana.hears("no more about new insights in Platform/Prod and Workloads/Prod")


@on_every_database
async def test_each_piece_of_news_is_told_once_also_when_it_is_told_twice(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("tell us here about lambda insights")
    await plays(stage, "lambda-duration")
    for _ in range(3):
        await stage.advance(minutes=11)
    await ana.hears_later("a further anomaly belongs to it: ConcurrentExecutions of checkout-handler.")
    await publishes_again(stage, await has_heard(stage, 3))
    await stage.advance(minutes=11)
    await ana.hears_later("its severity is high now.")
    await ana.heard_once(f"Medium: {LAMBDA}", "DevOps Guru advises", "a further anomaly", "its severity is high now")


async def test_memory_climbs_and_the_time_at_which_it_is_used_up_is_told(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("tell me about new proactive insights of the stack orders-service")
    ana.hears("new proactive insights of orders-service")
    await plays(stage, "ecs-memory")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=40)
    await ana.hears_later(f"Medium: {ECS}", "Expected", "Chart of MemoryUtilization of orders")
    ana.hears("Raise the memory of the task definition")
    ana.does_not_hear(LAMBDA)
    await plays(stage, "ecs-memory", fixed=True)
    await stage.advance(minutes=25)
    await ana.hears_later("it has closed")


async def test_what_is_muted_is_told_afterwards_in_one_message(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("tell us here about high severity insights in Production")
    await ana.says("tell us here about insights in eu-central-1")
    await ana.says("tell us here about lambda insights")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await ana.hears_later(f"Medium: {LAMBDA}")
    await ana.says("mute this for 2 hours")
    ana.hears("I keep quiet here about this insight until")
    await ana.says("what do you watch for?")
    ana.hears("3 things", "Muted: insight", "until")
    await stage.advance(minutes=40)
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=20)
    await ana.says("mute account Webshop Test until tomorrow")
    ana.hears("the account Webshop Test", "until")
    ana.does_not_hear("severity is high now")
    await has_heard(stage, 5)
    await stage.advance(minutes=65)
    await ana.hears_later("Held back until now: 4 pieces of news")
    await ana.heard_once(f"Medium: {LAMBDA}", "its severity is high now", "it has closed")


async def test_quiet_hours_hold_back_all_but_what_is_grave(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    begin = stage.application.clock.now()
    end = begin.hour + 3
    await ana.says(
        f"tell us here about insights of the stack checkout-service, quiet from {begin:%H:00} to {end % 24}:00 UTC, "
        "unless high severity"
    )
    ana.hears("quiet from", "but for high severity", "summary afterwards")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=35)
    await has_heard(stage, 3)
    await stage.advance(minutes=10)
    await ana.hears_later(f"High: {LAMBDA}")
    ana.does_not_hear("Medium:", "DevOps Guru advises:")
    await stage.advance(hours=3)
    await ana.hears_later("Held back until now:", "a medium severity insight has opened")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("tell us here about insights in banana", "no account, OU, Region or service"),
        ("tell us here about insights since Monday", "no time in the past"),
        ("tell #nowhere about high severity insights", "I know no channel called #nowhere"),
        ("tell us here about insights, quiet from 27:00 to 6:00", "27:00"),
        ("stop telling us about lambda insights", "There is no such watch"),
        ("mute this for 2 hours", "I don't know which insight you mean"),
        ("should I tell #ops about high severity insights?", "I have done nothing"),
    ],
)
async def test_orders_that_can_not_be_carried_out_say_why(ana: Speaker, said: str, heard: str) -> None:
    await ana.says(said)
    ana.hears(heard)


async def test_several_watches_are_told_apart_when_one_is_to_end(stage: Stage, ana: Speaker) -> None:
    await ana.says("tell us here about high severity insights in Production")
    await ana.says("tell us here about lambda insights")
    await ana.says("stop telling us about insights")
    ana.hears("There are 2 watches for this channel. Which shall I end?")
    await ana.presses("Stop: new insights of LAMBDA")
    ana.hears("no more about new insights of LAMBDA")
    await ana.says("stop telling us about high severity insights in Production")
    ana.hears("no more about new high severity insights")
    await ana.says("what do you watch for?")
    ana.hears("nothing here")
