"""TEAMS=demo: a made-up tenant beside the bot, on this machine only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.commands.teams_demo import made_up_teams, teams_demo
from bot.errors import SettingsError
from bot.settings import load_settings
from sandbox.teams.demo import Demo

LINES = 150


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded default, and no trace of the demo in the environment afterwards."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TEAMS", "demo")
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


def test_the_bot_is_told_of_the_tenant_and_its_page_is_served_until_it_ends() -> None:
    with teams_demo(0):
        settings = load_settings()
        assert settings.uses_teams
        # Nothing is sent to the tenants of runs before: the fake has forgotten them.
        assert [url.split("/")[-2] for url in settings.teams_service_urls] == [settings.teams_tenant_id]
        page = made_up_teams().split()[-1]
        with httpx.Client(base_url=page) as client:
            assert "You are" in client.get("/").text
            assert client.get("/demo/people").json() == ["you@corp.example", "approver@corp.example"]
            for name in ("draw.js", "chat.css", "adaptivecards.min.js"):
                assert client.get(f"/demo/{name}").status_code == 200
            assert client.get("/demo/../framework.py").status_code == 404
            assert client.post("/demo/say", content=b'{"who":"x"}').status_code == 415
    with pytest.raises(httpx.HTTPError):
        httpx.get(page)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEAMS", "yes"),
        ("AWS_ENDPOINT_URL", "https://aws.example"),
        ("PUBLIC_URL", "https://ops.corp.example"),
        ("TEAMS_APP_ID", "01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_it_is_refused_for_anything_but_the_embedded_default(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError), teams_demo(0):
        pass


def test_the_fake_stays_small() -> None:
    fake = Path(__file__).parents[2] / "sandbox" / "teams" / "framework.py"
    assert len(fake.read_text(encoding="utf-8").splitlines()) < LINES


async def test_the_bot_is_told_of_everybody_as_soon_as_it_is_there() -> None:
    demo = Demo("http://127.0.0.1:1", ["ana@corp.example"])
    heard: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response()

    (bot := web.Application()).add_routes([web.post("/api/messages", hear)])
    runner = web.AppRunner(bot)
    try:
        assert not await demo.announce("ana@corp.example")
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        demo.bot = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert await demo.announce("ana@corp.example")
    finally:
        await runner.cleanup()
        demo.framework.close()
    assert [activity["type"] for activity in heard] == ["installationUpdate", "conversationUpdate"]
