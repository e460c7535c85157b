"""The recogniser is Lex, asked by boto3 over the wire; when it fails or dawdles the engine answers that turn."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from tests.stories.errands import answers_the_questions, see_it_through
from tests.support.stage import Approver, Speaker, Stage, Theatre

OFFERED = 1
"""Answers in the talk that are said as they were offered, so that no recogniser is asked."""
TALK = (
    "I need a new account on AWS",
    "sandbox",
    "no, make that Production",
    "not an address",
    "help",
    "wire@corp.example",
    "Prod",
    "Workloads/Prod",
    "call it wire-prod",
    "what is the weather like?",
    "no",
    "my requests",
)
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "slow": ("slow", {"seconds": 1.5}),
    "failing": ("server_error", {}),
    "throttling": ("throttling", {}),
    "forbidden": ("access_denied", {}),
    "cut off": ("connection_reset", {}),
}
faulty = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


def fell_back(logged: list[MutableMapping[str, Any]]) -> int:
    """Count the turns that the engine answered in Lex's place, by what the log says."""
    entries = [entry for entry in logged if entry["event"] == "recogniser.fell_back"]
    assert all(entry["log_level"] == "warning" and entry["reason"] for entry in entries)
    return len(entries)


async def turns_sent(stage: Stage) -> list[tuple[str, str]]:
    """Return (session, text) of every turn that Lex may have played: those that it did not refuse as too many."""
    calls = await stage.calls("RecognizeText")
    taken = [call for call in calls if call["error"] != "ThrottlingException"]
    return [(call["params"]["sessionId"], call["params"]["text"]) for call in taken]


async def transcript_of(stage: Stage, *, fault_after: int = 0, fault: tuple[str, dict[str, Any]] | None = None) -> str:
    """Hold the talk, switching a fault on after some of its sentences; return all that was said."""
    ana = stage.speaker("Ana Lopez")
    for number, sentence in enumerate(TALK):
        if fault and number == fault_after:
            await stage.switches_on(fault[0], operations=["RecognizeText"], **fault[1])
        await ana.says(sentence)
    return ana.transcript()


async def test_the_main_story_passes_unchanged(
    stage: Stage, ana: Speaker, bo: Approver, logged: list[MutableMapping[str, Any]]
) -> None:
    await ana.says("Hi I want a new account please")
    ana.hears("what account type do you want? Production or Sandbox?")
    await answers_the_questions(ana, "wire@corp.example")
    await ana.says("yes")
    ana.hears("is placed")
    await see_it_through(stage, ana, bo)
    sent = await turns_sent(stage)
    # “Sandbox” and “Demos” are said as they were offered: nobody needs to understand those.
    assert [text for _, text in sent] == ["Hi I want a new account please", "wire@corp.example", "yes"]
    assert fell_back(logged) == 0


async def test_sessions_name_nobody(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    [(session, _)] = await turns_sent(stage)
    assert "ana" not in session
    assert "@" not in session


@pytest.fixture(scope="session")
def by_the_engine(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The talk as held by a bot that was never told of Lex; a run of its own, since one bot runs at a time."""

    async def hold() -> str:
        async with theatre.open_stage(tmp_path_factory.mktemp("engine")) as stage:
            return await transcript_of(stage)

    return asyncio.run(hold())


async def test_lex_and_the_engine_hold_the_same_conversation(
    by_the_engine: str, stage: Stage, logged: list[MutableMapping[str, Any]]
) -> None:
    assert await transcript_of(stage) == by_the_engine
    assert len(await turns_sent(stage)) >= len(TALK) - OFFERED
    assert fell_back(logged) == 0


@faulty
async def test_a_lex_that_never_answers_well_is_not_noticed(
    by_the_engine: str, stage: Stage, fault: tuple[str, dict[str, Any]], logged: list[MutableMapping[str, Any]]
) -> None:
    assert await transcript_of(stage, fault=fault) == by_the_engine
    assert fell_back(logged) >= len(TALK) - OFFERED


@faulty
async def test_the_engine_takes_over_in_mid_form_and_no_turn_is_sent_twice(
    by_the_engine: str, stage: Stage, fault: tuple[str, dict[str, Any]], logged: list[MutableMapping[str, Any]]
) -> None:
    assert await transcript_of(stage, fault=fault, fault_after=3) == by_the_engine
    assert fell_back(logged) >= len(TALK) - 3
    assert set(Counter(await turns_sent(stage)).values()) == {1}


async def test_lex_takes_over_again_when_it_is_well(
    stage: Stage, ana: Speaker, logged: list[MutableMapping[str, Any]]
) -> None:
    await stage.switches_on("server_error", operations=["RecognizeText"], times=1)
    await ana.says("I need a sandbox account")
    ana.hears("what e-mail should I use")
    assert fell_back(logged) == 1
    await ana.says("wire@corp.example")
    ana.hears("what is the OU")
    assert fell_back(logged) == 1


async def test_what_is_lexs_own_goes_back_to_it_also_when_the_engine_answered_meanwhile(
    stage: Stage, ana: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud, own = stage.application.cloud, {"x-amz-lex:audio:max-length-ms": "5000"}
    call = cloud.call

    async def marking(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = await call(service, operation, **parameters)
        if operation == "RecognizeText" and parameters["text"] == "I need a sandbox account":
            answer["sessionState"]["sessionAttributes"].update(own)
        return answer

    monkeypatch.setattr(cloud, "call", marking)
    await ana.says("I need a sandbox account")
    await stage.switches_on("server_error", operations=["RecognizeText"], times=1)
    await ana.says("not an address")
    await ana.says("wire@corp.example")
    turns = [c["params"] for c in await stage.calls("RecognizeText")]
    given = [p["sessionState"]["sessionAttributes"] for p in turns if not p["sessionId"].endswith("-afresh")]
    called = {"UserName": "Ana Lopez"}
    assert given == [called, own | called, own | called]
    [put] = await stage.calls("PutSession")
    assert put["params"]["sessionState"]["sessionAttributes"] == own | called
    assert put["params"]["sessionState"]["dialogAction"] == {"type": "ElicitSlot", "slotToElicit": "RootEmail"}


async def test_a_slow_lex_delays_a_turn_by_no_more_than_its_time(stage: Stage, ana: Speaker) -> None:
    await ana.says("help")
    await stage.switches_on("slow", operations=["RecognizeText"], seconds=10)
    begun = time.monotonic()
    await ana.says("my requests")
    assert time.monotonic() - begun < 5
    ana.hears("You have no requests yet")


async def test_a_lex_bot_that_is_not_there_is_not_noticed_either(
    theatre: Theatre, tmp_path: Path, logged: list[MutableMapping[str, Any]]
) -> None:
    async with theatre.open_stage(tmp_path, lex_bot_id="GONEBOT123", lex_bot_alias_id="NOSUCHALIAS") as stage:
        ana = stage.speaker("Ana Lopez")
        await ana.says("I need a sandbox account in Demos for wire@corp.example")
        ana.hears("Create the Sandbox account wire-sandbox in OU Demos")
        [entry] = [entry for entry in logged if entry["event"] == "recogniser.fell_back"]
        assert "ResourceNotFoundException" in entry["reason"]
