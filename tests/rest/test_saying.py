"""Saying something over REST: the original bot's call and ours."""

from __future__ import annotations

import asyncio

import pytest

from adapters.rest import turns
from bot.activity import MAX_TEXT
from tests.rest.stage import ANA_KEY, WIDE_KEY, Stage, account, problem, said

GREETING = "Hi, I would like a new account please!"


async def test_answers_the_original_call_with_the_fields_its_callers_know(stage: Stage) -> None:
    posted = (
        '{"UserEmail": "ana@corp.example",\n "UserName":"TestUser-Name", "UserLastname":"L", "UserInput":"'
        + GREETING
        + '"}'
    )
    async with stage.caller() as caller:
        answer = await caller.post("/account", content=posted.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["response"] == f"Hi TestUser-Name, you said:\n{GREETING}"
    assert body["initial-params"] == posted
    assert body["request"] is None


async def test_names_the_request_that_a_turn_was_about(stage: Stage) -> None:
    async with stage.caller() as caller:
        answer = (await caller.post("/account", json=account("file it"))).json()
        assert answer["request"]["state"] == "awaiting_approval"
        shown = (await caller.get(f"/v1/requests/{answer['request']['id']}")).json()
    assert shown["requester"] == "ana@corp.example"


async def test_addresses_the_person_by_the_name_of_this_call(stage: Stage) -> None:
    async with stage.caller() as caller:
        await caller.post("/account", json=account())
        answer = await caller.post("/account", json=account(UserName="Annie"))
    assert answer.json()["response"].startswith("Hi Annie,")


async def test_same_local_part_in_another_domain_is_another_conversation(stage: Stage) -> None:
    async with stage.caller() as caller:
        one = (await caller.post("/account", json=account(UserEmail="jo@a.com"))).json()
        two = (await caller.post("/account", json=account(UserEmail="jo@b.com"))).json()
        again = (await caller.post("/account", json=account(UserEmail="JO@A.com"))).json()
    assert one["conversation"] != two["conversation"]
    assert one["conversation"] == again["conversation"]
    assert [a.person.email for a in stage.parrot.heard] == ["jo@a.com", "jo@b.com", "jo@a.com"]


async def test_keys_of_two_owners_never_share_a_conversation(keyed: Stage) -> None:
    found = set()
    for key in (ANA_KEY, WIDE_KEY):
        async with keyed.caller(key) as caller:
            found.add((await caller.post("/account", json=account())).json()["conversation"])
            found.add((await caller.post("/v1/messages", json=said(conversation="c"))).json()["conversation"])
    assert len(found) == 4


async def test_same_conversation_name_under_another_person_is_another_conversation(stage: Stage) -> None:
    async with stage.caller() as caller:
        anas = (await caller.post("/v1/messages", json=said(conversation="c1"))).json()["conversation"]
        bos = (await caller.post("/v1/messages", json=said(email="bo@corp.example", conversation="c1"))).json()
        stolen = (await caller.post("/v1/messages", json=said(email="bo@corp.example", conversation=anas))).json()
    assert len({anas, bos["conversation"], stolen["conversation"]}) == 3


async def test_begins_a_conversation_and_takes_its_id_back(stage: Stage) -> None:
    async with stage.caller() as caller:
        first = (await caller.post("/v1/messages", json=said())).json()
        other = (await caller.post("/v1/messages", json=said())).json()
        second = (await caller.post("/v1/messages", json=said(conversation=first["conversation"]))).json()
        named = [(await caller.post("/v1/messages", json=said(conversation="mine"))).json() for _ in range(2)]
    assert first["conversation"] == second["conversation"] != other["conversation"]
    assert named[0]["conversation"] == named[1]["conversation"]
    assert "ana" not in first["conversation"]


async def test_gives_texts_and_cards_of_every_answer(stage: Stage) -> None:
    async with stage.caller() as caller:
        answer = (await caller.post("/v1/messages", json=said("hello"))).json()
    assert [m["text"] for m in answer["messages"]] == ["Hi Ana, you said:", "hello"]
    assert answer["messages"][0]["card"] is None
    assert answer["messages"][1]["card"]["buttons"] == [
        {"title": "Confirm", "verb": "confirm", "value": "digest", "style": "positive"}
    ]


async def test_presses_a_button(stage: Stage) -> None:
    body = {"user": {"email": "ana@corp.example"}, "press": {"verb": "confirm", "value": "abc"}}
    async with stage.caller() as caller:
        answer = await caller.post("/v1/messages", json=body)
    assert answer.status_code == 200
    heard = stage.parrot.heard[0]
    assert (heard.kind, heard.verb, heard.value, heard.text) == ("press", "confirm", "abc", "")


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_a_key_never_decides(keyed: Stage, verb: str) -> None:
    body = {"user": {"email": "approver@corp.example"}, "press": {"verb": verb, "value": "x"}}
    async with keyed.caller(ANA_KEY) as caller:
        problem(await caller.post("/v1/messages", json=body), 403)
    assert await keyed.turns() == 0


async def test_vouches_with_the_keys_owner(keyed: Stage) -> None:
    async with keyed.caller(ANA_KEY) as caller:
        await caller.post("/account", json=account())
    assert keyed.parrot.heard[0].owner == "ana-team"


@pytest.mark.parametrize("name", ["<b>Ana</b>", "Robert'); DROP TABLE people;--", "安娜 🙂", "a" * 200])
async def test_takes_names_as_they_are(stage: Stage, name: str) -> None:
    async with stage.caller() as caller:
        answer = await caller.post("/account", json=account(UserName=name, UserLastname=name))
    assert answer.json()["response"].startswith(f"Hi {name},")


async def test_takes_the_longest_text_and_cleans_control_characters(stage: Stage) -> None:
    async with stage.caller() as caller:
        longest = await caller.post("/account", json=account("x" * MAX_TEXT))
        cleaned = await caller.post("/account", json=account("a\u0000b\u0007\nc\u202ed 🙂"))
    assert longest.status_code == 200
    assert cleaned.json()["response"].endswith("\nab cd 🙂")


async def test_says_where_a_late_answer_will_be(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.05)
    stage.parrot.gate.clear()
    async with stage.caller() as caller:
        late = problem(await caller.post("/v1/messages", json=said()), 503)
        place = f"/v1/conversations/{late['conversation']}/messages"
        assert (await caller.get(place)).json() == {"messages": []}
        stage.parrot.gate.set()
        await stage.inbox.idle()
        told = (await caller.get(place)).json()["messages"]
    assert [m["text"] for m in told] == ["Hi Ana, you said:", "hello"]


async def test_simultaneous_calls_of_many_people_all_get_their_own_answer(stage: Stage) -> None:
    async with stage.caller() as caller:
        calls = (caller.post("/account", json=account(f"text {n}", UserEmail=f"p{n}@corp.example")) for n in range(20))
        answers = await asyncio.gather(*calls)
    assert [a.json()["response"] for a in answers] == [f"Hi Ana, you said:\ntext {n}" for n in range(20)]
