"""Deployments that go: what was made for them is retired, and then they are no longer known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.card import Card, Text
from bot.database import Transaction
from bot.errors import CloudError, Conflict
from bot.intent import Ask, Definition, Segment, Slot
from bot.plan import Plan
from bot.releases.rollouts import Rollouts
from bot.services import Services
from bot.workflow.checking import check_again
from bot.workflow.model import Done, Notice, SegmentResult, Wait
from bot.workflow.run import Run
from intents.releases import deployment_definitions as definitions
from intents.releases.deployment_changes import DeploymentChange
from intents.releases.deployment_planning import DEPLOYMENT, FORGETTING, plan_of_removing
from intents.releases.master import MasterTable
from intents.releases.provisioning import BUILD, STACK, Provisioning
from intents.releases.toolchain import Toolchain


class RemoveDeployment(DeploymentChange):
    """Retires one: pipeline and stacks are deleted, then it is forgotten. Nothing is rolled out meanwhile."""

    def __init__(
        self,
        services: Services,
        toolchain: Toolchain,
        provisioning: Provisioning,
        table: MasterTable,
        rollouts: Rollouts,
    ) -> None:
        super().__init__(services, toolchain, provisioning, table)
        self._rollouts = rollouts

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.REMOVING

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Ask for nothing more: what is meant is looked up."""
        return self.definition.slots

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the deployment's name; raises NotFound where there is none, Invalid where several are called so."""
        said = await super().validate(slot, value, ask)
        if slot == "Deployment":
            kind = ask.slots.get("Kind", "")
            found = await self.services.deployments.find(
                f"{kind}-{said}" if kind else said, ask.slots.get("Component", ""), with_retired=True
            )
            return found.key
        return said

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the deployment, its pipeline, and who holds its component."""
        one = await self.services.deployments.find(
            ask.slots["Deployment"], ask.slots.get("Component", ""), with_retired=True
        )
        is_retired = (one.component, one.key) in await self.services.deployments.retired()
        is_provisioned = one.pipeline in await self.toolchain.pipelines()
        runs = await self.toolchain.executions(one.pipeline) if is_provisioned else ()
        holder = await self._rollouts.holder(one.component)
        own = await self.services.requests.open_on(DEPLOYMENT, f"{one.component}/{one.key}")
        return {
            "slots": dict(ask.slots),
            "deployment": asdict(one),
            "key": one.key,
            "pipeline": one.pipeline,
            "is_provisioned": is_provisioned,
            "running": next((str(e["pipelineExecutionId"]) for e in runs if e["status"] == "InProgress"), ""),
            "holder": "" if own and holder == own.id else holder,
            # Nothing was made for what CodeDeploy changes, so nothing is taken away: it is forgotten.
            "tool": FORGETTING if one.codedeploy else self.provisioning.tool(),
            "master": "" if is_retired else self.services.deployments.master,
        }

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        return plan_of_removing(facts)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments."""
        return {"start": self._start, "retire": self._retire, "retired": self._retired, "gone": self._gone}

    async def _start(self, run: Run) -> SegmentResult:
        changed = await check_again(run, "look at the deployment once more")
        if changed:
            return changed
        await run.begin_changing()
        return await self._retire(run)

    async def _retire(self, run: Run) -> SegmentResult:
        what, try_ = run.request.plan.effects, self.tries(run)

        async def take(transaction: Transaction) -> bool:
            return await self._rollouts.take(transaction, what["component"], run.request.id)

        if not await self.services.database.write(take):
            holder = await self._rollouts.holder(what["component"])
            why = f"Request {holder} has just taken {what['component']}; nothing was deleted."
            return await self.failed(run, why, "retire")
        if what["tool"] == FORGETTING:
            return await self._gone(run)
        if what["tool"]["kind"] == "codebuild":
            return await self._begin(run, "start the build", BUILD, "gone", {}, try_)
        return await self._begin(run, "delete the pipeline's stack", STACK, "retired", {}, try_)

    async def _retired(self, run: Run) -> SegmentResult:
        """The pipeline is gone: what it has deployed goes as well."""
        if (bad := await self._is_bad(run)) is not None:
            return bad
        what = run.request.plan.effects
        member = {"account": what["account"], "region": what["region"]}
        return await self._begin(
            run, "delete the deployment's stack", STACK, "gone", {"member": member}, self.tries(run)
        )

    async def _begin(self, run: Run, step: str, kind: str, then: str, more: dict[str, Any], try_: int) -> SegmentResult:
        what, token = run.request.plan.effects, f"{run.request.id}-{run.request.version}-{try_}"

        async def work() -> str:
            if kind == BUILD:
                return await self.provisioning.build(run.request, what, "retire", try_)
            if more:
                return await self.provisioning.delete_member_stack(what, token)
            return await self.provisioning.delete_stack(str(what["pipeline"]), token)

        try:
            begun = await run.step(step, work)
        except CloudError as error:
            if error.retryable:
                raise
            return await self.failed(run, f"It could not be retired: {error.plain}", "retire")
        if not begun:
            return await (self._retired(run) if then == "retired" else self._gone(run))
        text = f"Request {run.request.id}: {what['type']}-{what['id']} is being retired."
        return Wait(kind, begun, then, {"begun": begun, **more}, state="running", notice=Notice(f"retire:{try_}", text))

    async def _is_bad(self, run: Run) -> SegmentResult | None:
        status = str(run.payload.get("status", ""))
        if status in ("", "SUCCEEDED", "DELETE_COMPLETE"):
            return None
        begun = str(run.payload["begun"])
        if run.request.plan.effects["tool"]["kind"] == "codebuild":
            why = await self.provisioning.why_build_failed(begun, status)
        else:
            name = begun.partition("/")[2].partition("/")[0] or begun
            why = f"The stack {name} is in {status}: {run.payload.get('why') or 'no reason is given'}."
        return await self.failed(run, f"It was not retired. {why}", "retire")

    async def _gone(self, run: Run) -> SegmentResult:
        if (bad := await self._is_bad(run)) is not None:
            return bad
        what, services = run.request.plan.effects, self.services
        is_forgotten = what["tool"] == FORGETTING
        if not is_forgotten and what["pipeline"] in await self.toolchain.pipelines():
            return await self.failed(
                run, f"All ended well, but the pipeline {what['pipeline']} is still there.", "retire"
            )
        key = f"{what['type']}-{what['id']}"
        if what.get("table"):
            try:
                await run.step(
                    "take its record out of the table",
                    lambda: self.table.forget(what["id"], what["account"], what["region"]),
                )
            except CloudError as error:
                if error.retryable:
                    raise
                return await self.failed(run, f"Its record could not be taken out: {error.plain}", "gone")
            except Conflict as error:
                return await self.failed(run, error.sentence(), "gone")

        async def forget(transaction: Transaction) -> None:
            await services.deployments.remove(transaction, what["component"], key)
            await services.audit.record(
                transaction,
                "deployment.removed",
                person_id=run.request.requester.id,
                request_id=run.request.id,
                payload={"deployment": f"{what['component']}/{key}", "account": what["account"]},
            )

        await services.database.write(forget)
        gone = f"is gone: its pipeline {what['pipeline']} and the stack {what['stack']}."
        if is_forgotten:
            gone = "is not known here any more; what runs there runs on."
        text = f"{key} of {what['component']} {gone}"
        card = Card(f"Removed: {run.request.plan.summary}", (Text(text),), tone="good", request=run.request.id)
        return Done(Notice("done", text, card), text, yields={"component": what["component"], "deployment": key})
