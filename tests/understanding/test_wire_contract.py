"""The answers are RecognizeText's, and the request's rules are Lex's."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from adapters.lex.engine import DefinitionError, Engine, ValidationException
from adapters.lex.engine.sessions import Session, SessionStore
from tests.understanding.conversation import ou_hints
from tests.understanding.vending_bot import vending_definition

RESPONSE = botocore.session.Session().get_service_model("lexv2-runtime").operation_model("RecognizeText").output_shape


def faults(value: Any, shape: Shape) -> Iterator[str]:
    """What in a value the model does not allow: types, lengths and required members, and enums."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield report.generate_report()
    yield from _foreign_values(value, shape)


def _foreign_values(value: Any, shape: Shape) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _foreign_values(member, shape.members[name])
    elif isinstance(shape, ListShape):
        for member in value:
            yield from _foreign_values(member, shape.member)
    elif isinstance(shape, MapShape):
        for member in value.values():
            if member is not None:
                yield from _foreign_values(member, shape.value)
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{value!r} is none of {shape.enum}"


def without_empty_slots(answer: dict[str, Any]) -> dict[str, Any]:
    """Unfilled slots are JSON null on the wire, which botocore's validator of requests does not know."""
    pruned = copy.deepcopy(answer)
    intents = [pruned["sessionState"]["intent"], *(entry["intent"] for entry in pruned["interpretations"])]
    for intent in intents:
        intent["slots"] = {name: slot for name, slot in intent["slots"].items() if slot is not None}
    return pruned


SCRIPT = (
    "what's the weather",
    "new account",
    "dunno",
    "sandbox",
    "a@b.example",
    "Workloads/Prod",
    "no, in Demos",
    "yes",
    "status of qm-1a2b3c4d",
    "cancel my request",
    "help",
    "create a production account in Demos for a@b.example",
    "no",
)


def test_every_answer_fits_the_service_model(engine: Engine) -> None:
    assert RESPONSE is not None
    for number, text in enumerate(SCRIPT):
        answer = engine.recognize_text(
            session_id="wire",
            text=text,
            session_state={"runtimeHints": ou_hints()} if number == 0 else None,
            request_attributes={"x-amz-lex:channel": "test"},
        )

        assert list(faults(without_empty_slots(answer), RESPONSE)) == []
        assert answer["requestAttributes"] == {"x-amz-lex:channel": "test"}
        assert answer["sessionId"] == "wire"
        assert 1 <= len(answer["interpretations"]) <= 5
        assert answer["interpretations"][0]["intent"] == answer["sessionState"]["intent"]


def test_the_check_itself_finds_faults() -> None:
    assert RESPONSE is not None
    wrong = {"sessionState": {"dialogAction": {"type": "Shrug"}}, "interpretations": "none"}

    assert len(list(_foreign_values({"sessionState": wrong["sessionState"]}, RESPONSE))) == 1
    assert ParamValidator().validate(wrong, RESPONSE).has_errors()


def test_fallback_stands_ahead_of_intents_below_the_threshold(engine: Engine) -> None:
    interpretations = engine.recognize_text(session_id="rank", text="new account")["interpretations"]
    names = [entry["intent"]["name"] for entry in interpretations]
    scores = [entry["nluConfidence"]["score"] for entry in interpretations if "nluConfidence" in entry]

    assert names[:2] == ["AWSAccountVending", "FallbackIntent"]
    assert scores == sorted(scores, reverse=True)
    assert all("nluConfidence" not in entry for entry in interpretations if entry["intent"]["name"] == "FallbackIntent")


@pytest.mark.parametrize("text", ["", "x" * 1_025, "x" * 10_240])
def test_refuses_texts_that_lex_refuses(engine: Engine, text: str) -> None:
    with pytest.raises(ValidationException, match="1 to 1024"):
        engine.recognize_text(session_id="length", text=text)


@pytest.mark.parametrize("session_id", ["x", "x" * 101, "jo@a.example", "a b", ""])
def test_refuses_session_ids_that_lex_refuses(engine: Engine, session_id: str) -> None:
    with pytest.raises(ValidationException, match="sessionId"):
        engine.recognize_text(session_id=session_id, text="help")


@pytest.mark.parametrize(
    "state",
    [
        {"intent": {"name": "Nonsense"}},
        {"dialogAction": {"type": "Shrug"}},
        {"intent": {"name": "Help"}, "dialogAction": {"type": "ElicitSlot", "slotToElicit": "Nothing"}},
    ],
)
def test_refuses_states_that_the_bot_does_not_have(engine: Engine, state: dict[str, Any]) -> None:
    with pytest.raises(ValidationException):
        engine.recognize_text(session_id="state", text="help", session_state=state)


def filled(value: str) -> dict[str, Any]:
    return {
        "shape": "Scalar",
        "value": {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]},
    }


def test_state_of_the_caller_wins_over_the_stored_one(engine: Engine) -> None:
    engine.recognize_text(session_id="caller", text="cancel my request")
    state = {
        "intent": {
            "name": "AWSAccountVending",
            "slots": {"AccountType": filled("Sandbox")},
            "state": "InProgress",
        },
        "dialogAction": {"type": "ElicitSlot", "slotToElicit": "RootEmail"},
    }
    answer = engine.recognize_text(session_id="caller", text="me@corp.example", session_state=state)
    intent = answer["sessionState"]["intent"]

    assert intent["name"] == "AWSAccountVending"
    assert intent["slots"]["AccountType"] == filled("Sandbox")
    assert intent["slots"]["RootEmail"] == filled("me@corp.example")
    assert answer["sessionState"]["dialogAction"] == {"type": "ElicitSlot", "slotToElicit": "AccountOU"}


