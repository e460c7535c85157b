"""What is done about the record by itself: it is anchored, and what is too old to be kept is erased."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from bot.audit.anchoring import Anchoring
from bot.audit.erasing import Erasing
from bot.settings import Settings
from bot.workflow.periodic import Job

log = structlog.get_logger(__name__)


def record_jobs(settings: Settings, anchoring: Anchoring, erasing: Erasing) -> tuple[Job, ...]:
    """Return the jobs that the settings ask for."""

    async def expire(last: datetime) -> None:
        erased = await erasing.expire(settings.audit_keep_days)
        if erased:
            log.info("audit.expired", payloads=erased, days=settings.audit_keep_days)

    keeping = (Job("audit-retention", timedelta(hours=6), expire),) if settings.audit_keep_days else ()
    return (*anchoring.jobs, *keeping)
