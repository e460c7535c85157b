"""Where one may talk to the bot in Slack, and what it takes no notice of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.database.tables import inbox, messages
from tests.slack.scene import Scene, read
from tests.support.slack.talking import buttons_of, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fresh = Callable[[str], str]


async def test_a_mention_is_answered_in_a_thread_and_replies_belong_to_it(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account", channel)
    await scene.settles()
    assert [m.thread_ts for m in scene.said(channel)] == [told.ts]
    assert "hat e-mail should I use" in scene.read(channel, told.ts)
    await ana.posts("fast-lane@corp.example", channel, told.ts)
    await scene.settles()
    assert {m.thread_ts for m in scene.said(channel)} == {told.ts}
    assert "the OU this account should belong to" in scene.read(channel, told.ts)


async def test_other_peoples_threads_are_none_of_its_business(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts("who has seen the new coffee machine?", channel)
    await ana.posts("I need a sandbox account", channel, told.ts)
    await scene.settles()
    assert scene.said(channel) == []
    assert scene.calls("users.info") == []


async def test_a_direct_message_is_answered_in_place(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    await ana.posts("help", direct)
    await scene.settles()
    said = scene.said(direct)
    assert said
    assert {m.thread_ts for m in said} == {""}
    assert scene.calls("assistant.threads.setStatus")[0]["channel_id"] == direct


async def test_one_message_under_two_events_is_handled_once(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    message = ana.writes(f"<@{scene.workspace.bot_user}> help", channel)
    mention, plain = ana.event_of(message), ana.event_of(message, type="message", channel_type="channel")
    for payload in (mention, plain, mention):
        assert (await ana.sends(payload, **{"x-slack-retry-num": "1"})).status_code == 200
    await scene.settles()
    assert len(scene.said(channel)) == 1


async def test_a_command_is_answered_for_its_senders_eyes_where_it_was_typed(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    for text in ("help", "", "my requests"):
        answer = await ana.commands(text, channel)
        assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    said = scene.said(channel)
    assert len(said) >= 3
    assert {m.ephemeral_to for m in said} == {ana.user}
    assert "sandbox account" in read(said[0])
    assert "You have no requests" in scene.read(channel) or "no requests" in scene.read(channel)


async def test_a_command_may_be_any_sentence_and_its_buttons_go_on(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    email = fresh("by-command")
    await ana.commands(f"I need a sandbox account for {email}", channel)
    await scene.settles()
    await scene.presses(ana, "Demos", channel)
    await scene.presses(ana, "Yes, go ahead", channel)
    direct = scene.workspace.direct(ana.user)
    assert "is placed" in scene.read(direct), "the card that is updated stands where it can be"


async def test_answers_past_the_fifth_go_to_the_own_conversation(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    await ana.commands("help", channel)
    await scene.settles()
    url = next(r for r in scene.workspace.responses.values() if r["user"] == ana.user)
    assert url["uses"] == 1
    await ana.commands("help", channel)
    newest = [r for r in scene.workspace.responses.values() if r["user"] == ana.user][-1]
    newest["uses"] = 5
    await ana.commands("my requests", channel)
    used_up = [r for r in scene.workspace.responses.values() if r["user"] == ana.user][-1]
    used_up["uses"] = 5
    await scene.settles()
    assert scene.said(scene.workspace.direct(ana.user))


async def test_a_message_can_be_handed_over_by_a_shortcut(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = ana.writes("I need a sandbox account in Demos", channel)
    payload = ana.interaction(
        "message_action",
        callback_id="ask_quartermaster_message",
        channel={"id": channel, "name": "general"},
        message={"type": "message", "user": ana.user, "ts": told.ts, "text": told.text},
        message_ts=told.ts,
        response_url=scene.standin.response_url(scene.workspace, ana.user, channel),
    )
    assert (await ana.interacts(payload)).status_code == 200
    await scene.settles()
    assert "hat e-mail should I use" in scene.read(channel, told.ts)


async def test_asking_about_somebody_elses_message_shows_it_first_and_says_whose_it_was(
    scene: Scene, fresh: Fresh
) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    bo = scene.member(fresh("bo"), "Bo *Diaz* <!here>")
    told = bo.writes("I need a sandbox account in Demos", channel)
    message = {"type": "message", "user": bo.user, "ts": told.ts, "text": told.text}
    await ana.interacts(
        ana.interaction(
            "message_action", callback_id="ask_quartermaster_message", channel={"id": channel}, message=message
        )
    )
    await scene.settles()
    assert scene.said(channel) == [], "nobody's words count as another's"
    view = ana.newest_view()
    assert "This was written by Bo Diaz <!here>." in " ".join(words_of(view["blocks"]))
    answer = await ana.submits(view)
    assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    (said,) = scene.said(channel, told.ts)
    assert "hat e-mail should I use" in read(said)
    above = said.blocks[0]["elements"][0]["text"]
    assert above.startswith(f"<@{ana.user}> asked about a message of Bo Diaz &lt;!here&gt;. <https://corp.slack.com/")
    await ana.posts(fresh("next"), channel, told.ts)
    await scene.settles()
    assert scene.read(channel, told.ts).count("asked about") == 1


async def test_where_the_bot_is_no_member_it_answers_in_person(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel(is_member=False)
    told = ana.writes("help", channel)
    payload = ana.interaction(
        "message_action",
        callback_id="ask_quartermaster_message",
        channel={"id": channel},
        message={"type": "message", "user": ana.user, "ts": told.ts, "text": told.text},
    )
    await ana.interacts(payload)
    await scene.settles()
    assert scene.said(channel) == []
    assert scene.said(scene.workspace.direct(ana.user))


async def test_a_sentence_can_be_asked_from_anywhere(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    await ana.interacts(ana.interaction("shortcut", callback_id="ask_quartermaster"))
    await scene.settles()
    view = ana.newest_view()
    assert view["title"]["text"] == "Ask Quartermaster"
    answer = await ana.submits(view, text="I need a sandbox account")
    assert (answer.status_code, answer.content) == (200, b"")
    await scene.settles()
    assert "hat e-mail should I use" in scene.read(scene.workspace.direct(ana.user))


async def test_people_are_named_by_mentioning_them(scene: Scene, fresh: Fresh) -> None:
    ana, email = scene.member(fresh("ana")), fresh("colleague")
    colleague = scene.workspace.user(email, "Cleo Roe")
    channel = scene.workspace.channel()
    told = await ana.posts(
        f"<@{scene.workspace.bot_user}> I need a sandbox account in Demos for <@{colleague}>", channel
    )
    await scene.settles()
    assert email in scene.read(channel, told.ts)


@pytest.mark.parametrize(
    "event",
    [
        {"subtype": "message_changed", "hidden": True},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message", "bot_id": "B1"},
        {"bot_id": "B0ANOTHER", "bot_profile": {"id": "B0ANOTHER"}},
        {"user": ""},
    ],
    ids=str,
)
async def test_what_nobody_says_to_it_is_ignored(scene: Scene, fresh: Fresh, event: dict[str, object]) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    message = ana.writes("help", direct)
    assert (await ana.sends(ana.event_of(message, **event))).status_code == 200
    await scene.settles()
    assert scene.said(direct) == []


async def test_its_own_posts_are_ignored(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    message = ana.writes(f"<@{scene.workspace.bot_user}> help", channel)
    assert (await ana.sends(ana.event_of(message, user=scene.workspace.bot_user))).status_code == 200
    await scene.settles()
    assert scene.said(channel) == []


@pytest.mark.parametrize("kind", ["team_join", "reaction_added", "assistant_thread_started", "no_such_event_yet"])
async def test_events_that_nobody_handles_are_acknowledged(scene: Scene, fresh: Fresh, kind: str) -> None:
    ana = scene.member(fresh("ana"))
    assert (await ana.sends(ana.envelope({"type": kind, "user": ana.user}))).status_code == 200


async def test_another_workspace_is_not_served(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    payload = ana.event_of(ana.writes(f"<@{scene.workspace.bot_user}> help", channel))
    payload["team_id"] = payload["authorizations"][0]["team_id"] = "T0ELSEWHERE"
    assert (await ana.sends(payload)).status_code == 200
    await scene.settles()
    assert scene.said(channel) == []


async def test_a_file_with_words_is_heard(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    direct = scene.workspace.direct(ana.user)
    await ana.posts("help", direct, subtype="file_share", files=[{"id": "F1"}])
    await scene.settles()
    assert scene.said(direct)


async def test_a_button_of_a_question_answers_it(scene: Scene, fresh: Fresh) -> None:
    ana, channel = scene.member(fresh("ana")), scene.workspace.channel()
    told = await ana.posts(f"<@{scene.workspace.bot_user}> I need a sandbox account for {fresh('x')}", channel)
    await scene.settles()
    assert {"Demos", "Fill in a form"} <= set(buttons_of(scene.said(channel, told.ts)[-1]))
    await scene.presses(ana, "Demos", channel, told.ts)
    assert "Shall I go ahead?" in scene.read(channel, told.ts)


async def test_a_secret_that_is_typed_is_stored_nowhere(scene: Scene, fresh: Fresh) -> None:
    ana = scene.member(fresh("ana"))
    await ana.posts("my password is Tr0ub4dor-and-3", scene.workspace.direct(ana.user))
    await scene.settles()
    async with scene.stage.application.services.database.read() as connection:
        kept = [str(r) for table in (inbox, messages) for r in (await connection.execute(select(table))).all()]
    assert not any("Tr0ub4dor" in row for row in kept)
