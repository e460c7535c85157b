"""The intent itself: choices, validation, plan; the work is in `workflow`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import Invalid
from bot.intent import Ask, Change, Definition, Segment
from bot.people import checked_email
from bot.plan import Plan
from bot.services import Services
from intents.account_vending.definition import define
from intents.account_vending.facts import FactReader
from intents.account_vending.naming import checked_account_name, checked_root_email
from intents.account_vending.planning import plan_account
from intents.account_vending.workflow import VendingWorkflow


class AccountVending(Change):
    """Orders accounts."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._organization = services.organization
        self._facts = FactReader(services, self._organization)
        self._workflow = VendingWorkflow(services, self._facts)
        self.watchers = self._workflow.watchers()

    def define(self) -> Definition:
        """Return the definition; account types are the house's."""
        return define(self.services.house)

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._workflow.segments()

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return OUs by path for AccountOU, those of the house first; account types from the definition."""
        if slot != "AccountOU":
            return await super().choices(slot, ask)
        units = (await self._organization.recent()).offered(self.services.house.excluded_ous)
        paths = [u.path for u in units]
        suggested = [s for s in self.services.house.suggested_ous if s in paths]
        return tuple(dict.fromkeys((*suggested, *paths)))

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the OUs that the house suggests, or a few of all when it names none that exist."""
        choices = await self.choices(slot, ask)
        if slot != "AccountOU":
            return choices
        suggested = tuple(c for c in choices if c in self.services.house.suggested_ous)
        return suggested or choices[:5]

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the canonical value; explains what is wrong with the world's own facts."""
        match slot:
            case "RootEmail":
                return await self._validated_email(value)
            case "AccountOU":
                organization = await self._organization.recent()
                return organization.find(value, self.services.house.excluded_ous).path
            case "AccountName":
                return checked_account_name(value)
            case _:
                return await super().validate(slot, value, ask)

    async def _validated_email(self, value: str) -> str:
        email = checked_root_email(checked_email(value))
        owner = (await self._organization.recent()).owner_of(email)
        if owner:
            raise Invalid(
                f"{email} is already the root address of account {owner['Id']} ({owner['Name']}).",
                field="RootEmail",
                next_step="Every account needs an address of its own.",
            )
        return email

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read Service Catalog, Organizations and quotas."""
        return await self._facts.gather(ask)

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan that follows from the facts."""
        return plan_account(facts)
