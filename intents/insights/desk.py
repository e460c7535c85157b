"""Insights for those who are no conversation: the same readings, with filters that programs and pages name exactly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from bot.accounts import find_account
from bot.activity import Person
from bot.errors import Invalid, Refused
from bot.insight_desk import Listed, Wanted
from bot.insights import KEPT, SEVERITIES, Details, Insight, Question, Severity
from bot.intent import Definition
from bot.organization import Organization
from bot.paging import Page, decode_cursor, encode_cursor
from bot.services import Services
from bot.words import either
from intents.insights.asking import Watcher
from intents.insights.filters import Filters, find_unit, units_below
from intents.insights.names import Names
from intents.insights.when import Span

CLOSED_LOOK = timedelta(days=7)
"""How far back closed ones are looked for when no time is named."""
_SLACK = timedelta(hours=1)


class Desk:
    """Carries out `bot.insights.InsightDesk` for the intent that offers it."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        self._services, self._watcher = services, watcher

    async def list_insights(
        self, person: Person | None, definition: Definition, wanted: Wanted, cursor: str, limit: int
    ) -> Listed:
        """Return a page; see the port."""
        self._admit(person, definition)
        names, regions = await self._watcher.surroundings()
        filters = self._filters(wanted, names.organization, regions)
        question = None
        if filters.state == "closed" and filters.span is None:
            question = Question("closed", self._services.clock.now() - CLOSED_LOOK)
        found = await self._watcher.find(filters, names, regions, question)
        page = _page(found.insights, cursor, limit)
        missing = found.missing
        if found.pending:
            missing = (*missing, f"{found.pending} parts of the organization are still being read; ask again.")
        return Listed(
            page,
            {i.account: _name_of(names, i.account) for i in page.items},
            {i.unit: names.unit(i.unit) for i in page.items if i.unit},
            missing,
            () if found.insights else await self._watcher.unwatched(filters, names, regions),
            self._watcher.sources,
            len(found.insights),
        )

    async def show_insight(
        self, person: Person | None, definition: Definition, insight_id: str, account: str, region: str
    ) -> Details:
        """Return all about one; see the port."""
        self._admit(person, definition)
        names, regions = await self._watcher.surroundings()
        if not (account and region):
            return await self._watcher.details(await self._watcher.look_for(insight_id, names, regions))
        find_account(names.organization, account)
        if region not in regions:
            raise _no_region(region, regions)
        nowhen = datetime.min.replace(tzinfo=UTC)
        return await self._watcher.details(Insight(insight_id, account, region, "", "LOW", False, nowhen, None))

    def _admit(self, person: Person | None, definition: Definition) -> None:
        if person is None:
            return
        decision = self._services.policy.may_ask(person, definition, "query", {})
        if not decision.allowed:
            raise Refused(f"You may not ask for this. {decision.reason}", policy=decision.policy)

    def _filters(self, wanted: Wanted, organization: Organization, regions: Sequence[str]) -> Filters:
        """Return the filters that are wanted; raises Invalid that names the field."""
        for region in wanted.region:
            if region not in regions:
                raise _no_region(region, regions)
        severities = [_severity(name) for name in wanted.severity]
        kind, state = wanted.kind.upper(), wanted.state.casefold()
        if kind not in ("", "REACTIVE", "PROACTIVE"):
            raise Invalid(f"{wanted.kind!r} is no kind.", field="kind", next_step="Use reactive or proactive.")
        if state not in ("", "open", "closed"):
            raise Invalid(f"{wanted.state!r} is no status.", field="status", next_step="Use open or closed.")
        if wanted.tag and "=" not in wanted.tag:
            raise Invalid("A tag is key=value.", field="tag", next_step="Use tag=team=payments, for example.")
        units = [find_unit(organization, name) for name in wanted.unit]
        return Filters(
            kind=kind,
            severities=tuple(severities),
            state=state,
            accounts=tuple(find_account(organization, name)["Id"] for name in wanted.account),
            units=units_below(organization, units),
            named_units=tuple(unit.path for unit in units),
            regions=wanted.region,
            stack=wanted.stack.casefold(),
            resource=wanted.resource.casefold(),
            tags=(wanted.tag.casefold(),) if wanted.tag else (),
            services=(wanted.service.upper(),) if wanted.service else (),
            span=self._span(wanted),
        )

    def _span(self, wanted: Wanted) -> Span | None:
        now = self._services.clock.now()
        if wanted.since is None:
            if wanted.until is not None:
                raise Invalid("until needs since.", field="since", next_step="Say from when on.")
            return None
        if now - wanted.since > KEPT + _SLACK:
            raise Invalid(f"Insights are kept for {KEPT.days} days.", field="since", next_step="Use a later moment.")
        if wanted.since > now:
            raise Invalid("That moment lies ahead.", field="since", next_step="Use one that has been.")
        until = min(wanted.until or now, now)
        if until < wanted.since:
            raise Invalid("until lies before since.", field="until", next_step="Use a later moment.")
        return Span(wanted.since, until, "")


def _page(insights: Sequence[Insight], cursor: str, limit: int) -> Page[Insight]:
    """Return the page behind a cursor: it holds the place of the last one shown, so that new ones move nothing."""
    start = 0
    if cursor:
        severity, moment, identifier = decode_cursor(cursor, 3)
        if severity not in SEVERITIES or not moment.removeprefix("-").isdigit():
            raise Invalid("cursor: this is not a cursor of ours.", field="cursor", next_step="Start anew.")
        after = (SEVERITIES.index(severity), -int(moment), identifier)
        start = sum(_place(insight) <= after for insight in insights)
    shown = tuple(insights[start : start + limit])
    following = ""
    if shown and start + limit < len(insights):
        last = shown[-1]
        following = encode_cursor(last.severity, str(int(last.start.timestamp())), last.id)
    return Page(shown, following)


def _place(insight: Insight) -> tuple[int, int, str]:
    return SEVERITIES.index(insight.severity), -int(insight.start.timestamp()), insight.id


def _severity(name: str) -> Severity:
    for known in get_args(Severity):
        if known == name.upper():
            return known  # type: ignore[no-any-return]
    raise Invalid(f"{name!r} is no severity.", field="severity", next_step="Use high, medium or low.")


def _no_region(region: str, regions: Sequence[str]) -> Invalid:
    return Invalid(
        f"{region} is none of the Regions that are looked after.",
        field="region",
        next_step=f"Choose {either(list(regions))}.",
    )


def _name_of(names: Names, account: str) -> str:
    known = names.organization.account(account)
    return known["Name"] if known else ""
