"""The Lex recogniser against a Lex that is told, call by call, what to do: retries, places, sessions, odd answers."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.lex import runtime
from adapters.lex.runtime import LexRecognizer
from bot.errors import CloudError
from bot.recognizer import Turn, WithFallback, turn_of
from bot.settings import load_settings

ANSWER: dict[str, Any] = {
    "sessionId": "s-1",
    "messages": [{"contentType": "PlainText", "content": "Which colour?"}],
    "requestAttributes": {"a": "b"},
    "recognizedBotMember": {"botId": "ABCDEFGHIJ"},
    "interpretations": [
        {
            "intent": {"name": "Paint", "slots": {"Colour": None}, "state": "InProgress", "confirmationState": "None"},
            "nluConfidence": {"score": 0.9},
            "interpretationSource": "Lex",
        },
        {"intent": {"name": "FallbackIntent"}},
    ],
    "sessionState": {
        "dialogAction": {"type": "ElicitSlot", "slotToElicit": "Colour"},
        "intent": {
            "name": "Paint",
            "slots": {
                "Colour": None,
                "Room": {
                    "shape": "Scalar",
                    "value": {"originalValue": "hall", "interpretedValue": "hall", "resolvedValues": ["Hall"]},
                },
            },
            "state": "InProgress",
            "confirmationState": "None",
        },
        "activeContexts": [{"name": "painting", "timeToLive": {"turnsToLive": 2}, "contextAttributes": {}}],
        "sessionAttributes": {"UserName": "Ana", "x-amz-lex:audio:max-length-ms": "5000"},
        "originatingRequestId": "r-1",
    },
}


POSSIBLY_PLAYED = """
    InternalServerException BadGatewayException DependencyFailedException ReadTimeoutError ConnectionClosedError
    AccessDeniedException ResourceNotFoundException ValidationException
""".split()


class Lex:
    """Stands in for AWS: takes each call down, holds it while it is told to, and answers from a list (then ANSWER)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[dict[str, Any] | Exception] = []
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = self.most_at_once = 0

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        assert service == "lexv2-runtime"
        self.calls.append((operation, parameters))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.open.wait()
            answer = self.answers.pop(0) if self.answers and operation == "RecognizeText" else {}
        finally:
            self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer or copy.deepcopy(ANSWER)

    def pages(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("Lex's runtime lists nothing")

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]


class Engine:
    """The embedded engine's stand-in: takes down what it was handed."""

    name = "engine"

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def recognize(self, session_id: str, text: str, session_state: Any) -> Turn:
        self.heard.append((text, dict(session_state)))
        return Turn("Paint")


def failure(code: str) -> CloudError:
    return CloudError(code, "told so", operation="RecognizeText")


@pytest.fixture
def make_lex(tmp_path: Path) -> Callable[..., LexRecognizer]:
    """Make recognisers, of the test alias unless another is named."""

    def make(lex: Lex, alias: str = "TSTALIASID", **more: Any) -> LexRecognizer:
        url = "http://127.0.0.1:1"
        settings = load_settings(
            aws_endpoint_url=url, var_dir=tmp_path, lex_bot_id="ABCDEFGHIJ", lex_bot_alias_id=alias, **more
        )
        return LexRecognizer(lex, settings)

    return make


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "FIRST_WAIT", 0.001)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is done by tasks of the tested
            await asyncio.sleep(0)


@pytest.mark.parametrize("code", POSSIBLY_PLAYED)
async def test_a_turn_that_lex_may_have_played_is_not_sent_again(
    make_lex: Callable[..., LexRecognizer], code: str
) -> None:
    lex = Lex()
    lex.answers = [failure(code)]
    with pytest.raises(CloudError):
        await make_lex(lex).recognize("s-1", "hello", {})
    assert lex.operations == ["RecognizeText"]


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ConflictException", "EndpointConnectionError", "ConnectTimeoutError"]
)
async def test_a_turn_that_lex_certainly_has_not_played_is_sent_again_a_few_times(
    make_lex: Callable[..., LexRecognizer], code: str
) -> None:
    lex = Lex()
    lex.answers = [failure(code), failure(code)]
    assert (await make_lex(lex).recognize("s-1", "hello", {})).intent == "Paint"
    assert lex.operations == ["RecognizeText"] * 3
    lex.answers = [failure(code)] * 3
    with pytest.raises(CloudError):
        await make_lex(lex).recognize("s-1", "hello", {})
    assert lex.operations == ["RecognizeText"] * 6


@pytest.mark.parametrize(("alias", "most"), [("TSTALIASID", 2), ("KLMNOPQRST", 50)])
async def test_no_more_turns_are_asked_at_once_than_lex_takes(
    make_lex: Callable[..., LexRecognizer], alias: str, most: int
) -> None:
    lex = Lex()
    recognizer = make_lex(lex, alias)
    lex.open.clear()
    turns = [asyncio.create_task(recognizer.recognize(f"s-{n}", "hello", {})) for n in range(most + 5)]
    await until(lambda: lex.at_once == most)
    await asyncio.sleep(0)
    lex.open.set()
    assert len(await asyncio.gather(*turns)) == most + 5
    assert lex.most_at_once == most


async def test_a_raised_quota_is_a_setting(make_lex: Callable[..., LexRecognizer]) -> None:
    lex = Lex()
    recognizer = make_lex(lex, lex_concurrency=3)
    lex.open.clear()
    turns = [asyncio.create_task(recognizer.recognize(f"s-{n}", "hello", {})) for n in range(9)]
    await until(lambda: lex.at_once == 3)
    lex.open.set()
    await asyncio.gather(*turns)
    assert lex.most_at_once == 3


