"""slack-sdk's SQLAlchemy stores, within our own transactions and with their tokens sealed.

The SDK's stores want an engine of which they ask transactions. They get one transaction of ours in its place: so
their writes go through the process's one writer, and several of their calls commit together.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from logging import Logger
from typing import TypeVar, cast

from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.slack.install.sealing import Sealer, Unopenable
from bot.database import Database, Transaction
from bot.database.tables import slack_bots, slack_installations, slack_oauth_states
from bot.errors import QuartermasterError, Unavailable

NAME_LENGTH = 200
"""Characters of a workspace's name that are kept."""
Kept = TypeVar("Kept", Bot, Installation)


AT_ONCE = 100
"""Installations that may be under way: whoever opens the page over and over fills no table."""


class Crowded(QuartermasterError):
    """There are as many as may be at once."""

    status = 429
    title = "Too many at once"


@dataclass(frozen=True)
class Place:
    """Whose tokens: a workspace, in an organization or not; or a whole organization, without a workspace."""

    team_id: str | None
    enterprise_id: str | None

    @classmethod
    def of(cls, kept: Bot | Installation) -> Place:
        """Return where an installation belongs."""
        return cls(None if kept.is_enterprise_install else kept.team_id or None, kept.enterprise_id or None)

    def __str__(self) -> str:
        return self.team_id or self.enterprise_id or "nowhere"


class InstallationStore(AsyncInstallationStore):
    """Installations of the app with this client id: one for each place, the latest."""

    def __init__(self, database: Database, client_id: str, sealer: Sealer | None) -> None:
        self._database, self._client_id, self._keys = database, client_id, sealer
        self._stock = AsyncSQLAlchemyInstallationStore(client_id=client_id, engine=cast(AsyncEngine, None))
        self._stock.installations, self._stock.bots = slack_installations, slack_bots

    @property
    def _sealer(self) -> Sealer:
        if self._keys is None:
            raise Unavailable("The bot is still starting.", next_step="Try again in a moment.")
        return self._keys

    def seal_with(self, sealer: Sealer) -> None:
        """Seal and open with these keys from now on."""
        self._keys = sealer

    @property
    def logger(self) -> Logger:
        """Return the SDK's logger."""
        return self._stock.logger

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation in place of the former one of the same place."""
        await self._database.write(lambda transaction: self.save_within(transaction, installation))

    async def save_within(self, transaction: Transaction, installation: Installation) -> None:
        """Do the same in the caller's transaction. Tokens of people and webhooks are not kept: nothing uses them."""
        place = Place.of(installation)
        kept = self._sealed(installation, place)
        kept.user_token = kept.user_refresh_token = kept.user_token_expires_at = None
        kept.incoming_webhook_url = kept.incoming_webhook_channel = None
        kept.incoming_webhook_channel_id = kept.incoming_webhook_configuration_url = None
        for name in ("team_name", "enterprise_name", "enterprise_url"):
            setattr(kept, name, (getattr(kept, name) or "")[:NAME_LENGTH] or None)
        kept.installed_at = float(int(kept.installed_at))
        await self._lock(transaction, place)
        await self.forget_within(transaction, place)
        await self._within(transaction.connection).async_save(kept)

    async def replace(self, spent: str, renewed: Installation) -> bool:
        """Keep renewed tokens if those kept still have the refresh token that was spent on them; tell whether."""
        place = Place.of(renewed)

        async def work(transaction: Transaction) -> bool:
            await self._lock(transaction, place)
            kept = await self._bot_at(transaction.connection, place)
            if kept is None or kept.bot_refresh_token != spent:
                return False
            await self.save_within(transaction, renewed)
            return True

        return await self._database.write(work)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Return the bot at exactly that place; raises Unopenable when its tokens can't be opened."""
        async with self._database.read() as connection:
            return await self._bot_at(connection, Place(None if is_enterprise_install else team_id, enterprise_id))

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        """Return the installation at exactly that place; raises Unopenable when its tokens can't be opened."""
        place = Place(None if is_enterprise_install else team_id, enterprise_id)
        async with self._database.read() as connection:
            found = await self._within(connection).async_find_installation(
                enterprise_id=place.enterprise_id, team_id=place.team_id, user_id=user_id
            )
        return self._opened(found, place) if found else None

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget the bot of a place."""
        await self._database.write(
            lambda t: self._within(t.connection).async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)
        )

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Forget who installed at a place."""
        await self._database.write(
            lambda t: self._within(t.connection).async_delete_installation(
                enterprise_id=enterprise_id, team_id=team_id, user_id=user_id
            )
        )

    async def forget_within(self, transaction: Transaction, place: Place) -> None:
        """Forget all of a place in the caller's transaction."""
        store = self._within(transaction.connection)
        await store.async_delete_all(enterprise_id=place.enterprise_id, team_id=place.team_id)

    async def places(self) -> list[Place]:
        """Return where the app is installed."""
        columns = slack_bots.c.team_id, slack_bots.c.enterprise_id
        async with self._database.read() as connection:
            rows = await connection.execute(select(*columns).where(slack_bots.c.client_id == self._client_id))
            return [Place(row.team_id, row.enterprise_id) for row in rows]

    async def place_of(self, team_id: str) -> Place | None:
        """Return the place of a workspace that has an installation of its own, whichever organization it is in now."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(slack_bots.c.enterprise_id)
                .where(slack_bots.c.client_id == self._client_id, slack_bots.c.team_id == team_id)
                .order_by(slack_bots.c.installed_at.desc())
                .limit(1)
            )
            row = found.first()
        return Place(team_id, row.enterprise_id) if row else None

    async def reseal(self) -> int:
        """Seal what is sealed with a former key with the one in use; return how many places that were.

        Raises Unopenable when a key is missing. What is damaged stays as it is: it is not served.
        """
        count = 0
        for place in await self.places():
            count += await self._database.write(partial(self._reseal, place))
        return count

    async def _reseal(self, place: Place, transaction: Transaction) -> bool:
        await self._lock(transaction, place)
        store = self._within(transaction.connection)
        bot = await store.async_find_bot(enterprise_id=place.enterprise_id, team_id=place.team_id)
        if bot is None or self._sealer.is_current(bot.bot_token):
            return False
        kept = await store.async_find_installation(enterprise_id=place.enterprise_id, team_id=place.team_id)
        if kept is None:
            return False
        try:
            opened = self._opened(kept, place)
        except Unopenable as error:
            if not error.has_key:
                raise
            return False
        await self.save_within(transaction, opened)
        return True

    async def _lock(self, transaction: Transaction, place: Place) -> None:
        """Keep other replicas from a place's rows until the commit (on SQLite there are none)."""
        columns = slack_bots.c
        await transaction.execute(
            select(columns.id)
            .where(
                columns.client_id == self._client_id,
                columns.team_id == place.team_id,
                columns.enterprise_id == place.enterprise_id,
            )
            .with_for_update()
        )

    def _within(self, connection: AsyncConnection) -> AsyncSQLAlchemyInstallationStore:
        store = copy.copy(self._stock)
        store.engine = cast(AsyncEngine, _Transaction(connection))
        return store

    async def _bot_at(self, connection: AsyncConnection, place: Place) -> Bot | None:
        bot = await self._within(connection).async_find_bot(enterprise_id=place.enterprise_id, team_id=place.team_id)
        return self._opened(bot, place) if bot else None

    def _sealed(self, kept: Installation, place: Place) -> Installation:
        sealed = copy.copy(kept)
        for column in ("bot_token", "bot_refresh_token"):
            text = getattr(kept, column)
            setattr(sealed, column, self._sealer.seal(text, self._label(column, place)) if text else None)
        return sealed

    def _opened(self, kept: Kept, place: Place) -> Kept:
        for column in ("bot_token", "bot_refresh_token"):
            text = getattr(kept, column)
            setattr(kept, column, self._sealer.open(text, self._label(column, place)) if text else None)
        return kept

    def _label(self, column: str, place: Place) -> str:
        return f"{self._client_id}|{place.enterprise_id or ''}|{place.team_id or ''}|{column}"


