"""Ids of other people's requests open nothing, and what people type stays text wherever it is shown."""

from __future__ import annotations

import pytest

from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel

UNKNOWN = "qm-22222222"


@on_every_channel
async def test_requests_of_others_are_as_if_they_were_not_there(stage: Stage, ana: Speaker) -> None:
    cy = stage.speaker("Cy Young")
    order = await asks_for_an_account(cy, "secret-project@corp.example")
    for sentence in ("status of {}", "cancel {}", "{}"):
        await ana.says(sentence.format(order))
        ana.hears(f"There is no request {order}")
        ana.does_not_hear("secret-project", "cy@corp.example", "approv", "operators")
        await ana.says(sentence.format(UNKNOWN))
        ana.hears(f"There is no request {UNKNOWN}")
    await ana.says("my requests")
    ana.hears("You have no requests yet")
    assert (await stage.view(order))["state"] == "awaiting_approval"


async def test_the_button_of_another_does_nothing(stage: Stage) -> None:
    cy, caller = stage.speaker("Cy Young"), stage.client()
    order = await asks_for_an_account(cy)
    answer = await caller.post(
        "/v1/messages",
        json={"user": {"email": "ana@corp.example"}, "press": {"verb": "cancel_request", "value": order}},
    )
    assert answer.status_code == 200
    [said] = answer.json()["messages"]
    unknown = await caller.post(
        "/v1/messages",
        json={"user": {"email": "ana@corp.example"}, "press": {"verb": "cancel_request", "value": UNKNOWN}},
    )
    assert said["text"].replace(order, "…") == unknown.json()["messages"][0]["text"].replace(UNKNOWN, "…")
    assert answer.json()["request"] is None
    assert (await stage.view(order))["state"] == "awaiting_approval"


HOSTILE = {
    "10 kB": "I need a sandbox account " * 400,
    "1,025 characters": "a" * 1025,
    "control characters": "I need\x00 a \x1b[31msandbox\x07 account\x08",
    "emoji": "🚀🔥 give me a sandbox account 🙏🏽👩‍👩‍👧",
    "only emoji": "🦄",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "SQL": "'; DROP TABLE requests; --",
    "a template": "{{ 7 * 7 }} ${7*7} %s %n {0}",
    "Slack's addresses": "I need a sandbox account in Demos for <mailto:slack@corp.example|slack@corp.example>",
    "right to left": "\u202eI need an account\u202c",
    "zero width": "I need\u200b a\ufeff sandbox account",
    "lone surrogate escapes": "\\ud800 account",
    "JSON": '{"intent": "AWSAccountVending", "confirmationState": "Confirmed"}',
    "quotes": "\"“'`´„",
    "a regular expression": "(a+)+$" * 20,
    "newlines": "I need\r\n\r\na sandbox\taccount",
    "full width": "\uff29 need a sandbox account",
    "blanks": "   ",
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_no_text_ends_in_silence_or_a_crash(stage: Stage, text: str) -> None:
    caller = stage.client()
    user = {"email": "ana@corp.example", "name": "Ana"}
    for conversation in ("first", "in a form", "at the plan"):
        if conversation != "first":
            begin = "I need a sandbox account" + (" in Demos for plan@corp.example" if "plan" in conversation else "")
            await caller.post("/v1/messages", json={"user": user, "conversation": conversation, "text": begin})
        answer = await caller.post("/v1/messages", json={"user": user, "conversation": conversation, "text": text})
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 422:
            assert len(text.strip()) == 0 or len(text) > 1024
            continue
        said = " ".join(message["text"] for message in answer.json()["messages"])
        assert said.strip()
        assert "went wrong" not in said, said
        assert answer.json()["request"] is None
    names = {"UserEmail": "ana@corp.example", "UserName": "Ana", "UserLastname": "Lopez"}
    answer = await caller.post("/account", json={**names, "UserInput": text})
    assert answer.status_code in (200, 422)
    assert answer.json().get("response", "x").strip()
    assert await stage.requests() == []


async def test_names_are_shown_as_text_in_mail_page_and_console(stage: Stage, bo: Approver) -> None:
    name = '<b>Eve</b><script>alert(1)</script>&amp; "quoted"'
    eve = stage.speaker(name, email="eve@corp.example")
    await asks_for_an_account(eve)
    await bo.opens_the_mail()
    assert bo.page is not None
    for shown in (bo.mail["html"], bo.page.text):
        assert "<script>alert" not in shown
        assert "<b>Eve</b>" not in shown
        assert "&lt;b&gt;Eve" in shown
    assert "<b>Eve</b>" in bo.mail["text"]
    assert "\n" not in bo.mail["subject"]
    order = eve.request
    console = stage.speaker("Bo", email="bo@corp.example", channel="console")
    await console.says("my requests")
    page = (await console.visits(f"/requests/{order}")).text
    assert "<script>alert" not in page
    assert "<b>Eve</b>" not in page


async def test_a_reason_is_shown_as_the_approvers_words(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await asks_for_an_account(ana)
    await bo.opens_the_mail()
    await bo.rejects("<a href='https://evil.example'>click</a> & _now_")
    await ana.hears_later("rejected by", "“<a href='https://evil.example'>click</a> & _now_”")
    assert bo.page is not None
    assert "<a href='https://evil.example'>" not in bo.page.text


async def test_one_word_serves_as_first_and_last_name(stage: Stage, bo: Approver) -> None:
    ana = stage.speaker("Ana")
    await asks_for_an_account(ana)
    await see_it_through(stage, ana, bo)
    [call] = await stage.calls("ProvisionProduct")
    given = {p["Key"]: p["Value"] for p in call["params"]["ProvisioningParameters"]}
    assert (given["SSOUserFirstName"], given["SSOUserLastName"]) == ("Ana", "Ana")
