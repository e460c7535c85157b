"""What the three questions share: the provider, the Regions, the names of accounts and OUs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bot.account_factory import AccountFactory
from bot.insights import SEVERITIES, Found, Insight, InsightProvider
from bot.organization import Organization
from bot.services import Services
from intents.insights.devopsguru import DevOpsGuru
from intents.insights.filters import Filters

REGIONS_KEPT = 300.0
"""Seconds for which the governed Regions are taken to be the same."""


@dataclass(frozen=True)
class Names:
    """What accounts and OUs are called."""

    organization: Organization

    def account(self, account_id: str) -> str:
        """Return an account's name with its id."""
        known = self.organization.account(account_id)
        return f"{known['Name']} ({account_id})" if known else account_id

    def unit(self, unit_id: str) -> str:
        """Return an OU's path; its id when it is not known any more."""
        return next((unit.path for unit in self.organization.units if unit.id == unit_id), unit_id)


class Watcher:
    """One a process, shared by the intents of this folder."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._factory = AccountFactory(services)
        self.provider: InsightProvider = DevOpsGuru(services)
        self._regions: tuple[float, tuple[str, ...]] | None = None

    async def regions(self) -> tuple[str, ...]:
        """Return the Regions that Control Tower governs."""
        if self._regions is None or time.monotonic() - self._regions[0] > REGIONS_KEPT:
            governance = await self._factory.governance()
            self._regions = (time.monotonic(), tuple(governance["regions"]))
        return self._regions[1]

    async def surroundings(self) -> tuple[Names, tuple[str, ...]]:
        """Return names and Regions, read at once."""
        organization, regions = await asyncio.gather(self._services.organization.recent(), self.regions())
        return Names(organization), regions

    async def find(self, filters: Filters, regions: tuple[str, ...]) -> Found:
        """Return the insights that pass, sorted by severity and then by recency."""
        wanted = filters.regions or regions
        account = filters.accounts[0] if len(filters.accounts) == 1 and not filters.units else ""
        span = filters.span
        if span is None:
            found = await self.provider.ongoing(wanted, account)
        elif filters.state == "closed":
            found = await self.provider.closed(wanted, span.since, span.until, account)
        else:
            found = await self.provider.opened(wanted, span.since, span.until, account)
        kept = (i for i in found.insights if filters.state != "open" or i.is_open)
        return Found(ordered(i for i in kept if filters.passes(i)), found.missing)


def ordered(insights: Iterable[Insight]) -> tuple[Insight, ...]:
    """Return the gravest first, and of equals the newest."""
    return tuple(sorted(insights, key=lambda i: (SEVERITIES.index(i.severity), -i.start.timestamp(), i.id)))
