"""What the world says about an order: one reading of everything the plan needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.errors import CloudError, Invalid
from bot.intent import Ask
from bot.organization import Organization, OrganizationReader
from bot.services import Services
from intents.account_vending.naming import derived_account_name
from intents.account_vending.planning import ROOT_EMAIL

QUOTA_SERVICE, QUOTA_CODE, QUOTA_DEFAULT = "organizations", "L-E619E033", 10


class FactReader:
    """Reads Service Catalog, Organizations and Service Quotas through the management role."""

    def __init__(self, services: Services, organization: OrganizationReader) -> None:
        self._services, self._organization = services, organization
        self._cloud, self._settings = services.cloud, services.settings

    async def gather(self, ask: Ask) -> dict[str, Any]:
        """Return the facts, JSON types only. Raises CloudError."""
        organization, product, quota, provisioned = await asyncio.gather(
            self._organization.for_plan(fresh=ask.fresh), self._product(), self._quota(), self.provisioned()
        )
        slots = ask.slots
        email = slots["RootEmail"]
        first, last = ask.person.full_name()
        owner = organization.owner_of(email)
        # Of one root address only one request is open: the one that is planned again, if it was placed already.
        standing = await self._services.requests.open_on(ROOT_EMAIL, email.casefold())
        return {
            "slots": dict(slots),
            "requester": {"email": ask.person.email, "first_name": first, "last_name": last},
            "account_name": slots.get("AccountName") or derived_account_name(email, slots["AccountType"]),
            "unit": self._unit(organization, slots["AccountOU"]),
            "email_owner": dict(owner) if owner else None,
            "product": product,
            "planned_name": standing.plan.effects["provisioned_product_name"] if standing else "",
            "product_names": sorted(p["Name"] for p in provisioned),
            "changing": sorted(p["Name"] for p in provisioned if p["Status"] == "UNDER_CHANGE"),
            "accounts": sum(1 for a in organization.accounts if a["Status"] != "CLOSED"),
            "quota": quota,
            "capacity": self._settings.control_tower_capacity,
            "region": self._settings.control_tower_region,
            "tier": self._tier(slots["AccountType"]),
        }

    def _tier(self, account_type: str) -> str:
        return next((t.tier for t in self._services.house.account_types if t.name == account_type), "production")

    def _unit(self, organization: Organization, text: str) -> dict[str, str]:
        try:
            unit = organization.find(text, self._services.house.excluded_ous)
        except Invalid as error:
            return {"error": error.detail, "next_step": error.next_step}
        return {"id": unit.id, "path": unit.path, "value": unit.managed_value}

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call AWS in Control Tower's home Region through the management role."""
        return await self._cloud.call(
            service,
            operation,
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            **parameters,
        )

    async def account_with(self, email: str) -> dict[str, str]:
        """Return the account of that root address as Account Factory's outputs name it; empty without one."""
        owner = (await self._organization.now()).owner_of(email)
        return {"AccountId": owner["Id"]} if owner else {}

    async def _product(self) -> dict[str, Any]:
        """Return the product, its artifact to use and its launch path; an "error" where one is missing."""
        name = self._services.house.product_name
        found = await self.call("servicecatalog", "SearchProducts", Filters={"FullTextSearch": [name]})
        products = [p for p in found.get("ProductViewSummaries", ()) if p.get("Name") == name]
        if not products:
            return {"error": f"The product “{name}” is not shared with the bot's role."}
        product_id = products[0]["ProductId"]
        described, paths = await asyncio.gather(
            self.call("servicecatalog", "DescribeProduct", Id=product_id),
            self.call("servicecatalog", "ListLaunchPaths", ProductId=product_id),
        )
        usable = [a for a in described.get("ProvisioningArtifacts", ()) if a.get("Guidance", "DEFAULT") == "DEFAULT"]
        if not usable:
            return {"error": f"The product “{name}” has no version that is active and not deprecated."}
        launch = paths.get("LaunchPathSummaries", ())
        if not launch:
            return {"error": f"The bot's role has no launch path to the product “{name}”."}
        newest = max(usable, key=lambda a: (a.get("CreatedTime") is not None, a.get("CreatedTime"), a["Id"]))
        return {
            "id": product_id,
            "artifact_id": newest["Id"],
            "artifact_name": newest.get("Name", ""),
            "path_id": launch[0]["Id"],
            "path_name": launch[0].get("Name", ""),
        }

    async def _quota(self) -> int:
        try:
            answer = await self.call(
                "service-quotas", "GetServiceQuota", ServiceCode=QUOTA_SERVICE, QuotaCode=QUOTA_CODE
            )
        except CloudError as error:
            if error.code != "NoSuchResourceException":
                raise
            return QUOTA_DEFAULT
        return int(answer["Quota"]["Value"])

    async def provisioned(self) -> list[Mapping[str, Any]]:
        """Return all provisioned products of the management account."""
        pages = self._cloud.pages(
            "servicecatalog",
            "ScanProvisionedProducts",
            "ProvisionedProducts",
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            AccessLevelFilter={"Key": "Account", "Value": "self"},
        )
        return [p async for p in pages]
