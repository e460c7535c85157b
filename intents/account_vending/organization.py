"""The organization as plans need it: OUs with their paths, accounts with their addresses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import CloudError, Invalid
from bot.intent import either
from bot.services import Services

FRESH = 30.0
"""Seconds for which a reading serves: OUs everywhere, accounts in the questions of a dialogue; plans read them anew."""


@dataclass(frozen=True)
class Unit:
    """One OU. `path` joins the names from the top with "/"; a top-level OU's path is its name."""

    id: str
    name: str
    path: str
    registered: bool

    @property
    def managed_value(self) -> str:
        """Return it as Account Factory's ManagedOrganizationalUnit wants it."""
        return f"{self.name} ({self.id})" if "/" in self.path else self.name


@dataclass(frozen=True)
class Organization:
    """A snapshot."""

    units: tuple[Unit, ...]
    accounts: tuple[Mapping[str, str], ...]
    """Each with Id, Name, Email, Status."""

    def offered(self, excluded: tuple[str, ...]) -> tuple[Unit, ...]:
        """Return the OUs that accounts may be put into: registered, and not excluded by the house."""
        return tuple(u for u in self.units if u.registered and not is_excluded(u, excluded))

    def find(self, text: str, excluded: tuple[str, ...]) -> Unit:
        """Return the OU that a person means by id, path or name; raises Invalid rather than guess."""
        wanted = text.strip().strip("/").casefold()
        wanted = wanted.removesuffix(" ou").removeprefix("the ").removeprefix("ou ").strip()
        # Recognisers that know “OU” as a word to skip may have taken it from an id.
        matches = [u for u in self.units if wanted in (u.id, u.id.removeprefix("ou-")) or f"({u.id})" in wanted]
        matches = matches or [u for u in self.units if u.path.casefold() == _path(wanted)]
        if not matches:
            matches = [u for u in self.units if u.name.casefold() == wanted]
        if len(matches) > 1:
            raise Invalid(
                f"There are {len(matches)} OUs called “{text.strip()[:60]}”.",
                field="AccountOU",
                next_step=f"Say which: {either([u.path for u in matches])}.",
                choices=tuple(u.path for u in matches),
            )
        names = either([u.path for u in self.offered(excluded)])
        if not matches:
            raise Invalid(
                f"There is no OU called “{text.strip()[:60]}” in the organization.",
                field="AccountOU",
                next_step=f"Choose {names}.",
            )
        unit = matches[0]
        if is_excluded(unit, excluded):
            raise Invalid(f"No accounts are vended into {unit.path}.", field="AccountOU", next_step=f"Choose {names}.")
        if not unit.registered:
            raise Invalid(
                f"The OU {unit.path} is not registered with Control Tower, so Account Factory can't use it.",
                field="AccountOU",
                next_step=f"Choose {names}, or ask your platform team to register it.",
            )
        return unit

    def owner_of(self, email: str) -> Mapping[str, str] | None:
        """Return the account whose root address it is, closed ones included: an address is never free again."""
        for account in self.accounts:
            if account["Email"].casefold() == email.casefold():
                return account
        return None


def is_excluded(unit: Unit, excluded: tuple[str, ...]) -> bool:
    """Tell whether an OU is one of the excluded names or paths, or below one."""
    path = unit.path.casefold()
    return any(path == e.casefold() or path.startswith(e.casefold() + "/") for e in excluded)


def _path(text: str) -> str:
    return "/".join(part.strip() for part in text.replace(">", "/").split("/"))


class OrganizationReader:
    """Reads the organization through the management role."""

    def __init__(self, services: Services) -> None:
        self._cloud = services.cloud
        self._settings = services.settings
        self._kept: tuple[float, Organization] | None = None
        self._units_kept: tuple[float, tuple[Unit, ...]] | None = None
        self._reading = asyncio.Lock()

    async def recent(self) -> Organization:
        """Return a snapshot at most half a minute old."""
        async with self._reading:
            if self._kept and time.monotonic() - self._kept[0] < FRESH:
                return self._kept[1]
            return await self._read()

    async def now(self) -> Organization:
        """Return a snapshot whose accounts were read just now: whether an address is free must not be guessed."""
        async with self._reading:
            return await self._read()

    async def _read(self) -> Organization:
        units, accounts = await asyncio.gather(self._registered_units(), self._accounts())
        organization = Organization(units, tuple(accounts))
        self._kept = (time.monotonic(), organization)
        return organization

    async def _registered_units(self) -> tuple[Unit, ...]:
        if self._units_kept and time.monotonic() - self._units_kept[0] < FRESH:
            return self._units_kept[1]
        units, registered = await asyncio.gather(self._units(), self._registered())
        found = tuple(Unit(u["Id"], u["Name"], u["Path"], u["Arn"] in registered) for u in units)
        self._units_kept = (time.monotonic(), found)
        return found

    async def _listing(self, service: str, operation: str, result: str, **parameters: Any) -> list[dict[str, Any]]:
        pages = self._cloud.pages(
            service,
            operation,
            result,
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            **parameters,
        )
        return [entry async for entry in pages]

    async def _units(self) -> list[dict[str, Any]]:
        roots = await self._listing("organizations", "ListRoots", "Roots")
        found: list[dict[str, Any]] = []
        level = [(root["Id"], "") for root in roots]
        while level:
            children = await asyncio.gather(
                *(
                    self._listing(
                        "organizations", "ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent
                    )
                    for parent, _ in level
                )
            )
            following = []
            for (_, path), units in zip(level, children, strict=True):
                for unit in units:
                    unit["Path"] = f"{path}/{unit['Name']}" if path else unit["Name"]
                    found.append(unit)
                    following.append((unit["Id"], unit["Path"]))
            level = following
        return found

    async def _accounts(self) -> list[dict[str, str]]:
        listed = await self._listing("organizations", "ListAccounts", "Accounts")
        return [{name: str(a.get(name, "")) for name in ("Id", "Name", "Email", "Status")} for a in listed]

    async def _registered(self) -> set[str]:
        """Return the ARNs of OUs under Control Tower's baseline."""
        try:
            enabled = await self._listing("controltower", "ListEnabledBaselines", "enabledBaselines")
        except CloudError as error:
            if error.retryable:
                raise
            raise CloudError(
                error.code,
                f"{error.message} (the management role needs controltower:ListEnabledBaselines)",
                operation=error.operation,
                request_id=error.request_id,
            ) from error
        return {e["targetIdentifier"] for e in enabled}
