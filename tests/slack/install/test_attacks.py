"""What strangers try on the way of an installation, and what becomes of it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from adapters.slack.install import stores
from adapters.slack.install.routes import COOKIE
from adapters.slack.install.stores import StateStore
from bot.database import Database
from bot.database.tables import slack_bots, slack_oauth_states
from bot.services import Services
from tests.slack.install.conftest import CALLBACK, OURS, Open, Replica
from tests.support.slack.oauth_server import Grant, OAuthServer

NOT_BEGUN_HERE = "was not begun in this browser"


async def count_installed(services: Services) -> int:
    async with services.database.read() as connection:
        return len((await connection.execute(select(slack_bots.c.id))).all())


async def test_a_state_made_up_by_a_stranger_is_refused(replica: Replica, slack: OAuthServer) -> None:
    replica.browser.cookies.set(COOKIE, "made-up", path="/slack/oauth_redirect")
    response = await replica.come_back(code=slack.allow(Grant()), state="made-up")
    assert response.status_code == 401
    assert NOT_BEGUN_HERE in response.text
    assert slack.calls == []


async def test_a_state_works_once(replica: Replica, slack: OAuthServer) -> None:
    asked = await replica.begin()
    cookie = replica.browser.cookies[COOKIE]
    assert (await replica.come_back(code=slack.allow(Grant()), state=asked["state"])).status_code == 200
    replica.browser.cookies.set(COOKIE, cookie, path="/slack/oauth_redirect")
    again = await replica.come_back(code=slack.allow(Grant()), state=asked["state"])
    assert again.status_code == 401
    assert slack.count("oauth.v2.access") == 1


async def test_a_refusal_uses_the_state_up_too(replica: Replica, slack: OAuthServer) -> None:
    asked = await replica.begin()
    await replica.come_back(error="access_denied", state=asked["state"])
    assert (await replica.come_back(code=slack.allow(Grant()), state=asked["state"])).status_code == 401


async def test_a_strangers_installation_is_not_finished_in_somebody_elses_browser(
    replica: Replica, slack: OAuthServer
) -> None:
    theirs = (await replica.begin())["state"]
    async with replica.open_browser() as victim:
        link = f"/slack/oauth_redirect?code={slack.allow(Grant())}&state={theirs}"
        assert (await victim.get(link)).status_code == 401
        await victim.get("/slack/install")
        assert (await victim.get(link)).status_code == 401
    assert await count_installed(replica.services) == 0


@pytest.mark.parametrize("query", [{}, {"state": ""}, {"code": "x"}, {"state": "", "code": "x"}])
async def test_coming_back_without_a_state_is_refused(replica: Replica, query: dict[str, str]) -> None:
    assert (await replica.come_back(**query)).status_code == 401
    replica.browser.cookies.set(COOKIE, "", path="/slack/oauth_redirect")
    assert (await replica.come_back(**query)).status_code == 401


async def test_a_state_ends_after_its_time_and_is_swept_out(replica: Replica) -> None:
    database = replica.services.database
    late = await StateStore(database, seconds=-1).async_issue()
    assert not await StateStore(database, seconds=600).async_consume(late)
    good = await StateStore(database, seconds=600).async_issue()
    async with database.read() as connection:
        kept = (await connection.execute(select(slack_oauth_states.c.state))).scalars().all()
    assert kept == [good]


@pytest.mark.postgres
async def test_of_two_replicas_that_use_a_state_one_is_told_that_it_was_good(
    open_replica: Open, postgres_url: str
) -> None:
    replica = await open_replica(postgres_url)
    others = [Database(postgres_url) for _ in range(3)]
    for database in others:
        await database.start()
    stores = [StateStore(database, seconds=600) for database in (replica.services.database, *others)]
    for _ in range(5):
        state = await stores[0].async_issue()
        answers = await asyncio.gather(*(store.async_consume(state) for store in stores * 2))
        assert answers.count(True) == 1
    for database in others:
        await database.close()


@pytest.mark.parametrize(
    "grant",
    [
        Grant(team="T0666"),
        Grant(team="T0666", organization="E0666"),
        Grant(team=None, organization="E0666", is_org_wide=True),
    ],
)
async def test_a_foreign_workspace_is_refused_and_its_token_given_back(
    grant: Grant, replica: Replica, slack: OAuthServer
) -> None:
    response = await replica.install_into(slack, grant)
    assert response.status_code == 403
    assert (grant.team or grant.organization or "?") in response.text
    assert "SLACK_ALLOWED_TEAMS" in response.text
    assert slack.live == {}
    assert await count_installed(replica.services) == 0
    assert await replica.install.workspaces.find(grant.team or "T0666", grant.organization or "") is None


async def test_one_allowed_workspace_does_not_let_its_whole_organization_in(
    open_replica: Open, slack: OAuthServer
) -> None:
    replica = await open_replica(slack_allowed_teams="T0001")
    grant = Grant(team="T0001", organization="E0009", is_org_wide=True)
    assert (await replica.install_into(slack, grant)).status_code == 403
    assert await count_installed(replica.services) == 0


async def test_a_workspace_taken_off_the_list_is_served_no_longer(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica()
    await replica.install_into(slack, Grant())
    await replica.install_into(slack, Grant(team=None, organization="E0001", is_org_wide=True))
    later = await open_replica(slack_allowed_teams="T0002")
    assert await later.install.workspaces.find("T0001") is None
    assert await later.install.workspaces.find("T0001", "E0001", True) is None
    assert await later.install.workspaces.first() is None


async def test_nothing_in_the_request_says_where_people_are_sent(replica: Replica, slack: OAuthServer) -> None:
    evil = "https://evil.example/"
    response = await replica.browser.get(
        "/slack/install",
        params={"redirect_uri": evil, "next": evil, "return_to": evil, "team": evil, "state": "mine"},
        headers={"host": "evil.example", "x-forwarded-host": "evil.example", "origin": evil},
    )
    assert "evil" not in response.headers["location"]
    assert response.headers["location"].startswith(slack.url.removesuffix("api/"))
    done = await replica.install_into(slack, Grant())
    assert "location" not in done.headers


@pytest.mark.parametrize(
    "word", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a" * 5000, "\u202eevil"]
)
async def test_an_error_from_the_address_line_is_not_repeated_as_it_is(word: str, replica: Replica) -> None:
    asked = await replica.begin()
    response = await replica.come_back(error=word, error_description=word, state=asked["state"])
    assert response.status_code == 422
    assert word not in response.text
    assert "<script" not in response.text
    assert "<img" not in response.text
    assert len(response.text) < 1000
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_a_workspaces_name_is_shown_as_text(replica: Replica, slack: OAuthServer) -> None:
    response = await replica.install_into(slack, Grant(team_name="<script>alert('x')</script>" * 20))
    assert response.status_code == 200
    assert "<script" not in response.text
    assert "&lt;script&gt;" in response.text


async def test_only_getting_begins_and_ends_an_installation(replica: Replica) -> None:
    asked = await replica.begin()
    for method in ("HEAD", "POST", "PUT"):
        for path in ("/slack/install", f"/slack/oauth_redirect?error=access_denied&state={asked['state']}"):
            assert (await replica.browser.request(method, path)).status_code == 405
    assert (await replica.come_back(error="access_denied", state=asked["state"])).status_code == 422


async def test_a_code_that_was_used_is_worth_nothing(replica: Replica, slack: OAuthServer) -> None:
    code = slack.allow(Grant())
    assert (await replica.come_back(code=code, state=(await replica.begin())["state"])).status_code == 200
    assert (await replica.come_back(code=code, state=(await replica.begin())["state"])).status_code == 422


async def test_neither_code_nor_state_is_logged(
    replica: Replica, slack: OAuthServer, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    code, asked = slack.allow(Grant()), await replica.begin()
    await replica.come_back(code=code, state=asked["state"])
    written = "".join(capsys.readouterr()) + caplog.text
    assert "slack.installed" in written
    assert code not in written
    assert asked["state"] not in written


async def test_addresses_are_the_settings_and_not_the_requests(replica: Replica) -> None:
    assert (await replica.begin())["redirect_uri"] == CALLBACK == f"{OURS}/slack/oauth_redirect"


async def test_whoever_opens_the_page_over_and_over_fills_no_table(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "AT_ONCE", 5)
    async with replica.open_browser() as stranger:
        answers = [(await stranger.get("/slack/install")).status_code for _ in range(8)]
    assert answers == [302] * 5 + [429] * 3
    async with replica.services.database.read() as connection:
        assert len((await connection.execute(select(slack_oauth_states.c.id))).all()) == 5
