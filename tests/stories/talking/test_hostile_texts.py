"""Whatever is sent, the bot answers: never silence, never a crash, never an order that nobody meant."""

from __future__ import annotations

import pytest

from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

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
    email = f"ana-{list(HOSTILE.values()).index(text)}-hostile@corp.example"
    user = {"email": email, "name": "Ana"}
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
    names = {"UserEmail": email, "UserName": "Ana", "UserLastname": "Lopez"}
    answer = await caller.post("/account", json={**names, "UserInput": text})
    assert answer.status_code in (200, 422)
    assert answer.json().get("response", "x").strip()
    assert await stage.requests() == []
