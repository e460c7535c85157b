"""Which intent a sentence reaches, in words that are not in the definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.lex.engine import Engine
from tests.understanding.conversation import Person
from tests.understanding.vending_bot import vending_definition

PARAPHRASES = {
    "AWSAccountVending": (
        "gimme a new aws account pls",
        "could you set up a playground account for us",
        "we want another account for the demo team",
        "i need an acount",
        "account pls",
        "I'd like to provision an AWS acct for payments",
        "a prod account in Experiment for x+y@corp.example",
        "our team requires an additional aws account",
        "can I get a sandbox?",
        "hey, would it be possible to have one more account?",
        "make me a sandbox account",
        "my squad is short of an AWS account, please create one",
        "we'd love to have a fresh account in Demos",
        "spin up an account for the data people",
        "new account",
        "please vend a production account",
        "how do I get a new account",
        "Need AWS account ASAP!!!",
        "i wanna open an acct",
        "let's create an account called apollo",
        "requesting an aws account for finance@corp.example",
        "do you think we could get a test account under Demos",
    ),
    "Help": (
        "help me",
        "help please",
        "what can you do for me",
        "i'm lost",
        "show commands",
        "how does it work?",
        "what can I ask you?",
        "HELP!",
    ),
    "MyRequests": (
        "show requests",
        "which requests of mine are still open",
        "list all my requests",
        "my open requests please",
        "what did I request",
        "can you show me my requests",
    ),
    "RequestStatus": (
        "status qm-12ab34cd",
        "how far is qm-12ab34cd",
        "what's the state of qm-00zz11yy",
        "is qm-12ab34cd finished yet?",
        "any progress on qm-12ab34cd?",
        "what happened to qm-abcdef12",
    ),
    "CancelRequest": (
        "please withdraw my request qm-12ab34cd",
        "kill qm-12ab34cd",
        "cancel request qm-12ab34cd please",
        "I'd like to cancel my request",
        "stop qm-99887766",
        "abort qm-12ab34cd",
    ),
}
OUT_OF_SCOPE = (
    "what's the weather",
    "asdf",
    "order me a pizza",
    "tell me a joke",
    "who won the game last night",
    "play some music",
    "what is the capital of france",
    "book a flight to berlin",
    "how old are you",
    "I love you",
    "restart the server",
    "what time is it",
    "set an alarm for 7",
    "lorem ipsum dolor sit amet",
    "hello",
    "thanks",
    "where can I buy shoes",
    "my cat is asleep",
    "qwertz uiop 12345",
    "\N{GRINNING FACE}\N{PILE OF POO}",
    "...",
    " ",
    "1",
    "\u4f60\u597d",
)


@pytest.mark.parametrize(
    ("intent", "text"), [(intent, text) for intent, texts in PARAPHRASES.items() for text in texts]
)
def test_understands_a_request_in_other_words(someone: Callable[[], Person], intent: str, text: str) -> None:
    assert someone().says(text).intent == intent


@pytest.mark.parametrize("text", OUT_OF_SCOPE)
def test_falls_back_on_what_is_none_of_its_business(someone: Callable[[], Person], text: str) -> None:
    person = someone().says(text)

    assert person.intent == "FallbackIntent"
    assert person.outcome == ("ReadyForFulfillment", "None")
    assert person.heard == "What would you like to do?"


@pytest.mark.parametrize(
    "utterance",
    [sample["utterance"] for sample in vending_definition()["intents"][0]["sampleUtterances"][:6]],
)
def test_is_sure_of_a_sample_utterance(someone: Callable[[], Person], utterance: str) -> None:
    person = someone().says(utterance)

    assert person.asked == "AccountType"
    assert person.answer["interpretations"][0]["nluConfidence"]["score"] > 0.95


@pytest.mark.parametrize(
    "text", ["Hi", "please", "I want a new car", "I would like to get a haircut", "yes", "hello there"]
)
def test_bot_of_six_plain_utterances_knows_what_it_was_not_taught(text: str) -> None:
    definition = vending_definition()
    vending, fallback = definition["intents"][0], definition["intents"][-1]
    definition["intents"] = [{**vending, "sampleUtterances": vending["sampleUtterances"][:6]}, fallback]
    engine = Engine(definition)

    assert Person(engine, "stranger").says(text).intent == "FallbackIntent"
    assert Person(engine, "customer").says("gimme an account pls").intent == "AWSAccountVending"


def test_gives_the_same_answer_to_the_same_sentence() -> None:
    def listen() -> object:
        fresh = Engine({**vending_definition(), "botName": "Twin"})
        return fresh.recognize_text(session_id="one", text="we need an account in Demos")

    assert listen() == listen()


def test_threshold_of_the_locale_decides_what_falls_back() -> None:
    strict = Engine({**vending_definition(), "nluIntentConfidenceThreshold": 1.0})
    lenient = Engine({**vending_definition(), "nluIntentConfidenceThreshold": 0.0})
    text = "could someone bring an account"

    assert Person(strict, "s1").says(text).intent == "FallbackIntent"
    assert Person(lenient, "s2").says(text).intent == "AWSAccountVending"


def test_intent_behind_a_context_is_heard_only_while_the_context_is_active() -> None:
    definition = vending_definition()
    definition["intents"] = [
        {**intent, "inputContexts": [{"name": "known"}]} if intent["intentName"] == "MyRequests" else intent
        for intent in definition["intents"]
    ]
    engine = Engine(definition)
    context = {
        "name": "known",
        "timeToLive": {"timeToLiveInSeconds": 60, "turnsToLive": 2},
        "contextAttributes": {},
    }

    without = engine.recognize_text(session_id="no-context", text="list my requests")
    within = engine.recognize_text(
        session_id="in-context", text="list my requests", session_state={"activeContexts": [context]}
    )

    assert without["sessionState"]["intent"]["name"] != "MyRequests"
    assert within["sessionState"]["intent"]["name"] == "MyRequests"
    assert within["sessionState"]["activeContexts"] == [context]
