"""What is still inside an account: its deployments, its tagged resources, and what it spends."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from typing import Any

from bot.errors import CloudError
from bot.services import Services
from intents.accounts.costs import Costs, dollars

OWN_STACKS = ("StackSet-AWSControlTower", "AWSControlTower")
"""How the names of stacks begin that Control Tower itself keeps in an account, and takes away again."""
LIVE = (
    "CREATE_IN_PROGRESS",
    "CREATE_FAILED",
    "CREATE_COMPLETE",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS",
    "DELETE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_COMPLETE",
)
"""CloudFormation's states of stacks that are there."""
SPEND_DAYS = 30


class Inside:
    """Looks into member accounts through the member role, in every governed Region."""

    def __init__(self, services: Services) -> None:
        self._services, self._costs = services, Costs(services)

    async def look(self, account_id: str, regions: list[str], today: date) -> dict[str, Any]:
        """Return {"stacks", "resources", "spend", "unseen"}; what may not be looked at is told in "unseen"."""
        stacks, resources, spend = await asyncio.gather(
            self._everywhere(self._stacks, account_id, regions),
            self._everywhere(self._resources, account_id, regions),
            self._spend(account_id, today),
        )
        # Buckets and other global things may be told by several Regions.
        kinds = Counter(kind_of(arn) for arn in {entry for entry in resources if not isinstance(entry, CloudError)})
        unseen = sorted({str(e.code) for e in (*stacks, *resources) if isinstance(e, CloudError)})
        return {
            "stacks": sorted(entry for entry in stacks if not isinstance(entry, CloudError)),
            "resources": dict(sorted(kinds.items())),
            "spend": spend,
            "unseen": ", ".join(unseen),
        }

    async def _everywhere(self, read: Any, account_id: str, regions: list[str]) -> list[str | CloudError]:
        found: list[str | CloudError] = []
        for one in await asyncio.gather(*(self._unless_refused(read, account_id, region) for region in regions)):
            found.extend(one)
        return found

    async def _unless_refused(self, read: Any, account_id: str, region: str) -> list[str | CloudError]:
        try:
            return list(await read(account_id, region))
        except CloudError as error:
            if error.retryable:
                raise
            return [error]

    async def _stacks(self, account_id: str, region: str) -> list[str]:
        pages = self._services.cloud.pages(
            "cloudformation",
            "ListStacks",
            "StackSummaries",
            region=region,
            role=self._services.settings.member_role(account_id),
            StackStatusFilter=list(LIVE),
        )
        return [f"{s['StackName']} ({region})" async for s in pages if not s["StackName"].startswith(OWN_STACKS)]

    async def _resources(self, account_id: str, region: str) -> list[str]:
        pages = self._services.cloud.pages(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList",
            region=region,
            role=self._services.settings.member_role(account_id),
            ResourcesPerPage=100,
        )
        return [entry["ResourceARN"] async for entry in pages]

    async def _spend(self, account_id: str, today: date) -> str:
        try:
            return dollars(await self._costs.last_days(account_id, today, SPEND_DAYS))
        except CloudError as error:
            if error.retryable:
                raise
            return f"unknown ({error.code})"


def kind_of(arn: str) -> str:
    """Return what an ARN is of, such as "s3 bucket" or "ec2 instance"."""
    _, _, service, _, _, rest = arn.split(":", 5)
    if service == "s3":
        return "s3 bucket"
    return f"{service} {rest.replace('/', ':').partition(':')[0]}"
