"""A stand-in for Slack's OAuth on loopback: codes and refresh tokens work once, and dead tokens are dead."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

CLIENT_ID, CLIENT_SECRET = "111.222", "client-secret-of-tests"
BASIC = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


@dataclass
class Grant:
    """What a workspace or organization allowed."""

    team: str | None = "T0001"
    team_name: str = "Corp"
    organization: str | None = None
    is_org_wide: bool = False
    expires_in: int | None = None
    """Seconds that tokens live; None for workspaces that don't rotate them."""
    redirect_uri: str = ""
    scope: str = "chat:write,commands"
    token_type: str = "bot"


@dataclass
class OAuthServer:
    """What happened, and what is to happen; `url` is the base of the Web API."""

    url: str = ""
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    live: dict[str, Grant] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    """Error codes that the next refreshes are answered with."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Refreshes wait for it after they have been carried out."""
    refreshing: asyncio.Event = field(default_factory=asyncio.Event)

    def allow(self, grant: Grant) -> str:
        """Return the code that Slack sends a person back with."""
        code = secrets.token_hex(8)
        self.codes[code] = grant
        return code

    def kill(self, token: str) -> None:
        """Make a token worthless, as uninstalling does."""
        self.live.pop(token, None)
        self.revoked.add(token)

    def count(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call of the Web API."""
        method = request.match_info["method"]
        body = {str(k): str(v) for k, v in (await request.post()).items()}
        self.calls.append((method, body))
        handler = {"oauth.v2.access": self._access, "auth.test": self._test, "auth.revoke": self._revoke}[method]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        scopes = self.live[token].scope if token in self.live else ""
        return web.json_response(await handler(request, body), headers={"X-OAuth-Scopes": scopes})

    async def _access(self, request: web.Request, body: dict[str, str]) -> dict[str, Any]:
        if request.headers.get("authorization") != BASIC:
            return {"ok": False, "error": "bad_client_secret"}
        if body.get("grant_type") != "refresh_token":
            grant = self.codes.pop(body["code"], None)
            if grant is None:
                return {"ok": False, "error": "invalid_code"}
            if grant.redirect_uri and body.get("redirect_uri") != grant.redirect_uri:
                return {"ok": False, "error": "bad_redirect_uri"}
            return self._tokens(grant)
        if self.refusals:
            return {"ok": False, "error": self.refusals.pop(0)}
        grant = self.refresh_tokens.pop(body["refresh_token"], None)
        answer = self._tokens(grant) if grant else {"ok": False, "error": "invalid_refresh_token"}
        self.refreshing.set()
        await self.gate.wait()
        return answer

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        token = f"xoxe.xoxb-{secrets.token_hex(20)}" if grant.expires_in else f"xoxb-{secrets.token_hex(20)}"
        self.live[token] = grant
        rotating: dict[str, Any] = {}
        if grant.expires_in:
            rotating = {"refresh_token": f"xoxe-{secrets.token_hex(20)}", "expires_in": grant.expires_in}
            self.refresh_tokens[rotating["refresh_token"]] = grant
        return {
            "ok": True,
            "access_token": token,
            "token_type": grant.token_type,
            "scope": grant.scope,
            "bot_user_id": "UBOT",
            "app_id": "A1",
            "team": {"id": grant.team, "name": grant.team_name} if grant.team else None,
            "enterprise": {"id": grant.organization, "name": "Org"} if grant.organization else None,
            "is_enterprise_install": grant.is_org_wide,
            "authed_user": {"id": "U1"},
            **rotating,
        }

    async def _test(self, request: web.Request, body: dict[str, str]) -> dict[str, Any]:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.live:
            return {
                "ok": True,
                "url": "https://corp.example/",
                "user_id": "UBOT",
                "bot_id": "B1",
                "team_id": "T0001",
                "team": "Corp",
            }
        return {"ok": False, "error": "token_revoked" if token in self.revoked else "invalid_auth"}

    async def _revoke(self, request: web.Request, body: dict[str, str]) -> dict[str, Any]:
        self.kill(request.headers.get("authorization", "").removeprefix("Bearer "))
        return {"ok": True, "revoked": True}


@asynccontextmanager
async def serve_oauth() -> AsyncIterator[OAuthServer]:
    """Serve the stand-in on a free port of loopback."""
    server = OAuthServer()
    server.gate.set()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield server
    server.gate.set()
    await runner.cleanup()
