"""Accounts that Control Tower's Account Factory has made, as Service Catalog knows them: read, update, terminate."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.errors import CloudError
from bot.services import Services

KIND = "CONTROL_TOWER_ACCOUNT"
NOT_FOUND = "ResourceNotFoundException"
SELF = {"Key": "Account", "Value": "self"}


PRODUCT = "provisioned_product_name"
"""The effect of a plan that names the account product it makes or changes."""
DONE_WITH = "control_tower_is_done"
"""The note on a request that is still running, but takes none of Control Tower's places any more."""


class AccountFactory:
    """Service Catalog in Control Tower's home Region, through the management role."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def ask_aws(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call AWS in Control Tower's home Region through the management role."""
        settings = self._services.settings
        return await self._services.cloud.call(
            service, operation, region=settings.control_tower_region, role=settings.management_role_arn, **parameters
        )

    async def product_of(self, account_id: str) -> dict[str, str]:
        """Return the provisioned product that an account is (id, name, status); empty when Account Factory has none."""
        found = await self.ask_aws(
            "servicecatalog",
            "SearchProvisionedProducts",
            AccessLevelFilter=SELF,
            Filters={"SearchQuery": [f"physicalId:{account_id}"]},
        )
        for product in found.get("ProvisionedProducts", ()):
            if product.get("Type") == KIND and product.get("PhysicalId") == account_id:
                return {
                    "id": product["Id"],
                    "name": product["Name"],
                    "status": product["Status"],
                    "product_id": product["ProductId"],
                    "artifact_id": product.get("ProvisioningArtifactId", ""),
                }
        return {}

    async def newest(self, product_id: str) -> dict[str, str]:
        """Return the version and launch path that an update uses; an "error" where one is missing."""
        described, paths = await asyncio.gather(
            self.ask_aws("servicecatalog", "DescribeProduct", Id=product_id),
            self.ask_aws("servicecatalog", "ListLaunchPaths", ProductId=product_id),
        )
        usable = [a for a in described.get("ProvisioningArtifacts", ()) if a.get("Guidance", "DEFAULT") == "DEFAULT"]
        launch = paths.get("LaunchPathSummaries", ())
        if not usable:
            return {"error": "Account Factory has no version that is active and not deprecated."}
        if not launch:
            return {"error": "The bot's role has no launch path to Account Factory."}
        newest = max(usable, key=lambda a: (a.get("CreatedTime") is not None, a.get("CreatedTime"), a["Id"]))
        return {
            "artifact_id": newest["Id"],
            "artifact_name": newest.get("Name", ""),
            "path_id": launch[0]["Id"],
        }

    async def changing(self) -> frozenset[str]:
        """Return the names of the account products that Control Tower is working on."""
        pages = self._services.cloud.pages(
            "servicecatalog",
            "SearchProvisionedProducts",
            "ProvisionedProducts",
            region=self._services.settings.control_tower_region,
            role=self._services.settings.management_role_arn,
            AccessLevelFilter=SELF,
            Filters={"SearchQuery": ["status:UNDER_CHANGE"]},
            PageSize=100,
        )
        return frozenset([p["Name"] async for p in pages if p.get("Type") == KIND and p["Status"] == "UNDER_CHANGE"])

    async def outcome(self, record_id: str) -> dict[str, Any]:
        """Return what became of an order: {"status", "errors"}; status "GONE" when the record is unknown."""
        try:
            record = (await self.ask_aws("servicecatalog", "DescribeRecord", Id=record_id))["RecordDetail"]
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            return {"status": "GONE", "errors": []}
        errors = [e.get("Description") or e.get("Code", "") for e in record.get("RecordErrors", ())]
        return {"status": record["Status"], "errors": [e for e in errors if e]}

    async def governance(self) -> dict[str, Any]:
        """Return the governed "regions", the landing zone's own accounts as "protected", and its "security_ous".

        Without a landing zone, or without leave to read it: the home Region, and the management account alone.
        """
        described, zone = await asyncio.gather(self.ask_aws("organizations", "DescribeOrganization"), self._manifest())
        protected = {described["Organization"]["MasterAccountId"]: "the management account"}
        logging, roles = zone.get("centralizedLogging", {}), zone.get("securityRoles", {})
        for account_id, what in (
            (logging.get("accountId"), "Control Tower's log archive account"),
            (roles.get("accountId"), "Control Tower's audit account"),
        ):
            if account_id:
                protected[account_id] = what
        regions = zone.get("governedRegions") or [self._services.settings.control_tower_region]
        security = zone.get("organizationStructure", {}).get("security", {}).get("name")
        return {"regions": sorted(regions), "protected": protected, "security_ous": [security] if security else []}

    async def _manifest(self) -> Mapping[str, Any]:
        try:
            zones = (await self.ask_aws("controltower", "ListLandingZones")).get("landingZones", ())
            if not zones:
                return {}
            zone = await self.ask_aws("controltower", "GetLandingZone", landingZoneIdentifier=zones[0]["arn"])
        except CloudError as error:
            if error.retryable:
                raise
            return {}
        manifest: Mapping[str, Any] = zone["landingZone"].get("manifest") or {}
        return manifest
