"""A halted roll-out with everything that its page can show, and the desk that steers it."""

from __future__ import annotations

from typing import cast

from sqlalchemy import update

from bot.activity import Person
from bot.database import Transaction
from bot.database.tables import rollout_targets
from bot.releases.desk import Deed
from bot.releases.registry import deployment_from
from bot.releases.rollouts import Rollout, Rollouts, Rules
from bot.releases.waves import Layout, Limits, Wave
from bot.requests import RequestRecord
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.steering import Steering
from intents.releases.toolchain import Toolchain
from tests.console.stage import Example, Stage, sample_plan

WHY = "Build/Build: <script>alert(1)</script> exited with 1"
COMMIT = "7a1985db49c1189a76a6d3c31a8246e393d6504b"


class SampleRollouts(Example):
    """Steers with the real rights, in front of no AWS."""

    async def steer(self, request_id: str, deed: Deed, by: Person, surface: str) -> str:
        """Pause or resume; try what failed again, or skip it."""
        rollouts = Rollouts(self.services.database, self.services.clock)
        steering = Steering(self.services, rollouts, cast(Toolchain, None), ExperimentGates(self.services))
        record = await self.services.requests.find(request_id)
        if deed in ("retry", "skip"):
            return await (steering.retry if deed == "retry" else steering.skip)(record, "", by, surface)
        return await (steering.pause if deed == "pause" else steering.resume)(record, by, surface)


async def with_rollout(stage: Stage) -> RequestRecord:
    """Put a roll-out up on a stage: one wave done, one halted by a failure, one to come; return its request."""
    services = stage.services
    services.registry.intents["SampleRollouts"] = SampleRollouts(services)
    plan = sample_plan(
        intent="RollOut",
        summary="Roll out shop 2.4.1 to 6 deployments in 3 waves",
        effects={"component": "shop", "version": "2.4.1", "commit": COMMIT},
    )
    record = await stage.ask("ana@corp.example", plan)
    fields = {"component": "shop", "account": "666677778888", "region": "us-east-1", "tenants": "20", "type": "pool"}
    pools = [deployment_from({**fields, "id": str(n)}) for n in range(1, 7)]
    await services.deployments.keep(pools, await stage.person("olga@corp.example"), surface="test")
    layout = Layout((Wave("canary", (*pools[:1],)), Wave("50 %", (*pools[1:3],)), Wave("everyone", (*pools[3:],))), ())
    waves = tuple({"name": w.name, "count": len(w.members), "tenants": w.tenants} for w in layout.waves)
    now = stage.clock.now()
    rollout = Rollout(
        record.id, "shop", "2.4.1", COMMIT, Rules("canary, then 50 %, then everyone", Limits(parallel=20)), "paused", 1,
        waves, "", 0, {}, now, now,
    )  # fmt: skip
    rollouts = Rollouts(services.database, services.clock)

    async def work(transaction: Transaction) -> None:
        await rollouts.begin(transaction, rollout, layout, {})
        await rollouts.set(transaction, record.id, reason=f"in wave 2 failed: pool-2 ({WHY})")
        await services.deployments.released(transaction, "shop", "pool-1", "2.4.1", COMMIT, "run-1", now)
        await services.deployments.released(transaction, "shop", "pool-4", "2.4.0", COMMIT, "run-0", now)
        for key, state, detail in (
            ("pool-1", "succeeded", {}),
            ("pool-2", "failed", {"why": WHY}),
            ("pool-3", "running", {}),
        ):
            await transaction.execute(
                update(rollout_targets)
                .where(rollout_targets.c.request_id == record.id, rollout_targets.c.key == key)
                .values(state=state, detail=detail, started_at=now)
            )

    await services.database.write(work)
    await stage.settle(record, "paused")
    return record
