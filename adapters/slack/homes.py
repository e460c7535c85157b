"""Home tabs that were opened: shown anew when a request of theirs moves, or one that waited for them."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import structlog
from sqlalchemy import delete, exists, select, update

from adapters.slack.arrived import Arrived
from adapters.slack.blocks import Block
from adapters.slack.envelope import CHANNEL
from adapters.slack.home import Home
from adapters.slack.pacing import Pacer
from adapters.slack.persons import Persons
from adapters.slack.web import SlackRefused, Web
from adapters.slack.workspaces import Workspaces
from bot.channel import Delivery
from bot.database import Transaction
from bot.database.tables import approvals, outbox, people, requests, slack_homes
from bot.dialogue.ended import nothing
from bot.dialogue.exchange import Decided
from bot.errors import Unavailable
from bot.rows import put
from bot.services import Services

log = structlog.get_logger(__name__)

SURE = 3
"""Tries from which on a tab is shown whatever it showed before: its hash was lost with an answer of Slack's."""


class Homes:
    """Publishes home tabs and keeps whose were opened; the outbox's rows {"kind": "homes"} have them shown anew."""

    def __init__(
        self, services: Services, web: Web, workspaces: Workspaces, persons: Persons, home: Home, pacer: Pacer
    ) -> None:
        self._services, self._web, self._workspaces, self._persons = services, web, workspaces, persons
        self._home, self._pacer = home, pacer

    async def publish(self, arrived: Arrived) -> Decided:
        """Show the home tab as it stands now, to somebody who opened it or asks for it."""
        view = await self._home.view(arrived.person)
        address = arrived.activity.address
        try:
            told = await self._web.call(arrived.workspace.token, "views_publish", user_id=arrived.user, view=view)
        except SlackRefused as error:  # the home tab is switched off, say: nobody is waiting for an answer
            log.warning("slack.home_not_shown", error=error.detail)
            return nothing()
        row = {
            "team": arrived.workspace.home,
            "user": arrived.user,
            "person_id": arrived.person.id,
            "address": {name: address[name] for name in ("team", "enterprise", "is_enterprise_install", "home")},
            "hash": _hash_of(told),
            "shown": _digest_of(view),
            "opened_at": self._services.clock.wall(),
        }
        await self._services.database.write(lambda t: put(t, slack_homes, row, on=["team", "user"]))
        return nothing()

    async def observe(self, transaction: Transaction, request_id: str) -> None:
        """Have the home tabs shown anew in which a request stands, or should; see Requests.observe."""
        if (await transaction.execute(select(exists().select_from(slack_homes)))).scalar_one():
            pace = f"{CHANNEL}:homes:{request_id}"
            waits = (outbox.c.pace == pace, outbox.c.sent_at.is_(None), outbox.c.leased_until.is_(None))
            # One that nobody is sending yet will show this as well; the lock keeps it from being taken meanwhile.
            waiting = select(outbox.c.seq).where(*waits, outbox.c.given_up_at.is_(None)).limit(1).with_for_update()
            if (await transaction.execute(waiting)).first() is None:
                key = f"{pace}:{secrets.token_hex(8)}"
                payload = {"kind": "homes", "request_id": request_id}
                await self._services.outbox.put(transaction, key, CHANNEL, payload, pace=pace)

    async def show_anew(self, delivery: Delivery) -> None:
        """Show those tabs anew in which something is different now. Raises RateLimited, Unavailable."""
        request_id = str(delivery.payload["request_id"])
        asker = select(requests.c.person_id).where(requests.c.id == request_id)
        deciders = (
            select(people.c.id)
            .join(approvals, approvals.c.approver == people.c.email)
            .where(approvals.c.request_id == request_id)
        )
        theirs = slack_homes.c.person_id.in_(asker) | slack_homes.c.person_id.in_(deciders)
        async with self._services.database.read() as connection:
            rows = (await connection.execute(select(slack_homes).where(theirs))).all()
        for row in rows:
            try:
                await self._show_one(row, **({"hash": row.hash} if delivery.attempt < SURE else {}))
            except SlackRefused as error:
                if error.code == "hash_conflict":
                    raise Unavailable("The home tab was opened at the same moment.") from error
                log.info("slack.home_not_shown", error=error.detail)
                await self._forget(row)

    async def _show_one(self, row: Any, **against: str) -> None:
        address = row.address
        workspace = await self._workspaces.find(
            address["team"], address["enterprise"], bool(address["is_enterprise_install"])
        )
        found = await self._persons.find(workspace, row.user, address["home"]) if workspace else None
        if workspace is None or found is None or found.person is None or found.person.id != row.person_id:
            await self._forget(row)
            return
        view = await self._home.view(found.person)
        if (digest := _digest_of(view)) == row.shown:
            return
        await self._pacer.wait(f"home:{row.user}")
        told = await self._web.call(workspace.token, "views_publish", user_id=row.user, view=view, **against)

        async def work(transaction: Transaction) -> None:
            unchanged = (*_mine(row), slack_homes.c.hash == row.hash)
            await transaction.execute(update(slack_homes).where(*unchanged).values(hash=_hash_of(told), shown=digest))

        await self._services.database.write(work)

    async def _forget(self, row: Any) -> None:
        """Show a tab no more until it is opened again."""
        await self._services.database.write(lambda t: t.execute(delete(slack_homes).where(*_mine(row))))


def _mine(row: Any) -> tuple[Any, Any]:
    return slack_homes.c.team == row.team, slack_homes.c.user == row.user


def _hash_of(told: dict[str, Any]) -> str:
    return str((told.get("view") or {}).get("hash") or "")


def _digest_of(view: Block) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
