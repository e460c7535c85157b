"""Where DevOps Guru looks and where it does not: silence must not look like health."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bot.errors import CloudError
from bot.insights import Gap, Scope
from bot.organization import Organization
from bot.services import Services
from intents.insights.budget import Budget
from intents.insights.reading import all_of

log = structlog.get_logger(__name__)

ALL = "*"
"""What DevOps Guru calls all resources of an account and Region."""
TOGETHER = 5
"""Accounts that one question about health may name."""
DEEP = 50
"""Accounts up to which each is looked into for its stacks and for whether it is being learnt."""
PRINCIPAL = "devops-guru.amazonaws.com"
LEARNING = "still baselining: DevOps Guru learns what is usual before it finds anything"
UNCOVERED = "not covered: nothing is analysed there"
REGISTERED_KEPT = timedelta(hours=1)


class Coverage:
    """Reads it as the administrator of insights, and in member accounts where stacks are told apart."""

    def __init__(self, services: Services, budget: Budget) -> None:
        self._services, self._budget = services, budget
        self._cloud, self._settings = services.cloud, services.settings
        self._role = services.settings.insights_role_arn or services.settings.management_role_arn
        self._registered: tuple[datetime, datetime | None] | None = None

    async def gaps(self, scope: Scope, *, deep: bool) -> tuple[Gap, ...]:
        """Return Regions, accounts and stacks that are not watched, each with the reason.

        A Region or account that may not be looked into is a gap as well. `deep` looks for stacks that are left out
        and for accounts that are being learnt, with some calls for each account.
        """
        found: list[Gap] = []
        registered = await self.registered_at()
        for gaps in await asyncio.gather(*(self._in_region(region, scope, deep) for region in scope.regions)):
            found += gaps
        if registered is None:
            return tuple(found)
        organization = await self._services.organization.recent()
        return tuple(_blame(gap, registered, organization) for gap in found)

    async def registered_at(self) -> datetime | None:
        """Return when DevOps Guru's delegated administrator was registered; None if there is none, or none may know."""
        now = self._services.clock.now()
        if self._registered is None or now - self._registered[0] > REGISTERED_KEPT:
            try:
                answer = await self._cloud.call(
                    "organizations",
                    "ListDelegatedAdministrators",
                    region=self._settings.control_tower_region,
                    role=self._settings.management_role_arn,
                    ServicePrincipal=PRINCIPAL,
                )
                dates = [a["DelegationEnabledDate"].astimezone(UTC) for a in answer.get("DelegatedAdministrators", ())]
                self._registered = (now, min(dates, default=None))
            except CloudError as error:
                log.info("insights.administrator_unread", code=error.code)
                return None
        return self._registered[1]

    async def _in_region(self, region: str, scope: Scope, deep: bool) -> list[Gap]:
        """Return a Region's gaps: one for all of it, or one an account, or one a stack."""
        try:
            listed = await self._listed(region, scope)
        except CloudError as error:
            return [Gap(region, "", "", f"not known: AWS answered {error.code}")]
        if scope.is_whole and not listed & scope.accounts.keys():
            return [Gap(region, "", "", UNCOVERED)]
        gaps = [Gap(region, account, "", UNCOVERED) for account in scope.accounts if account not in listed]
        watched = [account for account in scope.accounts if account in listed]
        if not deep:
            return gaps
        more: list[list[Gap]] = [[] for _ in watched]

        async def look(place: int, account: str) -> None:
            more[place] = await self._in_account(region, account)

        if len(scope.accounts) <= DEEP:
            await all_of([partial(look, n, account) for n, account in enumerate(watched)])
        else:
            await all_of([partial(self._learnt, region, five, gaps) for five in _fives(watched)])
        return gaps + [gap for listed_gaps in more for gap in listed_gaps]

    async def _listed(self, region: str, scope: Scope) -> set[str]:
        """Return the accounts in which something is analysed there."""
        found: set[str] = set()
        few = [scope.accounts.keys()] if not scope.is_whole and len(scope.accounts) <= TOGETHER else [()]
        for accounts in few:
            following: dict[str, Any] = {"AccountIds": sorted(accounts)} if accounts else {}
            while True:
                page = await self._ask(
                    "DescribeOrganizationResourceCollectionHealth",
                    region=region,
                    OrganizationResourceCollectionType="AWS_ACCOUNT",
                    MaxResults=500,
                    **following,
                )
                found |= {entry["AccountId"] for entry in page.get("Account", ()) if entry.get("AccountId")}
                if not page.get("NextToken"):
                    break
                following["NextToken"] = page["NextToken"]
        return found

    async def _learnt(self, region: str, accounts: Sequence[str], gaps: list[Gap]) -> None:
        """Add those of five accounts in which nothing has been analysed yet, as far as five together show it."""
        try:
            health = await self._ask("DescribeOrganizationHealth", region=region, AccountIds=list(accounts))
        except CloudError as error:
            gaps += [Gap(region, account, "", f"not known: AWS answered {error.code}") for account in accounts]
            return
        if not health["MetricsAnalyzed"]:
            gaps += [Gap(region, account, "", LEARNING) for account in accounts]

    async def _in_account(self, region: str, account: str) -> list[Gap]:
        """Return the stacks of an account that are left out, or that it is being learnt."""
        try:
            health = await self._ask("DescribeOrganizationHealth", region=region, AccountIds=[account])
            if not health["MetricsAnalyzed"]:
                return [Gap(region, account, "", LEARNING)]
            covered = await self.covered(region, account)
            if ALL in covered:
                return []
            stacks = await self.stacks(region, account)
        except CloudError as error:
            return [Gap(region, account, "", f"not known: AWS answered {error.code}")]
        return [Gap(region, account, stack, "not covered: only chosen stacks are") for stack in stacks - covered]

    async def covered(self, region: str, account: str) -> set[str]:
        """Return the stacks that are analysed in an account and Region; ALL among them for everything."""
        found: set[str] = set()
        following: dict[str, Any] = {}
        while True:
            page = await self._inside(
                "GetResourceCollection", region, account, ResourceCollectionType="AWS_CLOUD_FORMATION", **following
            )
            collection = page.get("ResourceCollection", {})
            found |= set(collection.get("CloudFormation", {}).get("StackNames", ()))
            if not page.get("NextToken"):
                return found
            following = {"NextToken": page["NextToken"]}

    async def cover(self, region: str, account: str, stack: str) -> None:
        """Add a stack to what is analysed; one that is already stays as it is. Raises CloudError."""
        collection = {"CloudFormation": {"StackNames": [stack]}}
        await self._inside("UpdateResourceCollection", region, account, Action="ADD", ResourceCollection=collection)

    async def estimate(self, region: str, account: str, stack: str) -> float | None:
        """Return US dollars a month as AWS has estimated them for that stack; None if nobody had them estimated.

        An estimation takes AWS minutes and there is one at a time an account, so that none is begun from here.
        """
        try:
            answer = await self._inside("GetCostEstimation", region, account)
        except CloudError as error:
            log.info("insights.no_estimate", account=account, region=region, code=error.code)
            return None
        names = answer.get("ResourceCollection", {}).get("CloudFormation", {}).get("StackNames", ())
        is_it = stack in names and answer.get("Status") == "COMPLETED"
        return float(answer["TotalCost"]) if is_it and "TotalCost" in answer else None

    async def stacks(self, region: str, account: str) -> set[str]:
        """Return the names of an account's stacks there, Control Tower's own left out."""
        role = self._settings.member_role(account)
        pages = self._cloud.pages("cloudformation", "DescribeStacks", "Stacks", region=region, role=role)
        return {stack["StackName"] async for stack in pages if not stack["StackName"].startswith("StackSet-AWSControl")}

    async def _inside(self, operation: str, region: str, account: str, **parameters: Any) -> dict[str, Any]:
        role = self._settings.member_role(account)

        return await self._budget.spend(
            ("devops-guru", region, account),
            lambda: self._cloud.call("devops-guru", operation, region=region, role=role, **parameters),
        )

    async def _ask(self, operation: str, *, region: str, **parameters: Any) -> dict[str, Any]:
        return await self._budget.spend(
            ("devops-guru", region),
            lambda: self._cloud.call("devops-guru", operation, region=region, role=self._role, **parameters),
        )


def _blame(gap: Gap, registered: datetime, organization: Organization) -> Gap:
    """Say of an account that is not covered that it is older than the administrator, if it is."""
    account = organization.account(gap.account) if gap.account and gap.why == UNCOVERED else None
    joined = account["JoinedTimestamp"] if account else ""
    if not joined or datetime.fromisoformat(joined) >= registered:
        return gap
    day = f"{registered.day} {registered:%b %Y}"
    return Gap(gap.region, gap.account, "", f"older than DevOps Guru's administrator ({day}), and never covered")


def _fives(accounts: Sequence[str]) -> Iterable[Sequence[str]]:
    return (accounts[n : n + TOGETHER] for n in range(0, len(accounts), TOGETHER))
