"""Attacks on who may call: each is refused, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from adapters.rest.callers import CLIENTS, WRONG_KEYS, WrongKeys
from adapters.rest.problems import TooMany
from adapters.rest.routing import SCOPE_OF
from bot.database.tables import requests
from tests.rest.stage import ANA_KEY, BO_KEY, WIDE_KEY, Stage, StageClock, account, problem, said

ROUTES = [(method, path.replace("{id}", "qm-23456789").replace("{month}", "2026-10")) for method, path in SCOPE_OF]
KINDS = {"chaos": "StartExperiment", "rollouts": "RollOut"}
"""The intents whose requests a route is about, by a part of its path."""


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong-key-0123456", f"Basic {ANA_KEY}", ANA_KEY, "Bearer é"])
async def test_every_route_needs_a_right_key(keyed: Stage, sent: str) -> None:
    headers = {b"Authorization": sent.encode("latin-1")} if sent else {}
    async with keyed.caller() as caller:
        for method, path in ROUTES:
            answer = await caller.request(method, path, headers=headers)
            problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", [ANA_KEY[:-1], ANA_KEY + "x", ANA_KEY.upper(), f"{ANA_KEY}:ana-team"])
async def test_nearly_right_keys_are_wrong(keyed: Stage, key: str) -> None:
    async with keyed.caller(key) as caller:
        problem(await caller.get("/v1/requests"), 401)


async def test_a_body_is_not_read_before_the_key_is_right(keyed: Stage) -> None:
    async with keyed.caller() as caller:
        problem(await caller.post("/account", content=b"{" * 2_000), 401)


async def test_a_key_speaks_only_for_its_domain(keyed: Stage) -> None:
    async with keyed.caller(ANA_KEY) as caller:
        for email in ("eve@evil.example", "eve@sub.corp.example", "eve@corp.example.evil.com"):
            found = problem(await caller.post("/account", json=account(UserEmail=email)), 403)
            assert "corp.example" in found["detail"]
            problem(await caller.post("/v1/messages", json=said(email=email)), 403)
        assert (await caller.post("/account", json=account(UserEmail="ANA@CORP.EXAMPLE"))).status_code == 200
    async with keyed.caller(WIDE_KEY) as caller:
        assert (await caller.post("/v1/messages", json=said(email="eve@evil.example"))).status_code == 200


async def test_a_key_sees_nothing_of_another_owner(keyed: Stage) -> None:
    request = await keyed.filed(ANA_KEY)
    async with keyed.caller(ANA_KEY) as caller:
        conversation = (await caller.post("/v1/messages", json=said(conversation="c"))).json()["conversation"]
        assert (await caller.post(f"/v1/requests/{request}/cancel")).status_code == 200
        assert len((await caller.get("/v1/audit")).json()["entries"]) == 1
    async with keyed.caller(BO_KEY) as caller:
        assert (await caller.get("/v1/requests")).json()["requests"] == []
        assert (await caller.get("/v1/audit")).json()["entries"] == []
        hidden = problem(await caller.get(f"/v1/requests/{request}"), 404)
        missing = problem(await caller.get("/v1/requests/qm-23456789"), 404)
        assert hidden["detail"].replace(request, "…") == missing["detail"].replace("qm-23456789", "…")
        problem(await caller.post(f"/v1/requests/{request}/cancel"), 404)
        for name in (conversation, "c"):
            problem(await caller.get(f"/v1/conversations/{name}/messages"), 404)


async def test_wrong_keys_are_slowed_down(keyed: Stage) -> None:
    async with keyed.caller("guess-0123456789", host="203.0.113.5") as guesser:
        for _ in range(WRONG_KEYS):
            problem(await guesser.get("/v1/requests"), 401)
        answer = await guesser.get("/v1/requests")
        problem(answer, 429)
        assert int(answer.headers["retry-after"]) >= 1
    async with keyed.caller(ANA_KEY, host="203.0.113.5") as guessed_it:
        problem(await guessed_it.get("/v1/requests"), 429)
    async with keyed.caller(ANA_KEY, host="203.0.113.6") as elsewhere:
        assert (await elsewhere.get("/v1/requests")).status_code == 200
    keyed.clock.move(minutes=2)
    async with keyed.caller(ANA_KEY, host="203.0.113.5") as later:
        assert (await later.get("/v1/requests")).status_code == 200


async def test_a_broken_caller_does_not_lock_out_a_proven_key_behind_the_same_address(keyed: Stage) -> None:
    async with keyed.caller(ANA_KEY, host="203.0.113.5") as good:
        assert (await good.get("/v1/requests")).status_code == 200
        async with keyed.caller("guess-0123456789", host="203.0.113.5") as broken:
            for _ in range(WRONG_KEYS + 1):
                await broken.get("/v1/requests")
        assert (await good.get("/v1/requests")).status_code == 200


async def test_one_ipv6_network_is_one_client(keyed: Stage) -> None:
    for n in range(WRONG_KEYS):
        async with keyed.caller("guess-0123456789", host=f"2001:db8::{n:x}") as guesser:
            problem(await guesser.get("/v1/requests"), 401)
    async with keyed.caller("guess-0123456789", host="2001:db8::ffff") as guesser:
        problem(await guesser.get("/v1/requests"), 429)


def test_remembers_no_more_clients_than_it_should() -> None:
    wrong = WrongKeys(StageClock())
    for n in range(CLIENTS + 100):
        wrong.failed(f"client-{n}")
        wrong.succeeded(f"client-{n}", b"digest")
    assert len(wrong._spent) == CLIENTS
    assert len(wrong._proven) == CLIENTS
    for _ in range(WRONG_KEYS):
        wrong.failed("last")
    with pytest.raises(TooMany):
        wrong.check("last", b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
    ],
)
async def test_without_keys_only_the_newcomer_is_answered(stage: Stage, headers: dict[str, str]) -> None:
    async with stage.caller() as caller:
        for method, path in ROUTES:
            found = problem(await caller.request(method, path, headers=headers), 403)
            assert "API_KEYS" in found["detail"]


async def test_without_keys_nobody_is_answered_from_elsewhere(stage: Stage) -> None:
    async with stage.caller(host="192.0.2.7") as stranger:
        problem(await stranger.post("/account", json=account()), 403)
    assert await stage.turns() == 0


async def test_without_keys_and_without_the_sandbox_rest_is_off(tmp_path: Path) -> None:
    stage = Stage(tmp_path, aws_endpoint_url="", approvers="bo@corp.example", mail_from="qm@corp.example")
    await stage.start()
    async with stage.caller() as caller:
        problem(await caller.post("/account", json=account()), 403)
    await stage.stop()


async def test_a_page_of_ours_may_call(stage: Stage) -> None:
    headers = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    async with stage.caller(**headers) as page:
        assert (await page.post("/account", json=account())).status_code == 200


ABOUT_REQUESTS = [route for route in SCOPE_OF if "{id}" in route[1] and "insights" not in route[1]]


@pytest.mark.parametrize("route", ABOUT_REQUESTS, ids=" ".join)
async def test_what_another_key_asked_for_is_as_if_it_were_not_there(keyed: Stage, route: tuple[str, str]) -> None:
    """Insecure direct object references, on every route of REST that names a thing: nothing is shown or changed."""
    intent = next((name for part, name in KINDS.items() if part in route[1]), "AWSAccountVending")
    request = await keyed.filed(ANA_KEY)
    async with keyed.caller(ANA_KEY) as caller:
        talk = (await caller.post("/v1/messages", json=said(conversation="c"))).json()["conversation"]
    theirs, missing = (talk, "nowhere") if "conversations" in route[1] else (request, "qm-22222222")
    await keyed.database.write(lambda t: t.execute(update(requests).values(intent=intent)))
    async with keyed.caller(WIDE_KEY) as other:
        method, path = route
        answers = [await other.request(method, path.replace("{id}", name)) for name in (theirs, missing)]
    first, second = (problem(answer, 404) for answer in answers)
    for told, name in ((first, theirs), (second, missing)):
        told["detail"] = told["detail"].replace(name, "")
        told.pop("instance", None)
    assert first == second
    record = await keyed.requests.find(request)
    assert (record.state, record.intent) == ("awaiting_approval", intent)
