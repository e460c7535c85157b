"""Installing the app into a workspace, from the first link to the first token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import select

from adapters.slack.install.scopes import SCOPES
from bot.database.tables import audit, audit_payloads, slack_bots, slack_installations
from tests.slack.install.conftest import CALLBACK, Open, Replica
from tests.support.slack.oauth_server import CLIENT_ID, Grant, OAuthServer


async def test_a_person_is_sent_to_slack_with_what_the_bot_needs(replica: Replica, slack: OAuthServer) -> None:
    response = await replica.browser.get("/slack/install")
    there = urlsplit(response.headers["location"])
    asked = dict(parse_qsl(there.query))
    assert f"{there.scheme}://{there.netloc}{there.path}" == slack.url.replace("/api/", "/oauth/v2/authorize")
    assert asked["client_id"] == CLIENT_ID
    assert set(asked["scope"].split(",")) == set(SCOPES)
    assert asked["redirect_uri"] == CALLBACK
    cookie = response.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/slack/oauth_redirect", "Max-Age=600"} <= set(cookie.split("; "))
    assert response.headers["cache-control"] == "no-store"


async def test_the_cookie_travels_over_https_only_when_the_bot_has_https(open_replica: Open) -> None:
    replica = await open_replica(
        public_url="https://qm.corp.example",
        smtp_url="smtp://mail",
        api_keys="a-long-random-key",
    )
    assert "Secure" in (await replica.browser.get("/slack/install")).headers["set-cookie"].split("; ")
    assert (await replica.begin())["redirect_uri"] == "https://qm.corp.example/slack/oauth_redirect"


async def test_a_workspace_is_served_once_it_is_installed(replica: Replica, slack: OAuthServer) -> None:
    assert await replica.install.workspaces.find("T0001") is None
    response = await replica.install_into(slack, Grant(redirect_uri=CALLBACK))
    assert response.status_code == 200
    assert "Quartermaster is installed in Corp" in response.text
    assert "https://slack.com/app_redirect?app=A1&amp;team=T0001" in response.text
    found = await replica.find("T0001")
    assert (found.team_id, found.bot_user_id, found.bot_id, found.app_id) == ("T0001", "UBOT", "B1", "A1")
    assert found.token in slack.live
    assert await replica.install.workspaces.first() == found


async def test_who_installed_is_recorded_and_no_token_with_it(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant())
    rows = select(audit.c.kind, audit_payloads.c.payload).join(audit_payloads, audit.c.seq == audit_payloads.c.seq)
    async with replica.services.database.read() as connection:
        (row,) = (await connection.execute(rows)).all()
    assert row.kind == "slack.installed"
    assert row.payload == {"team": "T0001", "organization": None, "by": "U1", "scopes": "chat:write,commands"}


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_no_token_is_kept_in_the_clear(
    engine: str, request: pytest.FixtureRequest, open_replica: Open, slack: OAuthServer
) -> None:
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    replica = await open_replica(url)
    await replica.install_into(slack, Grant(expires_in=43_200))
    secrets = [*slack.live, *slack.refresh_tokens]
    assert len(secrets) == 2
    kept = ""
    async with replica.services.database.read() as connection:
        for table in (slack_bots, slack_installations):
            (row,) = (await connection.execute(select(table))).all()
            kept += repr(row)
    assert kept.count("bot_token") or len(kept) > 200
    assert not [secret for secret in secrets if secret in kept]
    found = await replica.find("T0001")
    assert found.token == secrets[0]


async def test_no_token_reaches_the_file_or_a_text_for_people(
    replica: Replica, slack: OAuthServer, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await replica.install_into(slack, Grant(expires_in=43_200))
    found = await replica.find("T0001")
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    content = b"".join(f.read_bytes() for f in file.parent.glob(file.name + "*"))
    assert b"T0001" in content
    for secret in (*slack.live, *slack.refresh_tokens):
        assert secret.encode() not in content
        assert secret not in response.text + repr(found) + caplog.text


async def test_installing_again_replaces_the_token(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant())
    (former,) = slack.live
    await replica.install_into(slack, Grant(team_name="Renamed"))
    assert (await replica.find("T0001")).token != former
    async with replica.services.database.read() as connection:
        names = (await connection.execute(select(slack_installations.c.team_name))).scalars().all()
    assert names == ["Renamed"]


async def test_an_organization_is_installed_as_a_whole(replica: Replica, slack: OAuthServer) -> None:
    response = await replica.install_into(slack, Grant(team=None, organization="E0001", is_org_wide=True))
    assert "installed in Org" in response.text
    for team in ("T0101", "T0102"):
        found = await replica.find(team, "E0001", True)
        assert (found.team_id, found.enterprise_id) == (team, "E0001")
    assert (await replica.find("T0103", "E0001")).token in slack.live
    assert await replica.install.workspaces.find("T0101") is None
    first = await replica.install.workspaces.first()
    assert first is not None
    assert (first.team_id, first.enterprise_id) == ("", "E0001")


async def test_a_workspace_of_an_organization_is_found_with_or_without_the_organizations_id(
    replica: Replica, slack: OAuthServer
) -> None:
    await replica.install_into(slack, Grant(team="T0102", organization="E0001"))
    assert await replica.find("T0102", "E0001") == await replica.find("T0102")
    assert await replica.install.workspaces.find("T0103", "E0001") is None
    assert await replica.install.workspaces.first() == await replica.find("T0102")


async def test_a_workspace_that_joined_an_organization_later_is_still_found(
    replica: Replica, slack: OAuthServer
) -> None:
    await replica.install_into(slack, Grant())
    assert (await replica.find("T0001", "E0777")).token in slack.live


async def test_what_slack_refuses_is_said_in_words(replica: Replica, slack: OAuthServer) -> None:
    asked = await replica.begin()
    response = await replica.come_back(error="access_denied", state=asked["state"])
    assert response.status_code == 422
    assert "You did not allow it, so nothing was installed." in response.text
    assert "Begin again at /slack/install" in response.text


async def test_a_grant_without_a_bot_is_no_installation(replica: Replica, slack: OAuthServer) -> None:
    response = await replica.install_into(slack, Grant(token_type="user"))
    assert response.status_code == 422
    assert await replica.install.workspaces.find("T0001") is None


async def test_a_code_for_another_address_is_not_taken(replica: Replica, slack: OAuthServer) -> None:
    response = await replica.install_into(slack, Grant(redirect_uri="https://evil.example/slack/oauth_redirect"))
    assert "redirect URL at Slack must be PUBLIC_URL/slack/oauth_redirect" in response.text


async def test_a_slack_that_does_not_answer_is_said_in_words(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica(slack_api_url="http://127.0.0.1:1/api/")
    response = await replica.install_into(slack, Grant())
    assert response.status_code == 503
    assert "Slack does not answer as it should." in response.text
