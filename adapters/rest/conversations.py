"""Ids of REST conversations: each belongs to one owner and one person, whatever the caller names it.

rest:<owner>:<name>:<person>, all hashes: so that the owner can be checked without a look-up, no address
stands in a URL or a log, and a name of the caller's own finds its conversation again.
"""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import select

from adapters.rest.callers import Caller
from bot.database import Database
from bot.database.tables import conversations, inbox
from bot.errors import Conflict, NotFound

ACCOUNT = "account"
BEGUN = "begun"
NAMED = "named"

_ID = re.compile(r"rest:([0-9a-f]{16}):([0-9a-f]{32}):([0-9a-f]{32})")


def conversation_of(caller: Caller, email: str, name: str, *, kind: str = NAMED) -> str:
    """Return the id for a person's conversation of that name; an id of that person's own stays as it is."""
    person = _hash(email)
    known = _ID.fullmatch(name)
    if kind == NAMED and known and known[1] == caller.mark and known[3] == person:
        return name
    return f"rest:{caller.mark}:{_hash(kind, name)}:{person}"


async def find_conversation(database: Database, caller: Caller, name: str) -> str:
    """Return the id of the caller's conversation, given as an id or as the name it was begun with.

    Raises NotFound for what is not the caller's, and Conflict for a name that several people use.
    """
    known = _ID.fullmatch(name)
    if known and known[1] != caller.mark:
        raise _unknown()
    found = await _stored(database, name if known else f"rest:{caller.mark}:{_hash(NAMED, name)}:")
    if not found:
        raise _unknown()
    if len(found) > 1:
        raise Conflict(
            "Several people have a conversation of that name.",
            next_step="Use the id that POST /v1/messages returned as “conversation”.",
        )
    return found.pop()


async def _stored(database: Database, prefix: str) -> set[str]:
    """Return up to two ids with that prefix, also of conversations whose first turn is not done yet.

    The prefix is made of hashes, so it holds no wildcard of LIKE.
    """
    begun = select(conversations.c.id).where(conversations.c.id.startswith(prefix)).limit(2)
    waiting = (
        select(inbox.c.conversation)
        .where(inbox.c.done_at.is_(None), inbox.c.conversation.startswith(prefix))
        .distinct()
        .limit(2)
    )
    async with database.read() as connection:
        found = set((await connection.execute(begun)).scalars())
        return found or set((await connection.execute(waiting)).scalars())


def _unknown() -> NotFound:
    return NotFound(
        "There is no such conversation, or not with this key.",
        next_step="Use the id that POST /v1/messages returned as “conversation”.",
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
