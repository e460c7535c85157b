"""Commands on what the record keeps: erasing, legal holds, and a key to sign its anchors."""

from __future__ import annotations

import asyncio
import base64
import os
import pwd
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from bot import logs
from bot.activity import Person
from bot.audit import Audit, unreadable
from bot.audit.anchors import Ed25519Signer
from bot.audit.erasing import Erasing, Hold
from bot.clock import SystemClock
from bot.commands.record import with_audit
from bot.database import Database
from bot.errors import NotFound
from bot.people import People
from bot.settings import Settings

T = TypeVar("T")


def erase(seq: int | None, email: str, reason: str) -> int:
    """Erase the payload of one row, or all that is kept about a person; the record says which operator did, and why."""
    operator = _operator()
    if seq is not None:
        row = seq

        async def erase_row(erasing: Erasing, people: People) -> None:
            await erasing.erase_row(row, operator, reason)

        _run(erase_row)
        print(f"The payload of row {seq} is erased; the record says that {operator} did so, and why.")
        return 0

    async def erase_person(erasing: Erasing, people: People) -> int:
        return await erasing.erase_person(await _known(people, email), operator, reason)

    count = _run(erase_person)
    print(f"{email} is erased, with {count} payloads; the record says that {operator} did so, and why.")
    return 0


def hold(request_id: str, email: str, reason: str) -> int:
    """Place a legal hold on a request, on a person, or (neither named) on everything."""
    operator = _operator()

    async def work(erasing: Erasing, people: People) -> Hold:
        person = await _known(people, email) if email else None
        return await erasing.hold(operator, reason, request_id=request_id, person=person)

    placed = _run(work)
    print(f"{placed.id} is on {email or placed.about}: nothing of it is erased until you release it.")
    return 0


def release(hold_id: str, reason: str) -> int:
    """Lift a legal hold."""
    operator = _operator()

    async def work(erasing: Erasing, people: People) -> None:
        await erasing.release(hold_id, operator, reason)

    _run(work)
    print(f"{hold_id} is released; the record says that {operator} did so, and why.")
    return 0


def show_holds() -> int:
    """Print the holds that stand."""

    async def work(erasing: Erasing, people: People) -> list[tuple[Hold, Person | None]]:
        return [(h, await people.get(h.person_id) if h.person_id else None) for h in await erasing.holds()]

    found = _run(work)
    for placed, person in found:
        print(f"{placed.id}  {placed.placed_at:%Y-%m-%d}  {person.email if person else placed.about}: {placed.reason}")
    if not found:
        print("No legal hold stands.")
    return 0


def make_key() -> int:
    """Print a new key to sign anchors with, and the public one for those who verify."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    print(f"AUDIT_SIGNING_KEY={key}")
    print(f"AUDIT_PUBLIC_KEYS={base64.b64encode(Ed25519Signer.of(key).public_key).decode()}")
    return 0


def _run(work: Callable[[Erasing, People], Awaitable[T]]) -> T:
    """Return what `work` makes of the record; raises Unavailable when it can't be read."""
    logs.configure("warning", plain=True)

    async def with_parts(audit: Audit, database: Database) -> T:
        clock = SystemClock()
        return await work(Erasing(database, clock, audit), People(database, clock))

    try:
        return asyncio.run(with_audit(Settings(), with_parts))
    except DBAPIError as error:
        raise unreadable(error) from error


async def _known(people: People, email: str) -> Person:
    person = await people.with_email(email)
    if person is None:
        raise NotFound(f"Nobody with the address {email} is known.")
    return person


def _operator() -> str:
    """Return the operating system's name for who runs this process; no variable of the environment changes it."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
