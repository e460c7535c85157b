"""Watches: what is told where of the bot's own accord, what a room does not want to hear, and what was held back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock, iso
from bot.database import Database, Transaction
from bot.database.tables import held_news, mutes, watches
from bot.quiet import QuietHours
from bot.rooms import Room
from bot.rows import insert_new, put

INSIGHTS = "insights"
"""The kind of watches that are about insights."""


def about_insight(insight_id: str) -> str:
    """Return the subject that an insight is to mutes and to what is held back."""
    return f"insight:{insight_id}"


def about_account(account_id: str) -> str:
    """Return the subject that all of an account is."""
    return f"account:{account_id}"


@dataclass(frozen=True)
class Watch:
    """One watch; `scope` is in the terms of whoever made it, `words` say it to people."""

    id: str
    kind: str
    room: Room
    words: str
    scope: Mapping[str, Any]
    quiet: QuietHours | None
    person_id: str
    since: datetime


@dataclass(frozen=True)
class Held:
    """Something that was not told yet; `reference` names it for good, `subject` what it is about."""

    key: str
    watch_id: str
    subject: str
    words: str
    reference: str
    at: datetime
    due_at: datetime


class Watches:
    """Keeps them in the database: nothing of it is in process memory."""

    def __init__(self, database: Database, clock: Clock, audit: Audit) -> None:
        self._database, self._clock, self._audit = database, clock, audit

    async def begin(
        self, kind: str, room: Room, words: str, scope: Mapping[str, Any], quiet: QuietHours | None, person: Person
    ) -> Watch:
        """Begin to watch; the same again in the same room is the same watch, with the newer quiet hours."""
        found = Watch(f"w-{secrets.token_hex(5)}", kind, room, words, dict(scope), quiet, person.id, self._clock.now())

        async def work(transaction: Transaction) -> Watch:
            for known in await self._read(transaction.connection, watches.c.room == room.id, watches.c.kind == kind):
                if dict(known.scope) == found.scope:
                    values = {"quiet": quiet.as_dict() if quiet else None}
                    await transaction.execute(update(watches).where(watches.c.id == known.id).values(**values))
                    return known
            row = {
                "id": found.id,
                "kind": kind,
                "room": room.id,
                "room_name": room.name,
                "words": words,
                "scope": found.scope,
                "quiet": quiet.as_dict() if quiet else None,
                "person_id": person.id,
                "created_at": found.since,
            }
            await transaction.execute(insert(watches).values(**row))
            told = {"by": person.email, "watch": found.id, "room": room.id, "about": words}
            await self._audit.record(transaction, "watch.begun", person_id=person.id, payload=told)
            return found

        return await self._database.write(work)

    async def end(self, watch_ids: Sequence[str], person: Person) -> None:
        """End some; what was held back for them is told to nobody any more."""

        async def work(transaction: Transaction) -> None:
            now = self._clock.now()
            mine = (watches.c.id.in_(watch_ids), watches.c.ended_at.is_(None))
            await transaction.execute(update(watches).where(*mine).values(ended_at=now))
            ended = {"by": person.email, "watches": list(watch_ids)}
            await self._audit.record(transaction, "watch.ended", person_id=person.id, payload=ended)
            untold = (held_news.c.watch_id.in_(watch_ids), held_news.c.told_at.is_(None))
            await transaction.execute(update(held_news).where(*untold).values(told_at=now))

        await self._database.write(work)

    async def keep_quiet(self, watch_ids: Sequence[str], quiet: QuietHours | None, person: Person) -> None:
        """Let some keep other quiet hours, or none; when what is held back for them may be told is looked at anew."""

        async def work(transaction: Transaction) -> None:
            mine = (watches.c.id.in_(watch_ids), watches.c.ended_at.is_(None))
            await transaction.execute(update(watches).where(*mine).values(quiet=quiet.as_dict() if quiet else None))
            told = {"by": person.email, "watches": list(watch_ids), "quiet": quiet.phrase if quiet else ""}
            await self._audit.record(transaction, "watch.quieted", person_id=person.id, payload=told)
            untold = (held_news.c.watch_id.in_(watch_ids), held_news.c.told_at.is_(None))
            await transaction.execute(update(held_news).where(*untold).values(due_at=self._clock.now()))

        await self._database.write(work)

    async def active(self, kind: str, room: str = "") -> list[Watch]:
        """Return those that hold, oldest first; of one room if it is named."""
        which = (watches.c.kind == kind, *((watches.c.room == room,) if room else ()))
        async with self._database.read() as connection:
            return await self._read(connection, *which)

    async def _read(self, connection: Any, *which: Any) -> list[Watch]:
        query = select(watches).where(watches.c.ended_at.is_(None), *which)
        rows = (await connection.execute(query.order_by(watches.c.created_at, watches.c.id))).all()
        return [
            Watch(
                row.id,
                row.kind,
                Room(row.room, row.room_name),
                row.words,
                row.scope,
                QuietHours.from_dict(row.quiet),
                row.person_id,
                row.created_at,
            )
            for row in rows
        ]

    async def is_active(self, transaction: Transaction, watch_id: str) -> bool:
        """Tell whether a watch has not ended meanwhile."""
        query = select(watches.c.id).where(watches.c.id == watch_id, watches.c.ended_at.is_(None))
        return (await transaction.execute(query)).first() is not None

    async def mute(self, room: str, subject: str, until: datetime, person: Person) -> None:
        """Let a room hear nothing of a subject until then; a moment that is past ends it."""

        async def work(transaction: Transaction) -> None:
            row = {"room": room, "subject": subject, "person_id": person.id, "until": until}
            await put(transaction, mutes, row, on=["room", "subject"])
            told = {"by": person.email, "room": room, "subject": subject, "until": iso(until)}
            await self._audit.record(transaction, "watch.muted", person_id=person.id, payload=told)
            if until <= self._clock.now():
                # All that the room was not told: what is muted otherwise, or comes in quiet hours, is put off again.
                mine = select(watches.c.id).where(watches.c.room == room).scalar_subquery()
                untold = (held_news.c.watch_id.in_(mine), held_news.c.told_at.is_(None))
                await transaction.execute(update(held_news).where(*untold).values(due_at=self._clock.now()))

        await self._database.write(work)

    async def muted(self, room: str) -> list[tuple[str, datetime]]:
        """Return what a room hears nothing of now, and until when."""
        query = select(mutes.c.subject, mutes.c.until).where(mutes.c.room == room, mutes.c.until > self._clock.now())
        async with self._database.read() as connection:
            return [(r.subject, r.until) for r in (await connection.execute(query.order_by(mutes.c.until))).all()]

    async def muted_until(
        self, transaction: Transaction, room: str, subjects: Sequence[str]
    ) -> tuple[str, datetime] | None:
        """Return which of the subjects a room hears nothing of for longest, and until when; None when it does."""
        held = (mutes.c.room == room, mutes.c.subject.in_(subjects), mutes.c.until > self._clock.now())
        query = select(mutes.c.subject, mutes.c.until).where(*held).order_by(mutes.c.until.desc())
        row = (await transaction.execute(query)).first()
        return (row.subject, row.until) if row else None

    async def hold(self, transaction: Transaction, held: Held) -> bool:
        """Keep something for the summary; tell whether it was new."""
        return await insert_new(transaction, held_news, vars(held), on=["key"])

    async def is_held(self, key: str) -> bool:
        """Tell whether something was kept for a summary, told or not."""
        async with self._database.read() as connection:
            return (await connection.execute(select(held_news.c.key).where(held_news.c.key == key))).first() is not None

    async def due(self) -> list[Held]:
        """Return what may be told now, oldest first."""
        query = select(held_news).where(held_news.c.told_at.is_(None), held_news.c.due_at <= self._clock.now())
        return await self._held(query.order_by(held_news.c.at, held_news.c.key))

    async def _held(self, query: Any) -> list[Held]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Held(r.key, r.watch_id, r.subject, r.words, r.reference, r.at, r.due_at) for r in rows]

    async def untold(self, watch_ids: Sequence[str]) -> list[Held]:
        """Return what is held back for some watches, in the order in which it will be told."""
        mine = (held_news.c.watch_id.in_(watch_ids), held_news.c.told_at.is_(None))
        return await self._held(select(held_news).where(*mine).order_by(held_news.c.due_at, held_news.c.at))

    async def told(self, transaction: Transaction, keys: Sequence[str]) -> int:
        """Mark as told; returns how many were not before."""
        untold = (held_news.c.key.in_(keys), held_news.c.told_at.is_(None))
        result = await transaction.execute(update(held_news).where(*untold).values(told_at=self._clock.now()))
        return int(result.rowcount)

    async def put_off(self, keys: Sequence[str], until: datetime) -> None:
        """Hold on to some for longer."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(update(held_news).where(held_news.c.key.in_(keys)).values(due_at=until))

        await self._database.write(work)
