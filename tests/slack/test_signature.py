"""Who may post to /slack/events: Slack's own published example, and everything that differs from it by one thing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from adapters.slack.route import EventsRoute
from adapters.slack.signature import WINDOW, fault_of
from tests.support.slack.talking import signed

# From Slack's guide "Verifying requests from Slack".
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TIMESTAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
NOW = float(TIMESTAMP)


def test_the_published_example_is_slacks() -> None:
    assert fault_of(SECRET, TIMESTAMP, SIGNATURE, BODY, NOW) == ""


@pytest.mark.parametrize("place", [0, 40, len(BODY) - 1])
def test_one_changed_byte_of_the_body_is_not(place: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
    assert fault_of(SECRET, TIMESTAMP, SIGNATURE, changed, NOW) == "signature"


def test_one_changed_digit_of_the_signature_is_not() -> None:
    assert fault_of(SECRET, TIMESTAMP, SIGNATURE[:-1] + "4", BODY, NOW) == "signature"


def test_another_secret_is_not() -> None:
    assert fault_of(SECRET[:-1] + "6", TIMESTAMP, SIGNATURE, BODY, NOW) == "signature"


@pytest.mark.parametrize("signature", ["", "v0=", "v1=" + SIGNATURE[3:], SIGNATURE.upper(), "v0=ä"])
def test_what_is_no_signature_is_not(signature: str) -> None:
    assert fault_of(SECRET, TIMESTAMP, signature, BODY, NOW) == "signature"


@pytest.mark.parametrize("age", [-WINDOW - 1, WINDOW + 1])
def test_a_timestamp_outside_of_five_minutes_is_not(age: int) -> None:
    assert fault_of(SECRET, TIMESTAMP, SIGNATURE, BODY, NOW + age) == "timestamp"


@pytest.mark.parametrize("age", [-WINDOW, 0, WINDOW])
def test_a_timestamp_within_five_minutes_is(age: int) -> None:
    assert fault_of(SECRET, TIMESTAMP, SIGNATURE, BODY, NOW + age) == ""


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1531420618.5", "９", "1" * 40])
def test_what_is_no_timestamp_is_not(timestamp: str) -> None:
    assert fault_of(SECRET, timestamp, SIGNATURE, BODY, NOW) == "timestamp"


def test_without_a_secret_nothing_is_slacks() -> None:
    assert fault_of("", TIMESTAMP, SIGNATURE, BODY, NOW) == "timestamp"


class Kept:
    """A receiver that keeps what it is given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []

    async def receive(self, kind: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        self.got.append((kind, payload))
        return {"response_action": "clear"} if payload.get("type") == "view_submission" else None


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def door(kept: Kept) -> AsyncIterator[httpx.AsyncClient]:
    """The route alone."""
    route: Any = EventsRoute(SECRET, kept)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=route), base_url="http://slack.test") as client:
        yield client


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("quartermaster_slack_refused_total", {"reason": reason}) or 0.0


async def test_what_is_signed_gets_in_and_an_empty_acknowledgement(door: httpx.AsyncClient, kept: Kept) -> None:
    body = '{"type":"event_callback","event":{"type":"message"}}'
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret=SECRET))
    assert (answer.status_code, answer.content) == (200, b"")
    assert [kind for kind, _ in kept.got] == ["events"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret": "another secret"}, "signature"),
        ({"at": 1.0}, "timestamp"),
    ],
)
async def test_what_is_not_slacks_gets_401_and_is_counted(
    door: httpx.AsyncClient, kept: Kept, change: dict[str, Any], reason: str
) -> None:
    before = refused(reason)
    body = '{"type":"event_callback"}'
    answer = await door.post("/slack/events", content=body, headers=signed(body, **({"secret": SECRET} | change)))
    assert answer.status_code == 401
    assert kept.got == []
    assert refused(reason) == before + 1


async def test_a_changed_body_gets_401(door: httpx.AsyncClient, kept: Kept) -> None:
    headers = signed('{"type":"event_callback"}', secret=SECRET)
    answer = await door.post("/slack/events", content='{"type":"event_callbacK"}', headers=headers)
    assert answer.status_code == 401
    assert kept.got == []


async def test_headers_that_are_missing_get_401(door: httpx.AsyncClient) -> None:
    assert (await door.post("/slack/events", content="{}")).status_code == 401


async def test_the_url_is_verified(door: httpx.AsyncClient, kept: Kept) -> None:
    body = '{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}'
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret=SECRET))
    assert answer.json() == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    assert kept.got == []


async def test_the_url_is_not_verified_for_others(door: httpx.AsyncClient) -> None:
    body = '{"type":"url_verification","challenge":"x"}'
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret="wrong"))
    assert answer.status_code == 401


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '"x"', "null", "{" * 2000, "[" * 5000])
async def test_what_is_signed_and_no_payload_gets_400(door: httpx.AsyncClient, kept: Kept, body: str) -> None:
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret=SECRET))
    assert answer.status_code == 400
    assert kept.got == []


@pytest.mark.parametrize(
    "body", ["payload=nonsense", "payload=[]", "payload=%ff", "&".join(f"a{n}=" for n in range(200))]
)
async def test_a_form_that_holds_no_payload_gets_400(door: httpx.AsyncClient, kept: Kept, body: str) -> None:
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret=SECRET, form=True))
    assert answer.status_code == 400
    assert kept.got == []


async def test_an_acknowledgement_that_says_something_is_json(door: httpx.AsyncClient) -> None:
    body = "payload=%7B%22type%22%3A%22view_submission%22%7D"
    answer = await door.post("/slack/events", content=body, headers=signed(body, secret=SECRET, form=True))
    assert answer.json() == {"response_action": "clear"}
