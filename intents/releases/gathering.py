"""Reading the world before a roll-out: deployments, pipelines and accounts, the commit, and what stands against it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import structlog
from sqlalchemy import select

from bot.database.tables import component_locks, requests, rollout_targets, rollouts, touched
from bot.errors import CloudError, Conflict, Invalid
from bot.intent import Ask
from bot.releases.waves import Deployment
from bot.releases.wording import experiments_of, read_strategy, rename_experiments, say_strategy
from bot.requests import OPEN_STATES
from bot.services import Services
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.planning import EXPERIMENT, STACK, stack_of
from intents.releases.shift_facts import ShiftFacts
from intents.releases.toolchain import Revision, Source, Toolchain

log = structlog.get_logger(__name__)

LOOKED_AT = 25
"""Pipelines of the first wave that are looked at while planning; each is looked at again right before its start."""
LOOKED_BACK = 200
"""Former runs whose length tells how long one takes."""
USUAL = 600.0
"""Seconds that a run is taken to need where none was seen yet."""
HOTFIX_GROUP = "hotfix"


class Gathering:
    """Reads everything anew: what was read a minute ago may not be so any more."""

    def __init__(
        self, services: Services, toolchain: Toolchain, shifting: ShiftFacts, experiments: ExperimentGates
    ) -> None:
        self._services, self._toolchain = services, toolchain
        self._shifting, self._experiments = shifting, experiments

    async def component(self, named: str) -> str:
        """Return the component that is meant, the only one when none is named; raises Invalid or Conflict."""
        known = await self._services.deployments.components()
        if not known:
            raise Conflict(
                "No deployments are known yet, so there is nothing to roll out to.",
                next_step="An operator says “import the deployments”, or posts them to /v1/deployments.",
            )
        wanted = named.strip(" .?!").casefold()
        if not wanted and len(known) == 1:
            return known[0]
        if wanted in known:
            return wanted
        said = f"There is no component “{wanted[:60]}”." if wanted else "Several components are deployed."
        raise Invalid(
            said, field="Component", next_step=f"Say one of {', '.join(known[:20])}.", choices=tuple(known[:12])
        )

    async def facts(self, ask: Ask) -> Mapping[str, Any]:
        """Return the facts of a plan, as JSON types. Raises CloudError, Invalid and Conflict."""
        services, version = self._services, ask.slots["Version"]
        component = await self.component(ask.slots.get("Component", ""))
        listed, allowed, pipelines = await asyncio.gather(
            services.deployments.all(component),
            services.deployable.ids(fresh=ask.fresh),
            self._toolchain.pipelines(),
        )
        provisioned = [d for d in listed if d.pipeline in pipelines]
        source = await self._source(provisioned, fresh=ask.fresh)
        revision, (insights, unread), busy, seconds = await asyncio.gather(
            self._revision(source, version, ask.slots.get("Commit", "")),
            self._insights(listed),
            self._busy(component, listed),
            self._usual_seconds(component),
        )
        now = services.clock.now()
        holder = next((one["id"] for one in busy if one["kind"] == "lock"), "")
        strategy = read_strategy(ask.slots["Waves"], listed, now)
        experiments = await asyncio.gather(
            *(self._experiments.look(value, ask, holder) for value in experiments_of(strategy))
        )
        shifts = await self._shifting.of(listed, version, strategy.shift, allowed)
        freeze = services.house.freeze_of(component, now)
        return {
            "slots": dict(ask.slots),
            "now": now.isoformat(),
            "component": component,
            "version": version,
            "deployments": [asdict(d) for d in listed],
            "allowed": sorted(allowed),
            "unprovisioned": sorted(d.key for d in listed if not d.codedeploy and d.pipeline not in pipelines),
            "shifts": shifts,
            "firing": await self._shifting.firing(listed, shifts),
            "source": source.as_dict() if source else None,
            "revision": asdict(revision),
            "insights": insights,
            "unread": unread,
            "busy": busy,
            "experiments": experiments,
            "seconds": seconds,
            "parallel": services.settings.release_parallel,
            "freeze": {"name": freeze.name, "until": f"{freeze.until:%Y-%m-%d %H:%M %Z}"} if freeze else None,
            "hotfix_group": bool(services.directory.members(HOTFIX_GROUP)),
            "where": " or ".join(services.settings.deployment_ous),
            "hosts": list(services.settings.release_check_hosts),
            "region": self._toolchain.region,
        }

    async def waves(self, said: str, ask: Ask) -> str:
        """Return a strategy in its own words: days resolved, experiments by their templates' names. Raises Invalid."""
        component = await self.component(ask.slots.get("Component", ""))
        strategy = read_strategy(said, await self._services.deployments.all(component), self._services.clock.now())
        names = {value: await self._experiments.canonical(value, ask) for value in experiments_of(strategy)}
        return say_strategy(rename_experiments(strategy, names))

    async def _source(self, provisioned: Sequence[Deployment], *, fresh: bool) -> Source | None:
        return await self._toolchain.source(provisioned[0].pipeline, fresh=fresh) if provisioned else None

    async def _revision(self, source: Source | None, version: str, commit: str) -> Revision:
        if source is None:
            return Revision(commit)
        if commit:
            return await self._toolchain.commit(source, commit, "as said")
        return await self._toolchain.revision(source, version) or Revision("")

    async def _insights(self, listed: Sequence[Deployment]) -> tuple[list[dict[str, str]], list[str]]:
        """Return the open insights of high severity on deployments' stacks, and what could not be looked at."""
        provider = self._services.insights
        if provider is None:
            return [], ["Nothing watches the accounts for insights here."]
        try:
            found = await provider.ongoing(sorted({d.region for d in listed}))
        except CloudError as error:
            log.warning("releases.insights_unread", code=error.code)
            return [], [f"Open insights can't be read just now ({error.code})."]
        places: dict[tuple[str, str], list[Deployment]] = {}
        for deployment in listed:
            places.setdefault((deployment.account, deployment.region), []).append(deployment)
        named = [
            {"key": d.key, "id": i.id, "name": i.name}
            for i in found.insights
            if i.severity == "HIGH"
            for d in places.get((i.account, i.region), ())
            if not i.stacks or stack_of(d.component, d.key) in i.stacks
        ]
        return named, list(found.missing)

    async def _busy(self, component: str, listed: Sequence[Deployment]) -> list[dict[str, str]]:
        """Return who has the component for itself, and experiments at work on its stacks."""
        holder = (
            select(requests.c.id, requests.c.plan)
            .join(component_locks, component_locks.c.request_id == requests.c.id)
            .where(component_locks.c.component == component, requests.c.state.in_(OPEN_STATES))
        )
        tried = select(touched.c.request_id).where(touched.c.kind == EXPERIMENT)
        running = (
            select(requests.c.id, requests.c.plan, touched.c.resource)
            .join(touched, touched.c.request_id == requests.c.id)
            .where(touched.c.kind == STACK, requests.c.id.in_(tried), requests.c.state.in_(("running", "stopping")))
        )
        stacks = {stack_of(component, d.key) for d in listed} | {component}
        async with self._services.database.read() as connection:
            held = (await connection.execute(holder)).all()
            experiments = (await connection.execute(running)).all()
        found = [{"id": r.id, "summary": r.plan["summary"], "kind": "lock"} for r in held]
        return found + [
            {"id": r.id, "summary": r.plan["summary"], "kind": "experiment"}
            for r in experiments
            if r.resource in stacks
        ]

    async def _usual_seconds(self, component: str) -> float:
        query = (
            select(rollout_targets.c.seconds)
            .join(rollouts, rollouts.c.request_id == rollout_targets.c.request_id)
            .where(rollouts.c.component == component, rollout_targets.c.seconds.is_not(None))
            .order_by(rollout_targets.c.ended_at.desc())
            .limit(LOOKED_BACK)
        )
        async with self._services.database.read() as connection:
            seen = sorted((await connection.execute(query)).scalars())
        return float(seen[len(seen) // 2]) if seen else USUAL
