"""Having a stack watched: the plan with its monthly cost, an approval, and one call inside the stack's account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.account_factory import AccountFactory
from bot.accounts import Accounts
from bot.card import Card, Facts, Text
from bot.errors import CloudError, Invalid
from bot.insights import DEVOPS_GURU
from bot.intent import Ask, Change, Definition, Segment
from bot.plan import Check, Plan, Resource
from bot.services import Services
from bot.workflow.model import Done, Notice, SegmentResult
from bot.workflow.run import Run
from intents.insights import definitions
from intents.insights.asking import Watcher
from intents.insights.providers.coverage import ALL, LEARNING

HOURS = 730
"""Hours a month, as AWS counts them."""
PRICES: Mapping[str, float] = {"AWS::Lambda::Function": 0.0028, "AWS::S3::Bucket": 0.0028}
OTHERS = 0.0042
"""US dollars an hour for each resource that is analysed, as listed for us-east-1; other Regions differ a little."""


class CoverStack(Change):
    """Adds one CloudFormation stack to what DevOps Guru analyses in its account and Region."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher, self._coverage = watcher, watcher.coverage
        self._accounts, self._factory = Accounts(services), AccountFactory(services)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_cover()

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the governed Regions; there are too many accounts and stacks to list."""
        return await self._watcher.regions() if slot == "Region" else ()

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the stacks of the account that are left out."""
        if slot == "Stack" and ask.slots.get("Account") and ask.slots.get("Region"):
            account, region = ask.slots["Account"], ask.slots["Region"]
            stacks = await self._coverage.stacks(region, account)
            return tuple(sorted(stacks - await self._coverage.covered(region, account))[:5])
        return await self.choices(slot, ask)

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return an account's id, a governed Region, or a stack's name; raises Invalid."""
        if slot == "Account":
            return (await self._accounts.meant(value, ask.conversation)).id
        if slot == "Region":
            regions = await self._watcher.regions()
            region = value.strip().casefold()
            if region not in regions:
                raise Invalid(f"{value} is none of the Regions that are looked after.", field=slot, choices=regions)
            return region
        return value.strip().strip("“”\"'")

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the stack, what is in it, what is covered already, and what covering it would cost."""
        account = await self._accounts.account(ask.slots["Account"])
        region, stack = ask.slots["Region"], ask.slots["Stack"]
        facts: dict[str, Any] = {
            "account": account.id,
            "shown": account.shown,
            "kind": account.kind,
            "region": region,
            "stack": stack,
            "resources": {},
            "covered": [],
            "estimate": None,
            "error": "",
            "there": [],
        }
        try:
            facts["there"] = sorted(await self._coverage.stacks(region, account.id))
            if stack in facts["there"]:
                facts["resources"] = dict(Counter(await self._types(region, account.id, stack)))
                facts["covered"] = sorted(await self._coverage.covered(region, account.id))
                facts["estimate"] = await self._coverage.estimate(region, account.id, stack)
        except CloudError as error:
            if error.retryable:
                raise
            facts["error"] = error.plain
        return facts

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan: it costs so much a month from then on."""
        cost = monthly_cost(facts["resources"])
        estimate = facts["estimate"]
        said = (
            f"about {cost:,.2f} USD, by AWS's list prices"
            if estimate is None
            else f"{estimate:,.2f} USD, as AWS estimates"
        )
        house_type = self.services.house.account_type(facts["kind"])
        return Plan(
            intent=definitions.COVER,
            summary=f"Have DevOps Guru watch the stack {facts['stack']} of {facts['shown']} in {facts['region']}",
            effects={
                "call": "devops-guru:UpdateResourceCollection",
                "account_id": facts["account"],
                "region": facts["region"],
                "stack": facts["stack"],
            },
            details=(
                ("Stack", facts["stack"]),
                ("Account", facts["shown"]),
                ("Region", facts["region"]),
                ("Resources", _contents(facts["resources"])),
                ("Cost a month", said),
            ),
            checks=tuple(_checks(facts)),
            tier=house_type.tier if house_type else "standard",
            touches=(
                Resource("account", facts["account"]),
                Resource("stack-coverage", f"{facts['account']}/{facts['region']}/{facts['stack']}", exclusive=True),
            ),
            ask=house_type.approvers if house_type else (),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the one segment."""
        return {"start": self._start}

    async def _start(self, run: Run) -> SegmentResult:
        effects = run.request.plan.effects
        await run.begin_changing()

        async def cover() -> bool:
            covered = await self._coverage.covered(effects["region"], effects["account_id"])
            if effects["stack"] not in covered and ALL not in covered:
                await self._coverage.cover(effects["region"], effects["account_id"], effects["stack"])
            return True

        await run.step("have the stack watched", cover)
        self._watcher.reader.forget(effects["account_id"], effects["region"])
        rows = dict(run.request.plan.details)
        text = f"{DEVOPS_GURU} watches the stack {rows['Stack']} of {rows['Account']} in {rows['Region']} now."
        further = f"It is {LEARNING}; that takes about a day. “What is not watched?” tells when it is over."
        card = Card(text, (Facts(run.request.plan.details), Text(further)), tone="good", request=run.request.id)
        return Done(Notice("covered", f"{text} {further}", card), text, further)

    async def _types(self, region: str, account: str, stack: str) -> list[str]:
        role = self.services.settings.member_role(account)
        pages = self.services.cloud.pages(
            "cloudformation",
            "ListStackResources",
            "StackResourceSummaries",
            region=region,
            role=role,
            StackName=stack,
        )
        return [resource["ResourceType"] async for resource in pages]


def monthly_cost(resources: Mapping[str, int]) -> float:
    """Return US dollars a month for so many resources of each type, if all of them are analysed all the time."""
    return HOURS * sum(PRICES.get(kind, OTHERS) * count for kind, count in resources.items())


def _contents(resources: Mapping[str, int]) -> str:
    few = ", ".join(f"{count} × {kind.removeprefix('AWS::')}" for kind, count in sorted(resources.items())[:8])
    return few or "none"


def _checks(facts: Mapping[str, Any]) -> list[Check]:
    if facts["error"]:
        return [Check("Account", "fails", f"I can't look into {facts['shown']}: {facts['error']}", "Account")]
    if facts["stack"] not in facts["there"]:
        near = ", ".join(facts["there"][:6]) or "no stack at all"
        sentence = f"{facts['shown']} has no stack {facts['stack']} in {facts['region']}: there is {near}."
        return [Check("Stack", "fails", sentence, "Stack", "Name one of those, or another account or Region.")]
    checks = [Check("Stack", "ok", f"{facts['stack']} is there")]
    if facts["stack"] in facts["covered"] or ALL in facts["covered"]:
        what = "everything there is" if ALL in facts["covered"] else "it is"
        checks.append(Check("Coverage", "fails", f"{what.capitalize()} watched already.", "Stack"))
    else:
        checks.append(Check("Coverage", "ok", "it is not watched yet"))
    if not facts["resources"]:
        checks.append(Check("Resources", "waits", "The stack is empty: nothing would be analysed."))
    return checks
