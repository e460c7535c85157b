"""What the questions share: the readers of the providers, Regions and accounts, and the names of both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.account_factory import AccountFactory
from bot.accounts import Accounts
from bot.errors import CloudError, NotFound
from bot.insights import (
    CLOUDWATCH,
    DEVOPS_GURU,
    KEPT,
    SEVERITIES,
    Details,
    Found,
    Gap,
    Insight,
    Question,
    Scope,
)
from bot.intent import Ask
from bot.organization import Organization
from bot.services import Services
from intents.insights import providers
from intents.insights.budget import Budget
from intents.insights.cards import gap_lines
from intents.insights.filling import Filling
from intents.insights.filters import Filters
from intents.insights.merging import merge_same
from intents.insights.names import Names
from intents.insights.narrowing import FollowUp, read_follow_up
from intents.insights.providers.coverage import Coverage
from intents.insights.reading import Reader, all_of
from intents.insights.shown import just_shown
from intents.insights.when import Span

PLACES_KEPT = 300.0
"""Seconds for which the governed Regions, and the OUs that accounts are in, are taken to be the same."""
PATIENCE = 8.0
"""Seconds until an answer is given with what has arrived; the rest goes on being read."""
LOOKED_INTO = 60
"""Insights whose resources are looked up for one question."""
CLOUDWATCH_IDS = "cw-"


class Watcher:
    """One a process, shared by the intents of this folder."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._factory, self._accounts = AccountFactory(services), Accounts(services)
        budget = Budget()
        self.coverage = Coverage(services, budget)
        self._providers = {provider.name: provider for provider in providers.build(services, budget)}
        self.reader = Reader(tuple(self._providers.values()), services.clock)
        self._regions: tuple[float, tuple[str, ...]] | None = None
        self._homes: tuple[float, dict[str, str]] | None = None
        self.provider = Provider(self)
        self.filling = Filling(services)
        self.patience = PATIENCE
        services.closers.append(self.reader.close)

    @property
    def sources(self) -> tuple[str, ...]:
        """Return who tells of insights here."""
        return tuple(self._providers)

    @property
    def footer(self) -> str:
        """Return who tells, for the foot of a card."""
        return "From " + " and ".join(self.sources)

    async def regions(self) -> tuple[str, ...]:
        """Return the Regions that Control Tower governs."""
        if self._regions is None or time.monotonic() - self._regions[0] > PLACES_KEPT:
            governance = await self._factory.governance()
            self._regions = (time.monotonic(), tuple(governance["regions"]))
        return self._regions[1]

    async def surroundings(self) -> tuple[Names, tuple[str, ...]]:
        """Return names and Regions, read at once."""
        organization, regions = await asyncio.gather(self._services.organization.recent(), self.regions())
        return Names(organization), regions

    async def follow_up(self, ask: Ask, said: str | None = None, *, may_be_same: bool = False) -> FollowUp | None:
        """Return how a text, or the part of it in `said`, changes what was shown just before; None when it does not."""
        shown = await just_shown(self._services, ask.conversation)
        asked = next((card.asked for card in shown if card.asked), "")
        if not asked:
            return None
        names, regions = await self.surroundings()
        now, text = self._services.clock.now(), ask.text if said is None else said
        return read_follow_up(text, asked, now, names.organization, regions, may_be_same=may_be_same)

    async def tags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags of accounts, as key=value."""
        accounts = await self._accounts.all()
        return {a.id: tuple(f"{key}={value}" for key, value in a.tags.items()) for a in accounts}

    async def scope(self, filters: Filters, names: Names, regions: tuple[str, ...], *, exact: bool = False) -> Scope:
        """Return where to look for what the filters ask for; unless `exact`, perhaps in more accounts than needed."""
        active = [a["Id"] for a in names.organization.accounts if a["Status"] == "ACTIVE"]
        homes: Mapping[str, str] = {}
        if CLOUDWATCH in self._providers or exact:
            homes = await self._read_homes(names.organization)
        wanted = [
            account
            for account in dict.fromkeys((*filters.accounts, *active))
            if not (filters.accounts or filters.units)
            or account in filters.accounts
            or (filters.units and homes.get(account, next(iter(filters.units))) in filters.units)
        ]
        is_whole = not filters.accounts and not (filters.units and homes)
        return Scope(filters.regions or regions, {a: homes.get(a, "") for a in wanted}, is_whole)

    async def find(
        self,
        filters: Filters,
        names: Names,
        regions: tuple[str, ...],
        question: Question | None = None,
        *,
        whole: bool = False,
    ) -> Found:
        """Return the insights that pass, sorted by severity and then by recency; unless `whole`, what arrives in time.

        `question` is what the filters ask about unless it is given: what is open, or what opened or closed in a span.
        """
        scope = await self.scope(filters, names, regions)
        span = filters.span
        if question is None:
            question = Question() if span is None else Question(_kind_of(filters), span.since)
        found = await self.reader.read(scope, question, None if whole else self.patience, names.account)
        insights: Iterable[Insight] = (i for i in found.insights if _is_asked(i, question, filters))
        if filters.tags:
            tags = await self.tags()
            insights = (replace(i, tags=tuple(dict.fromkeys((*i.tags, *tags.get(i.account, ()))))) for i in insights)
        passing = [i for i in insights if filters.passes(i, but_resource=True)]
        if filters.resource:
            passing = [i for i in await self._with_resources(passing) if filters.passes(i)]
        return replace(found, insights=ordered(merge_same(passing)))

    async def gaps(self, scope: Scope, *, deep: bool = False) -> tuple[Gap, ...]:
        """Return where nobody watches: with two providers, where both have a gap."""
        found = await asyncio.gather(*(p.gaps(scope, deep=deep) for p in self._providers.values()))
        gaps = found[0]
        for other in found[1:]:
            # Without looking deep, whether CloudWatch has alarms is not known: nothing is said to be covered by it.
            gaps = _in_both(gaps, other, scope) if deep else gaps
        return gaps

    async def unwatched(self, filters: Filters, names: Names, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Return a sentence for each reason why nothing may be found where the filters look."""
        scope = await self.scope(filters, names, regions, exact=bool(filters.units))
        return tuple(gap_lines(await self.gaps(scope), names.account))

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight; raises NotFound and CloudError."""
        name = CLOUDWATCH if insight.id.startswith(CLOUDWATCH_IDS) else DEVOPS_GURU
        provider = self._providers.get(name)
        if provider is None:
            raise unknown(insight.id)
        try:
            details = await provider.details(insight)
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                raise unknown(insight.id) from error
            raise
        return details

    async def look_for(self, identifier: str, names: Names, regions: tuple[str, ...]) -> Insight:
        """Return the insight that has that id, wherever it is; raises NotFound."""
        since = self._services.clock.now() - KEPT
        opened, ongoing = await asyncio.gather(
            self.find(Filters(), names, regions, Question("opened", since), whole=True),
            self.find(Filters(), names, regions, Question(), whole=True),
        )
        everything = (*opened.insights, *ongoing.insights)
        insight = next((i for i in everything if i.id == identifier or identifier in i.also), None)
        if insight is None:
            raise unknown(identifier)
        return replace(insight, id=identifier)

    async def told_also(self, insight: Insight, names: Names, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Return the ids by which other sources tell of the same trouble, as far as it is open."""
        if len(self._providers) < 2 or not insight.is_open:
            return ()
        here = Filters(accounts=(insight.account,), regions=(insight.region,))
        found = await self.find(here, names, regions)
        return next((i.also for i in found.insights if i.id == insight.id), ())

    async def _with_resources(self, insights: list[Insight]) -> list[Insight]:
        """Return the insights with what they are about, as far as that is asked for one by one."""
        found = dict(enumerate(insights))

        async def look(place: int, insight: Insight) -> None:
            found[place] = await self._providers[insight.source].with_resources(insight)

        missing = [(n, i) for n, i in enumerate(insights) if not i.resources]
        await all_of([partial(look, n, i) for n, i in missing[:LOOKED_INTO]])
        return list(found.values())

    async def _read_homes(self, organization: Organization) -> dict[str, str]:
        """Return the OU that each account is right in."""
        kept = self._homes
        if kept is not None and time.monotonic() - kept[0] < PLACES_KEPT:
            known = kept[1]
            is_whole = all(a["Id"] in known or a["Status"] != "ACTIVE" for a in organization.accounts)
            if is_whole:
                return known
        homes = {account["Id"]: "" for account in organization.accounts}

        async def look(unit: str) -> None:
            pages = self._services.cloud.pages(
                "organizations",
                "ListAccountsForParent",
                "Accounts",
                region=self._services.settings.control_tower_region,
                role=self._services.settings.management_role_arn,
                ParentId=unit,
            )
            async for account in pages:
                homes[account["Id"]] = unit

        await all_of([partial(look, unit.id) for unit in organization.units], at_once=4)
        self._homes = (time.monotonic(), homes)
        return homes


