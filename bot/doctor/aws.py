"""AWS as the bot uses it: identities, the organization, Control Tower, the product, Identity Center, quotas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.doctor.model import Check, Finding, Patient, failed, ok, warning
from bot.errors import CloudError
from bot.house import house_of

ACCOUNTS_QUOTA = ("organizations", "L-E619E033")
_ACCESS_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound")
_UNREACHED = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "SSLError")


def allowing(action: str) -> str:
    """Return the IAM statement that gives one permission, on one line."""
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": "*"})


def trouble(error: CloudError, who: str) -> Finding:
    """Return a failed call as a finding; `who` made it, in words."""
    lacking = error.missing_permission
    if lacking:
        return failed(f"{who} may not call {lacking}", f"Add to its policy (docs/aws.md has all): {allowing(lacking)}")
    if error.code in _NO_CREDENTIALS:
        return failed(
            "there are no AWS credentials",
            "Give the process a role (task, instance), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret.",
        )
    if error.code in _UNREACHED:
        return failed(
            f"AWS can't be reached ({error.code})", "Check the network, AWS_REGION, AWS_ENDPOINT_URL, and proxies."
        )
    if error.code in _ACCESS_DENIED:
        return failed(f"{who} was refused: {error.message}", "See docs/aws.md for the policy it needs.")
    return failed(error.detail.rstrip("."), "See docs/aws.md; AWS's own words say what it lacks.")


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of AWS."""
    look = _Looks(patient)
    return (
        Check("AWS identity", look.identity),
        Check("management role", look.management_role),
        Check("member role", look.member_role),
        Check("organization", look.organization),
        Check("Control Tower", look.control_tower),
        Check("product and launch path", look.product),
        Check("Identity Center", look.identity_center),
        Check("service quotas", look.quotas),
        Check("roll-outs", look.rollouts),
    )


