"""Calls that are sent again: same answer, and nothing is done twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.database.tables import audit, idempotency
from tests.rest.stage import ANA_KEY, BO_KEY, Stage, account, problem, said

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.mark.parametrize(("path", "body"), [("/account", account("file it")), ("/v1/messages", said("file it"))])
async def test_a_repeated_call_gets_the_same_answer_and_is_not_played_again(
    stage: Stage, path: str, body: dict[str, str]
) -> None:
    async with stage.caller() as caller:
        first = await caller.post(path, json=body, headers=KEY)
        async with stage.caller() as another:
            second = await another.post(path, json=body, headers=KEY)
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert await stage.turns() == 1
    assert len(stage.parrot.heard) == 1


async def test_simultaneous_repeats_are_one_turn(stage: Stage) -> None:
    async with stage.caller() as caller:
        calls = (caller.post("/v1/messages", json=said("file it"), headers=KEY) for _ in range(10))
        answers = await asyncio.gather(*calls)
    assert {a.status_code for a in answers} == {200}
    assert len({a.text for a in answers}) == 1
    assert await stage.turns() == 1


async def test_a_repeat_after_a_restart_is_not_played_again(tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        stage = Stage(tmp_path)
        await stage.start()
        async with stage.caller() as caller:
            answers.append((await caller.post("/v1/messages", json=said(), headers=KEY)).json())
        assert await stage.turns() == 1
        await stage.stop()
    assert answers[0] == answers[1]


async def test_a_repeat_whose_first_answer_was_lost_still_gets_it(stage: Stage) -> None:
    async with stage.caller() as caller:
        first = await caller.post("/v1/messages", json=said(), headers=KEY)
        await stage.database.write(
            lambda transaction: transaction.execute(idempotency.update().values(status=None, body=None))
        )
        second = await caller.post("/v1/messages", json=said(), headers=KEY)
    assert first.json() == second.json()
    assert await stage.turns() == 1


async def test_the_answer_stays_the_same_though_the_request_goes_on(stage: Stage) -> None:
    async with stage.caller() as caller:
        first = (await caller.post("/v1/messages", json=said("file it"), headers=KEY)).json()
        await caller.post(f"/v1/requests/{first['request']['id']}/cancel")
        again = (await caller.post("/v1/messages", json=said("file it"), headers=KEY)).json()
    assert again == first


@pytest.mark.parametrize(
    ("path", "body"),
    [("/account", account("other")), ("/account", account(extra=1)), ("/v1/messages", said("hello"))],
)
async def test_a_key_is_for_one_call_only(stage: Stage, path: str, body: dict[str, str]) -> None:
    async with stage.caller() as caller:
        await caller.post("/account", json=account(), headers=KEY)
        found = problem(await caller.post(path, json=body, headers=KEY), 422)
    assert found["errors"][0]["field"] == "Idempotency-Key"
    assert await stage.turns() == 1


async def test_the_order_of_fields_makes_no_other_call(stage: Stage) -> None:
    body = account()
    async with stage.caller() as caller:
        await caller.post("/account", json=body, headers=KEY)
        turned = await caller.post("/account", json=dict(reversed(body.items())), headers=KEY)
    assert turned.status_code == 200
    assert await stage.turns() == 1


async def test_two_owners_may_use_the_same_key(keyed: Stage) -> None:
    for key in (ANA_KEY, BO_KEY):
        async with keyed.caller(key) as caller:
            assert (await caller.post("/account", json=account(key), headers=KEY)).status_code == 200
    assert await keyed.turns() == 2


async def test_without_a_key_the_same_words_are_said_twice(stage: Stage) -> None:
    async with stage.caller() as caller:
        for _ in range(2):
            await caller.post("/account", json=account())
    assert await stage.turns() == 2


@pytest.mark.parametrize("key", [b"", b" ", b"x" * 256, b"caf\xe9", b"tab\there"])
async def test_refuses_keys_that_are_empty_or_too_long(stage: Stage, key: bytes) -> None:
    async with stage.caller() as caller:
        for path, body in (("/account", account()), ("/v1/messages", said())):
            answer = await caller.post(path, json=body, headers={b"Idempotency-Key": key})
            assert problem(answer, 422)["errors"][0]["field"] == "Idempotency-Key"
    assert await stage.turns() == 0


async def test_refuses_two_keys(stage: Stage) -> None:
    async with stage.caller() as caller:
        answer = await caller.post(
            "/account", json=account(), headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
        )
    problem(answer, 422)


async def test_a_repeated_cancellation_is_answered_alike(stage: Stage) -> None:
    request = await stage.filed()
    async with stage.caller() as caller:
        path = f"/v1/requests/{request}/cancel"
        answers = await asyncio.gather(*(caller.post(path, headers=KEY) for _ in range(5)))
        problem(await caller.post(path), 409)
    assert [a.status_code for a in answers] == [200] * 5
    assert len({a.text for a in answers}) == 1
    assert await stage.count(audit, audit.c.kind == "request.cancelled") == 1


async def test_old_keys_are_forgotten(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    await stage.start()
    async with stage.caller() as caller:
        await caller.post("/account", json=account(), headers=KEY)
    assert stage.channel.start is not None
    await stage.channel.start()
    assert await stage.count(idempotency) == 1
    stage.clock.move(days=4)
    await stage.channel.start()
    assert await stage.count(idempotency) == 0
    await stage.stop()