async def test_who_is_given_up_in_the_queue_is_never_sent_and_who_was_sent_keeps_its_place(
    make_lex: Callable[..., LexRecognizer],
) -> None:
    lex, engine = Lex(), Engine()
    lex.open.clear()
    both = WithFallback(make_lex(lex), engine, 0.05)
    turns = [both.recognize(f"s-{n}", f"text {n}", {}) for n in range(4)]
    await asyncio.gather(*turns)
    assert [text for text, _ in engine.heard] == [f"text {n}" for n in range(4)], "the engine answered all in time"
    assert [p["text"] for _, p in lex.calls] == ["text 0", "text 1"]
    assert lex.at_once == 2, "given up by us, they still take Lex's places"
    lex.open.set()
    await until(lambda: lex.at_once == 0)
    assert [p["text"] for _, p in lex.calls] == ["text 0", "text 1"]


async def test_the_session_goes_to_the_engine_and_comes_back_to_lex(make_lex: Callable[..., LexRecognizer]) -> None:
    lex, engine = Lex(), Engine()
    both = WithFallback(make_lex(lex), engine, 5)
    first = {"intent": {"name": "Paint"}, "dialogAction": {"type": "Delegate"}}
    second = {"intent": {"name": "Paint"}, "dialogAction": {"type": "ElicitSlot", "slotToElicit": "Room"}}
    third = {"intent": {"name": "Paint"}, "dialogAction": {"type": "ConfirmIntent"}}
    await both.recognize("s-1", "paint", first)
    lex.answers = [failure("InternalServerException")]
    await both.recognize("s-1", "red", second)
    assert engine.heard == [("red", second)], "the engine goes on where Lex was"
    await both.recognize("s-1", "yes", third)
    assert both.answered_by == "lex"
    assert lex.operations == ["RecognizeText", "RecognizeText", "PutSession", "RecognizeText"]
    assert lex.calls[2][1]["sessionState"] == third, "Lex goes on where the engine was"
    await both.recognize("s-1", "yes", third)
    assert lex.operations[4:] == ["RecognizeText"], "once is enough"


async def test_a_conversation_does_not_go_on_at_lex_before_its_late_turn_has_ended(
    make_lex: Callable[..., LexRecognizer],
) -> None:
    lex, engine = Lex(), Engine()
    lex.open.clear()
    both = WithFallback(make_lex(lex), engine, 0.02)
    await both.recognize("s-1", "paint", {})
    await both.recognize("s-1", "red", {})
    assert lex.operations == ["RecognizeText"]
    assert [text for text, _ in engine.heard] == ["paint", "red"]
    lex.open.set()
    await until(lambda: lex.at_once == 0)
    await asyncio.sleep(0)
    await both.recognize("s-1", "yes", {})
    assert lex.operations == ["RecognizeText", "PutSession", "RecognizeText"]
    assert [p["text"] for o, p in lex.calls if o == "RecognizeText"] == ["paint", "yes"]


def test_what_is_lexs_own_is_kept_and_nothing_else() -> None:
    kept = turn_of(ANSWER).kept
    assert kept["sessionAttributes"] == {"x-amz-lex:audio:max-length-ms": "5000"}
    assert [context["name"] for context in kept["activeContexts"]] == ["painting"]
    assert turn_of({"sessionState": {"sessionAttributes": {"UserName": "Ana"}}}).kept == {}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from paths(entry, (*path, key))


@pytest.mark.parametrize("left", ["nothing", "null"])
def test_every_field_of_an_answer_is_optional(left: str) -> None:
    for *way, last in paths(ANSWER):
        answer = copy.deepcopy(ANSWER)
        inner: Any = answer
        for key in way:
            inner = inner[key]
        if left == "null":
            inner[last] = None
        elif isinstance(inner, list):
            inner.pop(last)
        else:
            del inner[last]
        turn = turn_of(answer)
        assert turn.intent in ("Paint", "FallbackIntent", ""), (way, last)
    assert turn_of({}).is_fallback


def test_of_several_values_the_first_is_taken() -> None:
    several = {"shape": "List", "values": [{"value": {"interpretedValue": "hall"}}, {"value": None}]}
    state = {"intent": {"name": "Paint", "slots": {"Room": several, "Colour": {"shape": "List", "values": []}}}}
    turn = turn_of({"sessionState": state})
    assert turn.slots == {"Room": "hall"}
    assert turn.empty == {"Colour"}


async def test_lex_is_left_alone_for_a_while_when_it_fails_time_after_time(
    make_lex: Callable[..., LexRecognizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(runtime, "time", SimpleNamespace(monotonic=lambda: now))
    lex, engine = Lex(), Engine()
    both = WithFallback(make_lex(lex), engine, 5)
    lex.answers = [failure("InternalServerException") for _ in range(runtime.OUTAGE)]
    for n in range(runtime.OUTAGE + 5):
        await both.recognize(f"s-{n}", "paint", {})
    assert lex.operations == ["RecognizeText"] * runtime.OUTAGE
    assert len(engine.heard) == runtime.OUTAGE + 5
    now += runtime.REST + 1
    await both.recognize("s-7", "red", {})
    assert both.answered_by == "lex"
    assert lex.operations[runtime.OUTAGE :] == ["PutSession", "RecognizeText"], "it goes on where the engine was"
