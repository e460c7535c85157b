"""Everything that intents and adapters may use, in one typed place; `bot.main` fills it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.approvals import Approvals
from bot.approvals.fresh_sign_in import FreshSignIns
from bot.audit import Audit
from bot.audit.anchoring import Anchoring
from bot.audit.erasing import Erasing
from bot.causes import Causes
from bot.charts.studio import Studio
from bot.clock import Clock
from bot.cloud import Cloud
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import keepsakes
from bot.directory import Directory
from bot.groups import Groups
from bot.holding import Holding
from bot.house import House
from bot.insight_news import InsightsChanged
from bot.insights import InsightProvider
from bot.intent import Registry
from bot.keys import Keys
from bot.misses import Misses
from bot.organization import OrganizationReader
from bot.outbox import Outbox
from bot.people import People
from bot.policy import Policy
from bot.releases.accounts import DeployableAccounts
from bot.releases.registry import Deployments
from bot.requests import Requests
from bot.rooms import Rooms
from bot.rows import insert_new
from bot.schedules import Schedules
from bot.settings import Settings
from bot.signals import Signals
from bot.sns import Notifications
from bot.standing import StandingCards
from bot.watches import Watches

if TYPE_CHECKING:
    from bot.inbox import Inbox


@dataclass
class Services:
    """One process's parts, wired."""

    settings: Settings
    house: House
    clock: Clock
    database: Database
    signals: Signals
    cloud: Cloud
    directory: Directory
    groups: Groups
    policy: Policy
    people: People
    conversations: Conversations
    audit: Audit
    outbox: Outbox
    requests: Requests
    approvals: Approvals
    sign_ins: FreshSignIns
    inbox: Inbox
    organization: OrganizationReader
    holding: Holding
    misses: Misses
    anchoring: Anchoring
    erasing: Erasing
    rooms: Rooms
    standing: StandingCards
    watches: Watches
    schedules: Schedules
    causes: Causes
    keys: Keys
    deployments: Deployments
    deployable: DeployableAccounts
    replica: str
    insights: InsightProvider | None = None
    """What watches the accounts, for intents that look out for trouble; set by the one that has a provider."""
    registry: Registry = field(default_factory=Registry)
    charts: Studio = field(default_factory=Studio)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What parts of intents do when the process stops."""
    notifications: Notifications = field(default_factory=Notifications)
    insights_changed: InsightsChanged = field(default_factory=InsightsChanged)

    async def keepsake(self, name: str) -> str:
        """Return the random secret (256 bits, URL-safe) that all replicas share under this name; made at first use."""

        async def work(transaction: Transaction) -> str:
            await insert_new(transaction, keepsakes, {"name": name, "value": secrets.token_urlsafe(32)}, on=["name"])
            found = await transaction.execute(select(keepsakes.c.value).where(keepsakes.c.name == name))
            return str(found.scalar_one())

        return await self.database.write(work)
