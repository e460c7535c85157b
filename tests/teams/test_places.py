"""Where things are said: the approvers' channel, people's own chats, and not where other organisations read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from adapters.teams.connector import Connector
from adapters.teams.places import Places
from tests.support.stage import Theatre
from tests.support.teams.cards import presses_in, words_of
from tests.teams.conftest import Scene
from tests.teams.test_deliveries import tokens_of
from tests.teams.test_request_cards import APPROVER, ordered, pressed, thread

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHANNEL = "19:approvers@thread.tacv2"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A bot that asks for approval in a channel."""
    folder = tmp_path_factory.mktemp("teams")
    async with theatre.open_stage(folder, teams=True, teams_approvals_channel=CHANNEL) as stage:
        yield Scene(stage)


def asked_about(scene: Scene, request: str) -> tuple[str, dict[str, Any]]:
    """Return the thread in the approvers' channel that is about a request, and its card."""
    (sent,) = [s for s in scene.tenant.sent if s.conversation.startswith(CHANNEL) and request in words_of(s.activity)]
    card: dict[str, Any] = sent.activity["attachments"][0]["content"]
    return sent.conversation, card


async def test_approvals_are_asked_for_in_the_approvers_channel_a_thread_each(scene: Scene) -> None:
    ana, bo, eve = scene.member(), scene.member("Bo Chen", email=APPROVER), scene.member("Eve Roe")
    first, second = await ordered(scene, ana, thread(scene)), await ordered(scene, ana, thread(scene))
    where, card = asked_about(scene, first)
    assert where != asked_about(scene, second)[0]
    assert set(presses_in(card)) == {"Decide"}
    assert card["refresh"]["userIds"] == [bo.told["id"]]
    refused = await pressed(scene, eve, presses_in(card)["Decide"], where)
    assert "Approve" not in str(refused["value"]) or "not" in refused["value"]
    own = await pressed(scene, bo, presses_in(card)["Decide"], where)
    await pressed(scene, bo, presses_in(own["value"])["Approve"], where)
    assert (await scene.stage.view(first))["approvals"][0]["decision"] == "approve"
    assert (await scene.stage.view(second))["state"] == "awaiting_approval"
    _, card = asked_about(scene, first)
    assert presses_in(card) == {}
    assert scene.said(bo.personal) == []


async def test_nothing_is_asked_in_an_approvers_channel_that_people_from_elsewhere_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teams.places.FRESH", -1.0)
    ana, stranger = scene.member(), scene.member("Sam Strange", tenantId="ffffffff-0000-0000-0000-000000000000")
    scene.tenant.rosters[CHANNEL] = {ana.told["id"], stranger.told["id"]}
    request = await ordered(scene, ana, thread(scene))
    del scene.tenant.rosters[CHANNEL], scene.tenant.members[stranger.told["id"]]
    assert not [s for s in scene.tenant.sent if s.conversation.startswith(CHANNEL) and request in words_of(s.activity)]


async def test_of_more_than_sixty_approvers_the_first_sixty_are_refreshed(scene: Scene) -> None:
    emails = [f"approver-{n}@corp.example" for n in range(70)]
    for email in emails:
        scene.member(email=email)
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), [scene.tenant.service_url])
        places = Places(scene.stage.application.services, connector)
        readers = await places.readers(places.approvals_channel(), emails)
    assert len(readers) == len(set(readers)) == 60


def shared(activity: dict[str, Any]) -> dict[str, Any]:
    """Return an activity as Teams tells it of a channel that is shared with other organisations."""
    data = {**activity["channelData"], "channel": {"id": activity["conversation"]["id"], "type": "shared"}}
    return {**activity, "channelData": data}


async def test_who_asks_where_other_organisations_read_is_answered_in_person(scene: Scene) -> None:
    ana, here = scene.member(), thread(scene)
    await ana.sends(shared(ana.mention("I need a new account", here)))
    await scene.settles()
    assert scene.read(here) == "People from other organisations read this, so I answer you in our own chat."
    assert "what account type do you want?" in scene.read(ana.personal)


