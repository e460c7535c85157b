"""The record's chain: intact it verifies, and every kind of tampering is found."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from bot.activity import Person
from bot.audit import Audit, chain, payload_digest
from bot.audit.erasing import Erasing
from bot.database import Database, Transaction
from bot.database.migrating import migrate
from bot.database.tables import audit as rows
from bot.database.tables import audit_head, audit_payloads, requests
from bot.errors import Conflict, Invalid, NotFound
from tests.core.clock import HandClock
from tests.restart.nursery import run_command

Tampering = Callable[[Transaction], Awaitable[None]]
REPOSITORY = Path(__file__).parents[2]


async def record(database: Database, audit: Audit, count: int, *, person_id: str = "p_1") -> None:
    """Write and seal `count` rows."""

    async def work(transaction: Transaction) -> None:
        for n in range(count):
            payload = {"n": n, "words": "ä “quoted”", "nested": {"list": [1, None, True]}}
            await audit.record(transaction, "request.placed", person_id=person_id, request_id="QM-1", payload=payload)

    await database.write(work)
    await audit.seal()


async def at(transaction: Transaction, position: int) -> Any:
    return (await transaction.execute(select(rows).where(rows.c.position == position))).one()


async def change_a_row(transaction: Transaction) -> None:
    await transaction.execute(update(rows).where(rows.c.position == 3).values(kind="request.cancelled"))


async def change_who(transaction: Transaction) -> None:
    await transaction.execute(update(rows).where(rows.c.position == 3).values(person_id="p_2"))


async def change_when(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    await transaction.execute(update(rows).where(rows.c.position == 3).values(at=found.at.replace(year=2020)))


async def change_a_payload(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    await transaction.execute(update(audit_payloads).where(audit_payloads.c.seq == found.seq).values(payload={"n": 9}))


async def change_a_payload_and_its_digest(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    await transaction.execute(
        update(audit_payloads).where(audit_payloads.c.seq == found.seq).values(payload={"n": 9}, salt="s")
    )
    digest = payload_digest("s", {"n": 9})
    await transaction.execute(update(rows).where(rows.c.position == 3).values(payload_digest=digest))


async def pass_a_changed_payload_off_as_erased(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    mine = audit_payloads.c.seq == found.seq
    await transaction.execute(update(audit_payloads).where(mine).values(payload={"n": 9}, erased_at=found.at))


async def remove_a_payload(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    await transaction.execute(delete(audit_payloads).where(audit_payloads.c.seq == found.seq))


async def remove_a_row(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    await transaction.execute(delete(audit_payloads).where(audit_payloads.c.seq == found.seq))
    await transaction.execute(delete(rows).where(rows.c.position == 3))


async def remove_a_row_and_close_the_gap(transaction: Transaction) -> None:
    await remove_a_row(transaction)
    for position in (4, 5, 6):
        await transaction.execute(update(rows).where(rows.c.position == position).values(position=position - 1))


async def unseal_a_row(transaction: Transaction) -> None:
    await transaction.execute(update(rows).where(rows.c.position == 3).values(position=None, hash=None))


async def swap_two_rows(transaction: Transaction) -> None:
    for position, to in ((3, -1), (4, 3), (-1, 4)):
        await transaction.execute(update(rows).where(rows.c.position == position).values(position=to))


async def truncate_the_tail(transaction: Transaction) -> None:
    for position in (5, 6):
        found = await at(transaction, position)
        await transaction.execute(delete(audit_payloads).where(audit_payloads.c.seq == found.seq))
        await transaction.execute(delete(rows).where(rows.c.position == position))


async def empty_everything_but_the_head(transaction: Transaction) -> None:
    await transaction.execute(delete(audit_payloads))
    await transaction.execute(delete(rows))


async def insert_a_row_at_the_end(transaction: Transaction) -> None:
    last = await at(transaction, 6)
    values = {"at": last.at, "kind": "forged", "person_id": "p_1", "request_id": "QM-1"}
    digest = payload_digest("s", {})
    forged = insert(rows).values(**values, payload_digest=digest, position=7, hash=last.hash).returning(rows.c.seq)
    seq = (await transaction.execute(forged)).scalar_one()
    await transaction.execute(insert(audit_payloads).values(seq=seq, salt="s", payload={}))
    again = (await transaction.execute(select(rows).where(rows.c.seq == seq))).one()
    await transaction.execute(update(rows).where(rows.c.seq == seq).values(hash=chain(last.hash, again, 7)))


async def insert_a_row_in_between(transaction: Transaction) -> None:
    for position in (6, 5, 4):
        await transaction.execute(update(rows).where(rows.c.position == position).values(position=position + 1))
    before = await at(transaction, 3)
    values = {"at": before.at, "kind": "forged", "person_id": "p_1", "request_id": "QM-1"}
    await transaction.execute(
        insert(rows).values(**values, payload_digest=payload_digest("s", {}), position=4, hash=before.hash)
    )


async def erase_a_payload_in_secret(transaction: Transaction) -> None:
    found = await at(transaction, 3)
    gone = {"payload": None, "salt": "", "erased_at": found.at}
    await transaction.execute(update(audit_payloads).where(audit_payloads.c.seq == found.seq).values(**gone))


async def rewind_the_head(transaction: Transaction) -> None:
    fifth = await at(transaction, 5)
    await transaction.execute(update(audit_head).values(position=5, hash=fifth.hash))


async def remove_the_head(transaction: Transaction) -> None:
    await transaction.execute(delete(audit_head))


TAMPERINGS: list[tuple[Tampering, str]] = [
    (change_a_row, "at position 3 was changed"),
    (change_who, "at position 3 was changed"),
    (change_when, "at position 3 was changed"),
    (change_a_payload, "payload of row .* at position 3 was changed"),
    (change_a_payload_and_its_digest, "at position 3 was changed"),
    (pass_a_changed_payload_off_as_erased, "payload of row .* at position 3 was changed"),
    (erase_a_payload_in_secret, "payload of row .* at position 3 was erased without an audit.erased row"),
    (remove_a_payload, "payload of row .* at position 3 was changed"),
    (remove_a_row, "position 3 is missing"),
    (remove_a_row_and_close_the_gap, "at position 3 was changed or moved"),
    (unseal_a_row, "position 3 is missing"),
    (swap_two_rows, "at position 3 was changed or moved"),
    (truncate_the_tail, "ends at position 4, the head says 6"),
    (empty_everything_but_the_head, "ends at position 0, the head says 6"),
    (insert_a_row_at_the_end, "ends at position 7, the head says 6"),
    (insert_a_row_in_between, "at position 4 was changed or moved"),
    (rewind_the_head, "ends at position 6, the head says 5"),
    (remove_the_head, "ends at position 6, the head says 0"),
]


@pytest.mark.parametrize(("tamper", "fault"), TAMPERINGS, ids=[t.__name__ for t, _ in TAMPERINGS])
async def test_tampering_is_found(database: Database, audit: Audit, tamper: Tampering, fault: str) -> None:
    await record(database, audit, 6)
    assert (await audit.verify()).fault == ""
    await database.write(tamper)
    found = await audit.verify()
    assert re.search(fault, found.fault), found.fault or "the tampering was not seen"


async def test_an_intact_chain_verifies_and_tells_what_is_not_sealed_yet(database: Database, audit: Audit) -> None:
    await record(database, audit, 5)
    await database.write(lambda transaction: audit.record(transaction, "later"))
    found = await audit.verify()
    assert (found.sealed, found.unsealed, found.fault) == (5, 1, "")
    assert await audit.seal() == 1
    assert await audit.seal() == 0
    assert (await audit.verify()).sealed == 6


async def test_an_empty_record_is_intact(audit: Audit) -> None:
    found = await audit.verify()
    assert (found.sealed, found.unsealed, found.fault) == (0, 0, "")


async def test_an_erased_payload_leaves_the_chain_intact(
    database: Database, audit: Audit, erasing: Erasing, ana: Person
) -> None:
    await record(database, audit, 4, person_id=ana.id)
    seq = (await audit.list()).items[1]["id"]
    await erasing.erase_row(seq, ana, " asked by letter ")
    before_the_seal = await audit.verify()
    assert (before_the_seal.sealed, before_the_seal.erased, before_the_seal.fault) == (4, 1, "")
    await audit.seal()
    found = await audit.verify()
    assert (found.sealed, found.erased, found.fault) == (5, 1, "")
    entries = (await audit.list()).items
    assert [entry["id"] for entry in entries if entry["payload"] == {}] == [seq]
    told = entries[0]
    assert (told["kind"], told["person"], told["request"]) == ("audit.erased", ana.email, "QM-1")
    assert told["payload"] == {"seq": seq, "reason": "asked by letter"}


async def test_what_is_erased_is_gone_from_the_database(
    database: Database, audit: Audit, erasing: Erasing, ana: Person
) -> None:
    await record(database, audit, 1)
    seq = (await audit.list()).items[0]["id"]
    await erasing.erase_row(seq, ana, "asked by letter")
    async with database.read() as connection:
        left = (await connection.execute(select(audit_payloads).where(audit_payloads.c.seq == seq))).one()
    assert (left.payload, left.salt) == (None, "")  # a salt left behind would let guesses be checked


async def test_an_erasure_counts_for_the_row_it_names_only(
    database: Database, audit: Audit, erasing: Erasing, ana: Person
) -> None:
    await record(database, audit, 6)
    await erasing.erase_row((await audit.list()).items[0]["id"], ana, "asked by letter")
    await database.write(erase_a_payload_in_secret)
    assert "position 3 was erased without" in (await audit.verify()).fault


async def test_refuses_an_erasure_that_could_not_be_accounted_for(
    database: Database, audit: Audit, erasing: Erasing, ana: Person
) -> None:
    await record(database, audit, 2)
    seq = (await audit.list()).items[0]["id"]
    with pytest.raises(Invalid) as no_reason:
        await erasing.erase_row(seq, ana, " \n ")
    assert no_reason.value.field == "reason"
    with pytest.raises(NotFound):
        await erasing.erase_row(seq + 1000, ana, "asked by letter")
    await erasing.erase_row(seq, ana, "asked by letter")
    with pytest.raises(Conflict):
        await erasing.erase_row(seq, ana, "asked by letter")
    account = (await audit.list()).items[0]["id"]
    with pytest.raises(Invalid) as of_the_account:
        await erasing.erase_row(account, ana, "hide it")
    assert of_the_account.value.field == "seq"
    assert len((await audit.list()).items) == 3


async def test_a_record_emptied_with_its_head_is_found_by_the_requests(
    database: Database, audit: Audit, clock: HandClock, ana: Person
) -> None:
    async def place(transaction: Transaction) -> None:
        for number, request_id in enumerate(("qm-later", "qm-first")):
            await transaction.execute(insert(requests).values(**a_request(request_id, ana, clock, age=number)))
            await audit.record(transaction, "request.placed", person_id=ana.id, request_id=request_id)

    async def empty(transaction: Transaction) -> None:
        await empty_everything_but_the_head(transaction)
        await remove_the_head(transaction)

    await database.write(place)
    assert (await audit.verify()).fault == ""  # rows that are not sealed yet count
    await audit.seal()
    assert (await audit.verify()).fault == ""
    await database.write(empty)
    assert (await audit.verify()).fault == "request qm-first has no row"


def a_request(request_id: str, by: Person, clock: HandClock, *, age: int) -> dict[str, Any]:
    """Return a row of `requests` that was placed `age` hours ago."""
    at = clock.now() - timedelta(hours=age)
    texts = {"intent": "MakeToy", "state": "queued", "conversation": "c", "tier": "standard", "digest": "d"}
    data: dict[str, Any] = {"slots": {}, "plan": {}, "notes": {}, "version": 1}
    return {"id": request_id, "person_id": by.id, "created_at": at, "updated_at": at, **texts, **data}


async def test_a_row_that_was_rolled_back_leaves_no_trace(database: Database, audit: Audit) -> None:
    async def fails(transaction: Transaction) -> None:
        await audit.record(transaction, "never")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fails)
    await record(database, audit, 2)
    assert (await audit.verify()).sealed == 2


async def test_two_sealers_at_once_make_one_chain(
    database: Database, other_database: Database, audit: Audit, clock: HandClock
) -> None:
    """The lease keeps them apart, but a replica that was frozen while it held it may come back."""

    async def work(transaction: Transaction) -> None:
        for n in range(200):
            await audit.record(transaction, "row", payload={"n": n})

    await database.write(work)
    stale = Audit(other_database, clock)
    await asyncio.gather(*(sealer.seal() for sealer in (audit, stale, audit, stale)))
    found = await audit.verify()
    assert (found.sealed, found.unsealed, found.fault) == (200, 0, "")


async def test_verifying_while_rows_are_sealed_raises_no_false_alarm(database: Database, audit: Audit) -> None:
    await record(database, audit, 50)
    sealing = asyncio.create_task(_seal_on(database, audit))
    try:
        for _ in range(15):
            assert (await audit.verify()).fault == ""
    finally:
        sealing.cancel()


async def _seal_on(database: Database, audit: Audit) -> None:
    while True:
        await record(database, audit, 1)


async def test_pages_show_every_entry_once_newest_first(database: Database, audit: Audit, ana: Person) -> None:
    await record(database, audit, 7, person_id=ana.id)
    seen: list[int] = []
    cursor = ""
    while True:
        page = await audit.list(person="Ana@Corp.example", cursor=cursor, limit=3)
        seen += [entry["id"] for entry in page.items]
        await record(database, audit, 1, person_id=ana.id)  # what comes meanwhile moves nothing
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == 7
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize("cursor", ["x", "%00", "LTE", "MS41", "é", "9" * 400, "MQoy", "OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
async def test_a_hostile_cursor_is_invalid(audit: Audit, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await audit.list(cursor=cursor)
    assert refused.value.field == "cursor"


def verify(url: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot audit verify` on a database."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "SMTP_URL": "smtp://127.0.0.1:9"}
    return run_command(["audit", "verify"], environment)


async def test_the_command_tells_intact_from_broken_by_its_status(database_url: str, clock: HandClock) -> None:
    await asyncio.to_thread(migrate, database_url)
    database = Database(database_url)
    await database.start()
    audit = Audit(database, clock)
    await record(database, audit, 6)
    intact = await asyncio.to_thread(verify, database_url)
    assert (intact.returncode, intact.stdout) == (0, "The audit is intact: 6 rows.\n")
    await database.write(change_a_row)
    await database.close()
    broken = await asyncio.to_thread(verify, database_url)
    assert broken.returncode == 1
    assert "NOT intact" in broken.stdout
    assert "position 3" in broken.stdout


def test_the_command_does_not_call_a_missing_record_broken(database_url: str) -> None:
    done = verify(database_url)
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    assert "migrate" in done.stderr


def test_the_command_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "quartermaster.sqlite"
    done = verify(f"sqlite:///{missing}")
    assert done.returncode == 2, done.stdout
    assert f"{missing}, which does not exist" in done.stderr
    assert "Traceback" not in done.stderr
    assert not missing.parent.exists()
