"""Reports that intents offer and adapters hand out as files: one by the month, and one about what a request did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from bot.errors import NotFound
from bot.intent import Registry
from bot.requests import RequestRecord


@runtime_checkable
class MonthlyCsv(Protocol):
    """Writes one month as CSV."""

    async def write_csv(self, month: str) -> tuple[str, str]:
        """Return (file name, CSV) of a month such as 2026-10; Invalid for what is none, NotFound for one
        ahead, Unavailable while AWS can't be reached."""
        ...


def monthly_csv(registry: Registry) -> MonthlyCsv:
    """Return the intent that writes the monthly report; raises NotFound when there is none."""
    found = (intent for intent in registry.intents.values() if isinstance(intent, MonthlyCsv))
    intent = next(found, None)
    if intent is None:
        raise NotFound("There is no monthly report here.")
    return intent


@dataclass(frozen=True)
class Exported:
    """A report about one request: `page` is HTML that stands alone, charts included; `data` holds JSON types."""

    name: str
    page: str
    data: Mapping[str, Any]


@runtime_checkable
class RunReports(Protocol):
    """Writes reports about requests of the intent `reports_on`."""

    reports_on: str

    def has_report(self, record: RequestRecord) -> bool:
        """Tell whether there is anything to report yet."""
        ...

    async def export(self, record: RequestRecord) -> Exported:
        """Return the report as it can be written now. Raises NotFound when there is nothing yet, and CloudError."""
        ...


def run_reports(registry: Registry, record: RequestRecord) -> RunReports | None:
    """Return what writes reports about a request, None when nothing does."""
    offered = (i for i in registry.intents.values() if isinstance(i, RunReports) and i.reports_on == record.intent)
    return next(offered, None)


async def export_report(registry: Registry, record: RequestRecord) -> Exported:
    """Return the report about a request; raises NotFound when there is none."""
    reports = run_reports(registry, record)
    if reports is None or not reports.has_report(record):
        raise NotFound(f"There is no report about request {record.id}.")
    return await reports.export(record)
