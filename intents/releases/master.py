"""The SaaS sample's table in DynamoDB, which the registry of deployments follows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.activity import Person
from bot.errors import Conflict
from bot.releases.master import Master
from bot.releases.registry import MOST
from bot.releases.table import Followed, read_records
from bot.services import Services
from bot.workflow.periodic import Job

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
JOB = "deployment-table"


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


def plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an item's attributes: texts and numbers as text, everything else as it is on the wire."""
    found: dict[str, Any] = {}
    for name, typed in item.items():
        ((kind, content),) = typed.items()
        found[name] = content if kind in ("S", "N") else typed
    return found
