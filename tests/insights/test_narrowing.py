"""Follow-ups: what they name is changed, the rest is kept, and what a card asked can be asked again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.dialogue.phrases import bare
from bot.errors import Invalid
from bot.organization import Organization, Unit
from intents.insights.filters import Filters, read_filters
from intents.insights.narrowing import FOLLOW_UPS, read_follow_up, say_filters, say_health

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
REGIONS = ("us-east-1", "eu-central-1", "eu-west-1")
SHOP, HUB = "666677778888", "777788889999"


def _account(identifier: str, name: str) -> dict[str, str]:
    return {"Id": identifier, "Name": name, "Email": f"{identifier}@corp.example", "Status": "ACTIVE"}


ORGANIZATION = Organization(
    units=(
        Unit("ou-plat", "Platform", "Platform", True),
        Unit("ou-pprod", "Prod", "Platform/Prod", True),
        Unit("ou-work", "Workloads", "Workloads", True),
        Unit("ou-wprod", "Prod", "Workloads/Prod", True),
        Unit("ou-data", "Data Lake", "Workloads/Data Lake", True),
    ),
    accounts=(_account(SHOP, "Webshop Prod"), _account(HUB, "Network Hub")),
)


def _read(text: str) -> Filters:
    return read_filters(text, {}, NOW, ORGANIZATION, REGIONS)


@pytest.mark.parametrize(
    "said",
    [
        "insights",
        "which insights are open?",
        "what's wrong in production?",
        "high severity insights in the last 12h",
        "medium or higher lambda insights since yesterday",
        "insights for Webshop Prod and the Network Hub in us-east-1 and eu-central-1",
        "closed reactive insights in the past 3 days",
        "is anything about to run out of memory in Atlantis?",
        "insights of the stack checkout-service in Workloads/Data Lake",
        "insights for the function checkout-handler on Monday",
        "insights tagged team=webshop and tagged env=prod",
        "insights tagged team=web:shop in Data Lake",
        "anything about throttling or errors with the api gateway, dynamodb and the queues?",
        "which databases are about to fill up?",
        "insights from 2026-10-01 to 2026-10-20",
        "insights between 1 November and 10 November",
        "insights in October",
        "insights before yesterday",
        "insights older than 3 days",
        "critical insights last night",
        "insights since last night",
        "insights this morning",
        "insights in the past 1m for Network Hub",
        "ongoing nat gateway insights in Platform since Monday, page 3",
    ],
)
def test_a_list_is_asked_again_in_words_of_ours(said: str) -> None:
    meant = replace(_read(said), page=1)
    assert _read(say_filters(meant)) == meant


@pytest.mark.parametrize(
    ("asked", "said", "again"),
    [
        (
            "what's wrong in production?",
            "just the high ones",
            "high severity insights in Platform/Prod and Workloads/Prod",
        ),
        ("what's wrong in us-east-1?", "only the reactive ones", "reactive insights in us-east-1"),
        ("high severity insights", "and yesterday?", "high severity insights on 2026-11-24"),
        ("high insights on Monday", "and in the last 12 hours?", "high severity insights in the past 12 hours"),
        ("low insights in us-east-1", "and in eu-west-1?", "low severity insights in eu-west-1"),
        ("high insights in us-east-1", "and in eu-west-1 too?", "high severity insights in us-east-1 and eu-west-1"),
        ("high insights", "only in Production", "high severity insights in Platform/Prod and Workloads/Prod"),
        ("high insights in Production", "what about staging?", "high severity insights in staging"),
        ("high insights in Production", "what about Network Hub?", f"high severity insights in {HUB}"),
        (
            "insights of the stack shop in us-east-1",
            "what about the stack cart?",
            "insights of the stack cart in us-east-1",
        ),
        ("lambda insights about memory", "and for RDS?", "insights of rds"),
        ("what is open in Platform?", "without the low ones", "open high and medium severity insights in Platform"),
        ("high insights in Platform", "and the medium ones too", "high and medium severity insights in Platform"),
        ("open insights in Platform", "and the closed ones?", "closed insights in Platform"),
        ("insights tagged team=shop", "same for tag team=core", "insights tagged team=core"),
        (
            "insights in Production",
            "which ones are high?",
            "high severity insights in Platform/Prod and Workloads/Prod",
        ),
        (
            "insights in Production",
            "which of them are proactive?",
            "proactive insights in Platform/Prod and Workloads/Prod",
        ),
        ("insights in Production", "show me only the open ones", "open insights in Platform/Prod and Workloads/Prod"),
        ("high insights in Production in us-east-1", "and everywhere?", "high severity insights"),
    ],
)
def test_what_is_named_is_changed_and_the_rest_is_kept(asked: str, said: str, again: str) -> None:
    assert re.fullmatch(FOLLOW_UPS, bare(said).rstrip(" ?"))
    found = read_follow_up(said, say_filters(_read(asked)), NOW, ORGANIZATION, REGIONS)
    assert found is not None
    assert say_filters(found.whole) == again


def test_health_is_asked_of_another_place_by_the_same_places() -> None:
    found = read_follow_up("what about Platform?", say_health(_read("health in Workloads"), "by tag team"), *_WHERE)
    assert found is not None
    assert found.was_health
    assert found.names_places_alone
    assert say_health(found.whole, found.by) == "health in Platform by tag team"


_WHERE = (NOW, ORGANIZATION, REGIONS)


@pytest.mark.parametrize("said", ["just the nice ones", "only at night", "and then?", "but not in Platform"])
def test_what_names_nothing_or_can_not_be_left_out_changes_nothing(said: str) -> None:
    assert read_follow_up(said, "high severity insights", *_WHERE) is None


def test_a_name_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(Invalid, match="none of the Regions"):
        read_follow_up("and in eu-north-1?", "insights", *_WHERE)


@pytest.mark.parametrize(
    "said",
    [
        "what about my request?",
        "and which insights are open?",
        "just the high ones, I think",
        "now pause the roll-out",
        "only cancel the second",
        "any closed ones",
        "what is open in production?",
        "show the high ones",
        "insights in production",
        "and deployments?",
    ],
)
def test_whole_sentences_and_other_things_are_no_follow_ups(said: str) -> None:
    assert not re.fullmatch(FOLLOW_UPS, bare(said).rstrip(" ?"))
