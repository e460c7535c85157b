"""What was refused, kept in the record without what it was about: for `policy what-if`, and for auditors.

Choices, accounts and OUs stay as they are, since policies decide by them; everything else that was said is masked. The
person's own address reads {self}: whether a thing is one's own is what policies ask about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.activity import Person
from bot.audit import Audit
from bot.database import Database, Transaction
from bot.database.tables import audit, audit_payloads, people
from bot.intent import Definition
from bot.misses import mask
from bot.people import mailbox_of, person_of
from bot.policy.deciding import Policy
from bot.policy.model import Decision
from bot.policy.replaying import Difference, words_of

KIND = "request.refused"
SELF = "{self}"
_OPEN = frozenset({"Relation", "Account", "AccountOU", "AccountType", "Place", "Product", "Version"})
"""Values that policies decide by, and that name no person."""
PAGE = 1_000


async def keep_refusal(
    transaction: Transaction, record: Audit, person: Person, definition: Definition | None, asked: Mapping[str, Any]
) -> None:
    """Record that somebody was refused; `asked` is `Refused.asked`: intent, shape, values, channel and policy."""
    listed = {s.name: {v.value for v in s.type.values} for s in (definition.slots if definition else ())}
    values = {
        n: str(v) if _may_stay(n, str(v), listed) else _masked(str(v), person) for n, v in asked["values"].items()
    }
    await record.record(transaction, KIND, person_id=person.id, payload={**asked, "values": values})


def _may_stay(name: str, value: str, listed: Mapping[str, set[str]]) -> bool:
    return name in _OPEN or value in listed.get(name, ())


def _masked(value: str, person: Person) -> str:
    return SELF if value.casefold() in (person.email, mailbox_of(person.email)) else mask(value)


async def replay_refusals(
    database: Database, old: Policy, new: Policy, since: datetime
) -> tuple[int, list[Difference]]:
    """Return how many refusals are on record since then, and which would differ."""
    count, found, after = 0, [], 0
    while rows := await _read(database, since, after):
        after = rows[-1].seq
        count += len(rows)
        found += [difference for row in rows if (difference := _replayed(row, old, new)) is not None]
    return count, found


async def _read(database: Database, since: datetime, after: int) -> Sequence[Any]:
    query = (
        select(audit.c.seq, audit.c.at, audit_payloads.c.payload, people)
        .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .join(people, people.c.id == audit.c.person_id)
        .where(audit.c.kind == KIND, audit.c.at >= since, audit.c.seq > after)
        .where(audit_payloads.c.payload.is_not(None))
        .order_by(audit.c.seq)
        .limit(PAGE)
    )
    async with database.read() as connection:
        return (await connection.execute(query)).all()


def _replayed(row: Any, old: Policy, new: Policy) -> Difference | None:
    person, told = person_of(row), row.payload
    own = {n: mailbox_of(person.email) if v == SELF else v for n, v in told["values"].items()}
    definition = Definition(told["intent"], told["intent"], "", ())
    then = old.surroundings.at(row.at)

    def decided(policy: Policy) -> Decision:
        channel = str(told.get("channel", ""))
        return policy.may_ask(person, definition, told["shape"], own, channel=channel, circumstances=then)

    before, after = decided(old), decided(new)
    if before.allowed == after.allowed:
        return None
    return Difference(f"row {row.seq}", f"{person.email} asked for {told['intent']}", *words_of((before, after)))
