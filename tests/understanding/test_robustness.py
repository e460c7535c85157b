"""Whatever is typed, in whatever state, gets a well-formed answer."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.lex.engine import Engine
from tests.understanding.conversation import ou_hints
from tests.understanding.test_wire_contract import RESPONSE, faults, filled, without_empty_slots
from tests.understanding.vending_bot import vending_definition

ENGINE = Engine(vending_definition())
WORDS = (
    "yes",
    "no",
    "not",
    "sandbox",
    "Production",
    "or",
    "in",
    "Demos",
    "Workloads/Prod",
    "a@b.example",
    "call it",
    "account",
    "qm-1a2b3c4d",
    "change",
    "from",
    "to",
    "instead of",
    "new",
    "?",
    ",",
    '"',
    "'",
    "cancel",
    "help",
    "the OU is",
    "@",
    "{AccountOU}",
)
TEXTS = st.one_of(
    st.text(min_size=1, max_size=300),
    st.text(
        st.characters(codec=None, categories=["Cc", "Cs", "Cf", "Zs", "Mn", "So", "Ll"]),
        min_size=1,
        max_size=60,
    ),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join),
)
SLOTS = {"AccountType": filled("Sandbox"), "RootEmail": filled("a@b.example"), "AccountOU": filled("Demos")}
ACTIONS: tuple[dict[str, Any], ...] = (
    {"type": "ElicitIntent"},
    {"type": "ConfirmIntent"},
    {"type": "Delegate"},
    *({"type": "ElicitSlot", "slotToElicit": name} for name in (*SLOTS, "AccountName")),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=TEXTS, action=st.sampled_from(ACTIONS), names=st.sets(st.sampled_from(sorted(SLOTS))))
def test_answers_any_text_in_any_state(text: str, action: dict[str, Any], names: set[str]) -> None:
    state = {
        "intent": {
            "name": "AWSAccountVending",
            "slots": {name: SLOTS[name] for name in names},
            "state": "InProgress",
        },
        "dialogAction": action,
        "runtimeHints": ou_hints(),
    }
    answer = ENGINE.recognize_text(session_id="fuzz", text=text[:1024], session_state=state)

    assert RESPONSE is not None
    assert list(faults(without_empty_slots(answer), RESPONSE)) == []
    json.dumps(answer).encode()
    intent = answer["sessionState"]["intent"]
    if intent["confirmationState"] == "Confirmed":
        assert action["type"] == "ConfirmIntent"
        assert all(intent["slots"][name] for name in SLOTS)


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x01\x7f",
        "\ud800",
        "a\ud800b" * 100,
        "\N{GRINNING FACE}" * 1_024,
        "\u202e\u200b\u200d",
        "((((" * 256,
        "a" * 1_024,
        "@" * 1_024,
        "a@" * 512,
        "1h" * 512,
        "in in in " * 113,
        "sandbox production " * 53,
        "\ufdfa" * 1_024,
        "'\"" * 512,
        "<script>alert(1)</script>",
        "'; DROP TABLE requests; --",
        "no " * 341,
        "a." * 512,
        "one hundred " * 85,
    ],
)
@pytest.mark.parametrize(
    "state",
    [
        None,
        {"intent": {"name": "AWSAccountVending", "slots": SLOTS}, "dialogAction": {"type": "ConfirmIntent"}},
    ],
)
def test_survives_hostile_text(text: str, state: dict[str, Any] | None) -> None:
    answer = ENGINE.recognize_text(session_id="hostile", text=text, session_state=state)

    json.dumps(answer).encode()
    assert answer["sessionState"]["intent"]["confirmationState"] != "Confirmed"


@pytest.mark.parametrize(
    "state",
    [
        {
            "runtimeHints": {
                "slotHints": {"AWSAccountVending": {"AccountOU": {"runtimeHintValues": [{}, {"phrase": ""}]}}}
            }
        },
        {"runtimeHints": {"slotHints": {"AWSAccountVending": None}}},
        {"intent": {"name": "AWSAccountVending", "slots": None}},
        {
            "intent": {
                "name": "AWSAccountVending",
                "slots": {"AccountType": {"shape": "Scalar"}, "Unknown": None},
            }
        },
        {
            "intent": {"name": "FallbackIntent", "state": "InProgress"},
            "dialogAction": {"type": "ConfirmIntent"},
        },
        {"sessionAttributes": None, "activeContexts": None},
    ],
)
def test_takes_half_filled_states_as_they_come(state: dict[str, Any]) -> None:
    answer = ENGINE.recognize_text(session_id="halves", text="a sandbox account in Demos", session_state=state)

    assert answer["sessionState"]["intent"]["slots"]["AccountOU"]["value"]["interpretedValue"] == "Demos"


def test_one_engine_serves_many_threads() -> None:
    asked: dict[str, str] = {}

    def talk(name: str) -> None:
        for text in ("new account", "sandbox", f"{name}@corp.example", "Demos"):
            answer = ENGINE.recognize_text(session_id=f"thread-{name}", text=text)
            email = answer["sessionState"]["intent"]["slots"]["RootEmail"]
            asked[name] = email["value"]["interpretedValue"] if email else ""

    threads = [threading.Thread(target=talk, args=(f"user{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked == {f"user{number}": f"user{number}@corp.example" for number in range(8)}


def test_equal_definitions_are_compiled_once() -> None:
    first, second = Engine(vending_definition()), Engine(vending_definition())
    changed = Engine({**vending_definition(), "botName": "Another"})

    assert first.compiled is second.compiled
    assert first.compiled is not changed.compiled
