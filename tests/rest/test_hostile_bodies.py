"""Whatever is posted: an answer or a problem that names the field, never a crash, and nothing kept of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.database.tables import people
from tests.rest.stage import Stage, account, problem, said

JSON = {"Content-Type": "application/json"}


def without(name: str) -> dict[str, Any]:
    body = account()
    del body[name]
    return body


MALFORMED: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "UserEmail"),
    "no e-mail": (without("UserEmail"), "UserEmail"),
    "no name": (without("UserName"), "UserName"),
    "no last name": (without("UserLastname"), "UserLastname"),
    "no input": (without("UserInput"), "UserInput"),
    "null input": (account(UserInput=None), "UserInput"),
    "number": (account(UserInput=7), "UserInput"),
    "boolean": (account(UserInput=True), "UserInput"),
    "array": (account(UserInput=["hello"]), "UserInput"),
    "object": (account(UserInput={"text": "hello"}), "UserInput"),
    "empty": (account(UserInput=""), "UserInput"),
    "blanks": (account(UserInput=" \t\n\u3000"), "UserInput"),
    "only control characters": (account(UserInput="\u0000\u0007\u202e"), "UserInput"),
    "one too long": (account(UserInput="x" * 1025), "UserInput"),
    "10 kB": (account(UserInput="x" * 10_000), "UserInput"),
    "10 kB of emoji": (account(UserInput="🙂" * 2_500), "UserInput"),
    "empty name": (account(UserName=""), "UserName"),
    "long name": (account(UserName="x" * 201), "UserName"),
    "long last name": (account(UserLastname="x" * 201), "UserLastname"),
    "null last name": (account(UserLastname=None), "UserLastname"),
    "no address": (account(UserEmail="not-an-address"), "UserEmail"),
    "address with a line break": (account(UserEmail="a@corp.example\nBcc: b@corp.example"), "UserEmail"),
    "two addresses": (account(UserEmail="a@corp.example,b@corp.example"), "UserEmail"),
    "address as list": (account(UserEmail=["a@corp.example"]), "UserEmail"),
    "long address": (account(UserEmail="a" * 300 + "@corp.example"), "UserEmail"),
    "list": ([account()], "body"),
    "text": ("hello", "body"),
    "number body": (7, "body"),
    "null body": (None, "body"),
}

UNDECODABLE: dict[str, tuple[bytes, str]] = {
    "no bytes": (b"", "body"),
    "blanks": (b"  ", "body"),
    "cut off": (b'{"UserEmail": "ana@cor', "body"),
    "not JSON": (b"UserEmail=ana", "body"),
    "single quotes": (b"{'UserEmail': 1}", "body"),
    "not UTF-8": (b'{"UserEmail": "\xff\xfe"}', "body"),
    "UTF-16": (json.dumps(account()).encode("utf-16"), "body"),
    "raw NUL": (b'{"UserEmail": "a\x00b"}', "body"),
    "NUL after": (json.dumps(account()).encode() + b"\x00", "body"),
    "two values": (b"{}{}", "body"),
    "NaN": (b'{"UserEmail": NaN}', "body"),
    "infinity": (b'{"UserEmail": -Infinity}', "body"),
    "endless number": (b'{"n": ' + b"9" * 10_000 + b"}", "body"),
    "deep arrays": (b"[" * 100_000 + b"]" * 100_000, "body"),
    "deep objects": (b'{"a":' * 100_000, "body"),
    "a little too deep": (b'{"a":' * 40 + b"1" + b"}" * 40, "body"),
    "field twice": (b'{"UserInput": "a", "UserInput": "b"}', "UserInput"),
    "half a surrogate": (json.dumps(account(UserInput="\ud83d")).encode(), "UserInput"),
    "half a surrogate in an unknown field": (json.dumps(account(more={"x": ["\udc00"]})).encode(), "more.x.0"),
    "half a surrogate in a name": (json.dumps({**account(), "\ud800": 1}).encode(), "body"),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_names_the_malformed_field(stage: Stage, case: str) -> None:
    body, field = MALFORMED[case]
    async with stage.caller() as caller:
        found = problem(await caller.post("/account", content=json.dumps(body), headers=JSON), 422)
    assert field in [e["field"] for e in found["errors"]]
    assert all(e["problem"] for e in found["errors"])
    assert field in found["detail"]
    assert await stage.turns() == await stage.count(people) == 0


@pytest.mark.parametrize("case", UNDECODABLE)
@pytest.mark.parametrize("path", ["/account", "/v1/messages"])
async def test_says_why_a_body_can_not_be_decoded(stage: Stage, case: str, path: str) -> None:
    body, field = UNDECODABLE[case]
    async with stage.caller() as caller:
        found = problem(await caller.post(path, content=body, headers=JSON), 422)
    assert [e["field"] for e in found["errors"]] == [field]
    assert await stage.turns() == 0


MESSAGES: dict[str, tuple[Any, str]] = {
    "no user": ({"text": "hello"}, "user"),
    "user as text": ({"user": "ana@corp.example", "text": "hello"}, "user"),
    "user as list": ({"user": [], "text": "hello"}, "user"),
    "null user": ({"user": None, "text": "hello"}, "user"),
    "user without address": ({"user": {"name": "Ana"}, "text": "hello"}, "user.email"),
    "name as number": ({"user": {"email": "ana@corp.example", "name": 1}, "text": "hello"}, "user.name"),
    "neither text nor press": ({"user": {"email": "ana@corp.example"}}, "body"),
    "both": (said(press={"verb": "confirm"}), "body"),
    "null text": (said(None), "text"),  # type: ignore[arg-type]
    "null press": (said(press=None), "press"),
    "press without verb": ({"user": {"email": "ana@corp.example"}, "press": {}}, "press.verb"),
    "null conversation": (said(conversation=None), "conversation"),
    "empty conversation": (said(conversation=""), "conversation"),
    "conversation with NUL": (said(conversation="a\u0000"), "conversation"),
    "conversation as number": (said(conversation=1), "conversation"),
    "long conversation": (said(conversation="c" * 201), "conversation"),
    "long text": (said("x" * 1025), "text"),
}


@pytest.mark.parametrize("case", MESSAGES)
async def test_names_the_malformed_field_of_a_message(stage: Stage, case: str) -> None:
    body, field = MESSAGES[case]
    async with stage.caller() as caller:
        found = problem(await caller.post("/v1/messages", json=body), 422)
    assert field in [e["field"] for e in found["errors"]]
    assert await stage.turns() == 0


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
async def test_wants_json_to_be_called_json(stage: Stage, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    async with stage.caller() as caller:
        body = json.dumps(account()).encode()
        problem(await caller.post("/account", content=body, headers=headers), 415)
    assert await stage.turns() == 0


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/x+json"])
async def test_takes_json_by_its_other_names(stage: Stage, content_type: str) -> None:
    async with stage.caller() as caller:
        body = json.dumps(account()).encode()
        answer = await caller.post("/account", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200


async def test_takes_a_byte_order_mark(stage: Stage) -> None:
    async with stage.caller() as caller:
        body = b"\xef\xbb\xbf" + json.dumps(account()).encode()
        assert (await caller.post("/account", content=body, headers=JSON)).status_code == 200


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
async def test_refuses_what_is_too_large_with_and_without_a_length(stage: Stage, size: int) -> None:
    async def drip() -> Any:
        for _ in range(size // 1000 + 1):
            yield b" " * 1000

    async with stage.caller() as caller:
        problem(await caller.post("/account", content=b" " * size, headers=JSON), 413)
        problem(await caller.post("/account", content=drip(), headers=JSON), 413)


async def test_unknown_fields_are_ignored_and_kept_nowhere(stage: Stage) -> None:
    body = account(isAdmin=True, secret="unforgettable-marker", nested={"deep": ["unforgettable-marker"]})
    headers = {"Idempotency-Key": "k1"}
    async with stage.caller() as caller:
        first = await caller.post("/account", json=body, headers=headers)
        again = await caller.post("/account", json=body, headers=headers)
        user = {"email": "ana@corp.example", "id": "p_0", "groups": ["unforgettable-marker"]}
        other = await caller.post("/v1/messages", json=said(user=user, owner="unforgettable-marker"))
    assert first.json() == again.json()
    assert other.status_code == 200
    await stage.stop()
    for file in stage.file.parent.iterdir():
        assert b"unforgettable-marker" not in file.read_bytes()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["UserEmail", "UserName", "UserLastname", "UserInput", "user", "text", "press"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/account", "/v1/messages", "/v1/requests/qm-23456789/cancel"]),
    body=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(NAMES, JSONS, max_size=5).map(lambda value: json.dumps(value).encode()),
        JSONS.map(lambda value: json.dumps(account(UserInput=value)).encode()),
    ),
)
async def test_no_body_is_ever_our_fault(stage: Stage, path: str, body: bytes) -> None:
    async with stage.caller() as caller:
        answer = await caller.post(path, content=body, headers=JSON)
    assert answer.status_code in {200, 404, 422}
    if answer.status_code != 200:
        problem(answer, answer.status_code)
