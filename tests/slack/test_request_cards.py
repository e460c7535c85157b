"""One card a request, updated in place wherever it stands; decisions in Slack and elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.slack.scene import APPROVER, Scene, read
from tests.support.slack.talking import Member, buttons_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


@pytest.fixture
def bo(scene: Scene) -> Member:
    """The approver."""
    return scene.member(APPROVER, "Bo Diaz")


async def test_the_approver_is_asked_in_person_and_approves_in_slack(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    email = fresh("vend")
    request = await scene.ordered(ana, email, channel)
    direct = scene.workspace.direct(bo.user)
    asked = next(m for m in scene.said(direct) if request in read(m))
    assert "Approval needed" in read(asked)
    assert email in read(asked)
    await scene.presses(bo, "Approve", direct, about=request)
    view = bo.newest_view()
    assert view["submit"]["text"] == "Approve"
    answer = await bo.submits(view)
    assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    assert (await scene.stage.view(request))["approvals"][0]["decision"] == "approve"
    assert {"Approve", "Reject"}.isdisjoint(buttons_of(asked))
    assert f"Approved by {APPROVER}" in read(asked)
    theirs = next(m for m in scene.said(channel) if request in read(m))
    assert "was approved by" in read(theirs)


async def test_a_rejection_needs_a_reason_and_reaches_every_copy(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("reject"), channel)
    told = await ana.posts(f"<@{scene.workspace.bot_user}> status of {request}", channel)
    await scene.settles()
    direct = scene.workspace.direct(bo.user)
    await scene.presses(bo, "Reject", direct, about=request)
    view = bo.newest_view()
    refused = await bo.submits(view, reason="   ")
    assert refused.json()["response_action"] == "errors"
    assert set(refused.json()["errors"]) == {"reason"}
    assert (await bo.submits(view, reason="No budget <!here>")).content == b""
    await scene.settles()
    assert (await scene.stage.view(request))["state"] == "rejected"
    copies = [m for m in (*scene.said(channel), *scene.said(direct)) if request in read(m)]
    assert len(copies) >= 3
    for message in copies:
        assert not {"Approve", "Reject", f"Cancel {request}"} & set(buttons_of(message)), read(message)
    assert "No budget <!here>" in scene.read(channel)
    assert "ejected" in read(scene.said(channel, told.ts)[0])


async def test_a_decision_by_mail_takes_the_buttons_from_slack(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("mail"), channel)
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("not now")
    await scene.settles()
    card = next(m for m in scene.said(scene.workspace.direct(bo.user)) if request in read(m))
    assert buttons_of(card) == {}
    assert "not now" in read(card)


async def test_a_button_that_is_too_old_says_so_and_decides_nothing(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("old"), channel)
    direct = scene.workspace.direct(bo.user)
    old = buttons_of(next(m for m in scene.said(direct) if request in read(m)))["Approve"]
    await scene.presses(ana, f"Cancel {request}", channel)
    await bo.presses(old)
    await scene.settles()
    view = bo.newest_view()
    assert "submit" not in view
    assert "was cancelled by its requester" in str(view["blocks"])


async def test_a_view_that_is_submitted_too_late_is_answered_and_decides_nothing(
    scene: Scene, fresh: Fresh, bo: Member
) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("late"), channel)
    direct = scene.workspace.direct(bo.user)
    await scene.presses(bo, "Approve", direct, about=request)
    view = bo.newest_view()
    await scene.presses(ana, f"Cancel {request}", channel)
    await bo.submits(view)
    await scene.settles()
    assert (await scene.stage.view(request))["state"] == "cancelled"
    assert "was cancelled by its requester" in scene.read(direct)


async def test_whoever_asked_or_was_not_asked_can_not_decide(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("own"), channel)
    card = next(m for m in scene.said(scene.workspace.direct(bo.user)) if request in read(m))
    button = buttons_of(card)["Approve"]
    for member in (ana, scene.member(fresh("eve"), "Eve Roe")):
        await member.presses(button)
        await scene.settles()
        view = member.newest_view()
        assert "submit" not in view
        forged = {**bo_view(request), "id": "V1"}
        assert (await member.submits(forged)).status_code == 200
        await scene.settles()
    assert (await scene.stage.view(request))["state"] == "awaiting_approval"


def bo_view(request: str) -> dict[str, object]:
    """Return the modal of an approval as the bot opens it for those who may decide."""
    metadata = f'{{"request": "{request}", "version": "1", "decision": "approve"}}'
    return {"type": "modal", "callback_id": "qm_decision", "private_metadata": metadata, "blocks": []}


async def test_a_trigger_that_has_ended_is_asked_to_be_pulled_again(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("slow"), channel)
    direct = scene.workspace.direct(bo.user)
    card = next(m for m in scene.said(direct) if request in read(m))
    element = buttons_of(card)["Approve"].element
    payload = bo.interaction(
        "block_actions",
        container={"type": "message", "channel_id": direct, "message_ts": card.ts},
        channel={"id": direct},
        actions=[{"type": "button", "action_id": element["action_id"], "value": element["value"]}],
    )
    scene.workspace.triggers[str(payload["trigger_id"])] -= 10
    await bo.interacts(payload)
    await scene.settles()
    assert "Please press it again" in scene.read(direct)


async def test_when_it_is_over_the_one_who_asked_is_notified_once(scene: Scene, fresh: Fresh, bo: Member) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("over"), channel)
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("not now")
    await scene.settles()
    pings = [m for m in scene.said(channel) if f"<@{ana.user}>" in m.text]
    assert [f"Your request {request} was rejected" in m.text for m in pings] == [True]
