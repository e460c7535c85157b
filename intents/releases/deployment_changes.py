"""What adding and removing a deployment have in common."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.activity import clean_text
from bot.errors import Invalid
from bot.intent import Ask, Change, Slot
from bot.releases.registry import COMPONENT, NAME
from bot.services import Services
from bot.workflow.checking import failure
from bot.workflow.mending import RETRIES
from bot.workflow.model import Failed
from bot.workflow.run import Run
from intents.releases.deployment_definitions import NEW
from intents.releases.master import MasterTable
from intents.releases.provisioning import Provisioning
from intents.releases.toolchain import Toolchain

SAYS_NEW = re.compile(r"\b(?:(?:its|an?|the) )?(?:new|own)(?: aws)? account\b|^new$", re.IGNORECASE)
_KEY = re.compile(r"\b(silo|pool)s?[ -](?:called |named |for )?([a-z0-9][\w.-]*)", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<!\d)(\d{12}|\d{4}[- ]\d{4}[- ]\d{4})(?!\d)")
_REGION = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b")
_NO_NAMES = frozenset(("in", "to", "of", "for", "called", "named", "with", "from", "please"))


class DeploymentChange(Change):
    """What adding and removing have in common: the deployment that is meant, and its component."""

    def __init__(
        self, services: Services, toolchain: Toolchain, provisioning: Provisioning, table: MasterTable
    ) -> None:
        super().__init__(services)
        self.toolchain, self.provisioning, self.table = toolchain, provisioning, table

    async def rather(self, ask: Ask) -> tuple[str, dict[str, str]] | None:
        """Take kind, name, account and Region as they stand in the sentence: recognisers cut them less surely."""
        slots = dict(ask.slots)
        if (found := _KEY.search(ask.text)) and found[2].casefold() not in _NO_NAMES:
            slots |= {"Kind": found[1].casefold(), "Deployment": found[2].rstrip(".").casefold()}
        known = {s.name for s in self.definition.slots}
        if "Account" in known:
            if SAYS_NEW.search(ask.text):
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
