"""What the world says about an order: one reading of everything the plan needs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.errors import CloudError, Invalid
from bot.house import AccountType
from bot.intent import Ask
from bot.organization import Organization, OrganizationReader
from bot.services import Services
from intents.account_vending.agreed import agreed_of, extras_of
from intents.account_vending.identity_center import IdentityCenter
from intents.account_vending.kept import Kept
from intents.account_vending.naming import candidate_names, derived_account_name
from intents.account_vending.planning import ROOT_EMAIL
from intents.account_vending.rules import checked_unit, rules_of

QUOTA_SERVICE, QUOTA_CODE, QUOTA_DEFAULT = "organizations", "L-E619E033", 10
MOST_NAMES = 50
"""Names for one provisioned product that are tried before it is given up."""


class FactReader:
    """Reads Service Catalog, Organizations and Service Quotas through the management role."""

    def __init__(self, services: Services, organization: OrganizationReader) -> None:
        self._services, self._organization = services, organization
        self._cloud, self._settings = services.cloud, services.settings
        self.identities = IdentityCenter(self)
        self._kept = Kept()

    async def gather(self, ask: Ask) -> dict[str, Any]:
        """Return the facts, JSON types only. Raises CloudError."""
        slots, house = ask.slots, self._services.house
        email, kind = slots["RootEmail"], house.account_type(slots["AccountType"])
        name = slots.get("AccountName") or derived_account_name(email, slots["AccountType"])
        # Of one root address only one request is open: the one that is planned again, if it was placed already.
        standing = await self._services.requests.open_on(ROOT_EMAIL, email.casefold())
        planned = standing.plan.effects["provisioned_product_name"] if standing else ""
        (organization, product, quota), (changing, taken, person, access) = await asyncio.gather(
            asyncio.gather(self._organization.for_plan(fresh=ask.fresh), self._product(fresh=ask.fresh), self._quota()),
            asyncio.gather(
                self.changing(),
                self._taken(name, email, planned),
                self.identities.person(ask.person.email, fresh=ask.fresh),
                self._access(kind, fresh=ask.fresh),
            ),
        )
        owner = organization.owner_of(email)
        extras = extras_of(house.extra_slots, slots)
        return {
            "slots": dict(slots),
            "requester": _requester(ask, person),
            "identity": dict(person),
            "account_name": name,
            "unit": self._unit(organization, slots["AccountOU"], kind),
            "email_owner": dict(owner) if owner else None,
            "product": product,
            "planned_name": planned,
            "product_names": taken,
            "changing": sorted(p["Name"] for p in changing),
            "accounts": sum(1 for a in organization.accounts if a["Status"] != "CLOSED"),
            "quota": quota,
            "capacity": self._settings.control_tower_capacity,
            "region": self._settings.control_tower_region,
            "tier": kind.tier if kind else "production",
            "rules": rules_of(house),
            "extras": extras,
            "agreed": agreed_of(kind, slots["AccountType"], extras, ask.person.email, access),
            "approvers": list(kind.approvers) if kind else [],
        }

    def _unit(self, organization: Organization, text: str, kind: AccountType | None) -> dict[str, str]:
        excluded = self._services.house.excluded_ous
        try:
            unit = checked_unit(organization.find(text, excluded), kind, organization.offered(excluded))
        except Invalid as error:
            return {"error": error.detail, "next_step": error.next_step}
        return {"id": unit.id, "path": unit.path, "value": unit.managed_value}

    async def _access(self, kind: AccountType | None, *, fresh: bool) -> list[dict[str, str]]:
        """Return what the type gives to groups, each with its ids, or with an "error" that names what is missing."""
        entries = []
        for entry in kind.access if kind else ():
            ids = await self.identities.access(entry.group, entry.permission_set, fresh=fresh)
            entries.append({"group": entry.group, "permission_set": entry.permission_set, **ids})
        return entries

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

    async def _product(self, *, fresh: bool) -> dict[str, Any]:
        """Return the product, its artifact to use and its launch path; an "error" where one is missing."""
        return await self._kept.get("product", self._find_product, fresh=fresh)

    async def _find_product(self) -> dict[str, Any]:
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

    async def changing(self) -> list[Mapping[str, Any]]:
        """Return the provisioned accounts that Control Tower is working on. Raises CloudError."""
        product = await self._kept.get("product", self._find_product)
        found = await self._search("status:UNDER_CHANGE")
        return [p for p in found if p["Status"] == "UNDER_CHANGE" and p.get("ProductId") == product.get("id")]

    async def named(self, name: str) -> Mapping[str, Any] | None:
        """Return the provisioned product of that name, None without one. Raises CloudError."""
        return next((p for p in await self._search(f"name:{name}") if p["Name"] == name), None)

    async def _taken(self, name: str, email: str, planned: str) -> list[str]:
        """Return which of the names that the plan may choose are taken; the last one asked about is free."""
        taken = [planned] if planned and await self.named(planned) else []
        for candidate in candidate_names(name, email, MOST_NAMES):
            if candidate in taken:
                continue
            if await self.named(candidate) is None:
                break
            taken.append(candidate)
        return sorted(taken)

    async def _search(self, query: str) -> list[Mapping[str, Any]]:
        pages = self._cloud.pages(
            "servicecatalog",
            "SearchProvisionedProducts",
            "ProvisionedProducts",
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            AccessLevelFilter={"Key": "Account", "Value": "self"},
            Filters={"SearchQuery": [query]},
            PageSize=100,
        )
        return [p async for p in pages]


def _requester(ask: Ask, person: Mapping[str, str]) -> dict[str, str]:
    """Return who signs in first: as Identity Center knows them, else as they said, else as the channel does."""
    first, last = ask.person.full_name()
    if said := ask.slots.get("SSOUser"):
        first, _, last = said.partition(" ")
    if person.get("state") == "exists":
        first, last = person.get("first") or first, person.get("last") or last
    return {"email": ask.person.email, "first_name": first, "last_name": last}
