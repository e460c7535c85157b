"""A chat page on the fake Bot Framework: what is typed there reaches the bot as a really signed activity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.teams.framework import BotFramework
from sandbox.teams.people import Person
from sandbox.teams.signing import genuine
from sandbox.teams.tenants import Sent, Tenant

PAGE = Path(__file__).parent / "page"
LIBRARY = Path(__file__).parents[2] / "third_party" / "adaptivecards" / "adaptivecards.min.js"
FILES = {
    "": (PAGE / "index.html", "text/html"),
    "chat.css": (PAGE / "chat.css", "text/css"),
    "draw.js": (PAGE / "draw.js", "text/javascript"),
    "adaptivecards.min.js": (LIBRARY, "text/javascript"),
}


class Demo:
    """People of one tenant, each alone with the bot; `bot` is the bot's address."""

    def __init__(self, bot: str, emails: list[str], port: int = 0) -> None:
        self.bot, self._emails = bot, emails
        routes = [web.get("/", self._file), web.get("/demo/people", self._list), web.get("/demo/messages", self._shown)]
        routes += [web.post("/demo/say", self._say), web.post("/demo/press", self._press)]
        self.framework = BotFramework(port=port, more=[*routes, web.get("/demo/{name}", self._file)])
        self.tenant: Tenant = self.framework.tenant()
        self.people = {
            email: Person(self.framework, self.tenant, self.tenant.member(email, _name_of(email))) for email in emails
        }

    async def _file(self, request: web.Request) -> web.Response:
        path, kind = FILES.get(request.match_info.get("name", ""), (None, ""))
        if path is None:
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8")

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self._emails)

    async def _shown(self, request: web.Request) -> web.Response:
        person = self.people[request.query["who"]]
        said = sorted(self.tenant.shown_in(person.personal), key=lambda sent: sent.id)
        mine = [{**vars(sent), "mine": "from" in sent.activity} for sent in said]
        return web.json_response(mine)

    async def _say(self, request: web.Request) -> web.Response:
        told = await _told(request)
        person = self.people[str(told["who"])]
        activity = person.message(str(told["text"]))
        shown = {"from": "me", "text": str(told["text"])}
        self.tenant.sent.append(Sent(activity["id"], person.personal, shown))
        return await self._answer(activity)

    async def _press(self, request: web.Request) -> web.Response:
        told = await _told(request)
        return await self._answer(self.people[str(told["who"])].press(dict(told["action"])))

    async def announce(self, email: str) -> bool:
        """Tell the bot that it was installed for somebody, again and again if need be; tell whether it has heard."""
        try:
            return all([(await self._send(told))[0] == 200 for told in self.people[email].installs()])
        except aiohttp.ClientError:
            return False  # it is not up yet

    async def _answer(self, activity: Any) -> web.Response:
        status, told = await self._send(activity)
        return web.json_response({"status": status} if told is None else told)

    async def _send(self, activity: Any) -> tuple[int, Any]:
        headers = genuine(self.tenant.app_id, self.tenant.service_url)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.bot.rstrip('/')}/api/messages", json=activity, headers=headers) as answer,
        ):
            return answer.status, await answer.json() if answer.content_type == "application/json" else None


async def _told(request: web.Request) -> dict[str, Any]:
    """Return a posted object; only pages of ours can post JSON here."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    told: dict[str, Any] = await request.json()
    return told


def _name_of(email: str) -> str:
    return email.partition("@")[0].replace(".", " ").title()
