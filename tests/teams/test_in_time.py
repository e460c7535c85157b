"""Presses are answered in time whatever AWS and the roster take, and what acts is kept all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.teams import completing, invoking
from adapters.teams.persons import Persons
from bot.approvals.pressing import decide_by
from tests.support.teams.cards import presses_in, presses_of, words_in
from tests.teams.conftest import Scene
from tests.teams.test_request_cards import APPROVER, WORDS, card_of, ordered, pressed, thread

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def hang(*_: Any, **__: Any) -> Any:
    await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teams waits three seconds; here it is less."""
    assert invoking.LOOK + invoking.NEXT < 3
    monkeypatch.setattr(invoking, "LOOK", 0.05)
    monkeypatch.setattr(invoking, "NEXT", 0.05)


async def test_a_form_that_aws_holds_up_is_not_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = scene.member()
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    button = scene.buttons(ana.personal)["Fill in a form"]
    monkeypatch.setattr(invoking, "form_of", hang)
    told = await pressed(scene, ana, button)
    assert (told["type"], told["value"]) == (WORDS, invoking.TOO_LONG)


async def test_answers_that_can_not_be_checked_in_time_are_checked_in_the_conversation(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = scene.member()
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    monkeypatch.setattr(invoking, "faults_of", hang)
    data = {"intent": "AWSAccountVending", "field.RootEmail": "foo..bar@corp.example"}
    told = await pressed(scene, ana, {"type": "Action.Execute", "verb": "submit", "data": data})
    assert told["type"] == WORDS
    assert "is not an e-mail address" in scene.read(ana.personal)


async def test_a_decision_counts_although_nobody_could_say_in_time_who_made_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = scene.member(), scene.member("Bo Chen", email=APPROVER)
    await bo.sends(bo.message("help"))
    request = await ordered(scene, ana, thread(scene))
    button = presses_of(card_of(scene, bo.personal, request).activity)["Approve"]
    find, calls = Persons.find, []

    async def hang_at_first(self: Persons, activity: Any) -> Any:
        calls.append(activity.key)
        if len(calls) == 1:
            await hang()
        return await find(self, activity)

    monkeypatch.setattr(Persons, "find", hang_at_first)
    await pressed(scene, bo, button)
    assert (await scene.stage.view(request))["approvals"][0]["decision"] == "approve"


async def test_a_decision_that_takes_its_time_is_shown_as_being_recorded_and_can_not_be_pressed_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bo = scene.member(), scene.member("Bo Chen", email=APPROVER)
    await bo.sends(bo.message("help"))
    request = await ordered(scene, ana, thread(scene))
    button = presses_of(card_of(scene, bo.personal, request).activity)["Approve"]
    go_on = asyncio.Event()

    async def decide_later(*arguments: Any) -> str:
        await go_on.wait()
        return await decide_by(*arguments)

    monkeypatch.setattr(completing, "decide_by", decide_later)
    monkeypatch.setattr(invoking, "NEXT", 1.0)
    answer = await bo.sends(bo.press(button))
    told = answer.json()["value"]
    assert invoking.PENDING in words_in(told)
    assert presses_in(told) == {}
    assert told["refresh"]["userIds"] == [bo.told["id"]]
    go_on.set()
    await scene.settles()
    for limit in ("NEXT", "LOOK"):
        monkeypatch.setattr(invoking, limit, 30.0)
    looked = await pressed(scene, bo, told["refresh"]["action"])
    assert "Approved by" in words_in(looked["value"])
