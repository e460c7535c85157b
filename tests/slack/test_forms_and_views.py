"""The form that fills all slots at once, the home tab and the agent's view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapters.slack import in_place, persons
from tests.slack.scene import APPROVER, Scene
from tests.support.slack.blockkit import texts
from tests.support.slack.methods import METHODS
from tests.support.slack.standin import Refusal
from tests.support.slack.talking import Member, buttons_of, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


async def opens_the_form(scene: Scene, ana: Member, channel: str, wish: str) -> tuple[str, dict[str, Any]]:
    """Ask for something and press “Fill in a form”; returns the thread and the modal."""
    told = await ana.posts(f"<@{scene.workspace.bot_user}> {wish}", channel)
    await scene.settles()
    await scene.presses(ana, "Fill in a form", channel, told.ts)
    return told.ts, ana.newest_view()


async def test_a_form_fills_all_slots_at_once(scene: Scene, fresh: Fresh) -> None:
    ana, channel, email = scene.member(fresh("ana")), scene.workspace.channel(), fresh("form")
    thread, view = await opens_the_form(scene, ana, channel, "I need an account")
    fields = {b["block_id"]: b for b in view["blocks"]}
    assert [b["type"] for b in view["blocks"]] == ["input"] * len(fields)
    answers = {"RootEmail": email, "AccountOU": "Demos", "AccountType": "Sandbox"}
    assert set(answers) <= set(fields)
    answer = await ana.submits(view, **answers)
    assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    assert email in scene.read(channel, thread)
    assert "Shall I go ahead?" in scene.read(channel, thread)
    await scene.presses(ana, "Yes, go ahead", channel, thread)
    assert "is placed" in scene.read(channel, thread)


async def test_what_was_said_before_stands_in_the_form(scene: Scene, fresh: Fresh) -> None:
    ana, channel, email = scene.member(fresh("ana")), scene.workspace.channel(), fresh("held")
    _, view = await opens_the_form(scene, ana, channel, f"I need a sandbox account for {email}")
    field = next(b for b in view["blocks"] if b["block_id"] == "RootEmail")
    assert field["element"]["initial_value"] == email


async def test_a_wrong_answer_is_told_at_its_field_in_the_words_of_the_chat(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    thread, view = await opens_the_form(scene, ana, channel, "I need an account")
    before = len(scene.said(channel, thread))
    answer = await ana.submits(view, RootEmail="foo..bar@corp.example", AccountOU="Demos", AccountType="Sandbox")
    told = answer.json()
    assert told["response_action"] == "errors"
    assert set(told["errors"]) == {"RootEmail"}
    assert "is not an e-mail address" in told["errors"]["RootEmail"]
    await scene.settles()
    assert len(scene.said(channel, thread)) == before, "nothing is said of a form that is still open"
    answer = await ana.submits(view, RootEmail=fresh("right"), AccountOU="Demos", AccountType="Sandbox")
    assert answer.content == b""


async def test_typed_answers_keep_working_beside_the_form(scene: Scene, fresh: Fresh) -> None:
    ana, channel, email = scene.member(fresh("ana")), scene.workspace.channel(), fresh("beside")
    thread, view = await opens_the_form(scene, ana, channel, "I need a sandbox account")
    await ana.posts(email, channel, thread)
    await scene.settles()
    await ana.submits(view, AccountOU="Demos", AccountType="Sandbox", RootEmail=email)
    await scene.settles()
    assert "Shall I go ahead?" in scene.read(channel, thread)


async def test_a_form_twice_submitted_is_taken_once(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    thread, view = await opens_the_form(scene, ana, channel, "I need an account")
    values = {b["block_id"]: {"words": {"type": "plain_text_input", "value": ""}} for b in view["blocks"]}
    values["RootEmail"] = {"words": {"type": "plain_text_input", "value": fresh("twice")}}
    payload = ana.interaction("view_submission", view={**view, "state": {"values": values}})
    for _ in range(3):
        assert (await ana.interacts(payload)).status_code == 200
    await scene.settles()
    assert scene.read(channel, thread).count("hat account type do you want?") == 2, "asked, and asked again once"


async def test_a_forged_form_is_refused(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    view = {
        "type": "modal",
        "callback_id": "qm_form",
        "private_metadata": '{"intent": "NoSuchThing", "conversation": ""}',
        "blocks": [],
    }
    await ana.submits(view)
    await scene.settles()
    assert "not one of mine" in scene.read(scene.workspace.direct(ana.user))


async def opens(scene: Scene, member: Member, tab: str) -> str:
    """Open a tab of the app; returns the conversation in it."""
    direct = scene.workspace.direct(member.user)
    event = {"type": "app_home_opened", "user": member.user, "channel": direct, "tab": tab, "event_ts": "1"}
    assert (await member.sends(member.envelope(event))).status_code == 200
    await scene.settles()
    return direct


async def test_the_home_tab_shows_what_one_asked_and_can_ask(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("home"), channel)
    await opens(scene, ana, "home")
    shown = " ".join(texts(scene.workspace.homes[ana.user]["blocks"]))
    assert request in shown
    assert "waiting for approval" in shown
    assert "Nothing waits for your decision." in shown
    assert "Order a new AWS account" in shown
    assert "Monthly report" not in shown, "what policy forbids is not offered"
    await ana.presses_at_home("Ask for something")
    await scene.settles()
    assert ana.newest_view()["callback_id"] == "qm_start"


async def test_the_home_tab_shows_what_waits_for_one_and_decides_it(scene: Scene, fresh: Fresh) -> None:
    ana, bo, channel = scene.member(fresh("ana")), scene.member(APPROVER, "Bo Diaz"), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("waits"), channel)
    await opens(scene, bo, "home")
    home = scene.workspace.homes[bo.user]
    value = f"{request}:1"
    element = next(e for b in home["blocks"] for e in b.get("elements", ()) if e.get("value") == value)
    container = {"type": "view", "view_id": home["id"]}
    action = {"type": "button", "action_id": element["action_id"], "value": value}
    await bo.interacts(bo.interaction("block_actions", container=container, view=home, actions=[action]))
    await scene.settles()
    await bo.submits(bo.newest_view())
    await scene.settles()
    assert (await scene.stage.view(request))["approvals"][0]["decision"] == "approve"
    assert value not in str(scene.workspace.homes[bo.user]), "what was decided waits no longer"


async def test_what_can_be_asked_at_home_begins_in_the_own_conversation(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = await opens(scene, ana, "home")
    await ana.presses_at_home("Start")
    await scene.settles()
    assert scene.said(direct)


async def test_the_agents_view_suggests_what_one_may_ask(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = await opens(scene, ana, "messages")
    prompts = scene.workspace.prompts[direct]
    assert 1 <= len(prompts) <= 4
    await ana.posts(prompts[0]["message"], direct)
    await scene.settles()
    assert "did not understand" not in scene.read(direct)


async def test_guests_get_no_home_and_no_prompts(scene: Scene, fresh: Fresh) -> None:
    guest = scene.member(fresh("guest"), is_restricted=True)
    direct = await opens(scene, guest, "home")
    await opens(scene, guest, "messages")
    assert guest.user not in scene.workspace.homes
    assert direct not in scene.workspace.prompts


async def test_a_question_of_many_choices_is_a_select_whose_choice_answers_it(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account for {fresh('s')}", channel)
    await scene.settles()
    await scene.presses(ana, "Experiment", channel, told.ts)
    assert buttons_of(scene.said(channel, told.ts)[-1])


async def test_a_home_tab_that_slack_refuses_is_no_mishap_to_apologise_for(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise Refusal("not_enabled")

    monkeypatch.setitem(METHODS, "views.publish", refuse)
    ana = scene.member(fresh("ana"))
    assert scene.said(await opens(scene, ana, "home")) == []


async def test_a_form_is_acknowledged_in_time_when_its_answers_can_not_be_checked_in_time(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    thread, view = await opens_the_form(scene, ana, channel, "I need an account")
    monkeypatch.setattr(in_place, "IN_PLACE", 0)
    answer = await ana.submits(view, RootEmail="foo..bar@corp.example", AccountOU="Demos", AccountType="Sandbox")
    assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    assert "is not an e-mail address" in scene.read(channel, thread), "it is checked in the conversation instead"


def shown_at_home(scene: Scene, member: Member) -> str:
    """Return what somebody reads in their home tab."""
    return " ".join(texts(scene.workspace.homes[member.user]["blocks"]))


async def test_an_open_home_tab_follows_what_one_asked_and_what_waits_for_one(scene: Scene, fresh: Fresh) -> None:
    ana, bo, channel = scene.member(fresh("ana")), scene.member(APPROVER, "Bo Diaz"), scene.workspace.channel()
    await opens(scene, ana, "home")
    await opens(scene, bo, "home")
    request = await scene.ordered(ana, fresh("follows"), channel)
    assert request in shown_at_home(scene, ana)
    assert f"{request}:1" in str(scene.workspace.homes[bo.user]), "it waits for the approver, with its buttons"
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("not now")
    await scene.settles()
    assert f"{request}:1" not in str(scene.workspace.homes[bo.user])
    assert "rejected" in shown_at_home(scene, ana)
    assert all(c.get("hash") for c in scene.calls("views.publish")[2:])


async def test_home_tabs_that_nobody_opened_are_not_published(scene: Scene, fresh: Fresh) -> None:
    ana, cleo, channel = scene.member(fresh("ana")), scene.member(fresh("cleo")), scene.workspace.channel()
    await opens(scene, cleo, "home")
    before = scene.workspace.homes[cleo.user]
    await scene.ordered(ana, fresh("alone"), channel)
    assert ana.user not in scene.workspace.homes
    assert scene.workspace.homes[cleo.user] is before, "what is not hers is nothing to publish hers for"


async def test_a_home_tab_opened_at_the_same_moment_is_not_overwritten_with_what_is_old(
    scene: Scene, fresh: Fresh
) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    await opens(scene, ana, "home")
    scene.workspace.homes[ana.user]["hash"] = "changed-meanwhile"
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account in Demos for {fresh('r')}", channel)
    await scene.settles()
    await ana.presses(buttons_of(scene.said(channel, told.ts)[-1])["Yes, go ahead"])
    await until(lambda: any(c.error == "hash_conflict" for c in scene.workspace.calls), "nothing was published")
    assert "Nothing yet." in shown_at_home(scene, ana)
    await opens(scene, ana, "home")
    assert "waiting for approval" in shown_at_home(scene, ana)


async def test_a_home_tab_whose_hash_was_lost_is_shown_anew_all_the_same(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    await opens(scene, ana, "home")
    scene.workspace.homes[ana.user]["hash"] = "lost"
    request = await scene.ordered(ana, fresh("lost"), channel)
    assert request in shown_at_home(scene, ana)


async def test_who_became_a_guest_sees_no_news_at_home(
    scene: Scene, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persons, "FRESH", 0)
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    request = await scene.ordered(ana, fresh("guest"), channel)
    await opens(scene, ana, "home")
    scene.workspace.users[ana.user]["is_restricted"] = True
    approver = scene.stage.approver()
    await approver.opens_the_mail(about=request)
    await approver.rejects("not now")
    await scene.settles()
    assert "rejected" not in shown_at_home(scene, ana)
