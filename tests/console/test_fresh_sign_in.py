"""Signing in anew for what weighs more, where the provider may send us, and how often anybody may ask."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from adapters.console.endpoints import checked_metadata
from adapters.console.freshness import Freshness
from adapters.console.limits import DOING, SIGNING_IN
from bot.database.tables import audit
from tests.console.provider import Provider
from tests.console.stage import Stage, Visitor
from tests.console.test_sign_in import go_to_provider, provider, sign_in, signed

__all__ = ["provider", "signed"]

WANTED = Freshness(timedelta(minutes=5), ("urn:two-factors",))
WAY = WANTED.path("/requests")
NOW = int(time.time())


async def sign_in_anew(visitor: Visitor) -> Any:
    """Go the way that a decision of the highest tier sends one; returns the answer of the callback."""
    return await visitor.get(await go_to_provider(visitor, start=WAY))


async def test_asks_the_provider_anew_and_keeps_how_it_was_proven(signed: Stage, provider: Provider) -> None:
    async with signed.visitor() as ana:
        await sign_in(ana)
        assert "prompt" not in provider.asked
        before = ana.cookies["__Host-quartermaster-session"]
        back = await sign_in_anew(ana)
        after = ana.cookies["__Host-quartermaster-session"]
    assert back.headers["location"] == "/requests"
    asked = {name: provider.asked[name] for name in ("prompt", "max_age", "acr_values")}
    assert asked == {"prompt": "login", "max_age": "300", "acr_values": "urn:two-factors"}
    assert before != after
    async with signed.services.database.read() as connection:
        rows = (await connection.execute(select(audit.c.kind))).scalars().all()
    assert rows == ["person.signed_in", "person.signed_in"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"auth_time": None}, "did not say that you have just signed in"),
        ({"auth_time": NOW - 3600}, "did not say"),
        ({"auth_time": NOW + 3600}, "did not say"),
        ({"auth_time": True}, "did not say"),
        ({"auth_time": "now"}, "does not verify"),
        ({"acr": "urn:password"}, "this needs urn:two-factors"),
        ({"acr": None}, "this needs urn:two-factors"),
        ({"acr": ["urn:two-factors"]}, "this needs urn:two-factors"),
    ],
    ids=["no time", "old", "ahead", "no number", "words", "weak", "no way said", "a list"],
)
async def test_takes_no_old_or_weak_proof_for_a_fresh_one(
    signed: Stage, provider: Provider, changes: dict[str, Any], said: str
) -> None:
    provider.changes = changes
    async with signed.visitor() as ana:
        answer = await sign_in_anew(ana)
    assert answer.status_code == 401
    assert said in answer.text


async def test_believes_the_userinfo_nothing_about_how_it_was_proven(signed: Stage, provider: Provider) -> None:
    provider.changes = {"auth_time": None, "acr": None, "email": None}
    provider.userinfo = {**provider.claims, "auth_time": NOW, "acr": "urn:two-factors"}
    async with signed.visitor() as ana:
        assert (await sign_in_anew(ana)).status_code == 401


async def test_the_proof_counts_in_the_session_that_it_was_given_in_alone(signed: Stage) -> None:
    name, within = "__Host-quartermaster-session", timedelta(minutes=5)
    async with signed.visitor() as laptop, signed.visitor() as desk:
        await sign_in(desk)
        await sign_in_anew(laptop)
        ana, proofs = await signed.person("ana@corp.example"), signed.services.sign_ins
        assert await proofs.find(ana, laptop.cookies[name], within=within, acr="urn:two-factors")
        assert await proofs.find(ana, desk.cookies[name], within=within) is None


async def test_takes_no_answer_that_names_another_issuer(signed: Stage, provider: Provider) -> None:
    for answers in ({"iss": "https://issuer.evil.example"}, {}):
        provider.answers = answers
        provider.metadata = {"authorization_response_iss_parameter_supported": True}
        async with signed.visitor() as ana:
            assert (await sign_in(ana)).status_code == 401
    provider.answers = {"iss": provider.url}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 303


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint", "authorization_endpoint"])
@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/iam/",
        "https://169.254.169.254/latest",
        "http://issuer.evil.example/token",
        "https://10.0.0.7/token",
        "https://[fd00:ec2::254]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/token",
        "https://vault/token",
        "https://metadata.google.internal/",
        "https://user:password@issuer.example/",
        "file:///etc/passwd",
        "",
        7,
    ],
)
def test_asks_no_address_that_only_this_network_knows(name: str, address: Any) -> None:
    honest = {
        "issuer": "https://issuer.example",
        "token_endpoint": "https://token.issuer-apis.example/token",
        "jwks_uri": "https://issuer.example/keys",
        "userinfo_endpoint": "https://issuer.example/me",
        "authorization_endpoint": "https://issuer.example/authorize",
    }
    checked_metadata(honest)
    with pytest.raises(ValueError, match=name):
        checked_metadata({**honest, name: address})


async def test_follows_no_metadata_into_the_network(signed: Stage, provider: Provider) -> None:
    provider.metadata = {"token_endpoint": "http://169.254.169.254/latest/meta-data/"}
    async with signed.visitor() as ana:
        assert (await ana.get("/signin")).status_code == 503


async def test_follows_no_redirect_of_the_provider(signed: Stage, provider: Provider) -> None:
    provider.moved_to = f"{provider.url}/elsewhere"
    async with signed.visitor() as ana:
        assert (await ana.get("/signin")).status_code == 503
    assert provider.seen == ["/.well-known/openid-configuration"]


async def test_the_development_user_signs_in_again_by_a_press(stage: Stage) -> None:
    async with stage.visitor() as ana:
        page = await ana.see(WAY)
        assert "a press is enough" in page.text
        asked = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text[page.text.index("<main") :]))
        back = await ana.post("/signin/dev", data=asked)
        token = next(value for name, value in ana.cookies.items() if name.endswith("-session"))
    assert back.headers["location"] == "/requests"
    person = await stage.person("ana@corp.example")
    assert await stage.services.sign_ins.find(person, token, within=timedelta(minutes=5), acr="urn:two-factors")


async def test_holds_up_who_asks_too_fast_and_nobody_else(stage: Stage) -> None:
    async with stage.visitor() as ana, stage.visitor() as bo:
        await bo.become("bo@corp.example")
        await ana.see("/")
        answers = [await ana.post("/chat/new") for _ in range(DOING.at_once + 3)]
        assert answers[0].status_code == 422  # no form at all; it counts all the same
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await bo.submit("/chat/new")).status_code == 303


async def test_holds_up_an_address_that_tries_to_sign_in_without_end(signed: Stage) -> None:
    async with signed.visitor() as mallory:
        for _ in range(SIGNING_IN.at_once):
            assert (await mallory.get("/signin/callback?code=x&state=y")).status_code == 401
        assert (await mallory.get("/signin/callback?code=x&state=y")).status_code == 429