class Provider:
    """The port `bot.insights.InsightProvider`, for other intents."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    async def ongoing(self, regions: Sequence[str], account: str = "") -> Found:
        """Return those that are open."""
        return await self._find(regions, account, Question(), None)

    async def opened(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that opened in a time."""
        return await self._find(regions, account, Question("opened", since), Span(since, until, ""))

    async def closed(self, regions: Sequence[str], since: datetime, until: datetime, account: str = "") -> Found:
        """Return those that closed in a time."""
        return await self._find(regions, account, Question("closed", since), Span(since, until, ""))

    async def details(self, insight: Insight) -> Details:
        """Return everything about one insight."""
        return await self._watcher.details(insight)

    def forget(self, account: str, region: str) -> None:
        """Read that account and Region anew at the next question."""
        self._watcher.reader.forget(account, region)

    async def _find(self, regions: Sequence[str], account: str, question: Question, span: Span | None) -> Found:
        names, governed = await self._watcher.surroundings()
        filters = Filters(accounts=(account,) if account else (), regions=tuple(regions), span=span)
        return await self._watcher.find(filters, names, governed, question, whole=True)


def unknown(identifier: str) -> NotFound:
    """Return the error that says that there is no such insight."""
    return NotFound(
        f"There is no insight {identifier[:40]} in the past {KEPT.days} days.",
        next_step="Say “which insights are open?” to see those there are.",
    )


