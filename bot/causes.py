"""What of ours may have caused trouble: requests that touched the same account or stack just before, experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import or_, select

from bot.database import Database
from bot.database.tables import requests, touched

ACCOUNT, STACK, EXPERIMENT = "account", "stack", "experiment"
"""Kinds of touched resources: an account's id and a stack's name tie trouble to a request; who touches an experiment
means to make trouble.
"""
_DONE = ("running", "succeeded", "failed")


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
    """Requests of ours that were carried out in the account, and ended at most `window` before.

    Stacks of one name in other accounts are others: only what touched the account as well ties to its stacks.
    """

    def __init__(self, database: Database, window: timedelta) -> None:
        self._database, self._window = database, window

    async def causes_of(self, trouble: Trouble) -> list[Cause]:
        """Return the requests, each once."""
        there = select(touched.c.request_id).where(touched.c.kind == ACCOUNT, touched.c.resource == trouble.account)
        query = (
            select(requests, touched.c.kind, touched.c.resource)
            .join(touched, touched.c.request_id == requests.c.id)
            .where(
                requests.c.id.in_(there),
                requests.c.state.in_(_DONE),
                touched.c.at <= trouble.since,
                or_(requests.c.state == "running", requests.c.updated_at >= trouble.since - self._window),
            )
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        named: dict[str, list[Any]] = {}
        for row in rows:
            named.setdefault(row.id, []).append(row)
        return [_cause_of(found, trouble) for found in named.values()]


def _cause_of(rows: Sequence[Any], trouble: Trouble) -> Cause:
    """Return the cause that one request may be; `rows` are what it touched."""
    request, stacks = rows[0], {stack.casefold() for stack in trouble.stacks}
    same = next((r.resource for r in rows if r.kind == STACK and r.resource.casefold() in stacks), "")
    is_experiment = any(r.kind == EXPERIMENT for r in rows)
    return Cause(
        "experiment" if is_experiment else "request",
        request.id,
        request.conversation,
        request.intent,
        min(request.updated_at, trouble.since),
        f"stack {same}" if same else f"account {trouble.account}",
        is_certain=is_experiment and bool(same) and (request.state == "running" or request.updated_at >= trouble.since),
    )
