"""RecognizeText over the wire, on the local engine."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.landing import Aws

BOT = {"botId": "QMBOT00001", "botAliasId": "TSTALIASID", "localeId": "en_US"}
GREETING: dict[str, Any] = {
    "botName": "Greeter",
    "localeId": "en_US",
    "nluIntentConfidenceThreshold": 0.4,
    "slotTypes": [],
    "intents": [
        {
            "intentName": "Greet",
            "sampleUtterances": [{"utterance": "good morning"}, {"utterance": "hello there"}],
            "slots": [],
            "slotPriorities": [],
        },
        {"intentName": "FallbackIntent", "parentIntentSignature": "AMAZON.FallbackIntent"},
    ],
}


@pytest.fixture
def lex(aws: Aws) -> Any:
    aws.post("lex", **BOT, definition=GREETING)
    return aws.client("lexv2-runtime")


def test_understands_what_the_definition_says(lex: Any) -> None:
    answer = lex.recognize_text(**BOT, sessionId="s-1", text="Good morning!")

    assert answer["sessionState"]["intent"]["name"] == "Greet"
    assert answer["sessionId"] == "s-1"
    assert answer["interpretations"][0]["intent"]["name"] == "Greet"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"botId": "QMBOT00002"}, "ResourceNotFoundException"),
        ({"localeId": "de_DE"}, "ResourceNotFoundException"),
        ({"sessionId": "ana@corp.example"}, "ValidationException"),
        ({"text": "x" * 1_025}, "ValidationException"),
        ({"sessionState": {"intent": {"name": "Unheard"}}}, "ValidationException"),
    ],
)
def test_refuses_what_lex_refuses(lex: Any, changes: dict[str, Any], code: str) -> None:
    turn = {**BOT, "sessionId": "s-1", "text": "good morning", **changes}
    with pytest.raises(ClientError) as caught:
        lex.recognize_text(**turn)

    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "registration",
    [
        {},
        {**BOT, "definition": []},
        {**BOT, "definition": {}},
        {**BOT, "botId": "short", "definition": GREETING},
        {**BOT, "localeId": 7, "definition": GREETING},
    ],
)
def test_refuses_a_bot_that_cannot_work(aws: Aws, registration: dict[str, Any]) -> None:
    status, problem = aws.ask("POST", "lex", registration)

    assert status == 422
    assert problem["detail"]


def test_lex_can_fail(aws: Aws, lex: Any) -> None:
    aws.post("faults", name="server_error", on=True, operation="RecognizeText", times=1)
    with pytest.raises(lex.exceptions.InternalServerException):
        lex.recognize_text(**BOT, sessionId="s-1", text="good morning")
    assert lex.recognize_text(**BOT, sessionId="s-1", text="good morning")["sessionId"] == "s-1"
