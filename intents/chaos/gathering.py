"""Reading the world before an experiment: its template and targets, alarms, lever, and who else is on the stack."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from bot.database.tables import requests, touched
from bot.errors import CloudError
from bot.intent import Ask
from bot.services import Services
from intents.chaos.fis import ENDED, Fis
from intents.chaos.model import Template, seconds_of
from intents.chaos.notes import SKIP_ALL, START_BY, WITHIN
from intents.chaos.planning import STACK
from intents.chaos.targets import Hit, Targets, differences

log = structlog.get_logger(__name__)

PREVIEW_KEEPS = timedelta(hours=1)
"""How long FIS's own preview is shown with a plan."""
_RUNNING = ("running", "paused", "stopping")


class Gathering:
    """Reads everything anew: what was read a minute ago may not be so any more."""

    def __init__(self, services: Services, fis: Fis) -> None:
        self._services, self._fis, self._targets = services, fis, Targets(services)

    async def facts(self, ask: Ask) -> Mapping[str, Any]:
        """Return the facts of a plan, as JSON types. Raises CloudError and Invalid."""
        now = self._services.clock.now()
        template = await self._fis.find(ask.slots["Experiment"], ask.slots.get("Stack", ""), fresh=True)
        hits, alarms, lever, runs, (insights, unread), busy = await asyncio.gather(
            self._targets.resolve(template),
            self._fis.alarms(template.place, template.alarms) if template.alarms else _nothing(),
            self._fis.lever(template.place),
            self._fis.runs(template.place),
            self._insights(template),
            self._busy(template.stack, ask.slots.get(WITHIN, "")),
        )
        freeze = self._services.house.freeze_of(template.stack, now)
        return {
            "slots": dict(ask.slots),
            "template": template.as_dict(),
            "hits": [h.as_dict() for h in hits],
            "alarms": {arn: alarm["StateValue"] for arn, alarm in alarms.items()},
            "lever": lever,
            "running": sum(run["state"]["status"] not in ENDED for run in runs),
            "preview": await self._preview(template, runs, hits, now),
            "insights": insights,
            "unread": unread,
            "busy": busy,
            "freeze": {"name": freeze.name, "until": f"{freeze.until:%Y-%m-%d %H:%M %Z}"} if freeze else None,
            "limit_minutes": minutes_of(ask.slots["RunTime"]) if ask.slots.get("RunTime") else 0.0,
            "is_late": bool(ask.slots.get(START_BY)) and now >= datetime.fromisoformat(ask.slots[START_BY]),
            "lease_minutes": self._services.settings.chaos_lease_minutes,
        }

    async def _preview(
        self, template: Template, runs: Sequence[Mapping[str, Any]], hits: Sequence[Hit], now: datetime
    ) -> dict[str, Any] | None:
        """Return what FIS itself resolved lately for the template as it is, None when it was not asked to."""
        since = max(datetime.fromisoformat(template.updated), now - PREVIEW_KEEPS)
        found = [
            run
            for run in runs
            if run["experimentTemplateId"] == template.id
            and run.get("experimentOptions", {}).get("actionsMode") == SKIP_ALL
            and run["state"]["status"] == "completed"
            and run["creationTime"] >= since
        ]
        if not found:
            return None
        newest = max(found, key=lambda run: run["creationTime"])
        resolved = await self._fis.resolved(template.place, newest["id"])
        return {"id": newest["id"], "at": newest["creationTime"].isoformat(), "differs": differences(hits, resolved)}

    async def _insights(self, template: Template) -> tuple[list[dict[str, str]], list[str]]:
        """Return the open insights of high severity on the stack, and what could not be looked at."""
        if self._services.insights is None:
            return [], ["Nothing watches the accounts for insights here."]
        accounts = template.accounts or (template.place.account,)
        found: list[dict[str, str]] = []
        unread: list[str] = []
        for account in accounts:
            try:
                open_ones = await self._services.insights.ongoing((template.place.region,), account)
            except CloudError as error:
                log.warning("chaos.insights_unread", account=account, code=error.code)
                unread.append(f"Open insights of account {account} can't be read just now ({error.code}).")
                continue
            unread += open_ones.missing
            found += [
                {"id": i.id, "name": i.name}
                for i in open_ones.insights
                if i.severity == "HIGH" and (not i.stacks or template.stack in i.stacks)
            ]
        return found, unread

    async def _busy(self, stack: str, within: str) -> list[dict[str, str]]:
        """Return the requests of any kind that are at work on a stack, but for the one that waits for this run."""
        query = (
            select(requests.c.id, requests.c.plan)
            .join(touched, touched.c.request_id == requests.c.id)
            .where(touched.c.kind == STACK, touched.c.resource == stack, requests.c.state.in_(("queued", *_RUNNING)))
            .where(requests.c.id != within)
            .order_by(requests.c.id)
        )
        async with self._services.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [{"id": r.id, "summary": r.plan["summary"]} for r in rows]


async def _nothing() -> dict[str, dict[str, Any]]:
    return {}


def minutes_of(duration: str) -> float:
    """Return the minutes of an ISO 8601 duration as Lex gives it (PT10M, PT1H30M); 0 when it is none."""
    return timedelta(seconds=seconds_of({"parameters": {"d": duration}})) / timedelta(minutes=1)
