"""Whoever wants another thing than the bot makes is not given a form for it, whatever values stand beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.understanding.conversation import Person

OTHER = (
    "I need a prod db",
    "I need a database",
    "I need a new laptop",
    "book me a meeting room",
    "create a production database",
    "I want a sandbox vm",
    "I need a new server",
    "could I have a prod cluster please",
    "we need two new laptops and a desk",
    "give me a sandbox server for the demo team",
    "I'd like a test bucket in Demos",
    "get me a new phone",
)
ACCOUNTS = (
    "I need a prod account for our database",
    "I need a database account in Demos",
    "I need an account and a laptop",
    "I need a sandbox",
    "give me a prod environment",
    "we need a place for our new servers, a sandbox account please",
    "I want a sandbox account to try a db",
    "can I have a playground for my cluster?",
)


@pytest.mark.parametrize("text", OTHER)
def test_other_things_open_no_order(someone: Callable[[], Person], text: str) -> None:
    assert someone().says(text).intent == "FallbackIntent"


@pytest.mark.parametrize("text", ACCOUNTS)
def test_accounts_for_other_things_are_accounts(someone: Callable[[], Person], text: str) -> None:
    assert someone().says(text).intent == "AWSAccountVending"


def test_a_bot_that_was_taught_a_thing_makes_it(engine_of_databases: Callable[[str], str]) -> None:
    assert engine_of_databases("I need a prod db") == "OrderDatabase"


@pytest.fixture
def engine_of_databases() -> Callable[[str], str]:
    """A bot that makes databases; tells which intent a sentence reaches."""
    from adapters.lex.engine import Engine
    from tests.understanding.vending_bot import vending_definition

    definition = vending_definition()
    vending = definition["intents"][0]
    samples = ["I need a new db", "create a database", "order a {AccountType} database", "we need a db for our team"]
    vending = {**vending, "intentName": "OrderDatabase", "sampleUtterances": [{"utterance": s} for s in samples]}
    engine = Engine({**definition, "botName": "Databases", "intents": [vending, *definition["intents"][1:]]})
    return lambda text: Person(engine, "session-db").says(text).intent
