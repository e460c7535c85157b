"""What of ours may have caused trouble: requests that touched the same account or stack just before, experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sqlalchemy import or_, select

from bot.database import Database
from bot.database.tables import requests, touched

ACCOUNT, STACK = "account", "stack"
"""Kinds of touched resources that tie trouble to a request: an account's id, and `stack_resource`."""
_DONE = ("running", "succeeded", "failed")


def stack_resource(account: str, region: str, stack: str) -> str:
    """Return a stack as requests that touch one name it."""
    return f"{account}/{region}/{stack}".casefold()


@dataclass(frozen=True)
class Trouble:
    """What is looked for the cause of."""

    account: str
    region: str
    stacks: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Cause:
    """Something of ours that came before; `is_certain` for what was done in order to cause trouble."""

    kind: Literal["request", "experiment"]
    request: str
    """Id of the request that it was part of, empty when it was none."""
    conversation: str
    """Where that request is told about."""
    intent: str
    at: datetime
    where: str
    """What both touch: “account 123456789012”, “stack shop”."""
    is_certain: bool = False


class CauseFinder(Protocol):
    """Knows one kind of cause."""

    async def causes_of(self, trouble: Trouble) -> Sequence[Cause]:
        """Return what was going on there then."""
        ...


class Causes:
    """Asks all finders; experiments and roll-outs connect theirs."""

    def __init__(self, finders: Sequence[CauseFinder]) -> None:
        self._finders = list(finders)

    def connect(self, finder: CauseFinder) -> None:
        """Add a finder."""
        self._finders.append(finder)

    async def of(self, trouble: Trouble) -> list[Cause]:
        """Return the causes, certain ones first, then the latest."""
        found = [cause for finder in self._finders for cause in await finder.causes_of(trouble)]
        named = {cause.request or f"{cause.kind}:{cause.where}": cause for cause in sorted(found, key=_worth)}
        return sorted(named.values(), key=_worth, reverse=True)


def _worth(cause: Cause) -> tuple[bool, datetime]:
    return cause.is_certain, cause.at


class RequestsBefore:
    """Requests of ours that were carried out there, and ended at most `window` before."""

    def __init__(self, database: Database, window: timedelta) -> None:
        self._database, self._window = database, window

    async def causes_of(self, trouble: Trouble) -> list[Cause]:
        """Return the requests, each once."""
        stacks = [stack_resource(trouble.account, trouble.region, stack) for stack in trouble.stacks]
        is_there = or_(
            (touched.c.kind == ACCOUNT) & (touched.c.resource == trouble.account),
            (touched.c.kind == STACK) & touched.c.resource.in_(stacks),
        )
        query = (
            select(requests.c.id, requests.c.intent, requests.c.conversation, requests.c.updated_at, touched)
            .join(touched, touched.c.request_id == requests.c.id)
            .where(
                is_there,
                requests.c.state.in_(_DONE),
                touched.c.at <= trouble.since,
                requests.c.updated_at >= trouble.since - self._window,
            )
            .order_by(touched.c.kind)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Cause(
                "request",
                row.id,
                row.conversation,
                row.intent,
                min(row.updated_at, trouble.since),
                f"account {row.resource}" if row.kind == ACCOUNT else f"stack {row.resource.rpartition('/')[2]}",
            )
            for row in rows
        ]