def ordered(insights: Iterable[Insight]) -> tuple[Insight, ...]:
    """Return the gravest first, and of equals the newest."""
    return tuple(sorted(insights, key=lambda i: (SEVERITIES.index(i.severity), -i.start.timestamp(), i.id)))


def _kind_of(filters: Filters) -> Any:
    return "closed" if filters.state == "closed" else "opened"


def _is_asked(insight: Insight, question: Question, filters: Filters) -> bool:
    """Tell whether an insight belongs to what was asked: providers are asked about whole hours."""
    if filters.state == "open" and not insight.is_open:
        return False
    if question.since is None:
        return insight.is_open
    moment = insight.end if question.kind == "closed" else insight.start
    until = filters.span.until if filters.span else None
    return moment is not None and moment >= question.since and (until is None or moment <= until)


def _in_both(gaps: tuple[Gap, ...], others: tuple[Gap, ...], scope: Scope) -> tuple[Gap, ...]:
    """Return the gaps in which the other provider has one, too; Regions without anything are told by account."""
    why = {(gap.region, gap.account): gap.why for gap in others}
    single = [
        Gap(gap.region, account, gap.stack, gap.why)
        for gap in gaps
        for account in ([gap.account] if gap.account else scope.accounts)
    ]
    return tuple(
        replace(gap, why=f"{gap.why}, and {why[gap.region, gap.account]}")
        for gap in single
        if (gap.region, gap.account) in why
    )
