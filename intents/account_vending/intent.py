"""The intent itself: choices, validation, plan; the work is in `workflow`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot import tags
from bot.errors import Invalid
from bot.house import AccountType
from bot.intent import Ask, Change, Definition, Segment, Slot
from bot.people import address_meant, checked_email
from bot.plan import Plan
from bot.services import Services
from intents.account_vending.definition import SIGN_IN, define
from intents.account_vending.extras import checked_answer
from intents.account_vending.facts import FactReader
from intents.account_vending.naming import derived_account_name
from intents.account_vending.planning import plan_account
from intents.account_vending.rules import checked_address, checked_name, checked_person, checked_unit, units_of
from intents.account_vending.workflow import VendingWorkflow


class AccountVending(Change):
    """Orders accounts."""

    takes_control_tower = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._organization = services.organization
        self._facts = FactReader(services, self._organization)
        self._workflow = VendingWorkflow(services, self._facts)
        self.watchers = self._workflow.watchers()
        self._extras = {extra.slot: extra for extra in services.house.extra_slots}

    def define(self) -> Definition:
        """Return the definition; account types are the house's."""
        return define(self.services.house)

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._workflow.segments()

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return what is asked: the name of the account and of the person only when nothing else gives one."""
        needed = set()
        if self._lacks_a_fitting_name(ask):
            needed.add("AccountName")
        if await self._lacks_names(ask):
            needed.add(SIGN_IN.name)
        return tuple(replace(s, required=True) if s.name in needed else s for s in self.definition.slots)

    def _lacks_a_fitting_name(self, ask: Ask) -> bool:
        """Whether the house has a pattern that the name we would derive does not follow."""
        house, slots = self.services.house, ask.slots
        if not house.account_name_pattern or not slots.get("RootEmail") or not slots.get("AccountType"):
            return False
        try:
            derived = derived_account_name(slots["RootEmail"], slots["AccountType"])
            checked_name(derived, house.account_name_pattern)
        except Invalid:
            return True
        return False

    async def _lacks_names(self, ask: Ask) -> bool:
        """Whether neither channel nor Identity Center knows the names of who signs in first, and the house asks."""
        person, settings = ask.person, self.services.settings
        is_named = bool(person.given_name or person.name.strip())
        if self.services.house.ask_names == "incomplete":
            is_named = bool(person.given_name and person.family_name) or len(person.name.split()) > 1
        if is_named or self.services.house.ask_names == "never" or SIGN_IN.name in ask.slots:
            return False
        if ask.channel == "console" and settings.is_embedded and not settings.uses_oidc:
            return False  # the development user has no profile, and is no real person
        if not all(ask.slots.get(s.name) for s in self.definition.slots if s.required):
            return False
        return (await self._facts.identities.person(person.email)).get("state") != "exists"

    def _kind(self, ask: Ask) -> AccountType | None:
        return self.services.house.account_type(ask.slots.get("AccountType", ""))

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return OUs by path for AccountOU, the account type's own or those of the house first; else as defined."""
        if slot != "AccountOU":
            return await super().choices(slot, ask)
        units = (await self._organization.recent()).offered(self.services.house.excluded_ous)
        paths = [u.path for u in units_of(self._kind(ask), units)]
        suggested = [s for s in self.services.house.suggested_ous if s in paths]
        return tuple(dict.fromkeys((*suggested, *paths)))

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the OUs of the account type, else those that the house suggests, or a few of all."""
        if slot in self._extras and self._extras[slot].tag_key == tags.OWNER:
            return (ask.person.email,)
        choices = await self.choices(slot, ask)
        if slot != "AccountOU":
            return choices
        kind = self._kind(ask)
        if kind and kind.ous:
            return choices[:5]
        suggested = tuple(c for c in choices if c in self.services.house.suggested_ous)
        return suggested or choices[:5]

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the canonical value; explains what is wrong with the world's own facts and the house's rules."""
        house = self.services.house
        match slot:
            case "RootEmail":
                return await self._validated_email(value)
            case "AccountOU":
                organization = await self._organization.recent()
                unit = organization.find(value, house.excluded_ous)
                return checked_unit(unit, self._kind(ask), organization.offered(house.excluded_ous)).path
            case "AccountName":
                return checked_name(value, house.account_name_pattern, house.account_name_hint)
            case SIGN_IN.name:
                return checked_person(value)
            case _ if slot in self._extras:
                extra = self._extras[slot]
                said = address_meant(value, ask.person) if extra.kind == "email" else value
                return checked_answer(extra, said)
            case _:
                return await super().validate(slot, value, ask)

    async def _validated_email(self, value: str) -> str:
        email = checked_address(checked_email(value), self.services.house.root_email_domains)
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
