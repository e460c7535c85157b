"""What a sentence narrows: nothing that was named is left out in silence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import Invalid
from bot.insights import Insight
from bot.organization import Organization, Unit
from intents.insights.filters import Filters, read_filters

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
REGIONS = ("us-east-1", "eu-central-1")
SHOP, HUB = "666677778888", "777788889999"


def _account(identifier: str, name: str) -> dict[str, str]:
    return {"Id": identifier, "Name": name, "Email": f"{identifier}@corp.example", "Status": "ACTIVE"}


ORGANIZATION = Organization(
    units=(
        Unit("ou-plat", "Platform", "Platform", True),
        Unit("ou-prod", "Prod", "Platform/Prod", True),
    ),
    accounts=(_account(SHOP, "Webshop Prod"), _account(HUB, "Network Hub")),
)


def _read(text: str) -> Filters:
    return read_filters(text, {}, NOW, ORGANIZATION, REGIONS)


@pytest.mark.parametrize(
    ("said", "narrowed"),
    [
        ("what's broken in prod right now?", {"named_units": ("Platform/Prod",), "thing": "", "state": "open"}),
        ("anything open in the Network Hub?", {"accounts": (HUB,), "thing": ""}),
        ("insights for Webshop Prod and the Network Hub", {"accounts": (SHOP, HUB), "thing": ""}),
        ("insights in Webshop Prod since Monday and in Platform", {"accounts": (SHOP,), "named_units": ("Platform",)}),
        ("lambda insights in Atlantis since Monday", {"services": ("LAMBDA",), "thing": "atlantis"}),
        ("is anything about to run out of memory in Atlantis?", {"topics": ("memory",), "thing": "atlantis"}),
        ("problems with the databases on Monday", {"services": ("RDS",), "thing": ""}),
        (
            "critical insights for production in us-east-1 from the last 2 days",
            {"thing": "", "regions": ("us-east-1",)},
        ),
        ("any p1s in the Network Hub?", {"severities": ("HIGH",), "accounts": (HUB,)}),
        ("which accounts are in trouble?", {"thing": ""}),
        ("insights for Webshop Prod and lambda", {"accounts": (SHOP,), "services": ("LAMBDA",)}),
        ("which stacks are not watched?", {"stack": "", "thing": ""}),
        ("insights of the stack ledger in eu-central-1", {"stack": "ledger", "regions": ("eu-central-1",)}),
    ],
)
def test_words_around_names_are_no_names(said: str, narrowed: dict[str, Any]) -> None:
    found = _read(said)
    read = {name: getattr(found, name) for name in narrowed}
    read = {name: tuple(sorted(v)) if name == "accounts" else v for name, v in read.items()}
    assert read == narrowed


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("insights for Webshop Prod, Data Lake and Network Hub", "no account called “data lake”"),
        ("insights for account banana and Webshop Prod", "no account called “banana”"),
        ("insights for Webshop Prod and banana", "no account called “banana”"),
        ("insights for 12345", "no account called “12345”"),
        ("insights for account 1234-5678 in us-east-1", "no account called “1234-5678”"),
        ("insights in the last 0 hours", "not longer than nothing"),
        ("insights in the last -5 days", "not longer than nothing"),
    ],
)
def test_what_there_is_none_of_is_said_beside_what_there_is(said: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        _read(said)


def test_a_name_is_found_as_a_word_and_not_within_another() -> None:
    insight = Insight("A1", SHOP, "us-east-1", "RDS free storage", "LOW", True, NOW, None, stacks=("ledger-database",))
    assert Filters(thing="ledger").passes(insight)
    assert not Filters(thing="data").passes(insight)


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ("what went wrong last night?", "2026-11-24T18:00", "2026-11-25T06:00"),
        ("insights this morning", "2026-11-25T00:00", "2026-11-25T12:00"),
        ("what broke over the weekend?", "2026-11-21T00:00", "2026-11-23T00:00"),
    ],
)
def test_parts_of_days_are_times(said: str, since: str, until: str) -> None:
    span = _read(said).span
    assert span is not None
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in (span.since, span.until)] == [since, until]
