"""Talking to the bot without scripts: what is posted reaches the inbox once, and what comes back is inert."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from bot.activity import Activity
from bot.card import Button, Card, Facts, Image, Link, Quote, Table, Text
from bot.intent import Answer
from tests.console.stage import Stage, plan_card


async def test_greets_the_newcomer_and_offers_sentences_to_begin_with(stage: Stage) -> None:
    async with stage.visitor() as ana:
        page = await ana.see("/")
    assert page.status_code == 200
    assert "Hello ana, what do you need?" in page.text
    assert "Act as somebody else" in page.text
    assert 'href="/dev/mail"' in page.text
    assert 'value="I need a new account on AWS"' in page.text


async def test_answers_a_plain_form_post_on_the_page_it_leads_to(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        posted = await ana.submit("/chat", text="I need an account", key=str(uuid.uuid4()))
        page = await ana.get(posted.headers["location"])
    assert posted.status_code == 303
    assert "You said: I need an account" in page.text


async def test_gives_a_script_only_what_is_new(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="first")
        seen = await ana.see("/")
        last = seen.text.split('data-last="')[1].split('"')[0]
        ana.headers["x-console"] = "part"
        parts = await ana.submit("/chat", text="second", after=last)
    assert parts.status_code == 200
    assert "second" in parts.text
    assert "first" not in parts.text
    assert "<html" not in parts.text


async def test_takes_a_double_click_once(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        key = str(uuid.uuid4())
        await asyncio.gather(*(ana.submit("/chat", text="please", key=key) for _ in range(5)))
    assert [a.text for a in stage.heard] == ["please"]


async def test_keeps_the_keys_of_two_people_apart(stage: Stage) -> None:
    key = str(uuid.uuid4())
    async with stage.visitor() as ana, stage.visitor() as bo:
        await ana.see("/")
        await bo.become("bo@corp.example")
        await ana.submit("/chat", text="mine", key=key)
        await bo.submit("/chat", text="mine too", key=key)
    assert [a.text for a in stage.heard] == ["mine", "mine too"]


async def test_passes_a_press_on_with_verb_and_value(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", verb="confirm", value="abc")
    (heard,) = stage.heard
    assert (heard.kind, heard.verb, heard.value, heard.channel) == ("press", "confirm", "abc", "console")
    assert heard.person.email == "ana@corp.example"
    assert heard.conversation.startswith(f"console:{heard.person.id}:")


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b"])
async def test_asks_for_words_when_there_are_none(stage: Stage, text: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        page = await ana.submit("/chat", text=text)
    assert page.status_code == 422
    assert "Write something first." in page.text
    assert stage.heard == []


async def test_keeps_a_text_that_is_too_long_in_the_box(stage: Stage) -> None:
    text = "too long " * 200
    async with stage.visitor() as ana:
        await ana.see("/")
        page = await ana.submit("/chat", text=text)
        ana.headers["x-console"] = "part"
        part = await ana.submit("/chat", text=text)
    assert page.status_code == part.status_code == 422
    assert "at most 1,024" in page.text
    assert text in page.text
    assert "at most 1,024" in part.text
    assert "<html" not in part.text
    assert stage.heard == []


@pytest.mark.parametrize("length", [1024, 1025])
async def test_counts_characters_not_bytes(stage: Stage, length: int) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        answer = await ana.submit("/chat", text="é" * length)
    assert (answer.status_code == 303) is (length == 1024)


async def test_shows_everything_a_person_typed_as_mere_text(stage: Stage) -> None:
    nasty = "<script>alert(1)</script> \"><img src=x onerror=alert(1)> {{ 7 * 7 }} '--"
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text=nasty)
        page = (await ana.see("/")).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in page


async def test_draws_every_item_of_a_card_and_none_of_its_markup(stage: Stage) -> None:
    card = Card(
        title="Plan <1>",
        items=(
            Text("In words"),
            Facts((("OU", "<i>Demos</i>"),)),
            Table(("Name", "State"), (("a & b", "ready"),)),
            Quote("<b>mine</b>", "ana"),
            Link("Console", "https://console.example/"),
            Link("Trap", "javascript:alert(1)"),
            Image("https://elsewhere.example/x.png", "a chart"),
            Image("data:text/html,<script>alert(1)</script>", "a trap"),
        ),
        buttons=(Button("Do it", "confirm", '"><script>'),),
        footer="until noon",
        request="qm-22222222",
    )

    async def show(activity: Activity) -> list[Answer]:
        return [Answer(card.as_text(), card)]

    stage.script = show
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="show me")
        page = (await ana.see("/")).text
    assert "Plan &lt;1&gt;" in page
    assert "<dd>&lt;i&gt;Demos&lt;/i&gt;</dd>" in page
    assert "<td>a &amp; b</td>" in page
    assert "<blockquote>&lt;b&gt;mine&lt;/b&gt;</blockquote><figcaption>ana wrote this</figcaption>" in page
    assert 'href="https://console.example/"' in page
    assert 'href="javascript:' not in page
    assert 'src="https://elsewhere.example' not in page
    assert 'src="data:text' not in page
    assert 'name="value" value="&#34;&gt;&lt;script&gt;"' in page
    assert 'href="/requests/qm-22222222"' in page
    assert "You can say:" not in page  # the plain-text copy of the card is not shown beside it


async def test_offers_only_the_buttons_of_the_question_that_stands(stage: Stage) -> None:
    async def ask_twice(activity: Activity) -> list[Answer]:
        card = plan_card(digest=activity.text)
        cancel = Button("Cancel the request", "cancel_request", "qm-22222222", "destructive")
        return [Answer("?", Card(card.title, card.items, (*card.buttons, cancel)))]

    stage.script = ask_twice
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="older")
        await ana.submit("/chat", text="newer")
        page = (await ana.see("/")).text
    assert 'name="value" value="newer"' in page
    assert 'name="value" value="older"' not in page
    assert page.count('name="verb" value="cancel_request"') == 2


async def test_shows_each_person_their_own_conversation_in_one_browser(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="a secret of mine")
        await ana.become("bo@corp.example")
        bos = (await ana.see("/")).text
        await ana.become("ana@corp.example")
        anas = (await ana.see("/")).text
    assert "a secret of mine" not in bos
    assert "a secret of mine" in anas


async def test_begins_a_new_conversation_on_demand(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="old matters")
        assert (await ana.submit("/chat/new")).status_code == 303
        page = (await ana.see("/")).text
    assert "old matters" not in page
    assert "what do you need?" in page


async def test_goes_on_with_the_conversation_that_the_page_shows(stage: Stage) -> None:
    async with stage.visitor() as ana, stage.visitor() as bo:
        page = await ana.see("/")
        talk = page.text.split('data-talk="')[1].split('"')[0]
        await ana.submit("/chat/new")  # in another tab
        await ana.submit("/chat", text="in the old tab", talk=talk)
        await ana.submit("/chat", text="nonsense", talk="x:y")
        await bo.become("bo@corp.example")
        await bo.submit("/chat", text="with somebody else's", talk=talk)
    old, new, other = (a.conversation for a in stage.heard)
    assert old.endswith(f":{talk}")
    assert new.rpartition(":")[0] == old.rpartition(":")[0]
    assert new != old
    assert other.rpartition(":")[0] != old.rpartition(":")[0]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe%ff%00=&text=%ff%fe",
        b"&".join(b"a%d=1" % n for n in range(60)),
        b"text=" + b"x" * 70_000,
        b"%%%=&&;;",
    ],
    ids=["not UTF-8", "too many fields", "too large", "nonsense"],
)
async def test_refuses_bodies_that_no_form_of_ours_sends(stage: Stage, body: bytes) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        headers = {"content-type": "application/x-www-form-urlencoded", "x-csrf-token": ana.csrf}
        answer = await ana.post("/chat", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert "text/html" in answer.headers["content-type"]
    assert stage.heard == []


async def test_refuses_json_and_files(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        json = await ana.post("/chat", json={"csrf": ana.csrf, "text": "hi"})
        file = await ana.post("/chat", data={"csrf": ana.csrf, "text": "hi"}, files={"f": b"x"})
    assert json.status_code == file.status_code == 422
    assert stage.heard == []


async def test_shows_the_latest_of_a_long_conversation(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", text="start")
        (heard,) = stage.heard
        for number in range(230):
            await stage.say(heard.conversation, f"line {number}.")
        page = (await ana.see("/")).text
    assert "line 229." in page
    assert "line 131." in page
    assert "line 100." not in page
