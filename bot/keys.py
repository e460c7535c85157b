"""People's own keys for REST: made in the console, shown once, kept as digests, each with scopes and an end.

Such a key speaks for whoever made it and for nobody else, and may at most what they may at the moment it is used: so
nobody can ask in another's name and then approve it. Keys that speak for others are those of the setting API_KEYS.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from bot.activity import Person, clean_text
from bot.audit import Audit
from bot.clock import Clock, iso
from bot.database import Database, Transaction
from bot.database.tables import api_keys, people
from bot.errors import Conflict, Invalid, NotFound

SCOPES = {
    "ask": "Talk to the bot as you: ask, answer, confirm",
    "read": "See your requests",
    "cancel": "Cancel your requests",
    "audit": "Read the audit, as far as you may",
    "report": "Read the monthly report, if you may",
    "insight": "Read insights, as far as you may",
}
"""What a key may be for, and what each means to people. What is not among a key's scopes it may not."""
DAYS = (7, 30, 90, 365)
"""How long a key may last."""
MOST = 20
"""Keys that one person may have at a time."""
PREFIX = "qm_"
"""How keys begin, so that scanners of repositories can find them."""
LISTED = 100
"""Keys of others that are shown at a time."""
SEEN = timedelta(minutes=5)
"""How exactly it is kept when a key was last used."""

_SECRET = re.compile(r"qm_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Key:
    """A key as it may be shown; moments are real time."""

    id: str
    name: str
    scopes: tuple[str, ...]
    begins: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at


class Keys:
    """The only place that writes the table api_keys."""

    def __init__(self, database: Database, clock: Clock, audit: Audit) -> None:
        self._database, self._clock, self._audit = database, clock, audit

    async def make(self, person: Person, name: str, scopes: Iterable[str], days: int) -> tuple[Key, str]:
        """Return a new key and its secret, which is kept nowhere. Raises Invalid or Conflict (too many)."""
        name, wanted = clean_text(name), tuple(scope for scope in SCOPES if scope in set(scopes))
        if not name or len(name) > 60:
            raise Invalid("Give the key a name of at most 60 characters, such as what it is for.", field="name")
        if not wanted or set(scopes) - SCOPES.keys():
            raise Invalid("Choose what the key may do.", field="scopes")
        if days not in DAYS:
            raise Invalid("Choose how long the key lasts.", field="days")
        secret, now = PREFIX + secrets.token_urlsafe(32), self._clock.wall()
        key = Key("key_" + secrets.token_hex(6), name, wanted, secret[:8], now, now + timedelta(days=days), None, None)
        row = {"id": key.id, "hash": _digest(secret), "person_id": person.id, "name": name, "begins": key.begins}
        until = {"scopes": list(wanted), "created_at": now, "expires_at": key.expires_at}

        async def work(transaction: Transaction) -> None:
            live = (api_keys.c.person_id == person.id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now)
            count = select(func.count()).select_from(api_keys).where(*live)
            if (await transaction.execute(count)).scalar_one() >= MOST:
                raise Conflict(f"You have {MOST} keys already.", next_step="Revoke one that you no longer need.")
            await transaction.execute(insert(api_keys).values(**row, **until))
            payload = {"key": key.id, "name": name, "scopes": list(wanted), "expires_at": iso(key.expires_at)}
            await self._audit.record(transaction, "key.made", person_id=person.id, payload=payload)

        await self._database.write(work)
        return key, secret

    async def of_person(self, person: Person) -> list[Key]:
        """Return the person's keys, newest first; those that ended are shown for 30 days."""
        since = self._clock.wall() - timedelta(days=30)
        query = (
            select(api_keys)
            .where(api_keys.c.person_id == person.id, api_keys.c.expires_at > since)
            .where(api_keys.c.revoked_at.is_(None) | (api_keys.c.revoked_at > since))
            .order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        )
        async with self._database.read() as connection:
            return [_key(row) for row in (await connection.execute(query)).all()]

    async def of_others(self, person: Person, owner: str = "") -> list[tuple[Key, Person]]:
        """Return the live keys of others and whose they are, newest first and at most LISTED; of one address if given.

        Whether the caller may see them is their own question (`Policy.may_revoke_keys`).
        """
        live = [api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > self._clock.wall()]
        whose = [people.c.email == owner.strip().casefold()] if owner.strip() else []
        query = _with_people().where(api_keys.c.person_id != person.id, *live, *whose)
        async with self._database.read() as connection:
            newest = query.order_by(api_keys.c.created_at.desc(), api_keys.c.id).limit(LISTED)
            return [(_key(row), _owner(row)) for row in (await connection.execute(newest)).all()]

    async def revoke(self, by: Person, key_id: str, *, is_own: bool = True) -> None:
        """Let a key open nothing any more: one of the person's own, or anybody's if the caller made sure of the right.

        Raises NotFound, for keys that were revoked before as well.
        """
        now = self._clock.wall()

        async def work(transaction: Transaction) -> None:
            meant = [api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)]
            if is_own:
                meant.append(api_keys.c.person_id == by.id)
            revoked = update(api_keys).where(*meant).values(revoked_at=now).returning(api_keys.c.person_id)
            owner = (await transaction.execute(revoked)).scalar_one_or_none()
            if owner is None:
                raise NotFound("There is no such key" + (" of yours." if is_own else "."))
            whose = {} if owner == by.id else {"of": owner}
            await self._audit.record(transaction, "key.revoked", person_id=by.id, payload={"key": key_id, **whose})

        await self._database.write(work)

    async def find(self, secret: str) -> tuple[Key, Person] | None:
        """Return the live key with that secret and whose it is, None when there is none."""
        if not _SECRET.fullmatch(secret):
            return None
        now = self._clock.wall()
        async with self._database.read() as connection:
            row = (await connection.execute(_with_people().where(api_keys.c.hash == _digest(secret)))).first()
        if row is None or not (key := _key(row)).is_live(now):
            return None
        if key.used_at is None or now - key.used_at > SEEN:
            await self._database.write(lambda t: t.execute(_touched(key.id, now)))
        return key, _owner(row)


def _with_people() -> Select[Any]:
    called = people.c.name.label("called")
    columns = (api_keys, people.c.email, called, people.c.given_name, people.c.family_name)
    return select(*columns).join(people, people.c.id == api_keys.c.person_id)


def _owner(row: Any) -> Person:
    return Person(row.person_id, row.email, row.called, row.given_name, row.family_name)


def _touched(key_id: str, now: datetime) -> Any:
    return update(api_keys).where(api_keys.c.id == key_id).values(used_at=now)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain digest is as good as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Any) -> Key:
    return Key(
        row.id,
        row.name,
        tuple(scope for scope in SCOPES if scope in row.scopes),
        row.begins,
        row.created_at,
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )
