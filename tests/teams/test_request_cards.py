"""One card a request, updated in place for everybody; decisions in Teams and elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import pytest_asyncio

from sandbox.teams.tenants import Sent
from tests.support.teams.cards import check_card, presses_in, presses_of, words_in, words_of
from tests.support.teams.talking import Member
from tests.teams.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
APPROVER = "bo@corp.example"
CARD, WORDS = "application/vnd.microsoft.card.adaptive", "application/vnd.microsoft.activity.message"


@pytest_asyncio.fixture(loop_scope="module")
async def bo(scene: Scene) -> Member:
    """The approver, whom the bot has met."""
    bo = scene.member("Bo Chen", email=APPROVER)
    await bo.sends(bo.activity("conversationUpdate", membersAdded=[{"id": scene.tenant.bot}]))
    await scene.settles()
    return bo


async def ordered(scene: Scene, ana: Member, conversation: str, email: str = "") -> str:
    """Have an account asked for in a channel and the plan confirmed; returns the request's id."""
    email = email or f"vend-{scene.framework.number()}@corp.example"
    await ana.sends(ana.mention(f"I need a sandbox account in Demos for {email}", conversation))
    await scene.settles()
    await pressed(scene, ana, scene.buttons(conversation)["Yes, go ahead"], conversation)
    found = re.search(r"Request (qm-[0-9a-z]{8}) is placed", scene.read(conversation))
    assert found, scene.read(conversation)
    return found[1]


async def pressed(scene: Scene, member: Member, action: Any, conversation: str = "", **filled: str) -> dict[str, Any]:
    """Press something and wait for what follows; returns what Teams shows to who pressed."""
    kind = "channel" if conversation.startswith("19:") else "personal"
    answer = await member.sends(member.press(action, conversation, kind, **filled))
    assert answer.status_code == 200, answer.text
    await scene.settles()
    told: dict[str, Any] = answer.json()
    if told["type"] == CARD:
        check_card(told["value"])
    return told


def thread(scene: Scene) -> str:
    number = scene.framework.number()
    return f"19:{number}@thread.tacv2;messageid={number}"


def card_of(scene: Scene, conversation: str, request: str) -> Sent:
    """Return the newest card about a request there."""
    return [s for s in scene.said(conversation) if "attachments" in s.activity and request in words_of(s.activity)][-1]


