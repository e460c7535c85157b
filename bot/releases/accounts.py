"""Which accounts may be deployed into: active members of the organization, in one of the OUs that DEPLOYMENT_OUS names.

Asked of Organizations itself, whatever a registry, a table or a program says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from bot.cloud import Cloud
from bot.errors import Conflict, Invalid
from bot.organization import OrganizationReader, Unit
from bot.releases.waves import Deployment
from bot.settings import Settings

KEPT = 60.0
"""Seconds for which a reading serves while people only look; plans and what follows them read anew."""
AT_ONCE = 4


class DeployableAccounts:
    """Reads them through the management role."""

    def __init__(self, cloud: Cloud, settings: Settings, organization: OrganizationReader) -> None:
        self._cloud, self._settings, self._organization = cloud, settings, organization
        self._known: tuple[float, frozenset[str]] = (float("-inf"), frozenset())

    async def ids(self, *, fresh: bool = False) -> frozenset[str]:
        """Return the ids of all accounts that may be deployed into. Raises CloudError, Conflict when none are named."""
        if not self._settings.deployment_ous:
            raise Conflict(
                "Roll-outs are switched off here: no OU is named whose accounts may be deployed into.",
                next_step="Whoever runs the bot sets DEPLOYMENT_OUS, see docs/releases.md.",
            )
        if not fresh and time.monotonic() - self._known[0] < KEPT:
            return self._known[1]
        units = self._named((await self._organization.recent()).units)
        turns = asyncio.Semaphore(AT_ONCE)

        async def active_in(unit: Unit) -> list[str]:
            async with turns:
                pages = self._cloud.pages(
                    "organizations",
                    "ListAccountsForParent",
                    "Accounts",
                    region=self._settings.control_tower_region,
                    role=self._settings.management_role_arn,
                    ParentId=unit.id,
                )
                return [a["Id"] async for a in pages if a["Status"] == "ACTIVE"]

        found = frozenset(i for ids in await asyncio.gather(*map(active_in, units)) for i in ids)
        self._known = (time.monotonic(), found)
        return found

    async def require(self, found: Iterable[Deployment], *, fresh: bool = True) -> None:
        """Raise Invalid unless all deployments are in such accounts; it names the first few that are not."""
        allowed = await self.ids(fresh=fresh)
        wrong = [d for d in found if d.account not in allowed]
        if wrong:
            raise Invalid(self.sentence(wrong), field="account", next_step=self.advice)

    def covers(self, path: str) -> bool:
        """Tell whether an account made in the OU of that path may be deployed into; OUs named by id do not count."""
        folded = path.casefold()
        named = (n.casefold().strip("/") for n in self._settings.deployment_ous)
        return any(folded == one or folded.startswith(one + "/") for one in named)

    def sentence(self, wrong: Iterable[Deployment]) -> str:
        """Return what is wrong with deployments in other accounts."""
        listed = list(wrong)
        named = ", ".join(f"{d.key} ({d.account})" for d in listed[:5])
        more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
        where = " or ".join(self._settings.deployment_ous)
        return f"{named}{more}: the account is no active member of the organization under {where}."

    @property
    def advice(self) -> str:
        """What to do about it."""
        return "Correct the account, or have whoever runs the bot look at DEPLOYMENT_OUS."

    def _named(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the OUs that are named, by path or id, with everything below them."""
        named = {n.casefold().strip("/") for n in self._settings.deployment_ous}
        listed = list(units)
        tops = [u.path.casefold() for u in listed if u.id in named or u.path.casefold() in named]
        return [u for u in listed if any(u.path.casefold() == t or u.path.casefold().startswith(t + "/") for t in tops)]
