"""Deployments that come: added with their pipeline, also in an account that is vended first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bot.accounts import Accounts
from bot.card import Card, Facts, Text
from bot.database import Transaction
from bot.errors import CloudError, Conflict, Invalid, QuartermasterError
from bot.intent import Ask, Change, Definition, Segment, Slot
from bot.ordering import place_following
from bot.plan import Plan
from bot.releases.registry import REGION, deployment_from
from bot.services import Services
from bot.workflow.checking import check_again, failure
from bot.workflow.model import Done, Failed, Notice, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run
from intents.releases import deployment_definitions as definitions
from intents.releases.deployment_changes import SAYS_NEW, DeploymentChange
from intents.releases.deployment_definitions import NEW
from intents.releases.deployment_planning import plan_of_adding
from intents.releases.master import MasterTable
from intents.releases.provisioning import BUILD, STACK, Provisioning
from intents.releases.toolchain import Toolchain

VENDING = "AWSAccountVending"
ORDERED, VENDED = "account_request", "vended_account"
"""Notes: the request that orders the account, and the account that came of it."""
FOLLOWED = "deployment-account"
POLL = timedelta(seconds=15)


class AddDeployment(DeploymentChange):
    """Adds one: its account is vended if it is to be new, its pipeline made, and then it is written down."""

    def __init__(
        self, services: Services, toolchain: Toolchain, provisioning: Provisioning, table: MasterTable
    ) -> None:
        super().__init__(services, toolchain, provisioning, table)
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
            if SAYS_NEW.search(value.strip(" .!")):
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
            "record": await self.table.record_of(one.id) if self.table.name and known is None else None,
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
        if what.get("table"):
            try:
                await run.step("write its record into the table", lambda: self.table.write(one))
            except CloudError as error:
                if error.retryable:
                    raise
                return await self.failed(run, f"Its record could not be written: {error.plain}", "settle")
            except Conflict as error:
                return await self.failed(run, error.sentence(), "settle")

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
        kept = (("Table", what.get("table")),) if what.get("table") else ()
        rows = (("Pipeline", one.pipeline), ("Account", one.account), ("Region", one.region), *kept)
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
