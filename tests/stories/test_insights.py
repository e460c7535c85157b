"""What is wrong, in one answer: health, lists in words, one insight with its chart, and wrong questions."""

from __future__ import annotations

import pytest

from tests.stories.accounts import WEBSHOP
from tests.support.stage import Speaker, Stage
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
    await ana.says("insights in eu-west-9")
    ana.hears("eu-west-9 is none of the Regions", "eu-central-1")
    await ana.says("insights in banana")
    ana.hears("no account, OU, Region or stack", "banana", "checkout-service")
    await ana.says("tell me about that one")
    ana.hears("I don't know which insight you mean")


async def test_long_lists_have_pages_and_the_last_of_them_can_be_asked_about(ana: Speaker) -> None:
    await ana.says("insights in the past 6 months")
    ana.hears("Page 1 of", "For more say")
    await ana.presses("Next page")
    ana.hears("11", "Page 2 of")
    await ana.presses("Insight 11")
    ana.hears("Opened", "Id")


async def test_a_region_that_does_not_answer_is_said_to_be_missing(stage: Stage, ana: Speaker) -> None:
    await stage.switches_on("access_denied", operation="devops-guru:ListOrganizationInsights", times=1)
    await ana.says("which insights are open?")
    ana.hears("open insights", "is not all here: AWS answered AccessDeniedException")
    await stage.switches_on("access_denied", operation="devops-guru:ListOrganizationInsights")
    await ana.says("which insights are open?")
    ana.hears("AWS refused ListOrganizationInsights")
    ana.does_not_hear("there are none")


async def test_a_chart_is_a_picture_that_the_console_shows(stage: Stage) -> None:
    ana = stage.speaker("Ana Lopez", channel="console")
    await ana.says("insights for Webshop Prod")
    await ana.says("tell me about the first one")
    page = (await ana.visits("/")).text
    assert 'src="data:image/png;base64,' in page
