"""Who a user of Teams is: a tenant's id and an object id of Entra, tied to one corporate address; no name decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from adapters.teams.arrivals import CHANNEL, platform_id
from adapters.teams.connector import Connector, TeamsRefused
from bot.activity import Activity, Person
from bot.errors import Invalid
from bot.services import Services

log = structlog.get_logger(__name__)

Standing = Literal["member", "outsider", "nobody", "unknown"]
"""Outsiders are guests and people of other tenants; nobody is in no roster; of the unknown, Teams shows no address."""
GUESTS = frozenset({"guest", "anonymous"})


@dataclass(frozen=True)
class Found:
    """What is known about a user; `person` is set for members only."""

    standing: Standing
    person: Person | None = None


class Persons:
    """Finds people; the roster is asked about somebody until they are known."""

    def __init__(self, services: Services, connector: Connector, tenants: Iterable[str]) -> None:
        self._services, self._connector = services, connector
        self._tenants = frozenset(tenant.casefold() for tenant in tenants)

    async def meet(self, activity: Activity) -> tuple[Activity, Found]:
        """Return an install with who it is for, and who that is. Raises Unavailable when Teams does not tell now.

        Teams need not say whom an app was installed for; the roster of somebody's own chat holds nobody else.
        """
        address = activity.address
        if not activity.platform_id and address.get("kind") == "personal":
            try:
                listed = await self._connector.members(str(address["service_url"]), str(address["conversation"]))
            except TeamsRefused:
                listed = []
            if len(listed) == 1:
                told = listed[0]
                object_id = str(told.get("aadObjectId") or told.get("objectId") or "")
                named = platform_id(str(address["tenant"]), object_id)
                address = {**address, "user": str(told.get("id") or "")}
                activity = replace(activity, address=address, platform_id=named)
        return activity, await self.find(activity)

    async def find(self, activity: Activity) -> Found:
        """Return who did something. Raises Unavailable when Teams does not tell now."""
        if not activity.platform_id:
            return Found("nobody")
        known = await self._services.people.of_identity(CHANNEL, activity.platform_id)
        if known is not None:
            return Found("member", known)
        if named := self._services.directory.email_of(CHANNEL, activity.platform_id):
            return Found("member", await self._tie(activity.platform_id, named, {}))
        address = activity.address
        try:
            told = await self._connector.member(
                str(address["service_url"]), str(address["conversation"]), str(address["user"])
            )
        except TeamsRefused as error:
            log.warning("teams.not_in_roster", error=error.detail)
            return Found("nobody")
        if self._is_outside(told, activity.platform_id):
            return Found("outsider")
        try:
            return Found("member", await self._tie(activity.platform_id, _address_of(told), told))
        except Invalid:
            return Found("unknown")

    def _is_outside(self, told: dict[str, Any], platform_id: str) -> bool:
        """Tell whether somebody is a guest, belongs to another tenant, or is not whom the activity named."""
        tenant, _, object_id = platform_id.partition("/")
        told_tenant = str(told.get("tenantId") or tenant).casefold()
        told_id = str(told.get("aadObjectId") or told.get("objectId") or "").casefold()
        is_guest = str(told.get("userRole") or "").casefold() in GUESTS
        is_external = "#ext#" in str(told.get("userPrincipalName") or "").casefold()
        return is_guest or is_external or told_tenant not in self._tenants or told_id != object_id

    async def _tie(self, platform_id: str, address: str, told: dict[str, Any]) -> Person:
        """Return the person of an address, known from now on by that platform id."""
        person = await self._services.people.of_email(
            address,
            name=str(told.get("name") or ""),
            given_name=str(told.get("givenName") or ""),
            family_name=str(told.get("surname") or ""),
        )
        await self._services.people.link(CHANNEL, platform_id, person)
        return person


def _address_of(told: dict[str, Any]) -> str:
    return str(told.get("email") or told.get("userPrincipalName") or "")
