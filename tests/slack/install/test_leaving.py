"""What becomes of an installation when the app is uninstalled, and when Slack only seems to say so."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.database.tables import audit, slack_bots, slack_installations
from bot.errors import Unavailable
from tests.slack.install.conftest import Open, Replica
from tests.support.slack.oauth_server import Grant, OAuthServer


async def test_an_uninstalled_workspace_is_forgotten_and_that_is_recorded(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant())
    slack.kill((await replica.find("T0001")).token)
    await replica.install.workspaces.forget("T0001")
    await replica.install.workspaces.forget("T0001")
    assert await replica.install.workspaces.find("T0001") is None
    async with replica.services.database.read() as connection:
        for table in (slack_bots, slack_installations):
            assert (await connection.execute(select(table))).all() == []
        kinds = (await connection.execute(select(audit.c.kind).order_by(audit.c.seq))).scalars().all()
    assert kinds == ["slack.installed", "slack.uninstalled"]


async def test_late_news_of_an_uninstallation_do_not_take_a_new_installation_away(
    replica: Replica, slack: OAuthServer
) -> None:
    await replica.install_into(slack, Grant())
    slack.kill((await replica.find("T0001")).token)
    await replica.install_into(slack, Grant())
    await replica.install.workspaces.forget("T0001")
    assert (await replica.find("T0001")).token in slack.live


async def test_a_workspace_that_leaves_takes_nothing_from_its_organization(
    replica: Replica, slack: OAuthServer
) -> None:
    await replica.install_into(slack, Grant(team=None, organization="E0001", is_org_wide=True))
    await replica.install.workspaces.forget("T0101", "E0001")
    found = await replica.find("T0102", "E0001", True)
    slack.kill(found.token)
    await replica.install.workspaces.forget("T0101", "E0001")
    assert await replica.install.workspaces.find("T0102", "E0001", True) is None


async def test_nothing_is_forgotten_while_slack_does_not_answer(open_replica: Open, slack: OAuthServer) -> None:
    replica = await open_replica()
    await replica.install_into(slack, Grant())
    cut_off = await open_replica(slack_api_url="http://127.0.0.1:1/api/")
    with pytest.raises(Unavailable):
        await cut_off.install.workspaces.forget("T0001")
    assert (await replica.find("T0001")).token in slack.live


async def test_a_workspace_that_never_installed_can_leave(replica: Replica, slack: OAuthServer) -> None:
    await replica.install.workspaces.forget("T0404", "E0404")
    assert slack.calls == []
