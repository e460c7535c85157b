"""Changing and ending what was provisioned: which one, who may, what changes, what would be lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from bot.accounts import Accounts
from bot.errors import CloudError, Invalid
from bot.intent import Ask, Change, Definition, Segment, Slot, SlotType
from bot.people import mailbox_of
from bot.plan import Plan
from bot.policy import Decision, refused
from bot.services import Services
from intents.products.catalog import Catalog, choose_path, choose_version
from intents.products.definition import SUBJECT_SLOT, TERMINATING, UPDATING, VERSION_SLOT
from intents.products.parameters import Parameter, checked_answer, question_of
from intents.products.planning import plan_termination, plan_update
from intents.products.provisioned import ProvisionedProducts
from intents.products.workflow import TerminationWork, UpdateWork, Work

SUBJECT = "ProvisionedProduct"
CHANGE_SLOT = Slot(
    "Change",
    SlotType("ProductChange", listed=False),
    prompt="What should change? {choices}? You can name several, separated by commas.",
    label="Change",
)
NEW_VERSION = "version"


def values_of(subject: Mapping[str, Any], slots: Mapping[str, str]) -> dict[str, str]:
    """Return what policies see as `context.values`: the answers, and whose the product is."""
    owner = str(subject.get("owner", ""))
    return {**slots, "owner": owner, "owner_mailbox": mailbox_of(owner) if owner else ""}


class _ProductChange(Change):
    """What updates and terminations share: the subject, and who may."""

    for_accounts = ""
    """The intent that does the same to accounts."""

    def __init__(self, services: Services, catalog: Catalog, provisioned: ProvisionedProducts) -> None:
        super().__init__(services)
        self._catalog, self._provisioned = catalog, provisioned

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Hand over to the change of an account, when the name is an account's and no product's."""
        name, accounts = ask.slots.get(SUBJECT, ""), Accounts(self.services)
        if "product" in ask.text.casefold() or self.for_accounts not in self.services.registry.intents:
            return None
        if not name:
            pointed = await accounts.pointed_at(ask.text, ask.conversation)
            return (self.for_accounts, {"Account": pointed}) if pointed else None
        try:
            await self._provisioned.find(name, ask.person.email)
        except Invalid:
            pass
        else:
            return None
        try:
            account = await accounts.meant(name, ask.conversation)
        except Invalid:
            return None
        return self.for_accounts, {"Account": account.id}

    async def choices(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return what may be answered; of a recogniser's slots nothing, so that other talk costs no call."""
        return () if slot in {s.name for s in self.definition.slots} else await self.suggestions(slot, ask)

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return the person's own products."""
        if slot != SUBJECT:
            return ()
        return tuple(p["name"] for p in await self._provisioned.owned_by(ask.person.email))

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the product's name; raises Refused for one that the person may not change, Invalid for accounts."""
        if slot != SUBJECT:
            return value.strip()
        subject = await self._provisioned.find(value, ask.person.email)
        decision = self._decide(subject, ask)
        if not decision.allowed:
            raise refused(f"You may not change {subject['name']}.", decision)
        return str(subject["name"])

    def _decide(self, subject: Mapping[str, Any], ask: Ask) -> Decision:
        values = values_of(subject, ask.slots)
        return self.services.policy.may_ask(ask.person, self.definition, self.shape, values)

    async def _facts(self, ask: Ask) -> dict[str, Any]:
        name = ask.slots[SUBJECT]
        subject = await self._provisioned.named(name)
        if subject is None:
            gone = {"error": f"There is no product {name} any more.", "field": SUBJECT}
            return {**self._base(ask), "subject": gone, "refusal": ""}
        decision = self._decide(subject, ask)
        refusal = "" if decision.allowed else decision.reason
        return {**self._base(ask), "subject": subject, "refusal": refusal}

    def _base(self, ask: Ask) -> dict[str, Any]:
        region = self.services.settings.control_tower_region
        return {"slots": dict(ask.slots), "requester": ask.person.email, "region": region}


class ProductUpdate(_ProductChange):
    """Changes version and parameters of a provisioned product."""

    for_accounts = "UpdateAccount"

    def __init__(self, services: Services, catalog: Catalog, provisioned: ProvisionedProducts, work: Work) -> None:
        super().__init__(services, catalog, provisioned)
        self._work = UpdateWork(work)

    def define(self) -> Definition:
        """Return the definition."""
        return UPDATING

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._work.segments()

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return the questions: which product, what changes, then what is to change, and what a new version adds."""
        own = (SUBJECT_SLOT, VERSION_SLOT)
        if SUBJECT not in ask.slots:
            return own
        form = await self._form(ask)
        if form is None:
            return own
        change = () if "Version" in ask.slots and "Change" not in ask.slots else (CHANGE_SLOT,)
        named = {part.casefold() for part in _parts(ask.slots.get("Change", ""))}
        added = _added(form)
        asked = [p for p in form["parameters"] if p.key.casefold() in named or p.key in added]
        return (*own, *change, *(question_of(p) for p in asked))

    async def suggestions(self, slot: str, ask: Ask) -> tuple[str, ...]:
        """Return what could change: the version, where there is another, and the parameters."""
        if slot in (SUBJECT, "Version"):
            return await super().suggestions(slot, ask)
        form = await self._form(ask)
        if form is None:
            return ()
        if slot == "Change":
            newer = (NEW_VERSION,) if form["newest"]["id"] != form["subject"]["version_id"] else ()
            return (*newer, *(p.key for p in form["parameters"]))
        return next((p.suggestions for p in form["parameters"] if p.slot_name == slot), ())

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the canonical value, as `ProductOrder` does."""
        if slot == SUBJECT or SUBJECT not in ask.slots:
            return await super().validate(slot, value, ask)
        form = await self._form(ask)
        if form is None:
            return value.strip()
        if slot == "Version":
            return choose_version(form["versions"], value)["name"]
        if slot == "Change":
            return self._checked_change(value, form)
        parameter = next((p for p in form["parameters"] if p.slot_name == slot), None)
        return checked_answer(parameter, value) if parameter else value

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the product, the version to have, its parameters and what they are now."""
        facts = await self._facts(ask)
        subject = facts["subject"]
        facts |= {"version": {}, "path": {}, "parameters": [], "rules": [], "before": None}
        if "error" in subject:
            return facts
        before, details = await asyncio.gather(
            self._provisioned.stack_parameters(subject["stack"]),
            self._catalog.details(subject["product_id"], fresh=True),
        )
        facts["before"] = before
        try:
            version = _wanted_version(details["versions"], ask, subject)
            path = choose_path(details["paths"], details["paths"][0]["name"] if details["paths"] else "")
        except Invalid as error:
            facts["version"] = {"error": error.detail, "field": error.field, "next_step": error.next_step}
            return facts
        form = await self._catalog.form(subject["product_id"], version["id"], path["id"], fresh=True)
        facts |= {"version": version, "path": path, "parameters": form["parameters"], "rules": form["rules"]}
        return facts

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan that follows from the facts."""
        return plan_update(facts)

    async def _form(self, ask: Ask) -> dict[str, Any] | None:
        """Return what can be asked about the product; None when it, or its product in the catalog, is gone."""
        subject = await self._provisioned.recent(ask.slots[SUBJECT])
        if subject is None:
            return None
        try:
            details = await self._catalog.details(subject["product_id"])
            newest = choose_version(details["versions"], "")
            version = _wanted_version(details["versions"], ask, subject)
            path = choose_path(details["paths"], details["paths"][0]["name"] if details["paths"] else "")
            form = await self._catalog.form(subject["product_id"], version["id"], path["id"])
        except (Invalid, CloudError):
            return None
        parameters = [Parameter.of(p) for p in form["parameters"]]
        before = subject["parameters"]
        return {**details, "subject": subject, "newest": newest, "parameters": parameters, "before": before}

    def _checked_change(self, value: str, form: Mapping[str, Any]) -> str:
        known = {p.key.casefold(): p.key for p in form["parameters"]} | {NEW_VERSION: NEW_VERSION}
        parts = _parts(value)
        unknown = [part for part in parts if re.sub(r"[\s_-]", "", part.casefold()) not in known]
        choices = (NEW_VERSION, *(p.key for p in form["parameters"]))
        if unknown or not parts:
            said = f"“{unknown[0][:60]}” is nothing that can change here." if unknown else "Tell me what should change."
            raise Invalid(said, field="Change", choices=choices)
        return ", ".join(dict.fromkeys(known[re.sub(r"[\s_-]", "", part.casefold())] for part in parts))


class ProductTermination(_ProductChange):
    """Ends a provisioned product with all that it holds."""

    for_accounts = "CloseAccount"

    def __init__(self, services: Services, catalog: Catalog, provisioned: ProvisionedProducts, work: Work) -> None:
        super().__init__(services, catalog, provisioned)
        self._work = TerminationWork(work)

    def define(self) -> Definition:
        """Return the definition."""
        return TERMINATING

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._work.segments()

    async def slots(self, ask: Ask) -> tuple[Slot, ...]:
        """Return the one question: which product."""
        return (SUBJECT_SLOT,)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the product, what its stack made, and who imports from it."""
        facts = await self._facts(ask)
        stack = facts["subject"].get("stack", "")
        resources, users = await asyncio.gather(
            self._provisioned.stack_resources(stack), self._provisioned.stack_users(stack)
        )
        if not stack and "error" not in facts["subject"]:
            resources, users = [], []  # nothing was ever made
        return {**facts, "resources": resources, "users": users}

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan that follows from the facts."""
        return plan_termination(facts)


def _parts(text: str) -> list[str]:
    return [part.strip(" .") for part in re.split(r",|\band\b|;", text) if part.strip(" .")]


def _wanted_version(versions: list[dict[str, str]], ask: Ask, subject: Mapping[str, Any]) -> dict[str, str]:
    """Return the version that is named; the newest if it is to change; else the present one, as it may be retired."""
    if wanted := ask.slots.get("Version"):
        return choose_version(versions, wanted)
    if NEW_VERSION in _parts(ask.slots.get("Change", "").casefold()):
        return choose_version(versions, "")
    present = next((v for v in versions if v["id"] == subject["version_id"]), None)
    return present or choose_version(versions, "")


def _added(form: Mapping[str, Any]) -> frozenset[str]:
    """Return the parameters that have no previous value and no default: a newer version's own."""
    if form["before"] is None:
        return frozenset()
    return frozenset(p.key for p in form["parameters"] if p.key not in form["before"] and p.default is None)
