"""What protects people from other sites, other people and themselves."""

from __future__ import annotations

import httpx
import pytest

from adapters.console.forms import safe_path
from tests.console.stage import Stage, Visitor

POSTS = [
    "/chat",
    "/chat/new",
    "/signin/dev",
    "/signout",
    "/requests/qm-22222222/decide",
    "/requests/qm-22222222/cancel",
]
PAGES = ["/", "/overview", "/requests", "/requests/qm-22222222", "/signedout", "/signin"]


@pytest.mark.parametrize("path", POSTS)
async def test_refuses_a_post_without_the_sessions_token(stage: Stage, path: str) -> None:
    async with stage.visitor() as ana, stage.visitor() as mallory:
        await ana.see("/")
        await mallory.see("/")
        for token in ("", "x", mallory.csrf, "é"):
            answer = await ana.post(path, data={"csrf": token, "text": "hi", "email": "bo@corp.example"})
            assert answer.status_code == 403
            assert "nothing was done" in answer.text
    assert stage.heard == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_refuses_a_post_from_another_site_even_with_the_token(stage: Stage, path: str, site: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        ana.headers["sec-fetch-site"] = site
        answer = await ana.submit(path, text="hi", email="bo@corp.example")
    assert answer.status_code == 403
    assert stage.heard == []


@pytest.mark.parametrize("path", PAGES)
async def test_sends_the_headers_that_keep_browsers_strict(stage: Stage, path: str) -> None:
    async with stage.visitor() as ana:
        answer = await ana.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
async def test_uses_no_inline_script_or_style(stage: Stage, path: str) -> None:
    await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        page = (await ana.get(path, follow_redirects=True)).text
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert " onclick=" not in page


async def test_gives_a_cookie_that_scripts_and_other_sites_do_not_get(stage: Stage) -> None:
    async with stage.visitor() as ana:
        (cookie,) = [c for c in (await ana.get("/")).headers.get_list("set-cookie") if "-session=" in c]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie  # http on loopback


async def test_trusts_no_cookie_that_was_changed(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.become("bo@corp.example")
        (name,) = [c for c in ana.cookies if c.endswith("-session")]
        value = ana.cookies[name]
        ana.cookies.clear()
        ana.cookies.set(name, value[:-2] + ("aa" if value[-2:] != "aa" else "bb"))
        page = await ana.get("/")
    assert "bo@corp.example" not in page.text
    assert "ana@corp.example" in page.text


async def test_trusts_no_cookie_in_the_place_of_another(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        talk = next(v for n, v in ana.cookies.items() if n.endswith("-talk"))
        name = next(n for n in ana.cookies if n.endswith("-session"))
        ana.cookies.clear()
        ana.cookies.set(name, talk)
        assert (await ana.get("/")).status_code == 200


async def test_begins_a_new_session_when_somebody_else_takes_over(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        before = ana.csrf
        await ana.become("bo@corp.example")
        assert ana.csrf != before
        assert (await ana.post("/chat", data={"csrf": before, "text": "hi"})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-for": "127.0.0.1"}, {"forwarded": "for=127.0.0.1"}, {"host": "console.corp.example"}],
    ids=["proxy", "standard proxy", "other host"],
)
async def test_knows_no_development_user_through_a_proxy(stage: Stage, headers: dict[str, str]) -> None:
    async with stage.visitor() as ana:
        await ana.become("approver@corp.example")
        ana.headers.update(headers)
        for path in ("/", "/requests", "/overview", "/chat/events"):
            answer = await ana.get(path)
            assert answer.status_code == 403
            assert "OIDC_ISSUER" in answer.text
            assert "approver@corp.example" not in answer.text
        assert (await ana.submit("/signin/dev", email="bo@corp.example")).status_code == 403
        assert (await ana.submit("/chat", text="hi")).status_code == 403


async def test_knows_no_development_user_from_another_machine(stage: Stage) -> None:
    async with Visitor(stage, {}, client="192.0.2.7") as stranger:
        answer = await stranger.get("/")
    assert answer.status_code == 403
    assert "Sign-in is not configured" in answer.text


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "<script>@x", "x" * 400 + "@corp.example"])
async def test_switches_to_nobody_without_an_address(stage: Stage, email: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        answer = await ana.submit("/signin/dev", email=email)
    assert answer.status_code == 422
    assert "<script>@" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil.example",
        "",
        "/x\r\nset-cookie: a=b",
        "///evil.example",
        "/%0d%0a\\",
    ],
)
def test_leads_nobody_away(path: str) -> None:
    assert safe_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/requests", "/requests/qm-22222222", "/requests?state=failed&view=all"])
def test_leads_back_to_where_one_was(path: str) -> None:
    assert safe_path(path) == path


async def test_leads_nobody_away_after_a_switch(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        answer: httpx.Response = await ana.submit("/signin/dev", email="bo@corp.example", next="//evil.example/")
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("last", ["", "-1", "abc", "9" * 40, "1.5", "٣"])
async def test_takes_any_last_event_id_for_what_it_is_worth(stage: Stage, last: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        ana.headers["x-console"] = "part"
        assert (await ana.submit("/chat", text="hi", after=last)).status_code == 200
