"""The bot's OAuth parts, really wired, against a stand-in for Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from adapters.slack.install import Install, build_install
from adapters.slack.workspaces import Workspace
from bot import http
from bot.clock import SystemClock
from bot.main import build_cloud, build_services
from bot.services import Services
from bot.settings import load_settings
from tests.support.slack.oauth_server import CLIENT_ID, CLIENT_SECRET, Grant, OAuthServer, serve_oauth
from tests.support.tables import make_tables

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NEXT_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
OURS = "http://127.0.0.1:8000"
CALLBACK = f"{OURS}/slack/oauth_redirect"


class Replica:
    """One process's part of it, and a browser that a person uses there."""

    def __init__(self, services: Services, install: Install) -> None:
        self.services, self.install = services, install
        self.app = FastAPI()
        http.install(self.app)
        self.app.router.routes.extend(install.router.routes)
        self.browser = self.open_browser()

    def open_browser(self) -> httpx.AsyncClient:
        """Return a browser without cookies."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=OURS, headers={"accept": "text/html"}
        )

    async def begin(self) -> dict[str, str]:
        """Go to /slack/install; return what Slack is asked."""
        response = await self.browser.get("/slack/install")
        assert response.status_code == 302
        return dict(parse_qsl(urlsplit(response.headers["location"]).query))

    async def come_back(self, **query: str) -> httpx.Response:
        """Come back from Slack."""
        return await self.browser.get("/slack/oauth_redirect", params=query)

    async def install_into(self, slack: OAuthServer, grant: Grant) -> httpx.Response:
        """Go the whole way."""
        asked = await self.begin()
        return await self.come_back(code=slack.allow(grant), state=asked["state"])

    async def find(self, *where: Any) -> Workspace:
        """Return a workspace that must be there."""
        found = await self.install.workspaces.find(*where)
        assert found is not None
        return found


@pytest.fixture
def postgres_template(postgres_tables: str) -> str:
    """Databases of these tests have all tables."""
    return postgres_tables


@pytest.fixture
async def slack() -> AsyncIterator[OAuthServer]:
    """Slack."""
    async with serve_oauth() as server:
        yield server


Open = Callable[..., Awaitable[Replica]]


@pytest.fixture
async def open_replica(slack: OAuthServer, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Open]:
    """Starts replicas; `url` is the database, the rest are settings."""
    async with AsyncExitStack() as stack:

        async def open_one(url: str = sqlite_url, **overrides: Any) -> Replica:
            given = {
                "aws_endpoint_url": "http://127.0.0.1:1",
                "var_dir": tmp_path,
                "database_url": url,
                "slack_client_id": CLIENT_ID,
                "slack_client_secret": CLIENT_SECRET,
                "slack_signing_secret": "signing-secret",
                "slack_api_url": slack.url,
                "slack_allowed_teams": "T0001,E0001",
                "slack_token_key": KEY,
            }
            settings = load_settings(**given | overrides)
            if url.startswith("sqlite"):
                make_tables(url)
            services = build_services(settings, SystemClock(), build_cloud(settings))
            install = build_install(services)
            assert install is not None
            await services.database.start()
            stack.push_async_callback(services.database.close)
            await install.start()
            stack.push_async_callback(install.stop)
            replica = Replica(services, install)
            stack.push_async_callback(replica.browser.aclose)
            return replica

        yield open_one


@pytest.fixture
async def replica(open_replica: Open) -> Replica:
    """One process on SQLite."""
    return await open_replica()
