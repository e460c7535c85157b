"""The SaaS sample's table in DynamoDB, which the registry of deployments follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.activity import Person
from bot.errors import CloudError, Conflict
from bot.releases.master import Master
from bot.releases.registry import MOST
from bot.releases.table import Followed, read_records
from bot.releases.waves import Deployment
from bot.services import Services
from bot.workflow.periodic import Job

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
JOB = "deployment-table"
FAILED_CONDITION = "ConditionalCheckFailedException"


class MasterTable:
    """Reads the table that DEPLOYMENT_TABLE names through the toolchain role, and has the registry follow it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.name = services.settings.deployment_table
        self._master = Master(services.database, services.clock, services.audit, services.deployments)
        self.jobs = (Job(JOB, EVERY, self._work),) if self.name else ()

    async def follow(self, by: Person | None, surface: str) -> Followed:
        """Have the registry follow the table, and return what changed. Idempotent.

        Raises CloudError, where nothing has changed: only a table that was read to its end retires anything.
        """
        services = self._services
        begun = services.clock.now()
        allowed = await services.deployable.ids(fresh=True)
        reading = read_records(
            await self._records(),
            allowed=allowed,
            component=services.settings.deployment_component,
            where=" or ".join(services.settings.deployment_ous),
            begun_at=begun,
        )
        return await self._master.follow(self.name, reading, by, surface=surface)

    async def last(self) -> tuple[str, datetime, list[tuple[str, str]]] | None:
        """Return which table was last followed, when, and which of its records were not taken."""
        return await self._master.last()

    async def record_of(self, name: str) -> dict[str, Any] | None:
        """Return the record of a deployment's name (its id), None where the table has none. Raises CloudError."""
        answer = await self._ask("GetItem", Key=_wire({"id": name}), ConsistentRead=True)
        return plain(answer["Item"]) if answer.get("Item") else None

    async def write(self, one: Deployment) -> None:
        """Write a deployment's record, unless there is one; the same one is ours, from a call whose answer was lost.

        Raises Conflict where the table has another record of that name, and CloudError.
        """
        record = {"id": one.id, "type": one.kind, "account": one.account, "region": one.region}
        if one.component != self._services.settings.deployment_component:
            record["component"] = one.component
        try:
            await self._ask(
                "PutItem",
                Item=_wire(record),
                ConditionExpression="attribute_not_exists(#id)",
                ExpressionAttributeNames={"#id": "id"},
            )
        except CloudError as error:
            if error.code != FAILED_CONDITION:
                raise
            there = await self.record_of(one.id) or {}
            if any(there.get(name) != value for name, value in record.items()):
                raise Conflict(
                    f"The table {self.name} has a record {one.id} already, which says otherwise.",
                    next_step="Mend or remove that record, or choose another name.",
                ) from error

    async def forget(self, name: str, account: str, region: str) -> None:
        """Take a deployment's record out; one that is gone is no trouble.

        Raises Conflict where it speaks of another place by now, and CloudError.
        """
        try:
            await self._ask(
                "DeleteItem",
                Key=_wire({"id": name}),
                ConditionExpression="#account = :account AND #region = :region",
                ExpressionAttributeNames={"#account": "account", "#region": "region"},  # both are reserved words
                ExpressionAttributeValues=_wire({":account": account, ":region": region}),
            )
        except CloudError as error:
            if error.code != FAILED_CONDITION:
                raise
            if await self.record_of(name) is not None:
                raise Conflict(
                    f"The record {name} in the table {self.name} speaks of another place by now, so it is left there.",
                    next_step="Look at that record.",
                ) from error

    async def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        settings = self._services.settings
        return await self._services.cloud.call(
            "dynamodb",
            operation,
            region=settings.toolchain_region or settings.aws_region,
            role=settings.toolchain_role_arn,
            TableName=self.name,
            **parameters,
        )

    async def _records(self) -> list[dict[str, Any]]:
        settings = self._services.settings
        pages = self._services.cloud.pages(
            "dynamodb",
            "Scan",
            "Items",
            region=settings.toolchain_region or settings.aws_region,
            role=settings.toolchain_role_arn,
            TableName=self.name,
            ConsistentRead=True,
        )
        found: list[dict[str, Any]] = []
        async for item in pages:
            if len(found) == MOST:
                raise Conflict(f"The table {self.name} has more than {MOST} records.", next_step="Is it the right one?")
            found.append(plain(item))
        return found

    async def _work(self, last: datetime) -> None:
        found = await self.follow(None, JOB)
        for name, why in found.wrong:
            log.warning("releases.record_not_taken", table=self.name, record=name, why=why)
        if found.has_changed:
            log.info("releases.table_followed", table=self.name, text=found.sentence())


def _wire(record: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in record.items()}


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an item's attributes: texts and numbers as text, everything else as it is on the wire."""
    found: dict[str, Any] = {}
    for name, typed in item.items():
        ((kind, content),) = typed.items()
        found[name] = content if kind in ("S", "N") else typed
    return found
