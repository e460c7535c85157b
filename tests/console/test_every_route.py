"""Every route of the application, by whom it serves: one that is added without saying so fails, and is attacked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.rest.routing import SCOPE_OF
from bot.database.tables import api_keys, approvals, delegations, people, requests
from bot.main import Application
from bot.settings import load_settings
from tests.console.provider import Provider
from tests.console.stage import Stage
from tests.console.test_sign_in import provider, sign_in, signed

__all__ = ["provider", "signed"]

CONSOLE: dict[str, str] = {
    "GET /signin": "anybody",
    "GET /signin/callback": "anybody",
    "GET /signedout": "anybody",
    "GET /static/{folder}/{file}": "anybody",
    "POST /signin/dev": "person",
    "POST /signout": "anybody",
    "GET /": "person",
    "GET /overview": "person",
    "POST /chat": "person",
    "POST /chat/new": "person",
    "GET /chat/events": "person",
    "GET /requests": "person",
    "GET /requests/{id}": "request",
    "GET /requests/{id}/progress": "request",
    "GET /requests/{id}/report": "request",
    "POST /requests/{id}/decide": "request",
    "GET /requests/{id}/break-glass": "request",
    "POST /requests/{id}/break-glass": "request",
    "POST /requests/{id}/cancel": "request",
    "POST /requests/{id}/stop": "request",
    "POST /requests/{id}/retry": "request",
    "POST /requests/{id}/done": "request",
    "GET /rollouts": "person",
    "GET /rollouts/{id}": "request",
    "GET /rollouts/{id}/progress": "request",
    "POST /rollouts/{id}/steer": "request",
    "GET /reviews": "person",
    "POST /reviews/{id}": "request",
    "GET /experiments": "person",
    "GET /insights": "person",
    "GET /insights/{place}": "person",
    "GET /insights/told": "person",
    "POST /insights/told/mute": "person",
    "POST /insights/told/unmute": "person",
    "GET /away": "person",
    "POST /away": "person",
    "POST /away/{id}/end": "delegation",
    "GET /audit": "person",
    "POST /audit/export": "person",
    "GET /keys": "person",
    "POST /keys": "person",
    "POST /keys/{id}/revoke": "key",
}
"""Whom each route of the console serves: anybody, whoever is signed in, or only those whose thing its {id} is."""

ELSEWHERE = {
    "GET /healthz": "tells nothing of anybody",
    "GET /readyz": "tells nothing of anybody",
    "GET /metrics": "tells nothing of anybody",
    "POST /slack/events": "signed by Slack: tests/slack/test_signature.py",
    "GET /slack/install": "ends at Slack: tests/slack/install",
    "GET /slack/oauth_redirect": "a state of ours, once: tests/slack/install",
    "POST /api/messages": "signed by Microsoft: tests/teams",
    "GET /api/messages/pictures/{name}": "a name that can't be guessed: tests/teams",
    "GET /account/confirm/{token}": "a token that can't be guessed: tests/email",
    "POST /account/confirm/{token}": "a token that can't be guessed: tests/email",
    "GET /dev/mail": "the newcomer alone: tests/email",
    "POST /sns": "signed by SNS: tests/sns/test_attacks.py",
}
"""Who guards the other channels' routes, and where that is tested. REST's are all behind its door."""

POSTS = [route.removeprefix("POST ") for route in CONSOLE if route.startswith("POST ")]
HELD = [(route, kind) for route, kind in CONSOLE.items() if kind not in ("anybody", "person")]
FORM = {"decision": "approve", "version": "1", "reason": "mine now", "step": "x"}


def test_every_route_says_whom_it_serves(tmp_path: Path) -> None:
    guid = "01234567-89ab-cdef-0123-456789abcdef"
    settings = load_settings(
        aws_endpoint_url="http://127.0.0.1:1",
        var_dir=tmp_path,
        slack_signing_secret="x" * 32,
        slack_client_id="1.2",
        slack_client_secret="s",
        slack_allowed_teams=("T0123ABCD",),
        teams_app_id=guid,
        teams_app_secret="x",
        teams_tenant_id=guid,
    )
    found = set()
    for route in Application(settings).app.router.routes:
        for method in getattr(route, "methods", None) or {"GET"}:
            if method not in ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
                found.add(f"{method} {getattr(route, 'path', '')}")
    found -= {"GET /openapi.json"}
    rest = {f"{method} {path}" for method, path in SCOPE_OF}
    assert found == {*CONSOLE, *ELSEWHERE, *rest}


@pytest.mark.parametrize("route", [r for r, kind in CONSOLE.items() if kind != "anybody"])
async def test_serves_nobody_who_has_not_signed_in(signed: Stage, route: str) -> None:
    method, _, path = route.partition(" ")
    async with signed.visitor() as stranger:
        answer = await stranger.request(method, path.replace("{id}", "qm-22222222"), data=FORM)
    if method == "POST":
        assert answer.status_code in (401, 403)
    else:
        assert answer.status_code == 303 or (path == "/chat/events" and answer.status_code == 401)


@pytest.mark.parametrize("path", POSTS)
async def test_takes_no_post_that_another_site_or_session_could_make(stage: Stage, path: str) -> None:
    path = path.replace("{id}", "qm-22222222")
    async with stage.visitor() as ana, stage.visitor() as mallory:
        await ana.see("/")
        await mallory.see("/")
        for token in ("", mallory.csrf):
            answer = await ana.post(path, data={**FORM, "csrf": token})
            assert answer.status_code == 403
            assert "nothing was done" in answer.text
        ana.headers["sec-fetch-site"] = "cross-site"
        assert (await ana.submit(path, **FORM)).status_code == 403


@pytest.mark.parametrize(("route", "kind"), HELD, ids=[route for route, _ in HELD])
async def test_shows_and_does_nothing_about_what_is_somebody_elses(stage: Stage, route: str, kind: str) -> None:
    """Insecure direct object references: the answer is that for what does not exist, and nothing changes."""
    record = await stage.ask("bo@corp.example")
    bo = await stage.person("bo@corp.example")
    key, _ = await stage.services.keys.make(bo, "Bo's script", ["read"], 30)
    until = stage.clock.now().replace(year=2026, month=3, day=20)
    away = await stage.services.approvals.delegations.name(bo, "", until, channel="console")
    theirs, missing = {
        "request": (record.id, "qm-22222222"),
        "key": (key.id, "key_000000000000"),
        "delegation": (away.id, "dg_000000000000000000000000"),
    }[kind]
    before = await _all_rows(stage)
    method, _, path = route.partition(" ")
    async with stage.visitor() as eve:
        await eve.become("eve@corp.example")
        await eve.see("/")
        answers = [
            await eve.request(method, path.replace("{id}", name), data={**FORM, "csrf": eve.csrf})
            for name in (theirs, missing)
        ]
    assert [a.status_code for a in answers] == [404, 404]
    words = [a.text.replace(eve.csrf, "").replace(n, "") for a, n in zip(answers, (theirs, missing), strict=True)]
    assert words[0] == words[1]
    assert await _all_rows(stage) == before


async def _all_rows(stage: Stage) -> list[Any]:
    tables = (requests, approvals, api_keys, delegations)
    async with stage.services.database.read() as connection:
        return [(await connection.execute(select(table).order_by(*table.primary_key))).all() for table in tables]


async def test_takes_no_field_that_a_form_does_not_have(stage: Stage) -> None:
    """Mass assignment: what a person is, owns and may is never read from a form."""
    approver = await stage.person("approver@corp.example")
    extra = {"person_id": approver.id, "person": approver.email, "by": approver.email, "owner": "", "tier": "none"}
    more = {"approvers": "ana@corp.example", "state": "approved", "session": "x", "surface": "mail", "id": "key_mine"}
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        await ana.see("/keys")
        await ana.submit("/keys", name="Mine", days="7", hash="0" * 64, **{"scope-read": "yes"}, **extra, **more)
        await ana.submit("/away", until="2026-03-20", approver=approver.email, named_by="", **extra)
        refused = await ana.submit(f"/requests/{record.id}/decide", decision="approve", version="1", **extra, **more)
        person = await stage.person("ana@corp.example")
        assert refused.status_code == 403
    async with stage.services.database.read() as connection:
        (key,) = (await connection.execute(select(api_keys))).all()
        (away,) = (await connection.execute(select(delegations))).all()
        state = (await connection.execute(select(requests.c.state))).scalar_one()
    assert (key.person_id, key.scopes) == (person.id, ["read"])
    assert key.hash != "0" * 64
    assert key.id != "key_mine"
    assert away.approver == "ana@corp.example"
    assert state == "awaiting_approval"


NAMES = ["approver@corp.example", "Olga <olga@corp.example>", 'Person::"olga@corp.example"', "operators", "Approver"]


@pytest.mark.parametrize("name", NAMES)
async def test_nobody_becomes_more_by_what_they_call_themselves(signed: Stage, provider: Provider, name: str) -> None:
    record = await signed.ask("bo@corp.example")
    provider.claims |= {"sub": "u-9", "email": "eve@corp.example", "name": name, "given_name": name}
    async with signed.visitor() as eve:
        await sign_in(eve)
        assert (await eve.see(f"/requests/{record.id}")).status_code == 404
        await eve.see("/")
        assert (await eve.submit(f"/requests/{record.id}/decide", decision="approve", version="1")).status_code == 404
        assert record.id not in (await eve.get("/requests?view=all")).text
        assert "yourself alone" in (await eve.get("/audit?person=bo@corp.example")).text
    async with signed.services.database.read() as connection:
        assert (await connection.execute(select(people.c.email).where(people.c.email == name))).first() is None


async def test_shows_what_people_typed_as_text_on_every_page(stage: Stage) -> None:
    nasty = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>{{ 7 * 7 }}"
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        await ana.see("/keys")
        await ana.submit("/keys", name=nasty[:60], days="7", **{"scope-read": "yes"})
        await ana.submit(f"/requests/{record.id}/cancel", reason=nasty)
        query = {name: nasty for name in ("id", "requester", "account", "since", "until", "kind", "person", "request")}
        pages = [await ana.get(path) for path in ("/keys", f"/requests/{record.id}", "/audit", "/away")]
        pages += [await ana.get(path, params={k: v}) for path in ("/requests", "/audit") for k, v in query.items()]
        pages += [
            await ana.submit("/away", until=nasty, delegate=nasty),
            await ana.submit("/keys", name=nasty, days=nasty),
        ]
        pages += [await ana.get("/signin", params={"next": nasty, "fresh": "60", "acr": nasty})]
    for page in pages:
        assert page.status_code < 500
        for sign in ("<img src=x", "<script>alert", "49</"):
            assert sign not in page.text, page.url
