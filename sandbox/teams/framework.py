"""A fake Bot Framework: keys, login and connector on one loopback port, for any number of tenants."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.teams.graph import members_route, refused
from sandbox.teams.signing import ISSUER, published
from sandbox.teams.tenants import Sent, Tenant


class BotFramework:
    """The server, in a thread of its own; `check` raises AssertionError for an activity that Teams would refuse."""

    def __init__(
        self, check: Callable[[Any, int], Any] = lambda *_: None, port: int = 0, more: Iterable[web.RouteDef] = ()
    ) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.key_fetches, self.are_keys_down = 0, False
        self._check, self._more = check, list(more)
        self._numbers = itertools.count(1_700_000_000_000)
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()
        self.port = port
        self._thread = threading.Thread(target=self._run, name="fake-bot-framework", daemon=True)
        self._thread.start()
        if not self._ready.wait(30) or not self.port:
            raise OSError(f"the fake Bot Framework can't listen on port {port}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tenant(self) -> Tenant:  # a new one, with the app in it
        made = Tenant(name := str(uuid.uuid4()), str(uuid.uuid4()), secrets.token_hex(16), f"{self.url}/teams/{name}/")
        return self.tenants.setdefault(name, made)

    def number(self) -> str:  # of a message, later than all before
        return str(next(self._numbers))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        routes = [web.get("/v1/openid", self._metadata), web.get("/v1/keys", self._keys), *self._more]
        routes.append(members_route(self.tenants))
        routes += [web.post("/{tenant}/oauth2/v2.0/token", self._login), web.get("/identity", self._identity)]
        (app := web.Application()).add_routes(routes)
        app.router.add_route("*", "/teams/{tenant}/v3/conversations{path:.*}", self._connector)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", self.port).start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _metadata(self, request: web.Request) -> web.Response:
        told = {"issuer": ISSUER, "jwks_uri": f"{self.url}/v1/keys"}
        return web.json_response(told, status=503 if self.are_keys_down else 200)

    async def _keys(self, request: web.Request) -> web.Response:
        self.key_fetches += 1
        return web.json_response(published())

    async def _login(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        is_proved = "client_secret" in form or "client_assertion" in form
        is_whole = form.get("grant_type") == "client_credentials" and is_proved
        resource = form.get("scope", "").removesuffix("/.default")
        return self._granted(self.tenants[request.match_info["tenant"]], form, resource if is_whole else "")

    async def _identity(self, request: web.Request) -> web.Response:
        proof = dict(request.query) | {"header": request.headers.get("X-IDENTITY-HEADER", "")}
        tenant = next(t for t in self.tenants.values() if t.app_id == proof.get("client_id"))
        is_asked = request.headers.get("Metadata") == "true" or proof["header"] == tenant.secret
        return self._granted(tenant, proof, proof.get("resource", "") if is_asked else "")

    def _granted(self, tenant: Tenant, proof: dict[str, str], resource: str) -> web.Response:
        tenant.proofs.append(proof)
        is_own = proof.get("client_id") == tenant.app_id and proof.get("client_secret", tenant.secret) == tenant.secret
        issued = {ISSUER: tenant.tokens, f"{self.url}/graph": tenant.graph_tokens}.get(resource)
        if issued is None or not is_own or tenant.login_status != 200:
            return web.json_response({"error": "invalid_client"}, status=max(400, tenant.login_status))
        issued.add(token := secrets.token_hex(16))
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    async def _connector(self, request: web.Request) -> web.Response:
        tenant, raw = self.tenants[request.match_info["tenant"]], await request.read()
        tenant.calls.append((request.method, request.path))
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in tenant.tokens:
            return refused(401, "Unauthorized")
        if tenant.answers:
            status, headers = tenant.answers.pop(0)
            return refused(status, f"Refused{status}", headers)
        try:
            return self._serve(tenant, request, json.loads(raw) if raw else {}, len(raw))
        except AssertionError as rule:
            tenant.faults.append(f"{request.method}: {rule}")
            return refused(400, "BadSyntax")

    def _serve(self, tenant: Tenant, request: web.Request, body: dict[str, Any], size: int) -> web.Response:
        path = request.raw_path.partition("?")[0].partition("/v3/conversations")[2]
        _, place, kind, name, *_ = [*map(unquote, path.split("/")), "", "", "", ""]
        match request.method, kind:
            case "POST", "" if body.get("isGroup"):
                number = self.number()
                thread = f"{body['channelData']['channel']['id']};messageid={number}"
                self._take(tenant, thread, body["activity"], size, number)
                return web.json_response({"id": thread, "activityId": number}, status=201)
            case "POST", "":
                member = tenant.known_as(body["members"][0]["id"])
                if member is None or member.get("hasNotInstalled"):
                    return refused(403, "ForbiddenOperationException")
                return web.json_response({"id": tenant.chats.setdefault(member["id"], f"a:{uuid.uuid4().hex}")})
            case "POST", "activities":
                return web.json_response({"id": self._take(tenant, place, body, size, self.number())}, status=201)
            case "PUT", "activities":
                found = next((sent for sent in tenant.shown_in(place) if sent.id == name == body.get("id")), None)
                if found is None:
                    return refused(404, "ActivityNotFoundInConversation")
                self._check(body, size)
                found.activity, found.versions = body, found.versions + 1
                return web.json_response({"id": name})
            case "GET", "members" | "pagedmembers":
                here = tenant.rosters.get(place, set(tenant.members))
                listed = [m for m in tenant.members.values() if m["id"] in here]
                found_here = {"members": listed} if kind == "pagedmembers" else tenant.known_as(name)
                is_here = kind == "pagedmembers" or found_here in listed
                return web.json_response(found_here) if is_here else refused(404, "MemberNotFoundInConversation")
        return refused(404, "NotFound")

    def _take(self, tenant: Tenant, place: str, activity: dict[str, Any], size: int, number: str) -> str:
        self._check(activity, size)
        is_typing = activity["type"] == "typing"
        tenant.typing.append(place) if is_typing else tenant.sent.append(Sent(number, place, activity))
        return number
