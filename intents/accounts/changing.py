"""What all changes of an account have in common: which account, whether one may, who approves, what is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.account_factory import AccountFactory
from bot.accounts import Account, Accounts, account_of, as_facts
from bot.errors import Invalid
from bot.intent import Ask, Change
from bot.organization import is_excluded
from bot.plan import Check, Resource, Tier
from bot.policy import refused
from bot.services import Services
from intents.accounts.rights import decide

ACCOUNT, CHANGED, EXPIRY = "account", "account-change", "account-expiry"
"""Kinds of resources: an account, the one change of it that may be open, and the one of its expiry."""
NO_GOVERNANCE: dict[str, Any] = {"regions": [], "protected": {}, "security_ous": []}
ROOT = {"id": "", "path": "the root", "value": ""}


_OWN = re.compile(
    r"(?:(?:my|our|an?|one of (?:my|our)|some)\s+)+(?:(?:aws|sandbox|production|test)\s+)*"
    r"(?:accounts?|acct|sandbox(?:es)?)(?:\s+any ?more)?",
    re.IGNORECASE,
)
"""Words for an account of one's own that do not say which."""


class AccountChange(Change):
    """A change of one account of the organization."""

    refuses_protected = False
    """Whether the management account and the landing zone's own accounts are left alone."""

    takes_control_tower = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.accounts, self.factory = Accounts(services), AccountFactory(services)

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Take "close it" for the account that was spoken of; the plan names it before anybody says yes."""
        if ask.slots.get("Account") or not (pointed := await self.accounts.pointed_at(ask.text, ask.conversation)):
            return None
        return self.definition.name, {**ask.slots, "Account": pointed}

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return nothing for accounts: there are too many to list."""
        return () if slot == "Account" else await super().choices(slot, ask)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the account that was spoken of last, else the person's own."""
        if slot != "Account":
            return await super().suggestions(slot, ask)
        try:
            return ((await self.accounts.meant("it", ask.conversation)).shown,)
        except Invalid:
            mine = [a for a in await self.accounts.all() if a.owner == ask.person.email and a.status == "ACTIVE"]
            return tuple(a.shown for a in mine[:5])

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return an account's id; raises Invalid for none and for one of two, Refused where policy says no."""
        if slot != "Account":
            return await super().validate(slot, value, ask)
        if _OWN.fullmatch(value.strip(" .!")):
            own = await self.suggestions(slot, ask)
            raise Invalid(f"“{value}” does not say which one.", field="Account", choices=own)
        account = await self.accounts.meant(value, ask.conversation)
        decision = decide(self, ask, account)
        if not decision.allowed:
            raise refused(f"You may not ask for this about {account.shown}.", decision)
        return account.id

    async def facts(self, ask: Ask) -> dict[str, Any]:
        """Return what every such plan needs: the account, where it is, and whether the person may ask."""
        organization = await self.services.organization.for_plan(fresh=ask.fresh)
        account = await self.accounts.account(ask.slots["Account"], organization)
        parents = await self.factory.ask_aws("organizations", "ListParents", ChildId=account.id)
        parent_id = parents["Parents"][0]["Id"]
        unit = next((u for u in organization.units if u.id == parent_id), None)
        decision = decide(self, ask, account)
        governance = await self.factory.governance() if self.refuses_protected else NO_GOVERNANCE
        protected = governance["protected"].get(account.id, "")
        if unit and not protected and self.refuses_protected:
            excluded = (*self.services.house.excluded_ous, *governance["security_ous"])
            protected = f"in the OU {unit.path}, which the house keeps apart" if is_excluded(unit, excluded) else ""
        return {
            "slots": dict(ask.slots),
            "account": as_facts(account),
            "parent": parent_id,
            "unit": {"id": unit.id, "path": unit.path, "value": unit.managed_value} if unit else ROOT,
            "regions": governance["regions"],
            "protected": protected,
            "refusal": "" if decision.allowed else decision.reason,
            "today": self.services.clock.now().date().isoformat(),
        }

    def tier(self, account: Account) -> Tier:
        """Return the tier of the account's type; one of unknown type is treated as production."""
        kind = self.services.house.account_type(account.kind)
        return kind.tier if kind else "production"

    def approvers(self, account: Account) -> tuple[str, ...]:
        """Return whom the house names for accounts of that type, if any."""
        kind = self.services.house.account_type(account.kind)
        return kind.approvers if kind else ()


def common_checks(facts: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the checks that every change begins with."""
    account = account_of(facts["account"])
    checks: list[Check] = []
    if facts["refusal"]:
        checks.append(Check("Policy", "fails", f"You may not ask for this. {facts['refusal']}", slot="Account"))
    if facts["protected"]:
        sentence = f"{account.shown} is {facts['protected']}; it is never moved or closed from here."
        checks.append(Check("Account", "fails", sentence, slot="Account"))
    elif account.status != "ACTIVE":
        sentence = f"{account.shown} is {state_words(account.status)} already."
        checks.append(Check("Account", "fails", sentence, slot="Account"))
    else:
        checks.append(Check("Account", "ok", f"{account.shown} is active"))
    return tuple(checks)


def state_words(status: str) -> str:
    """Return what Organizations' status of an account means."""
    return {"PENDING_CLOSURE": "being closed", "SUSPENDED": "closed"}.get(status, status.casefold() or "gone")


def touched_by(account: Account, kind: str = CHANGED) -> tuple[Resource, ...]:
    """Return what a change of an account touches; of each kind only one may be open for an account."""
    return (Resource(ACCOUNT, account.id), Resource(kind, account.id, exclusive=True))


def account_details(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the rows that say which account it is."""
    account = account_of(facts["account"])
    return (
        ("Account", account.shown),
        ("Owner", account.owner or "nobody is named"),
        ("OU", facts["unit"]["path"]),
    )


def product_checks(product: Mapping[str, str], newest: Mapping[str, str]) -> tuple[Check, ...]:
    """Return the checks of an Account Factory product that is to be worked on."""
    if "error" in newest:
        return (Check("Account Factory", "fails", newest["error"], next_step="Ask your platform team."),)
    if product["status"] in ("UNDER_CHANGE", "PLAN_IN_PROGRESS"):
        sentence = f"Control Tower is working on {product['name']} already."
        return (Check("Account Factory", "fails", sentence, next_step="Ask again when it is done."),)
    return (Check("Account Factory", "ok", f"product {product['name']} is {product['status']}"),)