async def test_the_approver_is_asked_in_their_own_chat_and_approves_there(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    asked = card_of(scene, bo.personal, request)
    assert "Approval needed" in words_of(asked.activity)
    told = await pressed(scene, bo, presses_of(asked.activity)["Approve"], reason="Within budget")
    assert "Approved by" in words_in(told["value"])
    assert presses_in(told["value"]) == {}
    view = await scene.stage.view(request)
    assert (view["approvals"][0]["decision"], view["approvals"][0]["reason"]) == ("approve", "Within budget")
    asked = card_of(scene, bo.personal, request)
    assert presses_of(asked.activity) == {}
    assert f"{APPROVER}: Within budget" in words_of(asked.activity)
    assert "was approved by" in words_of(card_of(scene, here, request).activity)
    assert asked.versions > 1, "updated in place"


async def test_where_others_read_teams_fetches_the_approvers_own_view(scene: Scene, bo: Member) -> None:
    ana, eve, here = scene.member(), scene.member("Eve Roe"), thread(scene)
    request = await ordered(scene, ana, here)
    card = card_of(scene, here, request).activity["attachments"][0]["content"]
    assert not {"Approve", "Reject"} & set(presses_in(card))
    assert card["refresh"]["userIds"] == [bo.told["id"]]
    own = await pressed(scene, bo, card["refresh"]["action"], here)
    assert {"Approve", "Reject"} <= set(presses_in(own["value"]))
    assert own["value"]["refresh"]["userIds"] == [bo.told["id"]]
    others = await pressed(scene, eve, card["refresh"]["action"], here)
    assert "Approve" not in json.dumps(others)
    mine = await pressed(scene, ana, card["refresh"]["action"], here)
    assert presses_in(mine["value"]) == {}
    await pressed(scene, bo, presses_in(own["value"])["Approve"], here)
    assert (await scene.stage.view(request))["approvals"][0]["decision"] == "approve"
    card = card_of(scene, here, request).activity["attachments"][0]["content"]
    assert "refresh" not in card


async def test_a_rejection_needs_a_reason_and_reaches_every_copy(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    await ana.sends(ana.mention(f"status of {request}", thread(scene)))
    action = presses_of(card_of(scene, bo.personal, request).activity)["Reject"]
    refused = await pressed(scene, bo, action, reason="   ")
    assert "Say why" in words_in(refused["value"])
    assert {"Approve", "Reject"} <= set(presses_in(refused["value"]))
    assert (await scene.stage.view(request))["state"] == "awaiting_approval"
    await pressed(scene, bo, action, reason="No budget <at>Bo</at> [x](https://evil.example)")
    assert (await scene.stage.view(request))["state"] == "rejected"
    copies = [s for s in scene.tenant.sent if "attachments" in s.activity and request in words_of(s.activity)]
    assert len(copies) >= 3
    for sent in copies:
        assert not {"Approve", "Reject", f"Cancel {request}"} & set(presses_of(sent.activity)), words_of(sent.activity)
    assert "No budget <at>Bo</at> [x](https://evil.example)" in scene.read(here)


async def test_a_decision_by_mail_takes_the_buttons_from_teams(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("not now")
    await scene.settles()
    asked = card_of(scene, bo.personal, request)
    assert presses_of(asked.activity) == {}
    assert "not now" in words_of(asked.activity)
    pings = [s.activity for s in scene.said(here) if "entities" in s.activity]
    assert [f"Your request {request} was rejected" in p["text"] for p in pings] == [True]
    assert pings[0]["entities"][0]["mentioned"]["id"] == ana.told["id"]


async def test_that_it_is_over_is_told_to_who_asked_whoever_spoke_there_last(scene: Scene, bo: Member) -> None:
    ana, cy, here = scene.member(), scene.member("Cy Young"), thread(scene)
    request = await ordered(scene, ana, here)
    await cy.sends(cy.mention("my requests", here))
    await scene.settles()
    action = presses_of(card_of(scene, bo.personal, request).activity)["Reject"]
    await pressed(scene, bo, action, reason="No budget")
    (ping,) = [s.activity for s in scene.said(here) if "entities" in s.activity]
    assert ping["entities"][0]["mentioned"] == {"id": ana.told["id"], "name": "Ana"}


async def test_a_button_that_is_too_old_says_so_and_decides_nothing(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    old = presses_of(card_of(scene, bo.personal, request).activity)["Approve"]
    await pressed(scene, ana, scene.buttons(here)[f"Cancel {request}"], here)
    told = await pressed(scene, bo, old)
    assert (told["type"], "was cancelled by its requester" in told["value"]) == (WORDS, True)
    assert (await scene.stage.view(request))["state"] == "cancelled"


async def test_whoever_asked_or_was_not_asked_can_not_decide(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    action = presses_of(card_of(scene, bo.personal, request).activity)["Approve"]
    for member in (ana, scene.member("Eve Roe")):
        told = await pressed(scene, member, action, here)
        assert told["type"] == WORDS
        looked = await pressed(scene, member, {"type": "Action.Execute", "verb": "teams_view", "data": action["data"]})
        assert "Approve" not in json.dumps(looked["value"]) or looked["type"] == WORDS
    assert (await scene.stage.view(request))["state"] == "awaiting_approval"


async def test_the_same_decision_delivered_twice_counts_once(scene: Scene, bo: Member) -> None:
    ana, here = scene.member(), thread(scene)
    request = await ordered(scene, ana, here)
    press = bo.press(presses_of(card_of(scene, bo.personal, request).activity)["Approve"])
    for _ in range(2):
        assert (await bo.sends(press)).status_code == 200
    await scene.settles()
    view = await scene.stage.view(request)
    assert [a["decision"] for a in view["approvals"]] == ["approve"]


async def test_a_question_loses_its_buttons_for_everybody_when_who_was_asked_has_answered(scene: Scene) -> None:
    ana, cy, here = scene.member(), scene.member("Cy Young"), thread(scene)
    await ana.sends(ana.mention("I need a new account", here))
    await scene.settles()
    action = scene.buttons(here)["Sandbox"]
    told = await pressed(scene, cy, action, here)
    assert told["type"] == WORDS
    assert "Sandbox" in scene.buttons(here), "somebody else's press takes nothing away"
    told = await pressed(scene, ana, action, here)
    assert "You chose “Sandbox”." in words_in(told["value"])
    question = scene.said(here)[0]
    assert presses_of(question.activity) == {}
    assert "chose “Sandbox”." in words_of(question.activity)


async def test_an_answer_that_names_another_message_takes_no_buttons_from_it(scene: Scene) -> None:
    ana, cy, here = scene.member(), scene.member("Cy Young"), thread(scene)
    await ana.sends(ana.mention("I need a new account", here))
    await cy.sends(cy.mention("I need a new account", thread(scene)))
    await scene.settles()
    action = scene.buttons(here)["Sandbox"]
    await pressed(scene, cy, action)
    forged = {**action, "data": {**action["data"], "value": "AccountType=Imagined"}}
    await pressed(scene, ana, forged, here)
    assert "Sandbox" in scene.buttons(here)
