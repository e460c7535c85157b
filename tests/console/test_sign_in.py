"""Signing in at an identity provider: who gets in, who does not, and what stays when addresses change."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from adapters.console.sessions import LIFETIMES, SESSION
from bot.database import Transaction
from bot.database.tables import console_sessions
from tests.console.provider import CLIENT_ID, CLIENT_SECRET, OTHER_KEY, Provider
from tests.console.stage import Stage, Visitor


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """An honest provider."""
    async with Provider().served() as provider:
        yield provider


@pytest.fixture
async def signed(tmp_path: Path, provider: Provider) -> AsyncIterator[Stage]:
    """A console behind that provider, reached over https."""
    stage = Stage(
        tmp_path,
        public_url="https://console.corp.example",
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
    )
    await stage.start()
    yield stage
    await stage.stop()


async def go_to_provider(visitor: Visitor, path: str = "/", *, start: str = "") -> str:
    """Open a page, be sent to the provider, and return where the provider sends back to; or begin at `start`."""
    if not start:
        to_sign_in = await visitor.get(path)
        assert to_sign_in.status_code == 303
        start = to_sign_in.headers["location"]
    to_provider = await visitor.get(start)
    assert to_provider.status_code == 302
    async with httpx.AsyncClient() as outside:
        back = await outside.get(to_provider.headers["location"])
    assert back.status_code == 302
    return str(back.headers["location"])


async def sign_in(visitor: Visitor, path: str = "/") -> httpx.Response:
    """Sign in the whole way; returns the answer of the callback."""
    return await visitor.get(await go_to_provider(visitor, path))


async def test_leads_through_the_provider_back_to_the_page_asked_for(signed: Stage) -> None:
    async with signed.visitor() as ana:
        back = await sign_in(ana, "/requests?view=waiting&state=queued")
        page = await ana.get("/")
    assert back.status_code == 303
    assert back.headers["location"] == "/requests?view=waiting&state=queued"
    assert "Hello Ana, what do you need?" in page.text
    assert "Sign out" in page.text
    assert "Act as somebody else" not in page.text
    assert "/dev/mail" not in page.text


async def test_asks_with_pkce_state_and_nonce(signed: Stage) -> None:
    async with signed.visitor() as ana:
        asked = parse_qs(urlsplit((await ana.get("/signin")).headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["https://console.corp.example/signin/callback"]
    assert len(asked["state"][0]) >= 20
    assert len(asked["nonce"][0]) >= 16
    assert asked["scope"] == ["openid email profile"]


async def test_gives_cookies_that_travel_encrypted_only(signed: Stage) -> None:
    async with signed.visitor() as ana:
        cookies = (await sign_in(ana)).headers.get_list("set-cookie")
    (session,) = [c for c in cookies if "-session=" in c]
    assert session.startswith("__Host-")
    for words in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert words in session
    assert "Domain" not in session


async def test_begins_a_new_session_at_sign_in_whatever_the_browser_brought(signed: Stage) -> None:
    name = "__Host-quartermaster-session"
    async with signed.visitor() as mallory, signed.visitor() as ana:
        await sign_in(mallory)
        planted = mallory.cookies[name]
        ana.cookies.update(mallory.cookies)  # Mallory's own session, put into Ana's browser
        await ana.get(await go_to_provider(ana, start="/signin"))
        assert ana.cookies[name] != planted
        assert (await mallory.get("/")).status_code == 303


async def test_keeps_no_token_in_the_database(signed: Stage) -> None:
    async with signed.visitor() as ana:
        await sign_in(ana)
        token = ana.cookies["__Host-quartermaster-session"]
        await ana.see("/")
        csrf = ana.csrf
    async with signed.services.database.read() as connection:
        (row,) = (await connection.execute(select(console_sessions))).all()
    assert token not in str(row)
    assert csrf not in str(row)
    assert row.id == hashlib.sha256(token.encode()).hexdigest()


async def test_gives_strangers_no_session_and_takes_no_guessed_one(signed: Stage) -> None:
    async with signed.visitor() as stranger:
        await stranger.get("/")
        await stranger.get("/signedout")
        assert not [n for n in stranger.cookies if n.endswith("-session")]
        for guess in ("", "x", "A" * 43, "A" * 4000, "../" * 14):
            stranger.cookies.clear()
            header = {"cookie": f"__Host-quartermaster-session={guess}"}
            assert (await stranger.get("/", headers=header)).status_code == 303
    async with signed.services.database.read() as connection:
        assert (await connection.execute(select(console_sessions))).all() == []


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client"], "azp": CLIENT_ID},
        {"aud": None},
        {"iss": "https://issuer.evil.example"},
        {"iss": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"iat": NOW + 7200, "exp": NOW + 9000},
        {"sub": None},
        {"azp": "another-client"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    # Nothing of the time of day: every process of a run must give the tests the same names.
    ids=lambda changes: ",".join(f"{k}={v - NOW:+}" if isinstance(v, int) else f"{k}={v}" for k, v in changes.items()),
)
async def test_refuses_an_id_token_that_is_not_for_us_now(
    signed: Stage, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    async with signed.visitor() as ana:
        answer = await sign_in(ana)
        page = await ana.get("/")
    assert answer.status_code == 401
    assert "does not verify" in answer.text
    assert page.status_code == 303


async def test_refuses_an_id_token_signed_by_somebody_else(signed: Stage, provider: Provider) -> None:
    provider.key = OTHER_KEY
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
@pytest.mark.parametrize("offered", [["RS256"], ["RS256", "HS256", "none"]])
async def test_refuses_an_id_token_without_the_providers_own_signature(
    signed: Stage, provider: Provider, algorithm: str, offered: list[str]
) -> None:
    provider.algorithm = algorithm
    provider.metadata = {"id_token_signing_alg_values_supported": offered}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 401


async def test_refuses_a_wrong_state_and_another_browsers_way_back(signed: Stage) -> None:
    async with signed.visitor() as ana, signed.visitor() as mallory:
        callback = await go_to_provider(mallory)
        assert (await ana.get(callback)).status_code == 401  # sign-in forced upon Ana by Mallory
        state = parse_qs(urlsplit(callback).query)["state"][0]
        assert (await mallory.get(callback.replace(state, "x" * len(state)))).status_code == 401
        assert (await mallory.get("/signin/callback")).status_code == 401
        assert (await mallory.get("/signin/callback?code=x&state=")).status_code == 401
        assert (await ana.get("/")).status_code == 303


async def test_takes_each_way_back_once(signed: Stage) -> None:
    async with signed.visitor() as ana:
        callback = await go_to_provider(ana)
        assert (await ana.get(callback)).status_code == 303
        assert (await ana.get(callback)).status_code == 401


async def test_says_when_the_provider_declines(signed: Stage, provider: Provider) -> None:
    provider.denies = "access_denied"
    async with signed.visitor() as ana:
        answer = await sign_in(ana)
    assert answer.status_code == 401
    assert "access_denied" in answer.text


async def test_says_when_the_provider_is_away(signed: Stage, provider: Provider) -> None:
    provider.is_broken = True
    async with signed.visitor() as ana:
        answer = await ana.get("/signin")
        provider.is_broken = False
        again = await sign_in(ana)
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert again.status_code == 303


async def test_refuses_a_provider_that_calls_itself_something_else(signed: Stage, provider: Provider) -> None:
    provider.metadata = {"issuer": "https://issuer.evil.example"}
    async with signed.visitor() as ana:
        assert (await ana.get("/signin")).status_code == 503


@pytest.mark.parametrize(
    "changes",
    [
        {"email": None},
        {"email": ""},
        {"email": 7},
        *({"email_verified": word} for word in (None, False, "false", "False", "no", "", 0, 1, [True])),
    ],
)
async def test_needs_an_address_that_the_provider_stands_for(
    signed: Stage, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    provider.userinfo = {"sub": "u-1"}
    async with signed.visitor() as ana:
        answer = await sign_in(ana)
    assert answer.status_code == 403
    assert (await signed.visitor().get("/")).status_code == 303


async def test_asks_the_provider_for_the_address_that_the_token_leaves_out(signed: Stage, provider: Provider) -> None:
    provider.changes = {"email": None}
    provider.userinfo = {"sub": "u-1", "email": "Ana@Corp.Example", "email_verified": True}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 303
        assert "ana@corp.example" in (await ana.get("/")).text


async def test_says_which_claim_is_missing(signed: Stage, provider: Provider) -> None:
    provider.changes = {"email_verified": None}
    provider.userinfo = {"sub": "u-1"}
    async with signed.visitor() as ana:
        assert "email_verified" in (await sign_in(ana)).text


@pytest.mark.parametrize(
    ("address", "status"), [("ana@corp.example", 303), ("ana@private.example", 403)], ids=["the same", "another"]
)
async def test_asks_whether_the_tokens_own_address_is_verified(
    signed: Stage, provider: Provider, address: str, status: int
) -> None:
    provider.changes = {"email_verified": None}
    provider.userinfo = {"sub": "u-1", "email": address, "email_verified": True}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == status


async def test_takes_the_tokens_word_for_no_address_from_elsewhere(signed: Stage, provider: Provider) -> None:
    provider.changes = {"email": None, "email_verified": True}
    provider.userinfo = {"sub": "u-1", "email": "boss@corp.example", "email_verified": False}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 403


async def test_takes_no_address_of_another_subject(signed: Stage, provider: Provider) -> None:
    provider.changes = {"email": None}
    provider.userinfo = {"sub": "u-2", "email": "boss@corp.example"}
    async with signed.visitor() as ana:
        assert (await sign_in(ana)).status_code == 401


async def test_knows_a_person_again_whose_address_changed(signed: Stage, provider: Provider) -> None:
    async with signed.visitor() as ana:
        await sign_in(ana)
    before = await signed.services.people.of_identity("oidc", f"{provider.url}|u-1")
    provider.claims["email"] = "ana.garcia@corp.example"
    async with signed.visitor() as ana:
        await sign_in(ana)
    after = await signed.services.people.of_identity("oidc", f"{provider.url}|u-1")
    assert before is not None
    assert after is not None
    assert before.id == after.id
    assert await signed.services.people.with_email("ana.garcia@corp.example") is None


async def test_signs_out(signed: Stage) -> None:
    async with signed.visitor() as ana:
        await sign_in(ana)
        await ana.see("/")
        out = await ana.submit("/signout")
        farewell = await ana.get(out.headers["location"])
        page = await ana.get("/requests")
    assert "You are signed out" in farewell.text
    assert page.status_code == 303
    assert page.headers["location"] == "/signin?next=/requests"


async def test_takes_no_copy_of_a_cookie_after_sign_out_on_any_replica(
    signed: Stage, provider: Provider, tmp_path: Path
) -> None:
    other = Stage(
        tmp_path,
        public_url="https://console.corp.example",
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
    )
    await other.start()
    async with signed.visitor() as ana, signed.visitor() as here, other.visitor() as there, signed.visitor() as phone:
        await sign_in(ana)
        await sign_in(phone)
        for thief in (here, there):
            thief.cookies.update(ana.cookies)
            assert (await thief.get("/requests")).status_code == 200
            thief.cookies.clear()
        stolen = dict(ana.cookies)
        await ana.see("/")
        await ana.submit("/signout")
        for thief in (here, there):
            thief.cookies.update(stolen)
            assert (await thief.get("/requests")).status_code == 303
        assert (await phone.get("/requests")).status_code == 200  # the same person's other session goes on
    await other.stop()


async def test_asks_to_sign_in_again_after_twelve_hours(signed: Stage) -> None:
    assert LIFETIMES[SESSION] == 12 * 3600
    async with signed.visitor() as ana:
        await sign_in(ana)
        assert (await ana.get("/")).status_code == 200

        async def age(transaction: Transaction) -> None:
            row = (await transaction.execute(select(console_sessions))).one()
            assert row.expires_at - row.created_at == timedelta(hours=12)
            await transaction.execute(update(console_sessions).values(expires_at=datetime.now(UTC)))

        await signed.services.database.write(age)
        assert (await ana.get("/")).status_code == 303


async def test_signs_out_everywhere(signed: Stage) -> None:
    async with signed.visitor() as laptop, signed.visitor() as phone:
        await sign_in(laptop)
        await sign_in(phone)
        await laptop.see("/")
        await laptop.submit("/signout", where="everywhere")
        assert (await phone.get("/")).status_code == 303


async def test_knows_no_development_user_beside_a_provider(tmp_path: Path, provider: Provider) -> None:
    stage = Stage(tmp_path, oidc_issuer=provider.url, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET)
    await stage.start()
    async with stage.visitor() as ana:
        assert (await ana.get("/")).status_code == 303
        await ana.see("/signedout")
        assert (await sign_in(ana)).status_code == 303
        await ana.see("/")
        assert (await ana.submit("/signin/dev", email="bo@corp.example")).status_code == 403
    await stage.stop()


@pytest.mark.parametrize("path", ["/overview", "/chat/events", "/requests/qm-22222222/progress"])
async def test_tells_scripts_that_sign_in_is_over(signed: Stage, path: str) -> None:
    async with signed.visitor() as ana:
        answer = await ana.get(path, headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert "<html" not in answer.text


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil.example"])
async def test_leads_nobody_away_after_sign_in(signed: Stage, wanted: str) -> None:
    async with signed.visitor() as ana:
        to_provider = await ana.get("/signin", params={"next": wanted})
        async with httpx.AsyncClient() as outside:
            back = await outside.get(to_provider.headers["location"])
        answer = await ana.get(back.headers["location"])
    assert answer.headers["location"] == "/"
