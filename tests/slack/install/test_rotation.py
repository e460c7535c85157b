"""Tokens that live twelve hours, and refresh tokens that work once."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from adapters.slack.install import rotation
from adapters.slack.install.stores import InstallationStore
from bot.errors import Unavailable
from tests.slack.install.conftest import Open, Replica
from tests.support.slack.oauth_server import Grant, OAuthServer

HOUR = 3600
SOON = Grant(expires_in=HOUR)
"""Ends within the two hours before which a token is renewed."""
ENDED = Grant(expires_in=-1)


async def test_a_token_with_hours_to_live_is_left_alone(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant(expires_in=12 * HOUR))
    await replica.find("T0001")
    assert slack.count("oauth.v2.access") == 1


async def test_a_token_near_its_end_is_renewed_at_slack_api_url_and_kept(
    open_replica: Open, slack: OAuthServer
) -> None:
    replica = await open_replica()
    grant = Grant(expires_in=HOUR)
    await replica.install_into(slack, grant)
    (former,) = slack.live
    grant.expires_in = 12 * HOUR
    renewed = (await replica.find("T0001")).token
    assert renewed != former
    assert renewed in slack.live
    later = await open_replica()
    assert (await later.find("T0001")).token == renewed
    assert slack.count("oauth.v2.access") == 2
    assert await replica.install.ready() == ""


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("grant", [SOON, ENDED])
async def test_replicas_that_renew_at_once_spend_the_refresh_token_once(
    engine: str, grant: Grant, request: pytest.FixtureRequest, open_replica: Open, slack: OAuthServer
) -> None:
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    replicas = [await open_replica(url) for _ in range(3)]
    given = Grant(expires_in=grant.expires_in)
    await replicas[0].install_into(slack, given)
    given.expires_in = 12 * HOUR
    found = await asyncio.gather(*(replica.find("T0001") for replica in replicas * 4))
    assert slack.count("oauth.v2.access") == 2
    assert {workspace.token for workspace in found} <= set(slack.live)
    for replica in replicas:
        replica.install.workspaces.forget_found()
    assert len({(await replica.find("T0001")).token for replica in replicas}) == 1
    assert slack.count("oauth.v2.access") == 2


async def test_while_one_replica_renews_others_go_on_with_a_token_that_still_works(
    open_replica: Open, slack: OAuthServer
) -> None:
    one, other = await open_replica(), await open_replica()
    grant = Grant(expires_in=HOUR)
    await one.install_into(slack, grant)
    (former,) = slack.live
    grant.expires_in = 12 * HOUR
    slack.gate.clear()
    renewing = asyncio.create_task(one.find("T0001"))
    await slack.refreshing.wait()
    assert (await other.find("T0001")).token == former
    slack.gate.set()
    assert (await renewing).token != former


async def test_who_asked_may_be_broken_off_and_the_renewed_token_is_kept(
    open_replica: Open, slack: OAuthServer
) -> None:
    replica = await open_replica()
    grant = Grant(expires_in=HOUR)
    await replica.install_into(slack, grant)
    grant.expires_in = 12 * HOUR
    slack.gate.clear()
    asking = asyncio.create_task(replica.find("T0001"))
    await slack.refreshing.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    slack.gate.set()
    await replica.install.stop()
    later = await open_replica()
    assert (await later.find("T0001")).token in slack.live
    assert slack.count("oauth.v2.access") == 2


async def test_a_renewal_that_fails_leaves_the_token_in_use_and_is_told(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant(expires_in=HOUR))
    slack.refusals = ["internal_error"] * 9
    (token,) = slack.live
    assert (await replica.find("T0001")).token == token
    assert "T0001 (internal_error)" in await replica.install.ready()
    replica.install.workspaces.forget_found()
    await replica.find("T0001")
    assert len(slack.refusals) == 8, "a renewal that failed is not tried again at once"


async def test_a_renewal_is_tried_again_after_a_rest(
    replica: Replica, slack: OAuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "REST", 0.0)
    grant = Grant(expires_in=HOUR)
    await replica.install_into(slack, grant)
    grant.expires_in = 12 * HOUR
    slack.refusals = ["internal_error"]
    (former,) = slack.live
    assert (await replica.find("T0001")).token == former
    replica.install.workspaces.forget_found()
    assert (await replica.find("T0001")).token != former
    assert await replica.install.ready() == ""


async def test_a_refresh_token_that_is_worthless_asks_for_a_new_installation(
    replica: Replica, slack: OAuthServer
) -> None:
    await replica.install_into(slack, Grant(expires_in=HOUR))
    slack.refresh_tokens.clear()
    await replica.find("T0001")
    assert "T0001 (invalid_refresh_token); install the app there again" in await replica.install.ready()
    await replica.install_into(slack, Grant(expires_in=12 * HOUR))
    assert (await replica.find("T0001")).token in slack.live
    assert await replica.install.ready() == ""


async def test_who_is_killed_before_the_renewed_token_is_kept_is_served_until_the_old_one_ends(
    open_replica: Open, slack: OAuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = await open_replica()
    await killed.install_into(slack, Grant(expires_in=HOUR))
    (token,) = slack.live

    async def die(*_: object) -> bool:
        raise RuntimeError("killed between Slack's answer and the commit")

    monkeypatch.setattr(InstallationStore, "replace", die)
    with pytest.raises(RuntimeError):
        await killed.find("T0001")
    monkeypatch.undo()
    later = await open_replica()
    assert (await later.find("T0001")).token == token
    end = datetime.fromtimestamp(time.time() + HOUR, UTC)
    assert f"install the app there again at /slack/install before {end:%Y-%m-%d}" in await later.install.ready()


async def test_a_token_that_ended_and_cannot_be_renewed_is_not_given_out(replica: Replica, slack: OAuthServer) -> None:
    await replica.install_into(slack, Grant(expires_in=-1))
    slack.refusals = ["internal_error"]
    with pytest.raises(Unavailable, match=r"has ended and can.t be renewed \(internal_error"):
        await replica.find("T0001")


async def test_what_was_installed_anew_during_a_renewal_stays(open_replica: Open, slack: OAuthServer) -> None:
    one, other = await open_replica(), await open_replica()
    await one.install_into(slack, Grant(expires_in=HOUR))
    slack.gate.clear()
    renewing = asyncio.create_task(one.find("T0001"))
    await slack.refreshing.wait()
    before = set(slack.live)
    await other.install_into(slack, Grant(expires_in=12 * HOUR))
    (newest,) = set(slack.live) - before
    slack.gate.set()
    assert (await renewing).token == newest
    other.install.workspaces.forget_found()
    assert (await other.find("T0001")).token == newest
