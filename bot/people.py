"""People and their identities: immutable platform ids tied to one corporate e-mail address each."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update

from bot.activity import Person, clean_text
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import identities, people
from bot.errors import Invalid
from bot.rows import insert_new

_SELF = frozenset(
    "me|myself|i|i am|i'm|it's me|that's me|me please|i will|i do|mine|my own|my address|my e-mail|my email|my mail|"
    "my own address|use mine|me again|the same as me|me, myself".split("|")
)


def address_meant(text: str, person: Person) -> str:
    """Return the address that somebody gives for a person, “me” being their own; raises Invalid for what is none."""
    words = re.sub(r"[\s.!]+", " ", text).strip().casefold().replace("\u2019", "'")
    return person.email if words in _SELF else checked_email(text)


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


def mailbox_of(address: str) -> str:
    """Return the address without the "+tag" of its local part (RFC 5233): where its mails arrive all the same."""
    local, at, domain = address.casefold().rpartition("@")
    return (local.partition("+")[0] or local) + at + domain


def shown(person: Person) -> str:
    """Return how to name a person to others: the address always, since names are only what somebody said."""
    # Without angle brackets and quotes a name can't pass for an address.
    name = re.sub(r"""[<>"@]+""", " ", person.name).strip()
    return f"{clean_text(name)} <{person.email}>" if name else person.email


class People:
    """Finds people by address or platform identity, and makes them at first sight."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def of_email(
        self,
        email: str,
        *,
        name: str = "",
        given_name: str = "",
        family_name: str = "",
        authoritative: bool = False,
    ) -> Person:
        """Return the person of that address, made if new. Raises Invalid for what is not an address.

        Names given by just anybody, such as a REST key, are kept only while none is known; those of an
        authoritative source (an identity provider) replace the whole set, so that no foreign part remains.
        """
        address = checked_email(email, field="email")
        names = {
            "name": clean_text(name)[:200],
            "given_name": clean_text(given_name)[:200],
            "family_name": clean_text(family_name)[:200],
        }
        found = await self._find(people.c.email == address)
        if found and not _takes(found, names, authoritative):
            return found

        async def keep(transaction: Transaction) -> None:
            row = {"id": "p_" + secrets.token_hex(8), "email": address, "created_at": self._clock.now(), **names}
            if await insert_new(transaction, people, row, on=["email"]) or not any(names.values()):
                return
            unnamed = [people.c[part] == "" for part in names]
            conditions = [people.c.email == address, *([] if authoritative else unnamed)]
            await transaction.execute(update(people).where(*conditions).values(**names))

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


def _takes(found: Person, names: Mapping[str, str], authoritative: bool) -> bool:
    """Tell whether a person that is known takes these names."""
    known = {part: getattr(found, part) for part in names}
    return any(names.values()) and known != names and (authoritative or not any(known.values()))


def person_of(row: Any) -> Person:
    """Return the Person in a row of the table people."""
    return Person(row.id, row.email, row.name, row.given_name, row.family_name)
