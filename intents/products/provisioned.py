"""What has been provisioned: whose it is, what it holds, what it put out. Accounts are another intent's."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

from bot.errors import CloudError, Invalid, NotFound
from bot.people import mailbox_of
from bot.services import Services
from bot.tags import OWNER, REQUEST
from intents.products.catalog import FRESH, MANY, Catalog
from intents.products.matching import find_meant

ACCOUNT_TYPE = "CONTROL_TOWER_ACCOUNT"
TYPES = ("CFN_STACK", "CFN_STACKSET", "TERRAFORM_OPEN_SOURCE", "TERRAFORM_CLOUD", "EXTERNAL")
"""Types asked for, one by one: with hundreds of accounts among the products, a listing of all is long."""
WITHHELD = "(withheld: read it where the product lives)"
MASK = "****"
NO_ACCOUNTS = (
    "To close an account say “close account …” with its id; ending its product would only take it out of its OU "
    "and its guardrails."
)
_STACK = re.compile(r"arn:aws[a-z-]*:cloudformation:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):stack/.+")
_SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|credential|token|(?:private|api|access).?key", re.I)
_REFERENCE = re.compile(r"\{\{resolve:")


class ProvisionedProducts:
    """Reads provisioned products of the whole account, whoever ordered them."""

    def __init__(self, services: Services, catalog: Catalog) -> None:
        self._services, self._catalog = services, catalog
        self._own_account = ""
        self._kept: dict[str, tuple[float, dict[str, Any] | None]] = {}

    async def all(self) -> list[dict[str, Any]]:
        """Return all but accounts, by name."""
        of_types = await asyncio.gather(*(self._search(f"type:{t}") for t in TYPES))
        return sorted((p for found in of_types for p in found), key=lambda p: str(p["name"]).casefold())

    async def owned_by(self, email: str) -> list[dict[str, Any]]:
        """Return those that carry this person's address as their owner."""
        return [p for p in await self.all() if p["owner"] and mailbox_of(p["owner"]) == mailbox_of(email)]

    async def named(self, name: str) -> dict[str, Any] | None:
        """Return the one of exactly that name, accounts included; None if there is none."""
        return next((p for p in await self._search(f"name:{name}") if p["name"] == name), None)

    async def recent(self, name: str) -> dict[str, Any] | None:
        """Return the one of exactly that name as read lately, with the present "parameters" of its stack, or None."""
        until, kept = self._kept.get(name, (0.0, None))
        if until > time.monotonic():
            return kept
        found = await self.named(name)
        if found is not None:
            found = {**found, "parameters": await self.stack_parameters(found["stack"])}
        self._kept = {n: k for n, k in self._kept.items() if k[0] > time.monotonic()}
        self._kept[name] = (time.monotonic() + FRESH, found)
        return found

    async def find(self, text: str, email: str) -> dict[str, Any]:
        """Return the one that a text means, the person's own first. Raises Invalid rather than guess."""
        exact = (
            await self.named(text.strip()) if re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}", text.strip()) else None
        )
        if exact is None:
            everything = await self.all()
            own = [p for p in everything if p["owner"] and mailbox_of(p["owner"]) == mailbox_of(email)]
            exact = _meant(text, own, everything)
        if exact["type"] == ACCOUNT_TYPE:
            raise Invalid(f"{exact['name']} is an account.", field="ProvisionedProduct", next_step=NO_ACCOUNTS)
        return exact

    async def outputs(self, product_id: str) -> list[dict[str, str]]:
        """Return the outputs of the last operation that succeeded, secrets withheld; none before the first."""
        try:
            told = await self._catalog.all_pages(
                "GetProvisionedProductOutputs", "Outputs", ProvisionedProductId=product_id
            )
        except CloudError as error:
            if error.code in ("ResourceNotFoundException", "InvalidParametersException"):
                return []
            raise
        return [
            {"key": o["OutputKey"], "value": o.get("OutputValue", ""), "description": o.get("Description", "")}
            for o in without_secrets(told)
        ]

    async def stack_parameters(self, stack_arn: str) -> dict[str, str] | None:
        """Return the present parameters of a product's stack; hidden ones masked. None where they can't be read."""
        stack = await self._stack(stack_arn)
        if stack is None:
            return None
        return {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters") or ()}

    async def stack_users(self, stack_arn: str) -> list[str] | None:
        """Return the stacks that import what a product's stack exports. None where that can't be read."""
        stack = await self._stack(stack_arn)
        if stack is None:
            return None
        users: set[str] = set()
        for export in [o["ExportName"] for o in stack.get("Outputs") or () if o.get("ExportName")]:
            try:
                told = await self._in_stacks(stack_arn, "ListImports", ExportName=export)
            except CloudError as error:
                if "not imported" not in error.message:
                    return None
            else:
                users.update(told.get("Imports") or ())
        return sorted(users)

    async def stack_resources(self, stack_arn: str) -> list[str] | None:
        """Return what a product's stack made, as "type physical-id" in order. None where it can't be read."""
        found: list[str] = []
        following: dict[str, str] = {}
        while True:
            try:
                page = await self._in_stacks(stack_arn, "ListStackResources", StackName=stack_arn, **following)
            except (CloudError, NotFound):
                return None
            for resource in page.get("StackResourceSummaries") or ():
                if resource.get("ResourceStatus") != "DELETE_COMPLETE":
                    found.append(f"{resource['ResourceType']} {resource.get('PhysicalResourceId', '?')}")
            if not page.get("NextToken"):
                return sorted(found)
            following = {"NextToken": page["NextToken"]}

    async def _stack(self, stack_arn: str) -> dict[str, Any] | None:
        try:
            told = await self._in_stacks(stack_arn, "DescribeStacks", StackName=stack_arn)
        except (CloudError, NotFound):
            return None
        return dict((told.get("Stacks") or [{}])[0])

    async def _in_stacks(self, stack_arn: str, operation: str, **parameters: str) -> dict[str, Any]:
        """Call CloudFormation in the account and Region of a stack. Raises NotFound for what is no stack's ARN."""
        place = _STACK.fullmatch(stack_arn)
        if place is None:
            raise NotFound("This product has no stack.")
        settings = self._services.settings
        if not self._own_account:
            told = await self._services.cloud.call(
                "sts", "GetCallerIdentity", region=settings.control_tower_region, role=settings.management_role_arn
            )
            self._own_account = str(told["Account"])
        is_own = place["account"] == self._own_account
        role = settings.management_role_arn if is_own else settings.member_role(place["account"])
        return await self._services.cloud.call(
            "cloudformation", operation, region=place["region"], role=role, **parameters
        )

    async def _search(self, query: str) -> list[dict[str, Any]]:
        found = await self._catalog.all_pages(
            "SearchProvisionedProducts",
            "ProvisionedProducts",
            AccessLevelFilter={"Key": "Account", "Value": "self"},
            Filters={"SearchQuery": [query]},
            PageSize=MANY,
        )
        return [_read(p) for p in found]


def without_secrets(outputs: list[dict[str, Any]], hidden: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return outputs in which what looks like a secret, or repeats a hidden parameter, is withheld."""
    return [{**o, "OutputValue": WITHHELD} if _is_secret(o, hidden) else o for o in outputs]


def _is_secret(output: Mapping[str, Any], hidden: frozenset[str]) -> bool:
    key, value = str(output.get("OutputKey", "")), str(output.get("OutputValue", ""))
    if key in hidden or MASK in value or _REFERENCE.search(value):
        return True
    # Where a secret is kept may be told; what it is may not.
    return bool(_SECRET_NAME.search(f"{key} {output.get('Description', '')}")) and not value.startswith("arn:")


def _meant(text: str, own: list[dict[str, Any]], everything: list[dict[str, Any]]) -> dict[str, Any]:
    field, what = "ProvisionedProduct", "product"
    if not everything:
        raise Invalid("There are no products but accounts yet.", field=field, next_step="Say “what can I order?”.")
    if own:
        try:
            name = find_meant(text, {p["name"]: p["product"] for p in own}, what=what, field=field)
        except Invalid:
            if not any(p["name"].casefold() == text.strip().casefold() for p in everything):
                raise
        else:
            return next(p for p in own if p["name"] == name)
    for product in everything:
        if product["name"].casefold() == text.strip().casefold() or product["id"] == text.strip():
            return product
    # Names of what belongs to others are not listed: half a name must name it whole.
    raise Invalid(
        f"You have no product called “{text.strip()[:60]}”.", field=field, next_step="Say “my products” to see yours."
    )


def _read(told: Mapping[str, Any]) -> dict[str, Any]:
    tags = {t["Key"]: t.get("Value", "") for t in told.get("Tags", ())}
    return {
        "id": told["Id"],
        "name": told["Name"],
        "type": told.get("Type", ""),
        "status": told.get("Status", ""),
        "status_message": told.get("StatusMessage", ""),
        "product": told.get("ProductName", ""),
        "product_id": told.get("ProductId", ""),
        "version": told.get("ProvisioningArtifactName", ""),
        "version_id": told.get("ProvisioningArtifactId", ""),
        "stack": told.get("PhysicalId", ""),
        "created": told["CreatedTime"].isoformat() if told.get("CreatedTime") else "",
        "token": told.get("IdempotencyToken", ""),
        "last_record": told.get("LastRecordId", ""),
        "owner": tags.get(OWNER, ""),
        "request": tags.get(REQUEST, ""),
        "tags": tags,
    }
