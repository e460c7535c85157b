"""What is not watched: accounts, Regions and stacks about which silence does not mean health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.card import Button, Card, Item, Table, Text
from bot.insights import DEVOPS_GURU, Gap
from bot.intent import Answer, Ask, Definition, Query
from bot.services import Services
from intents.insights import definitions
from intents.insights.asking import Watcher
from intents.insights.filters import read_filters
from intents.insights.listing import describe_places
from intents.insights.names import Names
from intents.insights.providers.coverage import DEEP

SHOWN = 20
_OFFERED = 3
_NO_STACKS = (
    f"⚠ Single stacks were not looked for: that takes the answers of each account, of up to {DEEP} at once. Name an "
    "account or an OU to hear of its stacks."
)


class InsightsCoverage(Query):
    """Tells where nobody watches, and why."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_coverage()

    async def answer(self, ask: Ask) -> Answer:
        """Return the gaps; raises Invalid for places that there are none of, CloudError when nothing is read."""
        now = self.services.clock.now()
        names, regions = await self._watcher.surroundings()
        read = read_filters(ask.text, {}, now, names.organization, regions)
        filters = replace(read, state="", span=None, thing="", services=(), topics=(), kind="", severities=())
        scope = await self._watcher.scope(filters, names, regions, exact=bool(filters.units))
        gaps = await self._watcher.gaps(scope, deep=True)
        if filters.stack:
            gaps = tuple(gap for gap in gaps if not gap.stack or gap.stack.casefold() == filters.stack)
        where = describe_places(filters, names)
        card = _card(gaps, len(scope.accounts), scope.regions, names, where)
        if len(scope.accounts) > DEEP and DEVOPS_GURU in self._watcher.sources:
            card = replace(card, items=(*card.items, Text(_NO_STACKS)), tone="warning")
        card = replace(card, footer=self._watcher.footer)
        return Answer(card.as_text(), card)


def _card(gaps: Sequence[Gap], accounts: int, regions: Sequence[str], names: Names, where: str) -> Card:
    if not gaps:
        said = f"All {accounts} accounts are watched in {', '.join(regions)}."
        return Card(f"Everything is watched {where}".strip(), (Text(said),), tone="good")
    rows = tuple(
        (names.account(gap.account) if gap.account else "all accounts", gap.region, gap.stack or "everything", gap.why)
        for gap in sorted(gaps, key=lambda gap: (bool(gap.stack), gap.account, gap.region, gap.stack))
    )
    items: list[Item] = [
        Text(
            "Where nothing is watched nothing is found: that no insight is open there does not mean that all is well."
        ),
        Table(("Account", "Region", "What", "Why"), rows[:SHOWN]),
    ]
    if len(rows) > SHOWN:
        items.append(Text(f"{len(rows) - SHOWN} more are not shown: name an account, an OU or a Region.", subtle=True))
    stacks = [gap for gap in gaps if gap.stack]
    buttons = tuple(
        Button(f"Cover {gap.stack}", "say", f"cover stack {gap.stack} of account {gap.account} in {gap.region}")
        for gap in stacks[:_OFFERED]
    )
    if stacks:
        items.append(Text(f"To have one watched, say “cover stack {stacks[0].stack}”: its cost is shown first."))
    count = len(rows)
    return Card(
        f"{count} place{'s' if count != 1 else ''} not watched {where}".strip(), tuple(items), buttons, "warning"
    )
