"""The form that fills all slots at once, with the validation of the chat; choices that many; a card's own pictures."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bot.card import Card, Image
from tests.support.teams.cards import presses_in, presses_of, words_in, words_of
from tests.support.teams.talking import Member
from tests.teams.conftest import Scene
from tests.teams.test_request_cards import CARD, WORDS, pressed

pytestmark = pytest.mark.asyncio(loop_scope="module")
RIGHT = {"field.AccountType": "Sandbox", "field.AccountOU": "Demos"}
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


async def opens_the_form(scene: Scene, ana: Member, wish: str = "I need an account") -> dict[str, Any]:
    """Ask for something and press “Fill in a form”; returns the form's card."""
    await ana.sends(ana.message(wish))
    await scene.settles()
    told = await pressed(scene, ana, scene.buttons(ana.personal)["Fill in a form"])
    assert told["type"] == CARD
    card: dict[str, Any] = told["value"]
    return card


def fields(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["id"]: e for e in card["body"] if e["type"].startswith("Input.")}


async def test_a_form_has_labels_and_required_marks_and_fills_all_slots_at_once(scene: Scene) -> None:
    ana = scene.member()
    card = await opens_the_form(scene, ana)
    inputs = fields(card)
    assert {"field.RootEmail", *RIGHT} <= set(inputs)
    assert all(field["label"] for field in inputs.values())
    assert inputs["field.RootEmail"]["isRequired"]
    assert [c["value"] for c in inputs["field.AccountType"]["choices"]] == ["Production", "Sandbox"]
    email = f"form-{scene.framework.number()}@corp.example"
    await pressed(scene, ana, presses_in(card)["Continue"], **RIGHT, **{"field.RootEmail": email})
    assert email in scene.read(ana.personal)
    assert "Shall I go ahead?" in scene.read(ana.personal)
    question = scene.said(ana.personal)[0].activity
    assert presses_of(question) == {}
    assert "filled in the form" in words_of(question)


async def test_what_was_said_before_stands_in_the_form(scene: Scene) -> None:
    card = await opens_the_form(scene, scene.member(), "I need a sandbox account for held@corp.example")
    assert fields(card)["field.RootEmail"]["value"] == "held@corp.example"


async def test_a_wrong_answer_is_told_at_its_field_in_the_words_of_the_chat(scene: Scene) -> None:
    ana = scene.member()
    card = await opens_the_form(scene, ana)
    before = len(scene.said(ana.personal))
    wrong = {**RIGHT, "field.RootEmail": "foo..bar@corp.example"}
    told = await pressed(scene, ana, presses_in(card)["Continue"], **wrong)
    again = told["value"]
    assert "is not an e-mail address" in words_in(again)
    place = next(n for n, e in enumerate(again["body"]) if e.get("id") == "field.RootEmail")
    below = json.dumps(again["body"][place + 1 : place + 3])
    assert "is not an e-mail address" in below
    assert "Attention" in below
    assert fields(again)["field.RootEmail"]["value"] == "foo..bar@corp.example"
    assert fields(again)["field.AccountOU"]["value"] == "Demos"
    assert len(scene.said(ana.personal)) == before, "nothing is said of a form that is still open"


async def test_a_form_twice_submitted_is_taken_once(scene: Scene) -> None:
    ana = scene.member()
    card = await opens_the_form(scene, ana)
    press = ana.press(presses_in(card)["Continue"], **RIGHT)
    for _ in range(3):
        assert (await ana.sends(press)).status_code == 200
    await scene.settles()
    assert scene.read(ana.personal).count("what e-mail should I use") == 1


async def test_a_forged_form_is_refused(scene: Scene) -> None:
    ana = scene.member()
    await pressed(scene, ana, {"type": "Action.Execute", "verb": "submit", "data": {"intent": "NoSuchThing"}})
    assert "not one of mine" in scene.read(ana.personal)
    opened = await pressed(scene, ana, {"type": "Action.Execute", "verb": "teams_form", "data": {"value": "No"}})
    assert (opened["type"], opened["value"]) == (WORDS, "That form is no longer there. Tell me what you need.")


async def test_a_cards_own_picture_is_served_under_a_name_that_nobody_can_guess(scene: Scene) -> None:
    ana = scene.member()
    await ana.sends(ana.message("help"))
    await scene.settles()
    services, place = scene.stage.application.services, f"teams:{scene.tenant.id}:{ana.personal}"
    url = "data:image/png;base64," + base64.b64encode(DOT).decode()
    chart = Card("Spend", (Image(url, "Spend in May"),))
    await services.database.write(lambda t: services.conversations.notify(t, place, "chart-1", "Spend", chart, ""))
    await scene.settles()
    (picture,) = [
        e
        for s in scene.said(ana.personal)
        if "attachments" in s.activity
        for e in s.activity["attachments"][0]["content"]["body"]
        if e["type"] == "Image"
    ]
    assert picture["altText"] == "Spend in May"
    path = picture["url"].removeprefix(scene.stage.url)
    answer = await ana.client.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", DOT)
    for other in (
        path[:-1] + ("0" if path[-1] != "0" else "1"),
        path.replace("-1-", "-2-"),
        "/api/messages/pictures/x",
    ):
        assert (await ana.client.get(other)).status_code == 404
