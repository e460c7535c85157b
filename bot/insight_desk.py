"""The port by which programs and pages get insights: lists with filters in exact words, and one with all about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.activity import Person
from bot.errors import NotFound
from bot.insights import Details, Insight
from bot.intent import Registry
from bot.paging import Page


@dataclass(frozen=True)
class Wanted:
    """What a program or a page asks for, in its own words; empty parts do not narrow."""

    account: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    stack: str = ""
    service: str = ""
    resource: str = ""
    tag: str = ""
    kind: str = ""
    severity: tuple[str, ...] = ()
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Listed:
    """A page of insights, with the names of accounts and the paths of OUs that occur in it."""

    page: Page[Insight]
    accounts: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    """Where nobody watches, said when nothing was found: silence is no health."""
    sources: tuple[str, ...] = ()
    total: int = 0


@runtime_checkable
class InsightDesk(Protocol):
    """Hands insights to those who are no conversation: programs, pages, and what is pushed."""

    async def list_insights(self, person: Person | None, wanted: Wanted, cursor: str, limit: int) -> Listed:
        """Return a page, gravest and newest first; `person` is None for the newcomer on their own machine.

        Raises Invalid for filters that can't be, Refused where policy says no, CloudError when nothing is read.
        """
        ...

    async def show_insight(self, person: Person | None, insight_id: str, account: str, region: str) -> Details:
        """Return all about one insight; account and Region may be empty. Raises NotFound and as above."""
        ...

    def forget(self, account: str, region: str) -> None:
        """Read that account and Region anew at the next question: something has changed there."""
        ...


def insight_desk(registry: Registry) -> InsightDesk:
    """Return the intent that hands out insights; raises NotFound when there is none."""
    found = next((intent for intent in registry.intents.values() if isinstance(intent, InsightDesk)), None)
    if found is None:
        raise NotFound("There are no insights here.")
    return found
