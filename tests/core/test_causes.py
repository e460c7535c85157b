"""What of ours came before trouble: in the same account, not long before, experiments told from the rest."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from bot.causes import RequestsBefore, Trouble
from bot.database import Database, Transaction
from bot.database.tables import people, requests, touched
from tests.core.clock import HandClock

ACCOUNT = "666677778888"
HOUR = timedelta(hours=1)


async def carried_out(
    database: Database, clock: HandClock, name: str, *touches: tuple[str, str], state: str = "succeeded", after: int = 5
) -> None:
    """Write a request that was placed now, and was last heard of so many minutes later."""
    now = clock.now()
    request = {
        "id": name,
        "intent": "Deploy",
        "state": state,
        "person_id": "p",
        "conversation": f"rest:{name}",
        "tier": "none",
        "slots": {},
        "plan": {},
        "digest": "",
        "version": 1,
        "notes": {},
        "created_at": now,
        "updated_at": now + timedelta(minutes=after),
    }

    async def work(transaction: Transaction) -> None:
        await transaction.execute(insert(requests).values(**request))
        for kind, resource in touches:
            row = {"request_id": name, "kind": kind, "resource": resource, "at": now}
            await transaction.execute(insert(touched).values(**row))

    await database.write(work)


async def test_only_what_was_carried_out_there_and_then_is_named(database: Database, clock: HandClock) -> None:
    async def known(transaction: Transaction) -> None:
        await transaction.execute(insert(people).values(id="p", email="ana@corp.example", created_at=clock.now()))

    await database.write(known)
    account, stack = ("account", ACCOUNT), ("stack", "shop")
    await carried_out(database, clock, "qm-same", account)
    await carried_out(database, clock, "qm-elsewhere", ("account", "111111111111"), stack)
    await carried_out(database, clock, "qm-rejected", account, state="rejected")
    await carried_out(database, clock, "qm-tried", account, stack, ("experiment", "EXT1"), state="running")
    await carried_out(database, clock, "qm-over", account, stack, ("experiment", "EXT2"))
    since = clock.now() + timedelta(minutes=20)
    finder = RequestsBefore(database, HOUR)
    found = await finder.causes_of(Trouble(ACCOUNT, "us-east-1", ("Shop",), since))
    told = {cause.request: (cause.kind, cause.where, cause.is_certain) for cause in found}
    assert told == {
        "qm-same": ("request", f"account {ACCOUNT}", False),
        "qm-tried": ("experiment", "stack shop", True),
        "qm-over": ("experiment", "stack shop", False),
    }
    late = await finder.causes_of(Trouble(ACCOUNT, "us-east-1", (), since + 2 * HOUR))
    assert [cause.request for cause in late] == ["qm-tried"], "which still runs"
    early = await finder.causes_of(Trouble(ACCOUNT, "us-east-1", (), clock.now() - HOUR))
    assert early == []
