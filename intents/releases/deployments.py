"""Deployments that come and go: added with their pipeline, also in an account that is vended first, and removed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from bot.accounts import Accounts
from bot.activity import clean_text
from bot.card import Card, Facts, Text
from bot.database import Transaction
from bot.errors import CloudError, Conflict, Invalid, QuartermasterError
from bot.intent import Ask, Change, Definition, Segment, Slot
from bot.ordering import place_following
from bot.plan import Plan
from bot.releases.registry import COMPONENT, NAME, REGION, deployment_from
from bot.releases.rollouts import Rollouts
from bot.services import Services
from bot.workflow.checking import check_again, failure
from bot.workflow.mending import RETRIES
from bot.workflow.model import Done, Failed, Notice, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run
from intents.releases import deployment_definitions as definitions
from intents.releases.deployment_definitions import NEW
from intents.releases.deployment_planning import DEPLOYMENT, plan_of_adding, plan_of_removing
from intents.releases.provisioning import BUILD, STACK, Provisioning
from intents.releases.toolchain import Toolchain

VENDING = "AWSAccountVending"
ORDERED, VENDED = "account_request", "vended_account"
"""Notes: the request that orders the account, and the account that came of it."""
FOLLOWED = "deployment-account"
POLL = timedelta(seconds=15)
_NEW = re.compile(r"\b(?:(?:its|an?|the) )?(?:new|own)(?: aws)? account\b|^new$", re.IGNORECASE)
_KEY = re.compile(r"\b(silo|pool)s?[ -](?:called |named |for )?([a-z0-9][\w.-]*)", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<!\d)(\d{12}|\d{4}[- ]\d{4}[- ]\d{4})(?!\d)")
_REGION = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b")
_NO_NAMES = frozenset(("in", "to", "of", "for", "called", "named", "with", "from", "please"))


class _DeploymentChange(Change):
    """What adding and removing have in common: the deployment that is meant, and its component."""

    def __init__(self, services: Services, toolchain: Toolchain, provisioning: Provisioning) -> None:
        super().__init__(services)
        self.toolchain, self.provisioning = toolchain, provisioning

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Take kind, name, account and Region as they stand in the sentence: recognisers cut them less surely."""
        slots = dict(ask.slots)
        if (found := _KEY.search(ask.text)) and found[2].casefold() not in _NO_NAMES:
            slots |= {"Kind": found[1].casefold(), "Deployment": found[2].rstrip(".").casefold()}
        known = {s.name for s in self.definition.slots}
        if "Account" in known:
            if _NEW.search(ask.text):
                slots["Account"] = NEW
            elif account := _ACCOUNT.search(ask.text):
                slots["Account"] = re.sub(r"\D", "", account[1])
            if region := _REGION.search(ask.text):
                slots["Region"] = region[0]
        return None if slots == ask.slots else (self.definition.name, slots)

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Ask for the component where there are several, or none is known yet."""
        slots = self.definition.slots
        if len(await self.services.deployments.components()) == 1:
            return slots
        return tuple(replace(s, required=True) if s.name == "Component" else s for s in slots)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return components."""
        if slot == "Component":
            return tuple((await self.services.deployments.components())[:12])
        return await super().suggestions(slot, ask)

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value in the form that registry and pipelines have it in."""
        said = clean_text(value).strip(" .?!")
        if slot == "Deployment":
            if (whole := _KEY.fullmatch(said)) is not None:
                said = whole[2]
            if not NAME.fullmatch(said.casefold()):
                raise Invalid(f"“{said[:40]}” is no name of a deployment.", field=slot, next_step="Such as acme, or 7.")
            return said.casefold()
        if slot == "Component":
            if not COMPONENT.fullmatch(said.casefold()):
                raise Invalid(f"“{said[:40]}” is no component.", field=slot, next_step="Such as checkout.")
            return said.casefold()
        return await super().validate(slot, value, ask)

    async def component(self, named: str) -> str:
        """Return the component that is meant: as it was said, else the only one."""
        if named:
            return named
        known = await self.services.deployments.components()
        if len(known) != 1:
            raise Invalid("Of which component?", field="Component", choices=tuple(known[:12]))
        return known[0]

    async def failed(self, run: Run, why: str, segment: str) -> Failed:
        """Return the end of a request whose deployment is not as it should be, and how it goes on."""
        step = f"When that is mended, an operator says “retry {run.request.id}”."
        found = failure(run.request, why, step)
        return Failed(found.notice, found.text, found.next_step, retry={"segment": segment, "payload": {}})

    def tries(self, run: Run) -> int:
        """Return how often an operator had it tried again."""
        return int(run.request.notes.get(RETRIES, 0))


class AddDeployment(_DeploymentChange):
    """Adds one: its account is vended if it is to be new, its pipeline made, and then it is written down."""

    def __init__(self, services: Services, toolchain: Toolchain, provisioning: Provisioning) -> None:
        super().__init__(services, toolchain, provisioning)
        self._accounts = Accounts(services)
        self.watchers = (*provisioning.watchers(), Watcher(FOLLOWED, POLL, self._look_at_orders))

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.ADDING

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Add what an account has to be ordered with, where it is to be a new one."""
        slots = await super().slots(ask)
        if ask.slots.get("Account") != NEW:
            return slots
        ordered = await self._vending().slots(self._order_ask(ask))
        return (*slots, *(s for s in ordered if s.required))

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return those of the account's order for its own slots."""
        if self._is_own(slot):
            return await super().choices(slot, ask)
        found = await self._vending().choices(slot, self._order_ask(ask))
        return tuple(u for u in found if self.services.deployable.covers(u)) if slot == "AccountOU" else found

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return those of the account's order for its own slots, but only OUs that may be deployed into."""
        if self._is_own(slot):
            return await super().suggestions(slot, ask)
        if slot == "AccountOU":
            return (await self.choices(slot, ask))[:5]
        return await self._vending().suggestions(slot, self._order_ask(ask))

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return an account's id, or "new"; a Region; of the account's order what that makes of it."""
        if not self._is_own(slot):
            return await self._vending().validate(slot, value, self._order_ask(ask))
        if slot == "Account":
            if _NEW.search(value.strip(" .!")):
                return NEW
            account = await self._accounts.meant(value, ask.conversation)
            if account.id not in await self.services.deployable.ids():
                where = " or ".join(self.services.settings.deployment_ous)
                raise Invalid(
                    f"{account.shown} is no active member of the organization under {where}.",
                    field=slot,
                    next_step="Name an account that may be deployed into, or say “a new account”.",
                )
            return account.id
        if slot == "Region":
            if not REGION.fullmatch(value.strip().casefold()):
                raise Invalid(f"“{value[:40]}” is no Region.", field=slot, next_step="Such as eu-west-1.")
            return value.strip().casefold()
        return await super().validate(slot, value, ask)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the account, the registry and the pipelines. Raises CloudError, Invalid and Conflict."""
        slots, component = ask.slots, await self.component(ask.slots.get("Component", ""))
        record = {"component": component, "id": slots["Deployment"], "type": slots["Kind"], "region": slots["Region"]}
        is_new = slots["Account"] == NEW
        one = deployment_from({**record, "account": "0" * 12 if is_new else slots["Account"]})
        known = next((d for d in await self.services.deployments.all(component) if d.key == one.key), None)
        pipeline = known.pipeline if known else one.pipeline
        pipelines = await self.toolchain.pipelines()
        tags = await self.toolchain.tags(pipeline) if pipeline in pipelines else None
        account, is_allowed = None, False
        if not is_new:
            found = await self._accounts.account(slots["Account"])
            account = {"id": found.id, "name": found.name}
            is_allowed = found.id in await self.services.deployable.ids(fresh=True)
        return {
            "slots": dict(slots),
            "component": component,
            "kind": one.kind,
            "id": one.id,
            "key": one.key,
            "region": one.region,
            "account": account,
            "is_allowed": is_allowed,
            "where": " or ".join(self.services.settings.deployment_ous),
            "known": asdict(known) if known else None,
            "pipeline": pipeline,
            "pipeline_tags": tags,
            "tool": self.provisioning.tool(),
            "master": self.services.deployments.master,
            "order": await self._order(ask) if is_new else None,
        }

    async def _order(self, ask: Ask) -> dict[str, Any]:
        """Return what the order of the account would do, as JSON types."""
        await self.services.deployable.ids()  # raises where no OU is named
        order = self._order_ask(ask)
        plan = await self._vending().prepare(order)
        unit = order.slots.get("AccountOU", "")
        return {
            "intent": VENDING,
            "slots": dict(order.slots),
            "summary": plan.summary,
            "checks": plan.as_dict()["checks"],
            "unit": unit,
            "is_covered": self.services.deployable.covers(unit),
            "where": " or ".join(self.services.settings.deployment_ous),
        }

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        return plan_of_adding(facts)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments."""
        return {"start": self._start, "vended": self._vended, "build": self._build, "settle": self._settle}

    async def _start(self, run: Run) -> SegmentResult:
        changed = await check_again(run, "look at the deployment once more")
        if changed:
            return changed
        order = run.request.plan.effects["order"]
        if not order:
            await run.begin_changing()
            return await self._build(run)
        why = f"Request {run.request.id} needs an account for {run.request.plan.effects['id']}:"

        async def place() -> str:
            return await place_following(
                self.services, self._vending(), order["slots"], run.request, name=ORDERED, why=why
            )

        try:
            ordered = await run.step("order the account", place)
        except CloudError:
            raise
        except QuartermasterError as error:
            return failure(run.request, f"The account was not ordered: {error.sentence()}", "Ask again.")
        return self._wait_for(ordered)

    def _wait_for(self, ordered: str) -> Wait:
        text = f"It goes on by itself when request {ordered} has made the account."
        return Wait(FOLLOWED, ordered, "vended", state="queued", notice=Notice("waits-for-account", text))

    async def _look_at_orders(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        verdicts = {}
        for row in waiting:
            ordered = await self.services.requests.find(row.key)
            verdicts[row.seq] = Verdict(ready=ordered.is_final)
        return verdicts

    async def _vended(self, run: Run) -> SegmentResult:
        current = await self.services.requests.find(run.request.id)
        ordered = await self.services.requests.find(str(current.notes[ORDERED]))
        if not ordered.is_final:  # an operator had it retried
            return self._wait_for(ordered.id)
        account = str((ordered.outcome or {}).get("account_id", ""))
        if ordered.state != "succeeded" or not account:
            words = str((ordered.outcome or {}).get("text", "")) or f"It is {ordered.state}."
            step = f"Nothing was made for the deployment. When request {ordered.id} has succeeded after all, an " \
                   f"operator says “retry {run.request.id}”; else ask again."  # fmt: skip
            found = failure(run.request, f"The account was not made by request {ordered.id}. {words}", step)
            return Failed(found.notice, found.text, found.next_step, retry={"segment": "vended", "payload": {}})
        await run.note(**{VENDED: account})
        await run.begin_changing()
        return await self._build(run)

    async def _what(self, run: Run) -> dict[str, Any]:
        """Return the effects, with the account that was vended meanwhile."""
        notes = (await self.services.requests.find(run.request.id)).notes
        effects = dict(run.request.plan.effects)
        return {**effects, "account": effects["account"] or str(notes.get(VENDED, ""))}

    async def _build(self, run: Run) -> SegmentResult:
        what, try_ = await self._what(run), self.tries(run)
        if what["account"] not in await self.services.deployable.ids(fresh=True):
            where = " or ".join(self.services.settings.deployment_ous)
            return await self.failed(run, f"The account {what['account']} is no active one under {where}.", "build")
        if not what["call"]:
            return await self._settle(run)
        try:
            if what["tool"]["kind"] == "codebuild":
                begun = await run.step(
                    "start the build", lambda: self.provisioning.build(run.request, what, "provision", try_)
                )
            else:
                begun = await run.step(
                    "create the stack", lambda: self.provisioning.create_stack(run.request, what, try_)
                )
        except CloudError as error:
            if error.retryable:
                raise
            return await self.failed(run, f"Its pipeline could not be made: {error.plain}", "build")
        except Conflict as error:
            return await self.failed(run, error.sentence(), "build")
        kind = BUILD if what["tool"]["kind"] == "codebuild" else STACK
        text = f"Request {run.request.id}: the pipeline {what['pipeline']} is being made."
        return Wait(kind, begun, "settle", {"begun": begun}, state="running", notice=Notice(f"making:{try_}", text))

    async def _settle(self, run: Run) -> SegmentResult:
        what, status = await self._what(run), str(run.payload.get("status", ""))
        if status and status not in ("SUCCEEDED", "CREATE_COMPLETE"):
            begun = str(run.payload["begun"])
            if what["tool"]["kind"] == "codebuild":
                why = await self.provisioning.why_build_failed(begun, status)
            else:
                why = f"The stack {what['pipeline']} is in {status}: {run.payload.get('why') or 'no reason is given'}."
            return await self.failed(run, f"The pipeline was not made. {why}", "build")
        if what["pipeline"] not in await self.toolchain.pipelines():
            return await self.failed(run, f"All ended well, but there is no pipeline {what['pipeline']}.", "build")
        one = deployment_from({k: what[k] for k in ("component", "id", "type", "account", "region")})
        services = self.services

        async def keep(transaction: Transaction) -> None:
            if not what["registers"]:
                return
            await services.deployments.add(transaction, one)
            await services.audit.record(
                transaction,
                "deployment.added",
                person_id=run.request.requester.id,
                request_id=run.request.id,
                payload={"deployment": f"{one.component}/{one.key}", "account": one.account, "region": one.region},
            )

        await services.database.write(keep)
        text = (
            f"{one.key} of {one.component} is there, in {one.account}, {one.region}. The next roll-out brings it a "
            "version."
        )
        rows = (("Pipeline", one.pipeline), ("Account", one.account), ("Region", one.region))
        card = Card(
            f"Added: {run.request.plan.summary}", (Text(text), Facts(rows)), tone="good", request=run.request.id
        )
        yields = {"component": one.component, "deployment": one.key, "account_id": one.account}
        return Done(Notice("done", text, card), text, yields=yields)

    def _vending(self) -> Change:
        try:
            return self.services.registry.change(VENDING)
        except KeyError:
            raise Conflict("Accounts are not vended here.", next_step="Name an account that there is.") from None

    def _is_own(self, slot: str) -> bool:
        return slot in {s.name for s in self.definition.slots}

    def _order_ask(self, ask: Ask) -> Ask:
        slots = {name: value for name, value in ask.slots.items() if not self._is_own(name)}
        return Ask(ask.person, slots, ask.conversation, ask.channel, ask.owner, ask.fresh, text=ask.text)


class RemoveDeployment(_DeploymentChange):
    """Retires one: pipeline and stacks are deleted, then it is forgotten. Nothing is rolled out meanwhile."""

    def __init__(
        self, services: Services, toolchain: Toolchain, provisioning: Provisioning, rollouts: Rollouts
    ) -> None:
        super().__init__(services, toolchain, provisioning)
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
            "tool": self.provisioning.tool(),
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
        if what["pipeline"] in await self.toolchain.pipelines():
            return await self.failed(
                run, f"All ended well, but the pipeline {what['pipeline']} is still there.", "retire"
            )
        key = f"{what['type']}-{what['id']}"

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
        text = f"{key} of {what['component']} is gone: its pipeline {what['pipeline']} and the stack {what['stack']}."
        card = Card(f"Removed: {run.request.plan.summary}", (Text(text),), tone="good", request=run.request.id)
        return Done(Notice("done", text, card), text, yields={"component": what["component"], "deployment": key})
