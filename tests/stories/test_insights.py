"""What is wrong, in one answer: health, lists in words, one insight with its chart, and wrong questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from intents.insights.listing import InsightsList
from tests.stories.accounts import WEBSHOP, tag
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel

NETWORK_HUB = "777788889999"


@on_every_channel
async def test_what_is_wrong_is_listed_and_told_up_to_what_to_do(stage: Stage, ana: Speaker) -> None:
    await ana.says("what's wrong in production?")
    ana.hears("open insights in Platform/Prod and Workloads/Prod", "3 high")
    ana.hears("Lambda p50 duration", f"Webshop Prod ({WEBSHOP})", "us-east-1", "open for 2 h", "API Gateway")
    ana.does_not_hear("DynamoDB", "Webshop Test")
    await ana.says("tell me about the first one")
    ana.hears("Lambda p50 duration is anomalous", f"Webshop Prod ({WEBSHOP})", "High, reactive")
    ana.hears("checkout-service", "Duration (p50) of checkout-handler", "A deployment came 12 min before it")
    ana.hears("the insight opens", "provisioned concurrency", "https://docs.aws.amazon.com/")
    await ana.says("show its events")
    ana.hears("UpdateFunctionCode20150331v2 (deployment)", "the insight opens")
    await ana.says("the second one")
    ana.hears("ECS memory utilization will reach its limit", "High, proactive", "expected to reach 100 %")
    await ana.says("what should I do about it?")
    ana.hears("Raise the memory of the task definition")


@on_every_channel
async def test_what_came_before_an_insight_is_told_of_our_own_making_too(stage: Stage, ana: Speaker) -> None:
    await ana.says("insights for Webshop Prod")
    await ana.says("was it a deployment?")
    ana.hears("I showed 3 insights", "Say which")
    await ana.says("the first one")
    ana.hears("Lambda p50 duration is anomalous")
    for said in ("was it a deployment?", "what came before it?", "was it a release of ours?"):
        await ana.says(said)
        ana.hears("Events around “Lambda p50 duration")
        ana.hears("No request of ours touched its account", "A deployment came 12 min before it", "the insight opens")
    await ana.says("tell me more")
    ana.hears("Lambda p50 duration is anomalous", "provisioned concurrency")
    await ana.says("help")
    await ana.says("was it a release of ours?")
    ana.does_not_hear("Events around")


@on_every_channel
async def test_health_and_what_is_not_watched_are_told_on_every_channel(stage: Stage, ana: Speaker) -> None:
    await ana.says("how healthy is the organization?")
    ana.hears("10 open insights in 6 accounts", "Mean time to recover", "Workloads/Prod")
    ana.hears("Not watched: Old Intranet", "older than DevOps Guru's administrator")
    await ana.presses("What is not watched?")
    ana.hears("3 places not watched", "Webshop Test", "webshop-test", "only chosen stacks")


@on_every_channel
async def test_a_list_is_narrowed_by_what_is_said_next(stage: Stage, ana: Speaker) -> None:
    await ana.says("which insights are open in Workloads?")
    ana.hears("open insights in Workloads", "Lambda", "DynamoDB")
    await ana.says("just the high ones")
    ana.hears("open high severity insights in Workloads", "Lambda")
    ana.does_not_hear("DynamoDB")
    await ana.says("only the reactive ones")
    ana.hears("1 open high severity reactive insight in Workloads", "Lambda")
    await ana.says("tell me about the first one")
    ana.hears("Lambda p50 duration is anomalous")
    await ana.says("and in eu-central-1?")
    ana.hears("Open high severity reactive insights in Workloads and eu-central-1: there are none")
    await ana.says("what about Atlantis?")
    ana.hears("no account, OU, Region, stack or resource", "atlantis")
    await ana.says("what about Network Hub in us-east-1?")
    ana.hears("high severity reactive insight", f"in Network Hub ({NETWORK_HUB}) and us-east-1")
    await ana.says("and yesterday?")
    ana.hears("high severity reactive insight", "in Network Hub", "and us-east-1 opened on 20")


async def test_health_is_told_of_another_place_and_its_insights_are_listed_next(ana: Speaker) -> None:
    await ana.says("how healthy is Workloads?")
    ana.hears("open insights in", "in Workloads", "Webshop Prod")
    await ana.says("only in Production")
    ana.hears("open insights in", "Platform/Prod and Workloads/Prod", "Mean time to recover")
    ana.does_not_hear("Webshop Test")
    await ana.says("and by service?")
    ana.hears("Platform/Prod and Workloads/Prod", "Service", "LAMBDA")
    await ana.says("what about Network Hub?")
    ana.hears(f"in Network Hub ({NETWORK_HUB})", "Service", "Recovery")
    await ana.says("just the medium ones")
    ana.hears(f"medium severity insights in Network Hub ({NETWORK_HUB})")


async def test_a_narrowed_list_has_pages_too(ana: Speaker) -> None:
    await ana.says("show insights")
    await ana.says("and in the past 6 months?")
    ana.hears("insights opened in the past 180 days", "Page 1 of")
    await ana.says("next page")
    ana.hears("insights opened in the past 180 days", "Page 2 of")
    await ana.says("only the high ones")
    ana.hears("high severity insights opened in the past 180 days", "Page 1 of")
    await ana.says("the next ones")
    ana.hears("high severity insights opened in the past 180 days", "Page 2 of")
    await ana.says("and a new sandbox account in Demos")
    ana.hears("e-mail")


@pytest.mark.parametrize(
    "said",
    ["just the high ones", "only the reactive ones", "and yesterday?", "and in eu-central-1?", "only in Production",
     "what about staging?", "and the closed ones?"],
)  # fmt: skip
async def test_what_narrows_nothing_that_was_shown_is_no_question_about_insights(ana: Speaker, said: str) -> None:
    await ana.says(said)
    ana.does_not_hear("High", "opened", "there are none", "open for")
    assert "did not understand" in ana.last_heard or "not sure what you mean" in ana.last_heard, ana.transcript()
    await ana.says("which insights are open?")
    await ana.says("help")
    await ana.says(said)
    ana.does_not_hear("opened", "there are none", "open for")


@pytest.mark.parametrize(
    ("said", "heard", "silent"),
    [
        ("health by service", ["Service", "7 days", "Recovery", "DYNAMO_DB"], "Stack "),
        ("health by account in Workloads", ["in Workloads", "Webshop Prod", "Webshop Test"], "Network Hub"),
        ("which OUs are unhealthy", ["Workloads", "Workloads/Prod", "Platform"], "Stack "),
        ("health of Network Hub by stack", ["Network Hub", "network-core", "routing-database"], "checkout-service"),
        ("which stacks are unhealthy in Workloads?", ["in Workloads", "checkout-service"], "network-core"),
        ("health in eu-central-1 by region", ["Region ", "eu-central-1"], "us-east-1"),
    ],
)
async def test_health_is_told_by_place_and_of_places(ana: Speaker, said: str, heard: list[str], silent: str) -> None:
    await ana.says(said)
    ana.hears(*heard)
    ana.does_not_hear(silent)


async def test_health_by_tag_counts_accounts_and_insights_by_what_they_are_tagged(stage: Stage, ana: Speaker) -> None:
    tag(stage, WEBSHOP, team="webshop")
    tag(stage, NETWORK_HUB, team="network")
    await ana.says("health by tag team")
    ana.hears("Tag", "team=webshop", "team=network", "without the tag team")
    await ana.says("insights tagged team=webshop")
    ana.hears("3 open insights tagged team=webshop", "Lambda")
    ana.does_not_hear("NAT")


@on_every_channel
async def test_a_stack_is_watched_after_its_cost_was_shown_and_approved(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await ana.says("cover stack webshop-test with DevOps Guru")
    ana.hears("Which account is the stack in?")
    await ana.says("Webshop Test")
    await ana.says("us-east-1")
    ana.hears("Have DevOps Guru watch the stack webshop-test of Webshop Test", "Cost a month", "3.07 USD")
    await ana.presses("Yes, go ahead")
    request = ana.request
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await stage.reaches(request, "succeeded")
    await ana.hears_later("watches the stack webshop-test", "baselining")
    await ana.says("which stacks are not watched?")
    ana.hears("2 places not watched", "Old Intranet")
    ana.does_not_hear("only chosen stacks")


async def test_a_stack_that_is_watched_is_not_covered_again(ana: Speaker) -> None:
    await ana.says("which stacks are not watched?")
    ana.hears("3 places not watched", "webshop-test", "only chosen stacks")
    await ana.says("cover stack webshop-prod of account 666677778888 in us-east-1")
    ana.hears("watched already")


@on_every_channel
@pytest.mark.settings(insight_providers="cloudwatch")
async def test_alarms_of_cloudwatch_are_insights_with_the_band_that_was_expected(stage: Stage, ana: Speaker) -> None:
    tag(stage, WEBSHOP, team="webshop")
    await ana.says("high severity insights tagged team=webshop")
    ana.hears("2 open high severity insights tagged team=webshop", "Critical: Lambda p50", "From Amazon CloudWatch")
    await ana.says("tell me about the first one")
    ana.hears("Duration (p50) of checkout-handler", "was expected", "A deployment came", "Look at the alarm")
    ana.hears("From Amazon CloudWatch")
    await ana.says("show its events")
    ana.hears("UpdateFunctionCode20150331v2 (deployment)")
    await ana.says("health by tag team")
    ana.hears("team=webshop", "From Amazon CloudWatch")


@pytest.mark.settings(insight_providers="devops-guru,cloudwatch")
async def test_what_both_providers_tell_is_shown_once_and_answers_say_who_tells(stage: Stage, ana: Speaker) -> None:
    await ana.says("which insights are open in Webshop Prod?")
    ana.hears("3 open insights", "Lambda p50 duration", "2 of these are told by Amazon CloudWatch as well")
    ana.hears("From Amazon DevOps Guru and Amazon CloudWatch")
    await ana.says("insights for the function checkout-handler")
    ana.hears("1 open insight of the resource checkout-handler")
    await ana.says("tell me about that one")
    ana.hears("provisioned concurrency", "From Amazon DevOps Guru")
    await ana.presses("The alarm about it")
    ana.hears("was expected", "Look at the alarm", "From Amazon CloudWatch")
    await ana.says("what is not watched?")
    ana.hears("Old Intranet", "and has no alarm at all")
    ana.does_not_hear("webshop-test")
    await stage.switches_on("access_denied", operation="cloudwatch:DescribeAlarms")
    await stage.advance(minutes=10)
    await ana.says("which insights are open in eu-central-1?")
    ana.hears("Playground", "eu-central-1 is without", "no access", "Amazon CloudWatch")


@pytest.mark.parametrize("channel", ["rest", "teams"])
async def test_first_results_do_not_wait_and_the_rest_is_filled_in(
    theatre: Theatre, tmp_path: Path, channel: str
) -> None:
    async with theatre.open_stage(tmp_path, teams=channel == "teams") as stage:
        ana = stage.speaker("Ana Lopez", channel=channel)
        desk = stage.application.services.registry.get("InsightsList")
        assert isinstance(desk, InsightsList)
        await ana.says("help")
        desk._watcher.patience = 0.5
        await stage.switches_on("hang", operation="devops-guru:ListOrganizationInsights", times=1)
        await ana.says("which insights are open?")
        ana.hears("what I have read so far" if channel == "teams" else "First results")
        await ana.hears_later("some parts of the organization are still being read", "follows by itself")
        await stage.switches_off("hang")
        await ana.hears_later("10 open insights (3 high, 5 medium, 2 low)")


async def test_performance_insights_and_all_recommendations_are_shown(ana: Speaker) -> None:
    await ana.says("insights for the stack routing-database")
    await ana.says("tell me about the first one")
    ana.hears(
        "DBLoad waiting for Lock:tuple (Performance Insights) of routing: avg usually 1.4, now 11.6; 4 processors"
    )
    ana.hears("CreateDeployment (deployment)", "9 more recommendations")
    await ana.says("what should I do about it?")
    ana.hears("Tune the statement 12 of the top SQL", "Because of")


async def test_the_organization_is_on_one_card(stage: Stage, ana: Speaker) -> None:
    await ana.says("how healthy is the organization?")
    ana.hears("10 open insights in 6 accounts", "Severity", "Reactive", "Proactive", "High", "2", "1")
    ana.hears("Opened in 7 days", "the week before", "Mean time to recover", "us-east-1")
    ana.hears(f"Webshop Prod ({WEBSHOP})", "Workloads/Prod", "checkout-service", "Gravest: 1. Lambda")
    await ana.presses("Insight 1")
    ana.hears("Lambda p50 duration is anomalous", "State", "open for")


@pytest.mark.parametrize(
    ("said", "heard", "silent"),
    [
        ("high severity insights in the last 12h", ["2 high severity insights opened in the past 12 hours"], "NAT"),
        ("insights for account 666677778888 in eu-central-1", ["1 open insight in Webshop Prod", "API Gateway"], "ECS"),
        ("insights for Network Hub and Webshop Test", ["4 open insights", "Network Hub", "Webshop Test"], "Lambda"),
        ("insights in Workloads", ["open insights in Workloads", "Webshop Prod", "Webshop Test"], "Network"),
        (
            "closed insights in the past 3 days",
            ["closed insights in the past 3 days", "closed after 1 h 30 min"],
            "ECS",
        ),
        ("is anything about to run out of memory?", ["1 open proactive insight about memory", "ECS memory"], "RDS"),
        ("which databases are about to fill up?", ["open proactive insights of RDS", "Network Hub"], "Lambda"),
        ("insights for the stack cart-table", ["insight of cart-table", "Webshop Test"], "Lambda"),
        ("medium severity or higher lambda insights since yesterday", ["high and medium", "Lambda"], "DynamoDB"),
    ],
)
async def test_filters_are_understood_in_words(ana: Speaker, said: str, heard: list[str], silent: str) -> None:
    await ana.says(said)
    ana.hears(*heard)
    ana.does_not_hear(silent)


async def test_what_can_not_be_is_answered_with_what_can(ana: Speaker) -> None:
    await ana.says("insights for account banana")
    ana.hears("There is no account called “banana”", "by its id, its name")
    await ana.says("insights in the past 200 days")
    ana.hears("kept for 180 days", "Ask for a shorter time")
    await ana.says("insights in Wrkloads")
    ana.hears("Did you mean Workloads")
    await ana.says("insights for the OU Platfrm")
    ana.hears("There is no OU called “platfrm”", "Did you mean Platform")
    await ana.says("insights in eu-centrl-1")
    ana.hears("Did you mean eu-central-1?")
    await ana.says("insights of tomorrow")
    ana.hears("lies ahead", "Ask about what was")
    await ana.says("health of banana")
    ana.hears("no account, OU, Region, stack or resource", "banana")
    await ana.says("how healthy is Atlantis?")
    ana.hears("no account, OU, Region, stack or resource", "atlantis")
    await ana.says("insights in eu-west-9")
    ana.hears("eu-west-9 is none of the Regions", "eu-central-1")
    await ana.says("insights in banana")
    ana.hears("no account, OU, Region, stack or resource", "banana", "checkout-service")
    await ana.says("tell me about that one")
    ana.hears("I don't know which insight you mean")


async def test_long_lists_have_pages_and_the_last_of_them_can_be_asked_about(ana: Speaker) -> None:
    await ana.says("insights in the past 6 months")
    ana.hears("Page 1 of", "For more say")
    await ana.presses("Next page")
    ana.hears("11", "Page 2 of")
    await ana.says("show me the next ones, please")
    ana.hears("21", "Low", "SQS age of oldest message", "Network Lab (777799990000)", "Page 3 of")
    await ana.says("show me the 21st")
    ana.hears("SQS age of oldest message", "Network Lab (777799990000)", "Opened", "Id")
    await ana.says("insight 3")
    ana.does_not_hear("SQS", "write throttling")
    ana.hears("Opened", "Id")
    await ana.says("more")
    ana.hears("31", "Page 4 of")
    await ana.says("insights in the past 6 months, page 2")
    await ana.presses("Insight 11")
    ana.hears("Opened", "Id")


async def test_a_region_that_does_not_answer_is_said_to_be_missing(stage: Stage, ana: Speaker) -> None:
    await stage.switches_on("access_denied", operation="devops-guru:ListOrganizationInsights", times=1)
    await ana.says("which insights are open?")
    ana.hears("open insights", "is not all here: no access, AWS answered AccessDeniedException")
    await stage.switches_on("access_denied", operation="devops-guru:ListOrganizationInsights")
    await stage.advance(minutes=10)  # what was just read serves for some minutes
    await ana.says("which insights are open?")
    ana.hears("AWS refused ListOrganizationInsights")
    ana.does_not_hear("there are none")


async def test_a_chart_is_a_picture_that_the_console_shows(stage: Stage) -> None:
    ana = stage.speaker("Ana Lopez", channel="console")
    await ana.says("insights for Webshop Prod")
    await ana.says("tell me about the first one")
    page = (await ana.visits("/")).text
    assert 'src="data:image/svg+xml;base64,' in page
