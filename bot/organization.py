"""The organization as plans need it: OUs with their paths, accounts with their addresses."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select

from bot.closed_accounts import list_closed
from bot.cloud import Cloud
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.errors import CloudError, Invalid
from bot.rows import put
from bot.settings import Settings
from bot.words import either

log = structlog.get_logger(__name__)

FRESH = 30.0
"""Seconds for which a reading of a small organization serves questions; plans read its accounts anew."""
KEPT = 300.0
"""Seconds for which a reading of a large one serves, plans included: it takes AWS dozens of calls.

Our own changes end it at once, on every replica, and the check before the first change always reads anew.
"""
LARGE = 100
"""Accounts from which an organization is large: their listing comes 20 a page."""
WARM = 0.8
"""Share of KEPT after which a large organization is read again in the background, while people use it."""
USED = 900.0
"""Seconds since the last question until the background reading pauses."""
CHANGED = "organization-changed"


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
    """Each with Id, Name, Email, Status, Arn and JoinedTimestamp (ISO 8601)."""
    closed: Mapping[str, str] = field(default_factory=dict)
    """Ids of accounts that were closed from here, by case-folded root address: they may be gone from `accounts`."""
    read_at: float = field(default=0.0, compare=False)
    """When, in seconds of the process's monotonic clock."""

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

    def account(self, account_id: str) -> Mapping[str, str] | None:
        """Return the account of that id, None if the organization has none."""
        return next((a for a in self.accounts if a["Id"] == account_id), None)

    def owner_of(self, email: str) -> Mapping[str, str] | None:
        """Return the account whose root address it is, closed ones included: an address is never free again."""
        for account in self.accounts:
            if account["Email"].casefold() == email.casefold():
                return account
        if account_id := self.closed.get(email.casefold()):
            return {"Id": account_id, "Name": "closed", "Email": email, "Status": "CLOSED"}
        return None


def is_excluded(unit: Unit, excluded: tuple[str, ...]) -> bool:
    """Tell whether an OU is one of the excluded names or paths, or below one."""
    path = unit.path.casefold()
    return any(path == e.casefold() or path.startswith(e.casefold() + "/") for e in excluded)


def _path(text: str) -> str:
    return "/".join(part.strip() for part in text.replace(">", "/").split("/"))


class OrganizationReader:
    """Reads the organization through the management role; one a process, shared by all intents."""

    def __init__(self, cloud: Cloud, settings: Settings, database: Database) -> None:
        self._cloud, self._settings, self._database = cloud, settings, database
        self._kept: Organization | None = None
        self._mark = ""
        self._units: tuple[float, tuple[Unit, ...]] | None = None
        self._used = float("-inf")
        self._reading = asyncio.Lock()

    async def recent(self) -> Organization:
        """Return a snapshot that serves a question: half a minute old at most, five minutes in a large organization."""
        return await self._serve(FRESH)

    async def for_plan(self, *, fresh: bool) -> Organization:
        """Return a snapshot that serves a plan: accounts read now, but for a large organization only if `fresh`."""
        return await (self.now() if fresh else self._serve(0.0))

    async def now(self) -> Organization:
        """Return a snapshot whose accounts were read just now: whether an address is free must not be guessed."""
        begun = time.monotonic()
        async with self._reading:
            if self._kept and self._kept.read_at > begun:
                return self._kept  # another reading began after we were asked: as good as our own
            return await self._read()

    async def forget(self, transaction: Transaction) -> None:
        """Have every replica read anew: we have changed the organization."""
        await put(transaction, keepsakes, {"name": CHANGED, "value": secrets.token_hex(8)}, on=["name"])

    async def changed(self) -> None:
        """Like `forget`, in a transaction of its own."""
        await self._database.write(self.forget)

    async def keep_warm(self) -> None:
        """Read at start, and then a large organization before its reading grows old; runs until cancelled."""
        while True:
            try:
                if self._kept is None or (self._is_large and time.monotonic() - self._used < USED):
                    async with self._reading:
                        await self._read()
            except CloudError as error:
                log.info("organization.not_read", error=error.detail)
            await asyncio.sleep(KEPT * WARM)

    @property
    def _is_large(self) -> bool:
        return self._kept is not None and len(self._kept.accounts) > LARGE

    async def _serve(self, patience: float) -> Organization:
        self._used = time.monotonic()
        async with self._reading:
            mark = await self._read_mark()
            kept, patience = self._kept, KEPT if self._is_large else patience
            if kept and mark == self._mark and time.monotonic() - kept.read_at < patience:
                return kept
            return await self._read(mark)

    async def _read_mark(self) -> str:
        async with self._database.read() as connection:
            found = await connection.execute(select(keepsakes.c.value).where(keepsakes.c.name == CHANGED))
            return str(found.scalar_one_or_none() or "")

    async def _read(self, mark: str | None = None) -> Organization:
        mark = await self._read_mark() if mark is None else mark
        begun = time.monotonic()
        if mark != self._mark:
            self._units = None
        units, accounts, closed = await asyncio.gather(
            self._registered_units(), self._accounts(), list_closed(self._database)
        )
        self._kept, self._mark = Organization(units, tuple(accounts), closed, begun), mark
        return self._kept

    async def _registered_units(self) -> tuple[Unit, ...]:
        if self._units and time.monotonic() - self._units[0] < (KEPT if self._is_large else FRESH):
            return self._units[1]
        units, registered = await asyncio.gather(self._list_units(), self._registered())
        found = tuple(Unit(u["Id"], u["Name"], u["Path"], u["Arn"] in registered) for u in units)
        self._units = (time.monotonic(), found)
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

    async def _list_units(self) -> list[dict[str, Any]]:
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
        names = ("Id", "Name", "Email", "Status", "Arn")
        return [{**{n: str(a.get(n, "")) for n in names}, "JoinedTimestamp": _iso(a)} for a in listed]

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


def _iso(account: Mapping[str, Any]) -> str:
    joined = account.get("JoinedTimestamp")
    return joined.isoformat() if joined else ""
