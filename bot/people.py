"""People and their identities: immutable platform ids tied to one corporate e-mail address each."""

from __future__ import annotations

import secrets
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update

from bot.activity import Person, clean_text
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import identities, people
from bot.errors import Invalid
from bot.rows import insert_new


def checked_email(text: str, *, field: str = "") -> str:
    """Return the case-folded address; raises Invalid when it is not one. Nothing is looked up in the DNS.

    `field` is named first in the error, for callers that sent several; empty in a conversation.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        named = f"“{clean_text(text)[:80]}”"
        raise Invalid(
            f"{field}: {named} is not an e-mail address. {error}".removeprefix(": "),
            field=field,
            next_step="Give one like name@corp.example.",
        ) from error
    # Punycode, not the domain's own letters: folding "straße" would name another domain, and look-alikes show.
    return (found.ascii_email or found.normalized).casefold()


class People:
    """Finds people by address or platform identity, and makes them at first sight."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def of_email(self, email: str, *, name: str = "", given_name: str = "", family_name: str = "") -> Person:
        """Return the person of that address, made if new; names given now replace those known.

        Raises Invalid for what is not an address.
        """
        address = checked_email(email, field="email")
        names = {
            "name": clean_text(name)[:200],
            "given_name": clean_text(given_name)[:200],
            "family_name": clean_text(family_name)[:200],
        }
        found = await self._find(people.c.email == address)
        if found and all(not v or getattr(found, k) == v for k, v in names.items()):
            return found

        async def keep(transaction: Transaction) -> None:
            row = {"id": "p_" + secrets.token_hex(8), "email": address, "created_at": self._clock.now(), **names}
            fresh = await insert_new(transaction, people, row, on=["email"])
            given = {k: v for k, v in names.items() if v}
            if not fresh and given:
                await transaction.execute(update(people).where(people.c.email == address).values(**given))

        await self._database.write(keep)
        found = await self._find(people.c.email == address)
        if found is None:
            raise RuntimeError("a person that was just stored is gone")
        return found

    async def get(self, person_id: str) -> Person | None:
        """Return the person of that id."""
        return await self._find(people.c.id == person_id)

    async def with_email(self, email: str) -> Person | None:
        """Return the person of that address if there is one; makes nobody."""
        return await self._find(people.c.email == email.strip().casefold())

    async def of_identity(self, channel: str, platform_id: str) -> Person | None:
        """Return whom an immutable platform id belongs to."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(people)
                    .join(identities, identities.c.person_id == people.c.id)
                    .where(identities.c.channel == channel, identities.c.platform_id == platform_id)
                )
            ).first()
        return person_of(row) if row else None

    async def link(self, channel: str, platform_id: str, person: Person) -> None:
        """Tie a platform id to a person, once: a tie that exists stays as it is."""

        async def keep(transaction: Transaction) -> None:
            row = {
                "channel": channel,
                "platform_id": platform_id,
                "person_id": person.id,
                "created_at": self._clock.now(),
            }
            await insert_new(transaction, identities, row, on=["channel", "platform_id"])

        await self._database.write(keep)

    async def _find(self, condition: Any) -> Person | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(people).where(condition))).first()
        return person_of(row) if row else None


def person_of(row: Any) -> Person:
    """Return the Person in a row of the table people."""
    return Person(row.id, row.email, row.name, row.given_name, row.family_name)
