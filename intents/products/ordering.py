"""Ordering a product: which one, which version, what its parameters are, what it is called."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import Invalid
from bot.intent import Ask, Change, Definition, Segment, Slot, SlotType
from bot.plan import Plan
from bot.services import Services
from intents.products.catalog import Catalog, choose_path, choose_version
from intents.products.definition import NAME_SLOT, ORDERING, PRODUCT_SLOT, VERSION_SLOT
from intents.products.parameters import DEFAULT_WORDS, Parameter, checked_answer, question_of
from intents.products.planning import PROVISIONED, checked_name, derived_name, plan_order
from intents.products.provisioned import ProvisionedProducts
from intents.products.workflow import OrderWork, Work

PATH_SLOT = Slot(
    "LaunchPath",
    SlotType("LaunchPath", listed=False),
    prompt="On which launch path? {choices}?",
    label="Launch path",
)
TAG = "Tag:"
ACCOUNTS = "Accounts have an order of their own."
ACCOUNTS_NEXT = "Say “I need a new AWS account”."


class ProductOrder(Change):
    """Orders products; their parameters are the form's questions."""

    def __init__(self, services: Services, catalog: Catalog, provisioned: ProvisionedProducts, work: Work) -> None:
        super().__init__(services)
        self._catalog, self._provisioned = catalog, provisioned
        self._work = OrderWork(work)
        self.watchers = (work.provisioning.watcher(),)

    def define(self) -> Definition:
        """Return the definition; what depends on the product is asked by `slots`."""
        return ORDERING

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._work.segments()

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return the questions: the product, where it has several a launch path, then its parameters, tags, a name."""
        own = (PRODUCT_SLOT, VERSION_SLOT, NAME_SLOT)
        if "Product" not in ask.slots:
            return own
        try:
            product = await self._catalog.find(ask.slots["Product"])
            details = await self._catalog.details(product["id"])
            path_slots = (PATH_SLOT,) if len(details["paths"]) > 1 else ()
            if path_slots and "LaunchPath" not in ask.slots:
                return (*own, *path_slots)
            form = await self._form(ask, product, details)
        except Invalid:
            return own  # the plan tells what is wrong
        tags = [self._tag_slot(key, values) for key, values in form["tags"].items() if len(values) > 1]
        questions = [question_of(Parameter.of(p)) for p in form["parameters"]]
        name = () if "ProvisionedName" in ask.slots else (await self._name_slot(ask, product["name"]),)
        return (*own, *path_slots, *questions, *tags, *name)

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return what may be answered; of a recogniser's slots nothing, so that other talk costs no call."""
        return () if slot in {s.name for s in self.definition.slots} else await self.suggestions(slot, ask)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return what the question offers as buttons."""
        if slot == "Product":
            products = await self._catalog.orderable()
            return tuple(p["name"] for p in products if not self._catalog.is_account_factory(p))
        if "Product" not in ask.slots or slot in ("Version", "ProvisionedName"):
            return ()
        product = await self._catalog.find(ask.slots["Product"])
        details = await self._catalog.details(product["id"])
        if slot == "LaunchPath":
            return tuple(p["name"] for p in details["paths"])
        if slot == "Name":
            return (await self._free_name(ask, product["name"]),)
        form = await self._form(ask, product, details)
        if slot.startswith(TAG):
            return tuple(form["tags"].get(slot.removeprefix(TAG), ()))
        parameter = _parameter(form, slot)
        return parameter.suggestions if parameter else ()

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the canonical value; explains with the constraint's own words what is wrong."""
        if slot == "Product":
            return await self._checked_product(value)
        if slot == "ProvisionedName":
            return checked_name(value)
        if "Product" not in ask.slots:
            return value.strip()
        product = await self._catalog.find(ask.slots["Product"])
        details = await self._catalog.details(product["id"])
        if slot == "Version":
            return choose_version(details["versions"], value)["name"]
        if slot == "LaunchPath":
            return choose_path(details["paths"], value)["name"]
        if slot == "Name":
            is_ours = value.strip().casefold() in DEFAULT_WORDS
            return await self._free_name(ask, product["name"]) if is_ours else checked_name(value)
        form = await self._form(ask, product, details)
        if slot.startswith(TAG):
            return _checked_tag(slot, value, form["tags"].get(slot.removeprefix(TAG), []))
        parameter = _parameter(form, slot)
        return checked_answer(parameter, value) if parameter else value

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the product, its version, path and parameters, and whether the name is free."""
        slots = ask.slots
        facts: dict[str, Any] = {
            "slots": dict(slots),
            "requester": ask.person.email,
            "region": self.services.settings.control_tower_region,
            "product": {},
            "version": {},
            "path": {},
            "parameters": [],
            "rules": [],
            "tags": {},
            "name": slots.get("ProvisionedName") or slots.get("Name") or "",
            "taken": False,
        }
        try:
            facts["product"] = product = await self._catalog.find(slots["Product"], fresh=True)
        except Invalid as error:
            facts["product"] = _fault(error)
            return facts
        facts["name"] = facts["name"] or await self._free_name(ask, product["name"])
        details, same = await asyncio.gather(
            self._catalog.details(product["id"], fresh=True), self._provisioned.named(facts["name"])
        )
        facts["taken"] = same is not None
        for key, choose, listed, wanted in (
            ("version", choose_version, details["versions"], slots.get("Version", "")),
            ("path", choose_path, details["paths"], slots.get("LaunchPath", "")),
        ):
            try:
                facts[key] = choose(listed, wanted)
            except Invalid as error:
                facts[key] = _fault(error)
        if "id" in facts["version"] and "id" in facts["path"]:
            version, path = facts["version"]["id"], facts["path"]["id"]
            form = await self._catalog.form(product["id"], version, path, fresh=True)
            facts["parameters"], facts["rules"] = form["parameters"], form["rules"]
            chosen = {key: slots.get(TAG + key, "") for key, values in form["tags"].items() if len(values) > 1}
            facts["tags"] = {key: value for key, value in chosen.items() if value}
        return facts

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan that follows from the facts."""
        return plan_order(facts)

    async def _checked_product(self, value: str) -> str:
        products = [p for p in await self._catalog.products() if not self._catalog.is_account_factory(p)]
        if not products:
            raise Invalid(
                "There is nothing but accounts that I may order.",
                field="Product",
                next_step="Say “I need a new AWS account”, or ask your platform team to share products.",
            )
        named = re.split(r"\s(?:called|named)\s", value)[0]  # a name said in the same breath is asked for again
        product = await self._catalog.find(named)
        if self._catalog.is_account_factory(product):
            raise Invalid(ACCOUNTS, field="Product", next_step=ACCOUNTS_NEXT)
        choose_version((await self._catalog.details(product["id"]))["versions"], "")
        return product["name"]

    async def _form(self, ask: Ask, product: Mapping[str, str], details: Mapping[str, Any]) -> dict[str, Any]:
        try:
            version = choose_version(details["versions"], ask.slots.get("Version", ""))
        except Invalid:
            version = choose_version(details["versions"], "")
        path = choose_path(details["paths"], ask.slots.get("LaunchPath", ""))
        return await self._catalog.form(product["id"], version["id"], path["id"])

    async def _free_name(self, ask: Ask, product: str) -> str:
        taken: set[str] = set()
        while True:
            name = derived_name(product, ask.person.email, frozenset(taken))
            is_asked_for = await self.services.requests.open_on(PROVISIONED, name.casefold())
            if not is_asked_for and await self._provisioned.named(name) is None:
                return name
            taken.add(name)

    async def _name_slot(self, ask: Ask, product: str) -> Slot:
        prompt = "What should it be called? Say “skip” to call it {choices}."
        return Slot("Name", SlotType("ProvisionedName", listed=False), prompt=prompt, label="Name")

    def _tag_slot(self, key: str, values: list[str]) -> Slot:
        kind = SlotType("TagOption", listed=False)
        return replace(
            Slot(TAG + key, kind, label=key),
            prompt=f"Which {key} should it be tagged with? {{choices}}?",
        )


def _parameter(form: Mapping[str, Any], slot: str) -> Parameter | None:
    return next((p for p in map(Parameter.of, form["parameters"]) if p.slot_name == slot), None)


def _checked_tag(slot: str, value: str, values: list[str]) -> str:
    for listed in values:
        if listed.casefold() == value.strip().casefold():
            return listed
    raise Invalid(f"“{value[:60]}” is no {slot.removeprefix(TAG)} that may be used.", field=slot, choices=tuple(values))


def _fault(error: Invalid) -> dict[str, str]:
    return {"error": error.detail, "field": error.field, "next_step": error.next_step}