def test_state_of_the_caller_confirms_on_an_engine_that_never_saw_the_session() -> None:
    slots = {
        "AccountType": filled("Sandbox"),
        "RootEmail": filled("a@b.example"),
        "AccountOU": filled("Demos"),
    }
    state = {
        "intent": {
            "name": "AWSAccountVending",
            "slots": slots,
            "state": "InProgress",
            "confirmationState": "None",
        },
        "dialogAction": {"type": "ConfirmIntent"},
    }
    answer = Engine(vending_definition()).recognize_text(session_id="carried", text="yes", session_state=state)

    assert answer["sessionState"]["intent"]["confirmationState"] == "Confirmed"
    assert answer["sessionState"]["intent"]["slots"] == {**slots, "AccountName": None}


def test_yes_confirms_nothing_while_a_required_slot_is_empty(engine: Engine) -> None:
    state = {
        "intent": {"name": "AWSAccountVending", "slots": {"AccountType": filled("Sandbox")}},
        "dialogAction": {"type": "ConfirmIntent"},
    }
    answer = engine.recognize_text(session_id="early", text="yes", session_state=state)

    assert answer["sessionState"]["dialogAction"] == {"type": "ElicitSlot", "slotToElicit": "RootEmail"}
    assert answer["sessionState"]["intent"]["confirmationState"] == "None"


def test_action_without_an_intent_drops_the_form(engine: Engine) -> None:
    engine.recognize_text(session_id="drop", text="new account")
    answer = engine.recognize_text(
        session_id="drop", text="dunno", session_state={"dialogAction": {"type": "ElicitIntent"}}
    )

    assert answer["sessionState"]["intent"]["name"] == "FallbackIntent"


def test_session_attributes_are_replaced_kept_and_erased(engine: Engine) -> None:
    def attributes_after(state: dict[str, Any] | None) -> object:
        answer = engine.recognize_text(session_id="attributes", text="help", session_state=state)
        return answer["sessionState"]["sessionAttributes"]

    assert attributes_after({"sessionAttributes": {"a": "1", "b": "2"}}) == {"a": "1", "b": "2"}
    assert attributes_after(None) == {"a": "1", "b": "2"}
    assert attributes_after({"sessionAttributes": {"c": "3"}}) == {"c": "3"}
    assert attributes_after({}) == {"c": "3"}
    assert attributes_after({"sessionAttributes": {}}) == {}


def test_prompt_without_a_name_to_greet_reads_well() -> None:
    answer = Engine(vending_definition()).recognize_text(session_id="nameless", text="new account for a@b.example")

    assert answer["messages"][0]["content"] == "Hi, what account type do you want? Production or Sandbox?"


def test_prompts_carry_every_kind_of_message_and_vary_on_retries() -> None:
    card = {"title": "Account type", "buttons": [{"text": "Sandbox", "value": "sandbox"}]}
    definition = copy.deepcopy(vending_definition())
    account_type = definition["intents"][0]["slots"][0]["valueElicitationSetting"]["promptSpecification"]
    account_type["messageGroups"] = [
        {
            "message": {"plainTextMessage": {"value": "Which type, [UserName]?"}},
            "variations": [{"ssmlMessage": {"value": "<speak>Production or Sandbox?</speak>"}}],
        },
        {"message": {"imageResponseCard": card}},
        {"message": {"customPayload": {"value": '{"slot": "{AccountType}"}'}}},
    ]
    engine = Engine(definition)
    first = engine.recognize_text(
        session_id="kinds", text="new account", session_state={"sessionAttributes": {"UserName": "Ana"}}
    )
    second = engine.recognize_text(session_id="kinds", text="dunno")

    assert RESPONSE is not None
    assert list(faults(without_empty_slots(first), RESPONSE)) == []
    assert first["messages"] == [
        {"contentType": "PlainText", "content": "Which type, Ana?"},
        {"contentType": "ImageResponseCard", "imageResponseCard": card},
        {"contentType": "CustomPayload", "content": '{"slot": "{AccountType}"}'},
    ]
    assert second["messages"][0] == {"contentType": "SSML", "content": "<speak>Production or Sandbox?</speak>"}


def test_idle_sessions_expire_and_the_longest_idle_goes_first() -> None:
    now = [0.0]
    store = SessionStore(idle_seconds=60, limit=2, clock=lambda: now[0])
    store.put("one", Session(misses=1))
    now[0] = 30.0
    store.put("two", Session(misses=2))
    now[0] = 61.0
    assert (store.get("one").misses, store.get("two").misses) == (0, 2)

    store.put("three", Session(misses=3))
    store.put("four", Session(misses=4))
    assert (store.get("two").misses, store.get("three").misses, len(store)) == (0, 3, 2)


def test_fallback_is_implied_when_the_definition_has_none() -> None:
    definition = vending_definition()
    definition["intents"] = definition["intents"][:-1]

    answer = Engine(definition).recognize_text(session_id="implied", text="tell me a joke")

    assert answer["sessionState"]["intent"]["name"] == "FallbackIntent"
    assert "messages" not in answer


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"intents": []}, "no intent"),
        ({"slotTypes": []}, "unknown type"),
        (
            {
                "slotTypes": [
                    {
                        "slotTypeName": "AccountType",
                        "valueSelectionSetting": {"regexFilter": {"pattern": "("}},
                    }
                ]
            },
            "pattern",
        ),
    ],
)
def test_refuses_a_definition_that_cannot_work(change: dict[str, Any], word: str) -> None:
    with pytest.raises(DefinitionError, match=word):
        Engine({**vending_definition(), **change})