class StateStore(AsyncSQLAlchemyOAuthStateStore):
    """States of installations under way: each is good once, for some minutes."""

    def __init__(self, database: Database, *, seconds: int) -> None:
        super().__init__(expiration_seconds=seconds, engine=cast(AsyncEngine, None))
        self._database = database
        self.oauth_states = slack_oauth_states

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """Return a new state; those that have expired are swept out with it. Raises Crowded for too many at once."""

        async def work(transaction: Transaction) -> str:
            await transaction.execute(delete(slack_oauth_states).where(slack_oauth_states.c.expire_at <= _now()))
            count = select(func.count()).select_from(slack_oauth_states)
            if (await transaction.execute(count)).scalar_one() >= AT_ONCE:
                raise Crowded("Too many installations have been begun.", next_step="Try again in ten minutes.")
            store = copy.copy(self)
            store.engine = cast(AsyncEngine, _Transaction(transaction.connection))
            return await super(StateStore, store).async_issue()

        return await self._database.write(work)

    async def async_consume(self, state: str) -> bool:
        """Use a state up; tell whether it was good. Of all who try, on all replicas, only one is told so."""
        # The SDK looks and then deletes: two replicas would both find it.
        columns = slack_oauth_states.c

        async def work(transaction: Transaction) -> bool:
            used = await transaction.execute(
                delete(slack_oauth_states).where(columns.state == state, columns.expire_at > _now())
            )
            return bool(used.rowcount == 1)

        return await self._database.write(work)


def _now() -> datetime:
    """Return the time as the SDK keeps it: UTC, naive."""
    return datetime.now(UTC).replace(tzinfo=None)


class _Transaction:
    """What the SDK takes for an engine: whoever asks it for a connection gets the one of our transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Give the connection; committing is our writer's affair."""
        yield self._connection

    connect = begin
