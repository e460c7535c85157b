"""Moving an account to another OU, and running Account Factory again for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.account_factory import PRODUCT
from bot.accounts import account_of
from bot.errors import CloudError, Invalid
from bot.intent import Ask, Definition, Segment
from bot.plan import Check, Plan
from bot.services import Services
from bot.workflow.model import SegmentResult
from bot.workflow.run import Run
from intents.accounts import definitions
from intents.accounts.changing import AccountChange, account_details, common_checks, product_checks, touched_by
from intents.accounts.operations import Operation
from intents.accounts.outcomes import done

KEPT = ("AccountEmail", "AccountName", "SSOUserEmail", "SSOUserFirstName", "SSOUserLastName")
UNIT = "ManagedOrganizationalUnit"


class MoveAccount(AccountChange):
    """Moves accounts: those of Account Factory by updating their product, others by Organizations."""

    refuses_protected = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._operation = Operation(services, "move the account", self._order, self._moved)
        self.watchers = self._operation.watchers()

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_move()

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the OUs that accounts may be put into."""
        if slot != "AccountOU":
            return await super().choices(slot, ask)
        units = (await self.services.organization.recent()).offered(self.services.house.excluded_ous)
        return tuple(u.path for u in units)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return a few OUs."""
        found = await super().suggestions(slot, ask)
        return found[:5] if slot == "AccountOU" else found

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the OU's path; raises Invalid for one of several of a name, and where no account may go."""
        if slot != "AccountOU":
            return await super().validate(slot, value, ask)
        return (await self.services.organization.recent()).find(value, self.services.house.excluded_ous).path

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read where the account is, where it is to go, and whether Account Factory made it."""
        facts = await self.facts(ask)
        organization = await self.services.organization.recent()
        try:
            unit = organization.find(ask.slots["AccountOU"], self.services.house.excluded_ous)
            facts["to"] = {"id": unit.id, "path": unit.path, "value": unit.managed_value}
        except Invalid as error:
            facts["to"] = {"error": error.detail, "next_step": error.next_step}
        facts["product"] = await self.factory.product_of(ask.slots["Account"])
        facts["newest"] = await self.factory.newest(facts["product"]["product_id"]) if facts["product"] else {}
        return facts

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        account, to, product = account_of(facts["account"]), facts["to"], facts["product"]
        where = to.get("path") or facts["slots"]["AccountOU"]
        effects = {"account_id": account.id, "from": facts["parent"], "to": to.get("id", "")}
        how = "Organizations moves it; Control Tower governs it only once it is enrolled"
        checks = [*common_checks(facts), _unit_check(facts)]
        if product:
            effects |= _update_effects(product, facts["newest"]) | {"call": CALL, "unit": to.get("value", "")}
            how = f"Account Factory updates the product {product['name']}, which also brings it up to date"
            checks.extend(product_checks(product, facts["newest"]))
        else:
            effects["call"] = "organizations:MoveAccount"
        return Plan(
            intent=definitions.MOVE,
            summary=f"Move the account {account.name} to the OU {where}",
            effects=effects,
            details=(*account_details(facts), ("New OU", where), ("How", how)),
            checks=tuple(checks),
            tier=self.tier(account),
            touches=touched_by(account),
            ask=self.approvers(account),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments: through Account Factory, or in one step."""
        return {"start": self._start, **self._operation.segments()}

    async def _start(self, run: Run) -> SegmentResult:
        if run.request.plan.effects.get(PRODUCT):
            return await self._operation.queue(run)
        await run.begin_changing()
        await run.step("move the account", lambda: self._move(run))
        await self.services.organization.changed()
        return await self._moved(run)

    async def _move(self, run: Run) -> str:
        """Move it unless it is there: a repeat finds it moved."""
        effects = run.request.plan.effects
        parents = await self.factory.ask_aws("organizations", "ListParents", ChildId=effects["account_id"])
        at = str(parents["Parents"][0]["Id"])
        if at == effects["to"]:
            return at
        try:
            await self.factory.ask_aws(
                "organizations",
                "MoveAccount",
                AccountId=effects["account_id"],
                SourceParentId=at,
                DestinationParentId=effects["to"],
            )
        except CloudError as error:
            if error.code != "DuplicateAccountException":
                raise
        return str(effects["to"])

    async def _order(self, run: Run, token: str) -> str:
        return await order_update(self, run, token, unit=run.request.plan.effects["unit"])

    async def _moved(self, run: Run) -> SegmentResult:
        where = dict(run.request.plan.details)["New OU"]
        return done(run, f"The account {dict(run.request.plan.details)['Account']} is in the OU {where} now.")


