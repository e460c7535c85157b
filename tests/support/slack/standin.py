"""A stand-in for Slack's Web API: HTTP on a free port of this machine, holding every call against the protocol.

A call that breaks a rule is answered as Slack would, and kept in `faults`, so that a test can end with none.
One stand-in serves a whole run; each workspace that is made on it has a token, people and channels of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.slack.blockkit import Rule, check_message, check_view, require

TRIGGER_LIFE = 3.0
RESPONSE_LIFE, RESPONSE_USES = 1800.0, 5
Answer = dict[str, Any]


class Refusal(Exception):
    """What Slack answers with ok: false."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(words or code)
        self.code, self.words = code, words


@dataclass
class Message:
    """A message as it stands; `versions` are its blocks and texts from the first on."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Any]
    thread_ts: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    ephemeral_to: str = ""
    versions: int = 1
    is_streaming: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Call:
    """One call that was made, and how it was answered."""

    method: str
    arguments: dict[str, Any]
    ok: bool
    error: str = ""


@dataclass
class Workspace:
    """One workspace with the app in it."""

    team: str
    token: str
    bot_user: str
    bot: str
    app: str
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    triggers: dict[str, float] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    responses: dict[str, dict[str, Any]] = field(default_factory=dict)
    prompts: dict[str, Any] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    limits: dict[str, float] = field(default_factory=dict)
    """Channels (or methods) that answer 429, and the seconds that Retry-After says, until they are taken out."""
    broken: dict[str, int] = field(default_factory=dict)
    """Methods whose next n calls are carried out but lose their answer; a negative n: are lost before."""
    news: threading.Event = field(default_factory=threading.Event)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """User groups as usergroups.list shows them, with their users; Slack lets people choose the names."""
    enterprise: str = ""
    """The organisation in which the app is installed, with all its workspaces; empty for the one workspace."""

    def named(self, method: str) -> list[Call]:
        """Return the calls of one method that Slack took."""
        return [c for c in self.calls if c.method == method and c.ok]

    def user(self, email: str, name: str = "", **more: Any) -> str:
        """Return the id of a user with that address, made if there is none; `more` goes into users.info."""
        for user, known in self.users.items():
            if email and known["profile"].get("email") == email:
                return user
        user = f"U{secrets.token_hex(5).upper()}"
        names = {"real_name": name, "first_name": name.partition(" ")[0], "last_name": name.partition(" ")[2]}
        profile = {**names, **({"email": email} if email else {})}
        self.users[user] = {"id": user, "team_id": self.team, "profile": profile, "deleted": False, **more}
        return user

    def channel(self, name: str = "general", **more: Any) -> str:
        """Return a new channel that the bot is a member of, unless `more` says otherwise."""
        channel = f"C{secrets.token_hex(5).upper()}"
        self.channels[channel] = {"id": channel, "name": name, "is_member": True, "is_ext_shared": False, **more}
        return channel

    def direct(self, user: str) -> str:
        """Return the conversation of a user and the bot."""
        for channel, known in self.channels.items():
            if known.get("user") == user:
                return channel
        channel = f"D{secrets.token_hex(5).upper()}"
        self.channels[channel] = {"id": channel, "is_im": True, "user": user, "is_member": True}
        return channel

    def user_group(self, name: str, users: list[str], **more: Any) -> str:
        """Return a new user group of these users; `more` goes into usergroups.list."""
        group = f"S{secrets.token_hex(5).upper()}"
        self.groups[group] = {"id": group, "name": name, "handle": name, "date_delete": 0, "users": users, **more}
        return group

    def trigger(self) -> str:
        """Return a fresh trigger_id: for three seconds, and once."""
        trigger = f"{secrets.randbelow(10**12)}.{secrets.token_hex(8)}"
        self.triggers[trigger] = time.monotonic()
        return trigger

    def shown_in(self, channel: str, thread: str = "") -> list[Message]:
        """Return the messages of a channel or one of its threads, oldest first."""
        return [m for m in self.messages if m.channel == channel and (not thread or thread in (m.thread_ts, m.ts))]


class StandIn:
    """The server, in a thread of its own."""

    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self.granted: dict[str, Workspace] = {}
        """What somebody allowed, by the code that oauth.v2.access takes for it."""
        self._stamps = itertools.count(1)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="slack-stand-in", daemon=True)
        self._thread.start()
        self._ready.wait(30)

    @property
    def api_url(self) -> str:
        """The base that SLACK_API_URL takes."""
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workspace(self) -> Workspace:
        """Make a workspace with the app in it."""
        mark = secrets.token_hex(4).upper()
        made = Workspace(f"T{mark}", f"xoxb-{secrets.token_hex(12)}", f"UB{mark}", f"B{mark}", f"A{mark}")
        made.user("", "Quartermaster")
        made.users[made.bot_user] = {"id": made.bot_user, "team_id": made.team, "is_bot": True, "profile": {}}
        self.workspaces[made.token] = made
        return made

    def organization(self) -> Workspace:
        """Make an organisation with the app in it; its people and channels are in several workspaces."""
        made = self.workspace()
        made.enterprise = f"E{made.team[1:]}"
        return made

    def stamp(self) -> str:
        """Return a message's ts, later than all before."""
        with self._lock:
            return f"{int(time.time())}.{next(self._stamps) % 1_000_000:06d}"

    def response_url(self, workspace: Workspace, user: str, channel: str) -> str:
        """Return a response_url of a fresh interaction."""
        name = secrets.token_hex(8)
        workspace.responses[name] = {"user": user, "channel": channel, "at": time.monotonic(), "uses": 0}
        return f"{self.url}/respond/{workspace.token}/{name}"

    def close(self) -> None:
        """Stop the server."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=20_000_000)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{token}/{file}", self._upload)
        app.router.add_post("/respond/{token}/{name}", self._respond)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        arguments = await _arguments(request)
        if method == "oauth.v2.access":
            return web.json_response(_granted(self.granted.pop(str(arguments.get("code")), None)))
        token = token or str(arguments.pop("token", ""))
        workspace = self.workspaces.get(token)
        if workspace is None:
            return web.json_response({"ok": False, "error": "invalid_auth" if token else "not_authed"})
        limited = str(arguments.get("channel") or arguments.get("channel_id") or "")
        for name in (limited, method):
            if name and name in workspace.limits:
                workspace.calls.append(Call(method, arguments, False, "ratelimited"))
                headers = {"Retry-After": f"{workspace.limits[name]:g}"}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        left = workspace.broken.get(method, 0)
        if left < 0:
            workspace.broken[method] = left + 1
            workspace.calls.append(Call(method, arguments, False, "lost"))
            return _cut(request)
        answer = self._answer(workspace, method, arguments)
        if left > 0:
            workspace.broken[method] = left - 1
            return _cut(request)
        return web.json_response(answer)

    def _answer(self, workspace: Workspace, method: str, arguments: dict[str, Any]) -> Answer:
        from tests.support.slack.methods import METHODS

        with self._lock:
            kept = Call(method, arguments, True)
            workspace.calls.append(kept)
        try:
            found: Callable[[StandIn, Workspace, dict[str, Any]], Answer] | None = METHODS.get(method)
            if found is None:
                raise Refusal("unknown_method", f"{method} is not known")
            answer = found(self, workspace, arguments)
        except Rule as rule:
            kept.ok, kept.error = False, "invalid_blocks"
            workspace.faults.append(f"{method}: {rule}")
            answer = {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": [str(rule)]}}
        except Refusal as refusal:
            kept.ok, kept.error = False, refusal.code
            if refusal.words:
                workspace.faults.append(f"{method}: {refusal.words}")
            answer = {"ok": False, "error": refusal.code}
        else:
            answer = {"ok": True, **answer}
        workspace.news.set()
        return answer

    async def _upload(self, request: web.Request) -> web.Response:
        workspace = self.workspaces[request.match_info["token"]]
        content = await request.read()
        file = workspace.files[request.match_info["file"]]
        file["content"] = content
        if len(content) != file["length"]:
            workspace.faults.append(f"upload: {len(content)} bytes instead of {file['length']}")
        return web.Response(text=f"OK - {len(content)}")

    async def _respond(self, request: web.Request) -> web.Response:
        workspace = self.workspaces[request.match_info["token"]]
        known = workspace.responses.get(request.match_info["name"])
        if known is None or time.monotonic() - known["at"] > RESPONSE_LIFE:
            return web.Response(text='{"ok":false,"error":"expired_url"}', status=404)
        if known["uses"] >= RESPONSE_USES:
            return web.Response(text='{"ok":false,"error":"used_url"}', status=404)
        body = await request.json()
        try:
            foreign = set(body) - {
                "text",
                "blocks",
                "response_type",
                "replace_original",
                "delete_original",
                "thread_ts",
            }
            require(not foreign, f"a response has no {foreign}")
            check_message(body.get("blocks", []), body.get("text", ""))
        except Rule as rule:
            workspace.faults.append(f"response_url: {rule}")
            return web.Response(text='{"ok":false,"error":"invalid_blocks"}', status=400)
        known["uses"] += 1
        to = known["user"] if body.get("response_type", "ephemeral") == "ephemeral" else ""
        message = Message(
            self.stamp(), known["channel"], workspace.bot_user, body.get("text", ""), body.get("blocks", [])
        )
        message.ephemeral_to = to
        workspace.messages.append(message)
        workspace.news.set()
        return web.Response(text="ok")


def _granted(workspace: Workspace | None) -> Answer:
    """Return what a code is exchanged for."""
    if workspace is None:
        return {"ok": False, "error": "invalid_code"}
    is_org_wide = bool(workspace.enterprise)
    return {
        "ok": True,
        "access_token": workspace.token,
        "token_type": "bot",
        "scope": "chat:write,commands",
        "bot_user_id": workspace.bot_user,
        "app_id": workspace.app,
        "team": None if is_org_wide else {"id": workspace.team, "name": "Corp"},
        "enterprise": {"id": workspace.enterprise, "name": "Org"} if is_org_wide else None,
        "is_enterprise_install": is_org_wide,
        "authed_user": {"id": "U1"},
    }


def _cut(request: web.Request) -> web.Response:
    """Lose the answer: the connection ends before it is whole."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _arguments(request: web.Request) -> dict[str, Any]:
    if "json" in request.content_type:
        given = await request.json()
        return {k: v for k, v in given.items() if v is not None}
    form: dict[str, Any] = {**dict(await request.post()), **dict(request.query)}
    for name, value in form.items():
        if isinstance(value, str) and value[:1] in "[{":
            try:
                form[name] = json.loads(value)
            except ValueError:
                continue
    return form


__all__ = ["Call", "Message", "Refusal", "StandIn", "Workspace", "check_message", "check_view"]
