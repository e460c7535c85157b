"""Personal data goes for good, holds keep it, age takes it away; each time the chain holds and says who did it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.activity import Person
from bot.audit import Audit
from bot.audit.erasing import Erasing
from bot.database import Database, Transaction
from bot.database.tables import (
    approvals,
    audit_payloads,
    conversations,
    delegations,
    identities,
    messages,
    metadata,
    people,
    requests,
)
from bot.errors import Conflict, Invalid, NotFound
from tests.core.clock import HandClock
from tests.core.test_audit import a_request


async def asked(database: Database, audit: Audit, clock: HandClock, by: Person, request_id: str, **row: Any) -> None:
    """Let somebody have asked for something, and somebody else have decided it."""

    async def work(transaction: Transaction) -> None:
        values = a_request(request_id, by, clock, age=1) | {"state": "succeeded", **row}
        await transaction.execute(insert(requests).values(**values))
        payload = {"words": f"for {by.email}"}
        await audit.record(transaction, "request.placed", person_id=by.id, request_id=request_id, payload=payload)
        payload = {"reason": f"asked by {by.email}"}
        await audit.record(transaction, "approval.approve", person_id="p_bo", request_id=request_id, payload=payload)

    await database.write(work)
    await audit.seal()


async def test_a_person_is_erased_everywhere_and_the_chain_holds(
    database: Database, audit: Audit, erasing: Erasing, clock: HandClock, ana: Person
) -> None:
    notes = {"requester": {"name": "Ana"}, "approvers": []}
    await asked(database, audit, clock, ana, "qm-aaaaaaaa", notes=notes)
    now = clock.now()

    async def more(transaction: Transaction) -> None:
        talk = {"id": "slack:T:C", "channel": "slack", "owner": "", "address": {}, "person_id": ana.id}
        await transaction.execute(insert(conversations).values(**talk, updated_at=now))
        said = {"conversation": "slack:T:C", "role": "person", "text": "I am Ana Lopez", "at": now}
        await transaction.execute(insert(messages).values(**said))
        known = {"channel": "slack", "platform_id": "U1", "person_id": ana.id, "created_at": now}
        await transaction.execute(insert(identities).values(**known))
        decided = {"id": "ap_1", "request_id": "qm-aaaaaaaa", "version": 1, "approver": ana.email, "asked_at": now}
        await transaction.execute(insert(approvals).values(**decided))
        stood_in = {**decided, "id": "ap_2", "approver": "cy@corp.example", "in_place_of": ana.email}
        await transaction.execute(insert(approvals).values(**stood_in))
        absence = {"since": now, "until": now, "created_at": now}
        for names in ((ana.email, "cy@corp.example", "bo@corp.example"), ("bo@corp.example", ana.email, ana.email)):
            who = dict(zip(("approver", "delegate", "named_by"), names, strict=True))
            await transaction.execute(insert(delegations).values(id=f"dg_{names[1][:2]}", **who, **absence))

    await database.write(more)
    assert await erasing.erase_person(ana, "root", " asked by letter ") == 2
    await audit.seal()
    found = await audit.verify()
    assert (found.sealed, found.erased, found.fault) == (4, 2, "")
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            kept = str((await connection.execute(select(table))).all())
            assert "ana@corp.example" not in kept, table.name
            assert "Ana" not in kept, table.name
        row = (await connection.execute(select(people))).one()
    assert row.email == f"{ana.id}@erased.invalid"
    told = {e["kind"]: e["payload"] for e in (await audit.list()).items}
    assert told["person.erased"] == {"erased": ana.id, "reason": "asked by letter", "operator": "root"}
    assert len(told["audit.erased"]["seqs"]) == 2


async def test_nobody_is_erased_while_a_request_of_theirs_is_open(
    database: Database, audit: Audit, erasing: Erasing, clock: HandClock, ana: Person
) -> None:
    await asked(database, audit, clock, ana, "qm-aaaaaaaa", state="running")
    with pytest.raises(Conflict, match="qm-aaaaaaaa open"):
        await erasing.erase_person(ana, "root", "letter")
    with pytest.raises(Invalid):
        await erasing.erase_person(ana, "root", " ")
    assert (await audit.verify()).erased == 0


@pytest.mark.parametrize("about", ["request", "person", "everything"])
async def test_a_legal_hold_keeps_what_it_is_on_until_it_is_lifted(
    database: Database, audit: Audit, erasing: Erasing, clock: HandClock, ana: Person, about: str
) -> None:
    await asked(database, audit, clock, ana, "qm-aaaaaaaa")
    seq = (await audit.list()).items[-1]["id"]
    ways: dict[str, dict[str, Any]] = {"request": {"request_id": "aaaaaaaa"}, "person": {"person": ana}}
    which = ways.get(about, {})
    hold = await erasing.hold("root", "a lawsuit", **which)
    assert [h.id for h in await erasing.holds()] == [hold.id]
    clock.move(days=400)
    with pytest.raises(Conflict, match="legal hold"):
        await erasing.erase_row(seq, ana, "letter")
    with pytest.raises(Conflict, match="legal hold"):
        await erasing.erase_person(ana, "root", "letter")
    kept = {"audit.held"} if about != "everything" else set()
    await erasing.expire(365)
    assert {e["kind"] for e in (await audit.list()).items if not e["payload"]} <= kept
    await erasing.release(hold.id, "root", "settled")
    with pytest.raises(NotFound):
        await erasing.release(hold.id, "root", "again")
    await erasing.erase_person(ana, "root", "letter")
    await audit.seal()
    assert (await audit.verify()).fault == ""
    kinds = [e["kind"] for e in (await audit.list()).items]
    assert {"audit.held", "audit.released", "audit.erased", "person.erased"} <= set(kinds)


async def test_a_hold_on_one_request_leaves_the_others_alone(
    database: Database, audit: Audit, erasing: Erasing, clock: HandClock, ana: Person
) -> None:
    await asked(database, audit, clock, ana, "qm-aaaaaaaa")
    await asked(database, audit, clock, ana, "qm-bbbbbbbb")
    await erasing.hold("root", "a lawsuit", request_id="qm-aaaaaaaa")
    with pytest.raises(NotFound):
        await erasing.hold("root", "a lawsuit", request_id="qm-cccccccc")
    clock.move(days=31)
    assert await erasing.expire(30) == 2
    assert await erasing.expire(30) == 0
    held = (await audit.list(request="qm-aaaaaaaa")).items
    assert all(entry["payload"] for entry in held)


async def test_what_is_too_old_goes_in_batches_and_each_is_accounted_for(
    database: Database, audit: Audit, erasing: Erasing, clock: HandClock
) -> None:
    async def many(transaction: Transaction) -> None:
        for n in range(1_100):
            await audit.record(transaction, "row", payload={"n": n})

    await database.write(many)
    clock.move(days=10)
    await database.write(lambda transaction: audit.record(transaction, "young", payload={"n": 0}))
    assert await erasing.expire(5) == 1_100
    while await audit.seal():
        pass
    found = await audit.verify()
    assert (found.sealed, found.erased, found.fault) == (1_104, 1_100, "")
    async with database.read() as connection:
        kept = (await connection.execute(select(audit_payloads).where(audit_payloads.c.erased_at.is_(None)))).all()
    assert len(kept) == 4  # the young row, and the three that account