class UpdateAccount(AccountChange):
    """Runs Account Factory again for an account, at the newest version: mends drift and failed set-ups."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._operation = Operation(services, "update the account", self._order, self._updated)
        self.watchers = self._operation.watchers()

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_update()

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the account's product and the newest version."""
        facts = await self.facts(ask)
        facts["product"] = await self.factory.product_of(ask.slots["Account"])
        facts["newest"] = await self.factory.newest(facts["product"]["product_id"]) if facts["product"] else {}
        return facts

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        account, product, newest = account_of(facts["account"]), facts["product"], facts["newest"]
        checks, version = list(common_checks(facts)), newest.get("artifact_name") or "?"
        if product:
            checks.extend(product_checks(product, newest))
        else:
            sentence = f"{account.shown} was not made by Account Factory, so there is nothing to update."
            checks.append(
                Check("Account Factory", "fails", sentence, "Account", "Ask your platform team to enroll it.")
            )
        return Plan(
            intent=definitions.UPDATE,
            summary=f"Update the account {account.name} with Account Factory",
            effects={
                "account_id": account.id,
                "call": CALL,
                **(_update_effects(product, newest) if product else {}),
            },
            details=(*account_details(facts), ("Version", version), ("Product", product.get("name", "none"))),
            checks=tuple(checks),
            tier=self.tier(account),
            touches=touched_by(account),
            ask=self.approvers(account),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments."""
        return {"start": self._operation.queue, **self._operation.segments()}

    async def _order(self, run: Run, token: str) -> str:
        return await order_update(self, run, token)

    async def _updated(self, run: Run) -> SegmentResult:
        rows = dict(run.request.plan.details)
        return done(run, f"The account {rows['Account']} is up to date with Account Factory {rows['Version']}.")


CALL = "servicecatalog:UpdateProvisionedProduct"


async def order_update(change: AccountChange, run: Run, token: str, *, unit: str = "") -> str:
    """Update an account's product, in another OU if one is given; returns the record's id."""
    effects = run.request.plan.effects
    kept: list[dict[str, Any]] = [{"Key": key, "UsePreviousValue": True} for key in KEPT]
    answer = await change.factory.ask_aws(
        "servicecatalog",
        "UpdateProvisionedProduct",
        ProvisionedProductId=effects["provisioned_product_id"],
        ProductId=effects["product_id"],
        ProvisioningArtifactId=effects["artifact_id"],
        PathId=effects["path_id"],
        ProvisioningParameters=[
            *kept,
            {"Key": UNIT, "Value": unit} if unit else {"Key": UNIT, "UsePreviousValue": True},
        ],
        UpdateToken=token,
    )
    return str(answer["RecordDetail"]["RecordId"])


def _update_effects(product: Mapping[str, str], newest: Mapping[str, str]) -> dict[str, Any]:
    return {
        "provisioned_product_id": product["id"],
        PRODUCT: product["name"],
        "product_id": product["product_id"],
        "artifact_id": newest.get("artifact_id", ""),
        "path_id": newest.get("path_id", ""),
    }


def _unit_check(facts: Mapping[str, Any]) -> Check:
    to = facts["to"]
    if "error" in to:
        return Check("OU", "fails", to["error"], slot="AccountOU", next_step=to["next_step"])
    if to["id"] == facts["parent"]:
        sentence = f"{facts['account']['name']} is in the OU {to['path']} already."
        return Check("OU", "fails", sentence, slot="AccountOU", next_step="Name another one.")
    return Check("OU", "ok", f"{to['path']} is registered with Control Tower")
