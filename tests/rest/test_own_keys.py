"""People's own keys over REST: each speaks for its person alone, within its scopes, while it counts."""

from __future__ import annotations

import pytest

from adapters.rest.routing import SCOPE_OF
from bot.keys import SCOPES
from tests.rest.stage import ANA_KEY, Stage, account, problem, said


async def key_of(stage: Stage, email: str, *scopes: str, days: int = 30) -> str:
    """Return the secret of a new key of that person's."""
    person = await stage.people.of_email(email)
    return (await stage.keys.make(person, "Script", scopes, days))[1]


@pytest.mark.parametrize(("route", "scope"), SCOPE_OF.items(), ids=[" ".join(r) for r in SCOPE_OF])
async def test_opens_what_its_scope_says_and_nothing_else(keyed: Stage, route: tuple[str, str], scope: str) -> None:
    method, path = route
    path = path.replace("{id}", "qm-23456789").replace("{month}", "2026-02")
    others = await key_of(keyed, "ana@corp.example", *(s for s in SCOPES if s != scope))
    async with keyed.caller(others) as caller:
        body = account() if path == "/account" else said()  # refused before anybody looks at it
        refused = problem(await caller.request(method, path, json=body if method == "POST" else None), 403)
        assert SCOPES.get(scope, "No person's own key may do that") in refused["detail"]
    assert await keyed.turns() == 0


async def test_speaks_for_its_own_person_alone(keyed: Stage) -> None:
    key = await key_of(keyed, "ana@corp.example", "ask", "read")
    async with keyed.caller(key) as caller:
        assert (await caller.post("/v1/messages", json=said(email="ANA@corp.example"))).status_code == 200
        for email in ("bo@corp.example", "ana+1@corp.example", "ana@corp.example.evil.example"):
            found = problem(await caller.post("/v1/messages", json=said(email=email)), 403)
            assert "ana@corp.example alone" in found["detail"]
            problem(await caller.post("/account", json=account(UserEmail=email)), 403)


async def test_sees_what_its_person_asked_for_wherever_and_nothing_of_others(keyed: Stage) -> None:
    mine, theirs = await keyed.filed(ANA_KEY), await keyed.filed(ANA_KEY, "bo@corp.example")
    key = await key_of(keyed, "ana@corp.example", "read", "cancel")
    async with keyed.caller(key) as caller:
        listed = (await caller.get("/v1/requests")).json()["requests"]
        assert [r["id"] for r in listed] == [mine]
        assert (await caller.get("/v1/requests?requester=bo@corp.example")).json()["requests"] == []
        problem(await caller.get(f"/v1/requests/{theirs}"), 404)
        problem(await caller.post(f"/v1/requests/{theirs}/cancel"), 404)
        assert (await caller.post(f"/v1/requests/{mine}/cancel")).json()["state"] == "cancelled"


async def test_reads_the_audit_about_its_person_alone(keyed: Stage) -> None:
    await keyed.filed(ANA_KEY)
    for email in ("ana@corp.example", "bo@corp.example"):
        await key_of(keyed, email, "read")  # is recorded
    async with keyed.caller(await key_of(keyed, "bo@corp.example", "audit")) as caller:
        found = (await caller.get("/v1/audit")).json()["entries"]
        assert {entry["person"] for entry in found} == {"bo@corp.example"}
        problem(await caller.get("/v1/audit?person=ana@corp.example"), 403)


async def test_ends_with_its_time_and_when_it_is_revoked(keyed: Stage) -> None:
    key, other = [await key_of(keyed, "ana@corp.example", "read", days=7) for _ in range(2)]
    async with keyed.caller(key) as caller, keyed.caller(other) as second:
        assert (await caller.get("/v1/requests")).status_code == 200
        ana = await keyed.people.of_email("ana@corp.example")
        used = next(k for k in await keyed.keys.of_person(ana) if k.used_at)
        await keyed.keys.revoke(ana, used.id)
        problem(await caller.get("/v1/requests"), 401)
        assert (await second.get("/v1/requests")).status_code == 200
        keyed.clock.move(days=7)
        problem(await second.get("/v1/requests"), 401)


async def test_a_nearly_right_own_key_is_wrong(keyed: Stage) -> None:
    key = await key_of(keyed, "ana@corp.example", "read")
    for wrong in (key[:-1], key + "x", key.swapcase(), "qm_" + "A" * 43, key.removeprefix("qm_")):
        async with keyed.caller(wrong) as caller:
            problem(await caller.get("/v1/requests"), 401)
