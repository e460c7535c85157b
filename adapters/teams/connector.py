"""The Bot Connector: one place that calls it, and says in our own errors what became of a call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from adapters.teams.tokens import TokenSource
from adapters.teams.verifying import is_allowed_url
from bot.errors import QuartermasterError, Unavailable

PASSING = frozenset({408, 412, 429, 500, 502, 503, 504})
"""Answers after which the same call may well succeed."""
PAGES = 20
"""Pages of 500 members that are looked through."""


class TeamsRefused(QuartermasterError):
    """The Bot Connector answered, and did not do it; `status` is HTTP's, `code` its own word for why."""

    title = "Teams refused"

    def __init__(self, call: str, status: int, code: str) -> None:
        super().__init__(f"Teams answered {call} with {status} {code}".strip() + ".")
        self.status, self.code = status, code

    @property
    def is_gone(self) -> bool:
        """Whether the conversation is no more, or the bot no longer a part of it."""
        return self.status in (403, 404)


class TryLater(Unavailable):
    """The Bot Connector asks to come again, in `retry_after` seconds if it says when."""

    def __init__(self, call: str, status: int, retry_after: float | None) -> None:
        super().__init__(f"Teams answered {call} with {status}.")
        self.retry_after = retry_after


class Connector:
    """Calls over keep-alive connections; retries nothing, that is for the inbox and the outbox to do."""

    def __init__(self, http: httpx.AsyncClient, tokens: TokenSource, service_urls: Iterable[str]) -> None:
        self._http, self._tokens, self._service_urls = http, tokens, tuple(service_urls)

    async def send(self, service_url: str, conversation: str, activity: Mapping[str, Any]) -> str:
        """Send an activity and return its id. Raises TeamsRefused, TryLater or Unavailable, as all calls do."""
        told = await self._call("POST", service_url, f"{_part(conversation)}/activities", activity)
        return str(told.get("id") or "")

    async def update(self, service_url: str, conversation: str, message: str, activity: Mapping[str, Any]) -> None:
        """Replace an activity that was sent."""
        path = f"{_part(conversation)}/activities/{_part(message)}"
        await self._call("PUT", service_url, path, {**activity, "id": message})

    async def member(self, service_url: str, conversation: str, user: str) -> dict[str, Any]:
        """Return what the roster says about one who takes part in a conversation."""
        roster = conversation.partition(";messageid=")[0]  # a channel's threads have no roster of their own
        return await self._call("GET", service_url, f"{_part(roster)}/members/{_part(user)}")

    async def create(self, service_url: str, conversation: Mapping[str, Any]) -> tuple[str, str]:
        """Open a conversation, or return the one that there is with that person.

        Returns its id, and that of the message in it if one was given to begin it with.
        """
        told = await self._call("POST", service_url, "", conversation)
        return str(told.get("id") or ""), str(told.get("activityId") or "")

    async def members(self, service_url: str, conversation: str) -> list[dict[str, Any]]:
        """Return all who take part in a conversation."""
        found: list[dict[str, Any]] = []
        path = f"{_part(conversation.partition(';messageid=')[0])}/pagedmembers?pageSize=500"
        after = ""
        for _ in range(PAGES):
            told = await self._call("GET", service_url, path + (f"&continuationToken={_part(after)}" if after else ""))
            listed = told.get("members")
            found += [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
            after = str(told.get("continuationToken") or "")
            if not after:
                break
        return found

    async def _call(
        self, method: str, service_url: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        if not is_allowed_url(service_url, self._service_urls):
            raise TeamsRefused(method, 403, "of a service that TEAMS_SERVICE_URLS does not allow")
        headers = {"authorization": f"Bearer {await self._tokens.token()}", "content-type": "application/json"}
        url = f"{service_url.rstrip('/')}/v3/conversations" + (f"/{path}" if path else "")
        try:
            content = json.dumps(body) if body is not None else None  # ASCII, whatever signs are in it
            answer = await self._http.request(method, url, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"Teams can't be reached: {type(error).__name__}.") from error
        what = "an activity" if "/activities" in path else "a member" if "members" in path else "a conversation"
        call = f"{method} of {what}"
        if answer.status_code == 401:
            self._tokens.forget()
            raise TryLater(call, 401, None)
        if answer.status_code in PASSING:
            raise TryLater(call, answer.status_code, _seconds(answer.headers.get("retry-after")))
        told = _told(answer)
        if answer.status_code >= 300:
            fault = told.get("error")
            raise TeamsRefused(
                call, answer.status_code, str(fault.get("code") or "") if isinstance(fault, dict) else ""
            )
        return told


def _part(name: str) -> str:
    """Return an id as one part of a path: nothing in it can lead elsewhere."""
    return quote(name, safe="")


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(text: str | None) -> float | None:
    try:
        return min(600.0, max(0.0, float(text))) if text else None
    except ValueError:
        return None
