"""Groups of Entra, read from Microsoft Graph with the Teams app's own token."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from adapters.teams.arrivals import CHANNEL, platform_id
from adapters.teams.persons import GUESTS
from adapters.teams.tokens import token_source
from bot.errors import Invalid, NotFound, Unavailable
from bot.people import checked_email
from bot.services import Services

SOURCE = "entra"
ASKED = "id,mail,userPrincipalName,userType,accountEnabled"
MOST_PAGES = 50
NEEDED = "The Teams app needs the application permissions GroupMember.Read.All and User.Read.All."


class EntraGroups:
    """Reads the users of a group, those of groups within it too. Guests and closed accounts count as nobody."""

    def __init__(self, services: Services, http: httpx.AsyncClient) -> None:
        settings = services.settings
        self._services, self._http = services, http
        self._base, self._tenant = settings.teams_graph_url.rstrip("/"), settings.teams_tenant_id
        self._tokens = token_source(settings, http, self._base)

    async def members(self, group: str) -> tuple[str, ...]:
        """Return the addresses of a group's users, by its object id. Raises NotFound or Unavailable."""
        url = f"{self._base}/v1.0/groups/{quote(group, safe='')}/transitiveMembers?$select={ASKED}&$top=999"
        addresses: list[str] = []
        for _ in range(MOST_PAGES):
            told = await self._get(url, group)
            users = [entry for entry in told.get("value", ()) if entry.get("@odata.type") == "#microsoft.graph.user"]
            if any(not user.get("userPrincipalName") for user in users):
                raise Unavailable(f"Microsoft Graph tells nothing of the users in group {group}.", next_step=NEEDED)
            addresses += [address for user in users if (address := await self._address_of(user))]
            url = str(told.get("@odata.nextLink") or "")
            if not url:
                return tuple(addresses)
            if urlsplit(url)[:2] != urlsplit(self._base)[:2]:
                raise Unavailable("Microsoft Graph named a next page on another host.")  # the token stays with Graph
        raise Unavailable(f"Entra's group {group} has more than {MOST_PAGES} pages of members.")

    async def _get(self, url: str, group: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._tokens.token()}"}
        try:
            answer = await self._http.get(url, headers=headers)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"Microsoft Graph can't be reached: {type(error).__name__}.") from error
        if answer.status_code == 404:
            raise NotFound(f"Entra has no group {group}.")
        if answer.status_code != 200 or not isinstance(told, dict):
            if answer.status_code == 401:
                self._tokens.forget()
            raise Unavailable(
                f"Microsoft Graph answered {answer.status_code} about the group {group}.",
                next_step=NEEDED,
            )
        return told

    async def _address_of(self, user: dict[str, Any]) -> str:
        """Return whose account it is; empty for guests, closed accounts and those without an address."""
        is_external = "#ext#" in str(user.get("userPrincipalName") or "").casefold()
        if str(user.get("userType") or "").casefold() in GUESTS or is_external or user.get("accountEnabled") is False:
            return ""
        object_id = platform_id(self._tenant, str(user.get("id") or ""))
        if named := self._services.directory.email_of(CHANNEL, object_id):
            return named
        if known := await self._services.people.of_identity(CHANNEL, object_id):
            return known.email
        try:
            return checked_email(str(user.get("mail") or user.get("userPrincipalName") or ""))
        except Invalid:
            return ""
