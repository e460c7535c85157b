"""Who is served in Slack: members by their address, others get help only, and an address that is hidden is proved."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from adapters.slack import places
from tests.slack.scene import Scene, read
from tests.support.slack.talking import Member, buttons_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]
HELP_ONLY = "I have to leave it at this for guests and for people from elsewhere"
WISH = "I need a sandbox account"


@pytest.mark.parametrize(
    "told",
    [{"is_restricted": True}, {"is_ultra_restricted": True}, {"is_stranger": True}, {"team_id": "T0ELSEWHERE"}],
    ids=str,
)
async def test_guests_and_strangers_get_help_only(scene: Scene, fresh: Fresh, told: dict[str, Any]) -> None:
    guest, channel = scene.member(fresh("guest"), **told), scene.workspace.channel()
    thread = await guest.posts(f"<@{scene.workspace.bot_user}> {WISH}", channel)
    direct = scene.workspace.direct(guest.user)
    await guest.posts(WISH, direct)
    await scene.settles()
    for place in (channel, direct):
        assert HELP_ONLY in scene.read(place)
        assert "e-mail" not in scene.read(place)
    await guest.posts("please!", channel, thread.ts)
    await scene.settles()
    assert len(scene.said(channel)) == 1, "who is not served is not answered again and again"


async def test_a_guest_whom_the_directory_names_is_served(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest, email = scene.member("", "Gus Roe", is_restricted=True), fresh("guest")
    known = {f"{scene.workspace.team}/{guest.user}": email}
    monkeypatch.setattr(scene.stage.application.services.directory, "email_of", lambda _, one: known.get(one, ""))
    direct = scene.workspace.direct(guest.user)
    await guest.posts(WISH, direct)
    await scene.settles()
    assert "hat e-mail should I use" in scene.read(direct)


async def test_people_of_other_organisations_are_not_looked_up(scene: Scene, fresh: Fresh) -> None:
    stranger, channel = scene.member(fresh("stranger")), scene.workspace.channel(is_ext_shared=True)
    stranger.more = {"is_ext_shared_channel": True}
    message = stranger.writes(f"<@{scene.workspace.bot_user}> {WISH}", channel)
    await stranger.sends(stranger.event_of(message, user_team="T0ELSEWHERE", source_team="T0ELSEWHERE"))
    await scene.settles()
    assert HELP_ONLY in scene.read(channel)
    assert scene.calls("users.info") == []


async def test_bots_and_closed_accounts_are_not_answered(scene: Scene, fresh: Fresh) -> None:
    for told in ("is_bot", "deleted"):
        gone = scene.member(fresh("gone"), "Gone", **{told: True})
        direct = scene.workspace.direct(gone.user)
        await gone.posts("help", direct)
        await scene.settles()
        assert scene.said(direct) == []


async def test_members_are_answered_in_person_where_other_organisations_read(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel(is_ext_shared=True)
    ana.more = {"is_ext_shared_channel": True}
    await ana.posts(f"<@{scene.workspace.bot_user}> {WISH} in Demos", channel)
    await scene.settles()
    assert [m.ephemeral_to for m in scene.said(channel)] == [ana.user]
    assert "People from other organisations read this channel" in scene.read(channel)
    assert "hat e-mail should I use" in scene.read(scene.workspace.direct(ana.user))


async def test_what_is_pressed_where_other_organisations_read_is_answered_in_person(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "FRESH", 0)  # whether it is shared is asked each time
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account for {fresh('x')}", channel)
    await scene.settles()
    button = buttons_of(scene.said(channel, told.ts)[-1])["Demos"]
    scene.shares(channel)
    message = {"type": "message", "user": ana.user, "ts": told.ts, "text": "help"}
    shortcut = {"callback_id": "ask_quartermaster_message", "channel": {"id": channel}, "message": message}
    await ana.presses(button)
    await ana.interacts(ana.interaction("message_action", **shortcut))
    await scene.settles()
    assert [m.ephemeral_to for m in scene.said(channel)[1:]] == [ana.user] * 2
    assert "What I can do" in scene.read(scene.workspace.direct(ana.user))


async def test_a_card_in_a_channel_that_came_to_be_shared_tells_nothing_more(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "FRESH", 0)  # whether it is shared is asked each time
    ana, channel, email = scene.member(fresh("ana")), scene.workspace.channel(), fresh("secret")
    request = await scene.ordered(ana, email, channel)
    scene.shares(channel)
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("Confidential reason")
    await scene.settles()
    assert "Confidential" not in scene.read(channel)
    card = next(m for m in scene.said(channel) if request in read(m))
    assert email not in read(card)
    assert buttons_of(card) == {}
    assert "Confidential reason" in scene.read(scene.workspace.direct(ana.user))


async def test_news_do_not_go_to_a_channel_that_came_to_be_shared(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> help", channel)
    await scene.settles()
    before = len(scene.said(channel))
    scene.shares(channel)
    services = scene.stage.application.services
    conversation = f"slack:{scene.workspace.team}:{channel}:{told.ts}"

    async def tell(transaction: Any) -> None:
        await services.conversations.notify(transaction, conversation, fresh("key"), "Confidential news", None, "")

    await services.database.write(tell)
    await scene.settles()
    assert len(scene.said(channel)) == before
    assert "Confidential news" in scene.read(scene.workspace.direct(ana.user))


async def test_slack_is_asked_about_somebody_once(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    for _ in range(3):
        await ana.posts("help", direct)
        await scene.settles()
    assert len(scene.calls("users.info")) == 1


async def test_a_renamed_account_is_the_same_person(scene: Scene, fresh: Fresh) -> None:
    ana, channel, email = scene.member(fresh("ana")), scene.workspace.channel(), fresh("renamed")
    request = await scene.ordered(ana, email, channel)
    scene.workspace.users[ana.user]["profile"]["real_name"] = "Somebody Else"
    scene.workspace.users[ana.user]["profile"]["email"] = fresh("other")
    await ana.posts("my requests", scene.workspace.direct(ana.user))
    await scene.settles()
    assert request in scene.read(scene.workspace.direct(ana.user))


async def reads_the_code(scene: Scene, email: str) -> str:
    """Return the code in the newest mail to an address."""
    approver = scene.stage.approver(email)
    await approver.receives_a_notice()
    found = re.search(r"\b([0-9A-Z]{4}-[0-9A-Z]{4})\b", approver.mail["text"])
    assert found, approver.mail["text"]
    return found[1]


def hidden(scene: Scene) -> Member:
    """Return somebody whose address Slack does not show."""
    return Member(scene.standin, scene.workspace, scene.stage.client(), scene.workspace.user("", "Hid Den"))


async def test_who_hides_the_address_proves_it_with_a_code(scene: Scene, fresh: Fresh) -> None:
    member, email = hidden(scene), fresh("hidden")
    direct = scene.workspace.direct(member.user)
    await member.posts(WISH, direct)
    await scene.settles()
    assert "Your Slack profile shows me no e-mail address" in scene.read(direct)
    await member.posts(f"it is {email}", direct)
    await scene.settles()
    assert f"I have mailed a code to {email}" in scene.read(direct)
    code = await reads_the_code(scene, email)
    await member.posts(code.lower(), direct)
    await scene.settles()
    assert f"Thank you: you are {email}" in scene.read(direct)
    await member.posts(WISH, direct)
    await scene.settles()
    assert "hat e-mail should I use" in scene.read(direct)


async def test_a_code_counts_for_the_one_who_was_to_get_it(scene: Scene, fresh: Fresh) -> None:
    victim, thief, email = hidden(scene), hidden(scene), fresh("victim")
    await victim.posts(email, scene.workspace.direct(victim.user))
    await scene.settles()
    code = await reads_the_code(scene, email)
    direct = scene.workspace.direct(thief.user)
    await thief.posts(code, direct)
    await scene.settles()
    assert "Thank you" not in scene.read(direct)


async def test_codes_can_not_be_guessed(scene: Scene, fresh: Fresh) -> None:
    member, email = hidden(scene), fresh("guessed")
    direct = scene.workspace.direct(member.user)
    await member.posts(email, direct)
    await scene.settles()
    code = await reads_the_code(scene, email)
    for _ in range(5):
        await member.posts("2222-2222", direct)
        await scene.settles()
    await member.posts(code, direct)
    await scene.settles()
    assert "too many tries" in scene.read(direct)
    assert "Thank you" not in scene.read(direct)
