"""The registry in chat: which deployments there are, who is behind, and taking them from their pipelines' tags."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace

from bot.card import Card, Facts, Item, Table, Text
from bot.errors import Conflict, Invalid, Refused
from bot.intent import Answer, Ask, Definition, Query
from bot.releases.registry import deployment_from
from bot.releases.table import told_of_wrong
from bot.releases.versions import rank_of
from bot.releases.waves import Deployment
from bot.services import Services
from intents.releases import command_definitions as definitions
from intents.releases.master import MasterTable
from intents.releases.shift_import import TaggedTargets
from intents.releases.toolchain import Toolchain

SHOWN = 20
WIDE = 20


class DeploymentVersions(Query):
    """Tells which version each deployment has, as a picture of the skew."""

    def __init__(self, services: Services, table: MasterTable) -> None:
        super().__init__(services)
        self._table = table

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.COMPARING

    async def answer(self, ask: Ask) -> Answer:
        """Return the skew of a component, or of all; who is behind is named."""
        named = ask.slots.get("Component", "").strip(" ?.").casefold()
        known = await self.services.deployments.components()
        listed = await self.services.deployments.all(named if named in known else "")
        if not listed:
            if self._table.name:
                return Answer(await self._told_of_table())
            return Answer("No deployments are known yet. An operator says “import the deployments”, or posts them.")
        items: list[Item] = []
        for component in sorted({d.component for d in listed}):
            items += _skew(component, [d for d in listed if d.component == component])
        if self._table.name:
            items.append(Text(await self._told_of_table(), subtle=True))
        card = Card("Versions of deployments", tuple(items))
        return Answer(card.as_text(), card)

    async def _told_of_table(self) -> str:
        """Return when the table that is master was last followed, what was not taken, and what has left it."""
        last = await self._table.last()
        if last is None or last[0] != self._table.name:
            return f"The table {self._table.name} was not read yet. An operator says “import the deployments”."
        text = f"As the table {last[0]} said at {last[1]:%Y-%m-%d %H:%M} UTC.{told_of_wrong(last[2])}"
        gone = await self.services.deployments.retired()
        names = ", ".join(f"{key} ({at:%Y-%m-%d})" for (_, key), at in sorted(gone.items())[:SHOWN])
        more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
        return f"{text} Retired: {names}{more}." if gone else text


def _skew(component: str, listed: list[Deployment]) -> list[Item]:
    by_version = Counter(d.version for d in listed)
    order = sorted(by_version, key=rank_of, reverse=True)
    newest = order[0] if order and order[0] else ""
    rows = []
    for version in order:
        here = [d for d in listed if d.version == version]
        bar = "█" * max(1, round(WIDE * len(here) / len(listed)))
        names = ", ".join(d.key for d in here[:6]) + (f" and {len(here) - 6} more" if len(here) > 6 else "")
        rows.append((version or "unknown", bar, f"{len(here)}", f"{sum(d.tenants for d in here)}", names))
    behind = [d for d in listed if d.version != newest]
    said = f"{component}: {len(listed)} deployments. "
    if not newest:
        said += "Which version they have is not known: none was rolled out from here yet."
    elif behind:
        said += f"{len(behind)} are behind {newest}: " + ", ".join(
            f"{d.key} ({d.version or '?'})" for d in behind[:SHOWN]
        )
        said += f" and {len(behind) - SHOWN} more." if len(behind) > SHOWN else "."
    else:
        said += f"All have {newest}."
    pinned = [d for d in listed if d.pinned]
    items: list[Item] = [Text(said), Table(("Version", "", "Deployments", "Tenants", "Which"), tuple(rows))]
    if pinned:
        items.append(Facts(tuple((f"Pinned: {d.key}", d.pinned) for d in pinned[:SHOWN])))
    return items


class ImportDeployments(Query):
    """Fills the registry from the tags of pipelines and of CodeDeploy's groups, or from the table that is master."""

    def __init__(self, services: Services, toolchain: Toolchain, table: MasterTable, tagged: TaggedTargets) -> None:
        super().__init__(services)
        self._toolchain, self._table, self._tagged = toolchain, table, tagged
        self.jobs = table.jobs

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.IMPORTING

    def is_offered_to(self, person: object) -> bool:
        """Tell whether the person is an operator; help names it to nobody else."""
        return False

    async def answer(self, ask: Ask) -> Answer:
        """Import what tags name; what is in no account that may be deployed into is left out, named.

        CodeDeploy is asked in the Regions of the pipelines, of what is known already, and of those that are said.
        """
        decision = self.services.policy.may_pause(ask.person)
        if not decision.allowed:
            raise Refused("Only operators may import deployments.", policy=decision.policy, next_step=decision.help)
        if self._table.name:
            if re.search(r"\b(?:pipelines?|tags?)\b", ask.text.casefold()):
                raise Conflict(
                    f"The table {self._table.name} is master of which deployments there are, and where.",
                    next_step="Say “import the deployments”, and the registry follows it.",
                )
            return Answer((await self._table.follow(ask.person, ask.channel)).sentence())
        allowed = await self.services.deployable.ids(fresh=True)
        found: list[Deployment] = []
        odd: list[str] = []
        names = sorted(await self._toolchain.pipelines())
        for name, tags in zip(names, await asyncio.gather(*map(self._toolchain.tags, names)), strict=True):
            if {"id", "type", "account", "region"} <= tags.keys():
                one = _deployment(name, tags)
                if one is None:
                    odd.append(f"{name} (its tags can't be read)")
                elif one.account not in allowed:
                    odd.append(f"{name} (account {one.account} may not be deployed into)")
                else:
                    found.append(one)
        said = re.findall(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b", ask.text.casefold())
        known = await self.services.deployments.all()
        regions = {self._toolchain.region, *said, *(d.region for d in (*found, *known))}
        tagged = await self._tagged.find(allowed, regions)
        there = {(d.component, d.key) for d in found}
        odd += [*tagged.odd, *(f"{d.codedeploy} (a pipeline has its name)" for d in tagged.found if _is_in(d, there))]
        groups = [d for d in tagged.found if not _is_in(d, there)]
        found += groups
        count = await self.services.deployments.keep(found, ask.person, surface=ask.channel) if found else 0
        text = f"{count} deployments were imported from {len(names)} pipelines"
        text += f" and {len(groups)} deployment groups of CodeDeploy." if groups else "."
        if tagged.unread:
            text += f" CodeDeploy could not be asked in {tagged.unread} places ({tagged.code})."
        if odd:
            text += " Left out: " + ", ".join(odd[:SHOWN]) + "."
        if not count:
            text += " Pipelines are recognized by their tags component, type, id, account and region."
        return Answer(text)


def _is_in(one: Deployment, there: Set[tuple[str, str]]) -> bool:
    return (one.component, one.key) in there


def _deployment(name: str, tags: Mapping[str, str]) -> Deployment | None:
    fields = ("component", "id", "type", "account", "region", "tier", "ring", "tenants", "window")
    try:
        one = deployment_from({field: tags[field] for field in fields if field in tags})
    except Invalid:
        return None
    return one if one.pipeline == name else replace(one, pipeline_name=name)
