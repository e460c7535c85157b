"""The bot speaks first: insights are told where somebody asked for it, kept up to date, and it can be left alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.causes import Cause, Trouble
from tests.stories.accounts import DEMO_BOOTH, WEBSHOP, is_approved, tag
from tests.stories.news import has_heard, listens, plays, publishes_again
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel, on_every_database

LAMBDA = "Lambda p50 duration is anomalous in checkout-service"
ECS = "ECS memory utilization will reach its limit in orders-service"


@on_every_channel
async def test_a_deployment_slows_a_function_down_and_it_is_followed_to_the_fix(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("tell us here about insights in Production")
    ana.hears("From now on I tell you here about new insights in Platform/Prod and Workloads/Prod")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await ana.follows(f"Medium: {LAMBDA}")
    await ana.hears_later(f"Medium: {LAMBDA}", "Webshop Prod (666677778888)", "Workloads/Prod")
    ana.hears("A deployment came 12 min before it", "Configure provisioned concurrency")
    await stage.advance(minutes=30)
    await ana.hears_later("a further anomaly belongs to it", "ConcurrentExecutions (Maximum) of checkout-handler")
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


@on_every_channel
async def test_an_insight_just_shown_is_left_alone_for_two_hours_and_what_was_held_is_told_then(
    stage: Stage, ana: Speaker
) -> None:
    await listens(stage)
    await ana.says("tell us here about lambda insights")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await ana.follows(f"Medium: {LAMBDA}")
    await ana.hears_later(f"Medium: {LAMBDA}")
    await ana.says("mute this for 2 hours")
    ana.hears("I keep quiet here about this insight until")
    await stage.advance(minutes=30)
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=16)
    await has_heard(stage, 4)
    await ana.says("what do you watch for?")
    ana.hears(f"Muted: {LAMBDA}", "until")
    ana.does_not_hear("severity is high now", "it has closed")
    await stage.advance(minutes=80)
    await ana.follows("Held back until now")
    await ana.hears_later("Held back until now", "it has closed")
    await ana.says("show its events")
    ana.hears("Events around “Lambda p50 duration")


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
    ana.hears("3 things", f"Muted: {LAMBDA}", "until")
    await ana.says("unmute this")
    ana.hears("I tell you here about this insight again")
    await ana.presses("Mute for 2 hours")
    ana.hears("I keep quiet here about this insight until")
    await stage.advance(minutes=40)
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=20)
    await ana.says("mute everything in Webshop Test until tomorrow")
    ana.hears("the account Webshop Test", "until")
    ana.does_not_hear("severity is high now")
    await has_heard(stage, 5)
    await stage.advance(minutes=65)
    await ana.hears_later("Held back until now: 4 pieces of news")
    await ana.heard_once(f"Medium: {LAMBDA}", "its severity is high now", "it has closed")


@on_every_channel
async def test_quiet_hours_hold_back_all_but_what_is_grave(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    begin = stage.application.clock.now()
    end = begin.hour + 3
    await ana.says(
        f"tell us here about insights of the stack checkout-service, quiet from {begin:%H:00} to {end % 24}:00 UTC, "
        "unless high severity"
    )
    ana.hears("Quiet", "but for high severity", "summary afterwards")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=35)
    await has_heard(stage, 3)
    await stage.advance(minutes=10)
    await ana.follows(f"High: {LAMBDA}")
    await ana.hears_later(f"High: {LAMBDA}")
    ana.does_not_hear("Medium:", "DevOps Guru advises:")
    await stage.advance(hours=3)
    await ana.follows("Held back until now:")
    await ana.hears_later("Held back until now:", "a medium severity insight has opened")


@on_every_channel
async def test_a_conversation_is_left_alone_at_night_from_when_it_says_so(stage: Stage, ana: Speaker) -> None:
    await listens(stage)
    await ana.says("don't bother us at night")
    ana.hears("about no insights of my own accord", "Say “tell us here about")
    await ana.says("tell us here about lambda insights")
    await stage.advance(minutes=1)
    await ana.says("tell us here about insights in eu-central-1")
    await ana.says("don't bother us at night")
    ana.hears(
        "I tell you here nothing about new insights of LAMBDA", "from 22:00 to 07:00 UTC", "as a summary afterwards"
    )
    await ana.says("what do you watch for?")
    ana.hears("new insights of LAMBDA; quiet from 22:00 to 07:00 UTC", "eu-central-1; quiet from 22:00 to 07:00 UTC")
    hour = stage.application.clock.now().hour
    await ana.says(f"don't disturb us about lambda insights between {hour}:00 and {(hour + 3) % 24}:00")
    ana.hears("nothing about new insights of LAMBDA", f"from {hour:02}:00 to")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await has_heard(stage, 1)
    await ana.says("what do you watch for?")
    ana.hears("new insights of LAMBDA; quiet from", "eu-central-1; quiet from 22:00 to 07:00 UTC")
    ana.does_not_hear("Medium:")
    await ana.says("you may bother us at night again")
    ana.hears("at any time again")
    await stage.advance(minutes=2)
    await ana.follows("Held back until now")
    await ana.hears_later("Held back until now: 1 piece of news", "a medium severity insight has opened")
    await ana.says("end the quiet hours")
    ana.hears("I keep no quiet hours for you here")


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
        ("end the quiet hours", "so I disturb nobody. Say “tell us here about"),
        ("why don't you bother us at night?", "I have done nothing"),
    ],
)
async def test_orders_that_can_not_be_carried_out_say_why(ana: Speaker, said: str, heard: str) -> None:
    await ana.says(said)
    ana.hears(heard)


async def test_several_watches_are_told_apart_when_one_is_to_end(stage: Stage, ana: Speaker) -> None:
    await ana.says("tell us here about high severity insights in Production")
    await ana.says("tell us here about lambda insights")
    await ana.says("stop telling us about insights")
    ana.hears("There are 2 watches for you here. Which shall I end?")
    await ana.presses("Stop: new insights of LAMBDA")
    ana.hears("no more about new insights of LAMBDA")
    await ana.says("stop telling us about high severity insights in Production")
    ana.hears("no more about new high severity insights")
    await ana.says("what do you watch for?")
    ana.hears("nothing here")


@on_every_channel
async def test_what_opens_after_a_request_of_ours_is_told_in_its_conversation_too(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await listens(stage)
    ola = stage.speaker("Ola Nord")
    await ola.says("tell us here about lambda insights")
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    await ana.says("change the owner of Demo Booth to cy@corp.example")
    request = await is_approved(ana, bo)
    await ana.hears_later("is cy@corp.example now")
    await plays(stage, "lambda-duration", account=DEMO_BOOTH)
    await stage.advance(minutes=13)
    await ana.hears_later(f"after request {request} on the same account. It may have to do with it.")
    await ola.hears_later(f"Medium: {LAMBDA}", "Came after:", f"request {request} on the same account")
    await ana.says("was it a release of ours?")
    ana.hears("Events around “Lambda p50 duration", "Came after", f"request {request} on the same account")
    ana.does_not_hear("No request of ours")
    await plays(stage, "lambda-duration", account=DEMO_BOOTH, fixed=True)
    await stage.advance(minutes=20)
    await ana.hears_later("it has closed")
    await ola.hears_later("it has closed")
    await stage.advance(minutes=60)
    await plays(stage, "lambda-duration", account=DEMO_BOOTH)
    await stage.advance(minutes=13)
    await ola.hears_later(f"Medium: {LAMBDA}")
    await ana.heard_once("It may have to do with it.")


class Laboratory:
    """One experiment that runs all the time in Webshop Prod."""

    async def causes_of(self, trouble: Trouble) -> list[Cause]:
        if trouble.account != WEBSHOP:
            return []
        begun = trouble.since - timedelta(minutes=5)
        return [Cause("experiment", "qm-22222222", "", "", begun, "stack checkout-service", is_certain=True)]


@on_every_channel
async def test_what_an_experiment_causes_is_marked_as_such(stage: Stage, ana: Speaker) -> None:
    stage.application.services.causes.connect(Laboratory())
    await listens(stage)
    await ana.says("tell us here about lambda insights")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await ana.follows(f"During an experiment: Medium: {LAMBDA}")
    await ana.hears_later(f"During an experiment: Medium: {LAMBDA}", "Caused by", "a running experiment qm-22222222")
    await ana.says("tell me about that one")
    ana.hears(f"During an experiment: {LAMBDA}", "Caused by", "a running experiment qm-22222222")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_watches_mutes_and_what_was_held_back_outlive_the_process(
    theatre: Theatre, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    url = f"sqlite:///{tmp_path}/kept.sqlite" if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with theatre.open_stage(first, database_url=url) as stage:
        await listens(stage)
        ana = stage.speaker("Ana Lopez")
        await ana.says("tell us here about lambda insights")
        await plays(stage, "lambda-duration")
        await stage.advance(minutes=13)
        await ana.hears_later(f"Medium: {LAMBDA}")
        await ana.says("mute this for 2 hours")
        await stage.advance(minutes=10)
        told = await has_heard(stage, 2)
        (watch,) = await stage.application.services.watches.active("insights")
    async with theatre.open_stage(second, database_url=url) as stage:
        await listens(stage)
        stage.aws("sns").publish(TopicArn=told[0]["topic"], Message=told[0]["message"])
        await has_heard(stage, 3)
        await stage.advance(hours=2, minutes=5)
        said: list[str] = []

        async def is_told() -> bool:
            said[:] = [m.text for m in await stage.application.services.conversations.after(watch.room.id)]
            return any("Held back until now: 1 piece of news" in text for text in said)

        await eventually(is_told, lambda: "\n".join(said))
        for words in (f"Medium: {LAMBDA}", "DevOps Guru advises", "Held back until now"):
            assert sum(words in text for text in said) == 1, words


async def test_what_sns_never_told_is_found_and_told(stage: Stage, ana: Speaker) -> None:
    await ana.says("tell us here about lambda insights")
    await stage.advance(minutes=1)
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=25)
    await ana.hears_later(f"Medium: {LAMBDA}")
    ana.does_not_hear("DynamoDB", "open for")
    await plays(stage, "lambda-duration", fixed=True)
    await stage.advance(minutes=20)
    await ana.hears_later("it has closed, after 2")
    await ana.heard_once(f"Medium: {LAMBDA}", "it has closed")
