"""A stand-in for the Bot Framework: keys, login and connector on a free port, holding every call to the protocol.

A call that breaks a rule is answered as Teams would, and kept in `faults`, so that a test can end with none.
One stand-in serves a whole run; each tenant that is made on it has an app, people and conversations of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.teams.cards import Rule, check_activity
from tests.support.teams.signing import published

SCOPE = "https://api.botframework.com/.default"


@dataclass
class Sent:
    """A message of the bot's as it stands."""

    id: str
    conversation: str
    activity: dict[str, Any]
    versions: int = 1


@dataclass
class Tenant:
    """One tenant with the app in it."""

    id: str
    app_id: str
    secret: str
    service_url: str
    tokens: set[str] = field(default_factory=set)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    typing: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses and headers with which the next calls are refused."""
    logins: int = 0
    login_status: int = 200

    @property
    def bot(self) -> str:
        """The id under which the bot takes part in conversations."""
        return f"28:{self.app_id}"

    def member(self, email: str, name: str = "", **more: Any) -> dict[str, Any]:
        """Return what the roster says about somebody with that address, made if there is nobody."""
        for known in self.members.values():
            if email and known.get("email") == email:
                return known
        given, _, family = name.partition(" ")
        made = {
            "id": f"29:{secrets.token_urlsafe(24)}",
            "aadObjectId": str(uuid.uuid4()),
            "name": name,
            "givenName": given,
            "surname": family,
            "email": email,
            "userPrincipalName": email,
            "tenantId": self.id,
            "userRole": "user",
            **more,
        }
        self.members[made["id"]] = made
        return made

    def shown_in(self, conversation: str) -> list[Sent]:
        """Return what the bot shows in a conversation, oldest first."""
        return [sent for sent in self.sent if sent.conversation == conversation]


class BotFramework:
    """The server, in a thread of its own."""

    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.key_fetches = 0
        self.are_keys_down = False
        self._numbers = itertools.count(1_700_000_000_000)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="teams-stand-in", daemon=True)
        self._thread.start()
        self._ready.wait(30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openid_url(self) -> str:
        """What TEAMS_OPENID_URL takes."""
        return f"{self.url}/v1/.well-known/openidconfiguration"

    def tenant(self) -> Tenant:
        """Make a tenant with the app in it."""
        name = str(uuid.uuid4())
        made = Tenant(name, str(uuid.uuid4()), secrets.token_hex(16), f"{self.url}/teams/{name}/")
        self.tenants[name] = made
        return made

    def number(self) -> str:
        """Return a message's id, later than all before."""
        return str(next(self._numbers))

    def close(self) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_get("/v1/.well-known/openidconfiguration", self._metadata)
        app.router.add_get("/v1/.well-known/keys", self._keys)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._login)
        activities = "/teams/{tenant}/v3/conversations/{conversation}/activities"
        app.router.add_post(activities, self._post)
        app.router.add_put(activities + "/{activity}", self._put)
        app.router.add_get("/teams/{tenant}/v3/conversations/{conversation}/members/{member}", self._member)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _metadata(self, request: web.Request) -> web.Response:
        if self.are_keys_down:
            return web.Response(status=503)
        return web.json_response(
            {"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/v1/.well-known/keys"}
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self.key_fetches += 1
        return web.json_response(published())

    async def _login(self, request: web.Request) -> web.Response:
        tenant, form = self.tenants[request.match_info["tenant"]], dict(await request.post())
        tenant.logins += 1
        wanted = {
            "grant_type": "client_credentials",
            "client_id": tenant.app_id,
            "client_secret": tenant.secret,
            "scope": SCOPE,
        }
        if form != wanted or tenant.login_status != 200:
            return web.json_response({"error": "invalid_client"}, status=max(400, tenant.login_status))
        token = secrets.token_hex(16)
        tenant.tokens.add(token)
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _refusal(self, request: web.Request) -> web.Response | None:
        tenant = self.tenants[request.match_info["tenant"]]
        tenant.calls.append((request.method, request.path))
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in tenant.tokens:
            return web.json_response({"error": {"code": "Unauthorized"}}, status=401)
        if tenant.answers:
            status, headers = tenant.answers.pop(0)
            return web.json_response({"error": {"code": f"Refused{status}"}}, status=status, headers=headers)
        return None

    async def _checked(self, request: web.Request) -> dict[str, Any] | web.Response:
        tenant = self.tenants[request.match_info["tenant"]]
        raw = await request.read()
        activity: dict[str, Any] = await request.json()
        try:
            check_activity(activity, len(raw))
        except Rule as rule:
            tenant.faults.append(f"{request.method}: {rule}")
            return web.json_response({"error": {"code": "BadSyntax", "message": str(rule)}}, status=400)
        return activity

    async def _post(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return refused
        tenant, conversation = self.tenants[request.match_info["tenant"]], request.match_info["conversation"]
        activity = await self._checked(request)
        if isinstance(activity, web.Response):
            return activity
        number = self.number()
        if activity["type"] == "typing":
            tenant.typing.append(conversation)
        else:
            tenant.sent.append(Sent(number, conversation, activity))
        return web.json_response({"id": number}, status=201)

    async def _put(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return refused
        tenant, number = self.tenants[request.match_info["tenant"]], request.match_info["activity"]
        activity = await self._checked(request)
        if isinstance(activity, web.Response):
            return activity
        found = next((sent for sent in tenant.sent if sent.id == number), None)
        if found is None or activity.get("id") != number:
            return web.json_response({"error": {"code": "ActivityNotFoundInConversation"}}, status=404)
        found.activity, found.versions = activity, found.versions + 1
        return web.json_response({"id": number})

    async def _member(self, request: web.Request) -> web.Response:
        if (refused := self._refusal(request)) is not None:
            return refused
        found = self.tenants[request.match_info["tenant"]].members.get(request.match_info["member"])
        if found is None:
            return web.json_response({"error": {"code": "MemberNotFoundInConversation"}}, status=404)
        return web.json_response(found)