class _Looks:
    def __init__(self, patient: Patient) -> None:
        self._patient, self._settings, self._cloud = patient, patient.settings, patient.cloud
        self._who = "the management role" if self._settings.management_role_arn else "the bot's identity"

    async def _call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call in Control Tower's home Region through the management role."""
        return await self._cloud.call(
            service,
            operation,
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            **parameters,
        )

    async def _listing(self, service: str, operation: str, result: str) -> list[dict[str, Any]]:
        pages = self._cloud.pages(
            service,
            operation,
            result,
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
        )
        return [entry async for entry in pages]

    async def identity(self) -> Finding:
        try:
            found = await self._cloud.call("sts", "GetCallerIdentity")
        except CloudError as error:
            return trouble(error, "the bot's identity")
        return ok(f"{found['Arn']}")

    async def management_role(self) -> Finding:
        role = self._settings.management_role_arn
        if not role:
            return ok("MANAGEMENT_ROLE_ARN is not set: the bot's own identity does everything")
        try:
            await self._cloud.call("sts", "GetCallerIdentity", role=self._settings.management_role_arn)
        except CloudError as error:
            if error.code not in _ACCESS_DENIED and not error.missing_permission:
                return trouble(error, "the bot's identity")
            return failed(f"{role} can't be assumed", await self._ways_in(role))
        return ok(f"{role} can be assumed")

    async def _ways_in(self, role: str) -> str:
        """Return the two statements without which a role can't be assumed."""
        try:
            caller = str((await self._cloud.call("sts", "GetCallerIdentity"))["Arn"])
        except CloudError:
            caller = "arn:aws:iam::BOT_ACCOUNT:role/Quartermaster"
        actions = ["sts:AssumeRole", "sts:TagSession"]
        own = {"Effect": "Allow", "Action": actions, "Resource": role}
        trust = {"Effect": "Allow", "Principal": {"AWS": caller}, "Action": actions}
        return f"Add to the caller's policy {json.dumps(own)} and to the role's trust policy {json.dumps(trust)}"

    async def member_role(self) -> Finding:
        try:
            accounts = await self._listing("organizations", "ListAccounts", "Accounts")
            organization = (await self._call("organizations", "DescribeOrganization"))["Organization"]
        except CloudError as error:
            return trouble(error, self._who)
        own = organization.get("MasterAccountId", "")
        member = next((a["Id"] for a in accounts if a["Status"] == "ACTIVE" and a["Id"] != own), "")
        if not member:
            return warning("the organization has no member account to try it in")
        role = f"arn:aws:iam::{member}:role/{self._settings.member_role_name}"
        try:
            await self._cloud.call("sts", "GetCallerIdentity", role=self._settings.member_role(member))
        except CloudError as error:
            if error.code not in _ACCESS_DENIED and not error.missing_permission:
                return trouble(error, self._who)
            actions = ["sts:AssumeRole", "sts:TagSession"]
            statement = {"Effect": "Allow", "Action": actions, "Resource": role.replace(member, "*")}
            return failed(
                f"{role} can't be assumed",
                f"Set MEMBER_ROLE_NAME to a role of every account that trusts {self._who}, "
                f"and add to its policy {json.dumps(statement)}",
            )
        return ok(f"{role} can be assumed")

    async def organization(self) -> Finding:
        try:
            roots = await self._listing("organizations", "ListRoots", "Roots")
            accounts = await self._listing("organizations", "ListAccounts", "Accounts")
        except CloudError as error:
            return trouble(error, self._who)
        if not roots:
            return failed(
                "the organization has no root", "Set MANAGEMENT_ROLE_ARN to a role of the management account."
            )
        return ok(f"{len(accounts)} accounts can be read")

    async def control_tower(self) -> Finding:
        region = self._settings.control_tower_region
        try:
            zones = await self._listing("controltower", "ListLandingZones", "landingZones")
            if not zones:
                return failed(
                    f"there is no landing zone in {region}",
                    "Set CONTROL_TOWER_REGION to Control Tower's home Region, or set Control Tower up.",
                )
            zone = await self._call("controltower", "GetLandingZone", landingZoneIdentifier=zones[0]["arn"])
            baselines = await self._listing("controltower", "ListEnabledBaselines", "enabledBaselines")
        except CloudError as error:
            return trouble(error, self._who)
        found = zone["landingZone"]
        status, drift = found.get("status", "ACTIVE"), found.get("driftStatus", {}).get("status", "IN_SYNC")
        shown = f"landing zone {found['version']} in {region}, {len(baselines)} baselines enabled"
        if status != "ACTIVE" or drift != "IN_SYNC":
            return warning(f"{shown}, but it is {status}, {drift}", "Reset or repair it in Control Tower's console.")
        return ok(shown)

    async def product(self) -> Finding:
        name = house_of(self._settings).product_name
        share = (
            f"In Service Catalog give {self._settings.management_role_arn or 'the bot identity'} access to the "
            f"portfolio that holds “{name}”; or set product_name in {self._settings.house_file}."
        )
        try:
            found = await self._call("servicecatalog", "SearchProducts", Filters={"FullTextSearch": [name]})
            products = [p for p in found.get("ProductViewSummaries", ()) if p.get("Name") == name]
            if not products:
                return failed(f"the product “{name}” is not shared with {self._who}", share)
            product = products[0]["ProductId"]
            described = await self._call("servicecatalog", "DescribeProduct", Id=product)
            paths = await self._call("servicecatalog", "ListLaunchPaths", ProductId=product)
        except CloudError as error:
            return trouble(error, self._who)
        usable = [a for a in described.get("ProvisioningArtifacts", ()) if a.get("Guidance", "DEFAULT") == "DEFAULT"]
        if not usable:
            return failed(f"“{name}” has no version that is active", "Activate one in Service Catalog.")
        if not paths.get("LaunchPathSummaries"):
            return failed(f"{self._who} has no launch path to “{name}”", share)
        return ok(f"“{name}” ({product}) can be launched")

    async def rollouts(self) -> Finding:
        settings = self._settings
        if not settings.deployment_ous:
            return ok("DEPLOYMENT_OUS is not set: nothing is rolled out")
        who = "the toolchain role" if settings.toolchain_role_arn else "the bot's identity"
        region = settings.toolchain_region or settings.aws_region
        try:
            listed = self._cloud.pages(
                "codepipeline", "ListPipelines", "pipelines", region=region, role=settings.toolchain_role_arn
            )
            count = len([pipeline async for pipeline in listed])
            shown = f"{count} pipelines in {region}"
            if not settings.deployment_table:
                return ok(shown)
            name = settings.deployment_table
            found = await self._cloud.call(
                "dynamodb", "DescribeTable", region=region, role=settings.toolchain_role_arn, TableName=name
            )
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return failed(f"there is no table {settings.deployment_table} in {region}", "Mend DEPLOYMENT_TABLE.")
            return trouble(error, who)
        keys = [key["AttributeName"] for key in found["Table"]["KeySchema"]]
        if keys != ["id"]:
            said = f"the table {name} is keyed by {' and '.join(keys)}, not by id"
            return failed(said, "Name a table as the SaaS sample makes it.")
        return ok(f"{shown}; the table {name} is master of the deployments")

    async def identity_center(self) -> Finding:
        try:
            instances = await self._listing("sso-admin", "ListInstances", "Instances")
        except CloudError as error:
            return trouble(error, self._who)
        if not instances:
            return failed(
                f"there is no instance of IAM Identity Center in {self._settings.control_tower_region}",
                "Enable IAM Identity Center in Control Tower's home Region.",
            )
        return ok(f"{instances[0]['InstanceArn']}")

    async def quotas(self) -> Finding:
        service, code = ACCOUNTS_QUOTA
        try:
            found = await self._call("service-quotas", "GetServiceQuota", ServiceCode=service, QuotaCode=code)
        except CloudError as error:
            if error.code == "NoSuchResourceException":
                return ok("readable; the number of accounts has AWS's default")
            return trouble(error, self._who)
        return ok(f"readable; {found['Quota']['Value']:g} accounts are allowed")