async def test_who_has_not_installed_it_is_told_to_and_nothing_else_is_said_there(scene: Scene) -> None:
    ana, here = scene.member(hasNotInstalled=True), thread(scene)
    await ana.sends(shared(ana.mention("I need a new account", here)))
    await scene.settles()
    assert scene.read(here).startswith("People from other organisations read this. Add me in a chat of your own")
    assert len(scene.said(here)) == 1


async def test_a_group_chat_with_somebody_from_elsewhere_counts_as_shared(scene: Scene) -> None:
    ana, stranger = scene.member(), scene.member("Sam Strange", tenantId="ffffffff-0000-0000-0000-000000000000")
    group = f"19:{scene.framework.number()}@thread.v2"
    scene.tenant.rosters[group] = {ana.told["id"], stranger.told["id"]}
    await ana.sends(ana.mention("I need a new account", group, "groupChat"))
    await scene.settles()
    assert "what account type" not in scene.read(group)
    assert "what account type do you want?" in scene.read(ana.personal)


async def test_nothing_more_is_told_where_people_from_elsewhere_came_to_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teams.places.FRESH", -1.0)
    ana, cy, group = scene.member(), scene.member("Cy Young"), f"19:{scene.framework.number()}@thread.v2"
    scene.tenant.rosters[group] = {ana.told["id"], cy.told["id"]}
    email = f"confidential-{scene.framework.number()}@corp.example"
    await ana.sends(ana.mention(f"I need a sandbox account in Demos for {email}", group, "groupChat"))
    await scene.settles()
    await ana.sends(ana.press(scene.buttons(group)["Yes, go ahead"], group, "groupChat"))
    await scene.settles()
    request = next(n.removeprefix("Cancel ") for n in scene.buttons(group) if n.startswith("Cancel "))
    await cy.sends(cy.mention("my requests", group, "groupChat"))
    await scene.settles()
    stranger = scene.member("Sam Strange", tenantId="ffffffff-0000-0000-0000-000000000000")
    scene.tenant.rosters[group].add(stranger.told["id"])
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("Confidential reason")
    await scene.settles()
    assert "Confidential" not in scene.read(group)
    card = next(words_of(s.activity) for s in scene.said(group) if "goes on elsewhere" in words_of(s.activity))
    assert email not in card
    assert "Confidential reason" in scene.read(ana.personal)
    assert scene.said(cy.personal) == []


async def test_who_hides_the_address_proves_it_with_a_code_in_their_own_chat_only(scene: Scene) -> None:
    ana, here = scene.member(email="", userPrincipalName=""), thread(scene)
    await ana.sends(ana.mention("ana.hidden@corp.example", here))
    await scene.settles()
    assert "Write to me in a chat of your own" in scene.read(here)
    await ana.sends(ana.message("ana.hidden@corp.example"))
    await scene.settles()
    approver = scene.stage.approver("ana.hidden@corp.example")
    await approver.receives_a_notice(about="Teams")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", approver.mail["text"])
    assert code
    eve = scene.member(email="", userPrincipalName="")
    await eve.sends(eve.message(code[0]))
    await ana.sends(ana.message(code[0]))
    await scene.settles()
    assert "you are ana.hidden@corp.example" in scene.read(ana.personal)
    assert "you are" not in scene.read(eve.personal)


async def test_a_tenant_that_was_taken_off_the_list_is_told_nothing_more(scene: Scene) -> None:
    ana, services = scene.member(), scene.stage.application.services
    await ana.sends(ana.message("I need a sandbox account in Demos for off@corp.example"))
    await scene.settles()
    await pressed(scene, ana, scene.buttons(ana.personal)["Yes, go ahead"])
    place, before = f"teams:{scene.tenant.id}:{ana.personal}", scene.read(ana.personal)
    record = await services.conversations.get(place)
    assert record is not None
    former = {**record.address, "tenant": "ffffffff-0000-0000-0000-000000000000"}
    await services.database.write(lambda t: services.conversations.move(t, place, former))
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=re.findall(r"qm-[0-9a-z]{8}", before)[-1])
    await approver.rejects("Confidential reason")
    await scene.settles()
    assert scene.read(ana.personal) == before
    assert all("Confidential" not in words_of(s.activity) for s in scene.said(ana.personal))
