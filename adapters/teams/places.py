"""Where to say something: a conversation that is known, somebody's own chat, the approvers' channel."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select

from adapters.teams.arrivals import CHANNEL, conversation_of
from adapters.teams.connector import Connector, TeamsRefused
from adapters.teams.rendering import REFRESHED
from bot.activity import Activity, Person
from bot.conversations import ConversationRecord, keep_place
from bot.database import Transaction
from bot.database.tables import conversations, identities, people
from bot.errors import Unavailable
from bot.services import Services

log = structlog.get_logger(__name__)

FRESH = 600.0
"""Seconds for which Teams is not asked again who of the approvers reads a conversation, and who else does."""
MOST = 10_000
THREAD = ";messageid="
GLOBAL = "smba.trafficmanager.net"
"""Host of the service whose base needs a region; “teams” serves all of them."""


class Places:
    """Finds places, and opens chats with people whom the bot has met."""

    def __init__(self, services: Services, connector: Connector) -> None:
        self._services, self._connector = services, connector
        self._served = {tenant.casefold() for tenant in services.settings.teams_allowed_tenants}
        self._readers: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self._shared: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    async def of_person(self, person: Person, near: Mapping[str, Any] | None = None) -> ConversationRecord | None:
        """Return somebody's own chat with the bot, opened if need be; None for people whom Teams never showed us.

        `near` is the address of something that they have just done. Raises TeamsRefused, TryLater or Unavailable.
        """
        is_own = (conversations.c.person_id == person.id, conversations.c.address["kind"].as_string() == "personal")
        own = [row for row in (await self._newest(*is_own) if person.id else []) if self.is_served(row.address)]
        if row := next((row for row in own if not row.address.get("is_gone")), None):
            return ConversationRecord(row.id, row.channel, row.owner, row.person_id, row.address)
        if own and near is None:
            return None  # they have uninstalled it
        tenant, user = await self._user_of(person)
        if near is not None:
            tenant, user = str(near["tenant"]), str(near["user"])
        if not user:
            return None
        service_url = str(near["service_url"]) if near is not None else await self._service_url()
        made, _ = await self._connector.create(
            service_url,
            {
                "isGroup": False,
                "bot": {"id": f"28:{self._services.settings.teams_app_id}"},
                "members": [{"id": user}],
                "tenantId": tenant,
                "channelData": {"tenant": {"id": tenant}},
            },
        )
        return await self._keep(person, made, service_url, tenant, user, "personal") if made else None

    async def channel(self, conversation: str) -> ConversationRecord | None:
        """Return a channel itself, in which no message of its own stands, by its conversation's id; else None."""
        _, tenant, channel = [*conversation.split(":", 2), "", ""][:3]
        if not channel.startswith("19:") or "@thread" not in channel or THREAD in channel:
            return None
        address = {
            "service_url": await self._service_url(),
            "conversation": channel,
            "kind": "channel",
            "tenant": tenant,
            "user": "",
            "is_shared": False,
        }
        return ConversationRecord(conversation, CHANNEL, "", "", address)

    async def begin_thread(
        self, activity: Mapping[str, Any], address: Mapping[str, Any] | None = None
    ) -> tuple[ConversationRecord, str]:
        """Begin a thread with a message; returns the thread and the message's id.

        In the channel of that address, or the approvers' channel.
        """
        settings = self._services.settings
        service_url, tenant = await self._service_url(), settings.teams_tenant_id.casefold()
        channel = settings.teams_approvals_channel
        if address is not None:
            service_url, tenant = str(address["service_url"]), str(address["tenant"])
            channel = str(address["conversation"])
        made, message = await self._connector.create(
            service_url,
            {
                "isGroup": True,
                "bot": {"id": f"28:{settings.teams_app_id}"},
                "tenantId": tenant,
                "channelData": {"channel": {"id": channel}, "tenant": {"id": tenant}},
                "activity": activity,
            },
        )
        thread = made if THREAD in made else f"{channel}{THREAD}{message}"
        return await self._keep(Person("", ""), thread, service_url, tenant, "", "channel"), message

    def approvals_channel(self) -> dict[str, Any]:
        """Return what `readers` needs to look into the approvers' channel."""
        return {"conversation": self._services.settings.teams_approvals_channel, "kind": "channel"}

    async def is_approvals_channel_shared(self) -> bool:
        """Tell whether people of tenants that are not served read the approvers' channel."""
        return await self.is_shared(
            {**self.approvals_channel(), "kind": "groupChat", "service_url": await self._service_url()}
        )

    async def readers(self, address: Mapping[str, Any], emails: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of those of the people who take part in a conversation, at most as many as Teams refreshes."""
        root = str(address["conversation"]).partition(";messageid=")[0]
        service_url = str(address.get("service_url") or await self._service_url())
        found = [await self._reader(service_url, root, email) for email in list(emails)[:REFRESHED]]
        return tuple(user for user in found if user)

    def is_served(self, address: Mapping[str, Any]) -> bool:
        """Tell whether a conversation's tenant is served now: one may have been taken off the list."""
        return str(address.get("tenant") or "").casefold() in self._served

    async def is_shared(self, address: Mapping[str, Any]) -> bool:
        """Tell whether people of tenants that are not served read a conversation; when in doubt, they do."""
        if address.get("is_shared"):
            return True
        if address.get("kind") != "groupChat":
            return False
        root, now = str(address["conversation"]), time.monotonic()
        kept = self._shared.get(root)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        try:
            members = await self._connector.members(str(address["service_url"]), root)
        except TeamsRefused as error:
            log.warning("teams.no_roster", error=error.detail)
            return True
        shared = any(
            str(m.get("tenantId") or "").casefold() not in self._served for m in members if m.get("aadObjectId")
        )
        _remember(self._shared, root, (now, shared))
        return shared

    async def _reader(self, service_url: str, root: str, email: str) -> str:
        key, now = (root, email), time.monotonic()
        kept = self._readers.get(key)
        if kept and now - kept[0] < FRESH:
            return kept[1]
        person = await self._services.people.with_email(email)
        _, user = await self._user_of(person or Person("", email))
        try:
            told = await self._connector.member(service_url, root, user or email)
        except TeamsRefused as error:
            log.debug("teams.no_reader", error=error.detail)
            told = {}
        except Unavailable as error:  # shown without, rather than late
            log.info("teams.reader_unknown", error=error.detail)
            return ""
        found = str(told.get("id") or "")
        _remember(self._readers, key, (now, found))
        return found

    async def _user_of(self, person: Person) -> tuple[str, str]:
        """Return the tenant and object id of somebody who is known here or named in the directory, else empty."""
        listed = list(self._services.directory.identities_of(CHANNEL, person.email))
        query = (
            select(identities.c.platform_id)
            .join(people, people.c.id == identities.c.person_id)
            .where(identities.c.channel == CHANNEL, people.c.email == person.email)
        )
        async with self._services.database.read() as connection:
            listed += list((await connection.execute(query)).scalars())
        for platform_id in listed:
            tenant, _, user = platform_id.partition("/")
            if tenant.casefold() in self._served and user:
                return tenant, user
        return "", ""

    async def _service_url(self) -> str:
        """Return the service that was last heard from, else the base that the settings name."""
        if rows := await self._newest():
            return str(rows[0].address["service_url"])
        base = self._services.settings.teams_service_urls[0]
        return f"{base.rstrip('/')}/teams/" if urlsplit(base).hostname == GLOBAL else base

    async def _newest(self, *which: Any) -> list[Any]:
        query = select(conversations).where(conversations.c.channel == CHANNEL, *which)
        async with self._services.database.read() as connection:
            return list((await connection.execute(query.order_by(conversations.c.updated_at.desc()).limit(10))).all())

    async def _keep(
        self, person: Person, place: str, service_url: str, tenant: str, user: str, kind: str
    ) -> ConversationRecord:
        """Remember a conversation that the bot began."""
        conversation = conversation_of(tenant, place)
        address = {
            "service_url": service_url,
            "conversation": place,
            "kind": kind,
            "tenant": tenant,
            "user": user,
            "is_shared": False,
        }
        activity = Activity("", CHANNEL, conversation, person, address=address)

        async def work(transaction: Transaction) -> None:
            await keep_place(transaction, activity, self._services.clock)

        await self._services.database.write(work)
        return ConversationRecord(conversation, CHANNEL, "", person.id, address)


def in_chat(activity: Activity, chat: ConversationRecord) -> Activity:
    """Return the activity as one of somebody's own chat."""
    return replace(activity, conversation=chat.id, address=dict(chat.address))


def _remember(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    if len(kept) > MOST:
        kept.popitem(last=False)
