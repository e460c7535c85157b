"""Conversations with a Lex bot over the wire, on the local engine."""

import base64
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
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


def test_a_session_can_be_read_put_and_deleted(lex: Any) -> None:
    where = {**BOT, "sessionId": "s-put"}
    with pytest.raises(lex.exceptions.ResourceNotFoundException):
        lex.get_session(**where)
    attributes = {"x-amz-lex:audio:max-length-ms": "5000"}
    state = {"intent": {"name": "Greet"}, "dialogAction": {"type": "Delegate"}, "sessionAttributes": attributes}
    put = lex.put_session(**where, sessionState=state)
    assert json.loads(gzip.decompress(base64.b64decode(put["sessionState"]))) == state
    assert lex.get_session(**where)["sessionState"]["intent"]["name"] == "Greet"
    kept = lex.recognize_text(**where, text="good morning")["sessionState"]["sessionAttributes"]
    assert kept == attributes, "what is left out is kept"
    replaced = lex.recognize_text(**where, text="good morning", sessionState={"sessionAttributes": {"a": "b"}})
    assert replaced["sessionState"]["sessionAttributes"] == {"a": "b"}, "a new map replaces the old one"
    lex.delete_session(**where)
    with pytest.raises(lex.exceptions.ResourceNotFoundException):
        lex.get_session(**where)
    with pytest.raises(lex.exceptions.ValidationException):
        lex.put_session(**where, sessionState={"intent": {"name": "Unheard"}})


def test_a_session_ends_when_nothing_is_said_for_long(aws: Aws, lex: Any) -> None:
    where = {**BOT, "sessionId": "s-idle"}
    lex.recognize_text(**where, text="good morning")
    aws.advance(minutes=4)
    assert lex.get_session(**where)["sessionId"] == "s-idle"
    aws.advance(minutes=6)
    with pytest.raises(lex.exceptions.ResourceNotFoundException):
        lex.get_session(**where)


def test_the_test_alias_holds_two_conversations_at_once(aws: Aws, lex: Any) -> None:
    aws.post("faults", name="hang", on=True, operation="RecognizeText", times=2)
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(lex.recognize_text, **BOT, sessionId=f"s-held-{n}", text="good morning") for n in (1, 2)]
        while len([c for c in aws.get("calls?operation=RecognizeText") if c["status"] is None]) < 2:
            pass
        with pytest.raises(lex.exceptions.ThrottlingException):
            lex.recognize_text(**BOT, sessionId="s-third", text="good morning")
        aws.post("faults", name="hang", on=False)
        assert [answer.result(10)["sessionId"] for answer in held] == ["s-held-1", "s-held-2"]
    assert lex.recognize_text(**BOT, sessionId="s-third", text="good morning")["sessionId"] == "s-third"


def test_an_empty_slot_is_null_as_lex_says_it(aws: Aws) -> None:
    asked = {"slotConstraint": "Required"}
    slots = [{"slotName": n, "slotTypeName": f"AMAZON.{n}", "valueElicitationSetting": asked} for n in ("Date", "Time")]
    meet = {"intentName": "Meet", "sampleUtterances": [{"utterance": "meet {Date} at {Time}"}], "slots": slots}
    aws.post("lex", **{**BOT, "botId": "QMBOT00009"}, definition={**GREETING, "intents": [meet]})
    where = {**BOT, "botId": "QMBOT00009", "sessionId": "s-1"}
    answer = aws.client("lexv2-runtime").recognize_text(**where, text="meet 2026-05-04")
    found = answer["sessionState"]["intent"]["slots"]
    assert found["Date"]["value"]["interpretedValue"] == "2026-05-04"
    assert found["Time"] is None
    assert aws.client("lexv2-runtime").get_session(**where)["sessionState"]["intent"]["slots"]["Time"] is None
