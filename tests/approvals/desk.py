"""The desk at which requests are decided: the real parts on an SQLite file, without channels, workflows or AWS."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select

from bot.activity import Person
from bot.approvals import Approvals
from bot.audit import Audit
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import approvals, messages, outbox, waits
from bot.database.tables import audit as record_rows
from bot.directory import Directory
from bot.hours import WorkingHours
from bot.outbox import Outbox
from bot.people import People
from bot.plan import Plan
from bot.policy import Policy, Surroundings
from bot.requests import RequestRecord, Requests
from bot.requests.record import new_request_id
from bot.signals import Signals
from tests.core.clock import HandClock
from tests.support.tables import make_tables

ROOT = Path(__file__).parents[2]
HOURS = 48


class Desk:
    """People ask, decide, go away and come back; `rules` are policies beside the shipped ones.

    It works on a file of its own, or on `database_url`, which has all tables.
    """

    def __init__(self, folder: Path, rules: str, directory: dict[str, Any], **settings: Any) -> None:
        self.clock = HandClock()
        self.policies = Path(shutil.copytree(ROOT / "policies", folder / "policies"))
        if rules:
            (self.policies / "rules.cedar").write_text(rules, encoding="utf-8")
        self.directory_file = folder / "directory.yml"
        self.directory_file.write_text(yaml.safe_dump(directory), encoding="utf-8")
        url = settings.pop("database_url", "")
        if not url:
            url = f"sqlite:///{folder / 'test.sqlite'}"
            make_tables(url)
        self.signs_in = bool(settings.pop("signs_in", False))
        self.working = WorkingHours.parse(settings.pop("working", ""))
        self.approvers = tuple(settings.pop("approvers", ("bo@corp.example",)))
        self.database = Database(url)
        self.open_again()

    def open_again(self) -> None:
        """Make all parts anew, as after a restart: nothing is remembered but what the database holds."""
        database, clock, signals = self.database, self.clock, Signals()
        self.directory = Directory(self.directory_file, self.approvers)
        surroundings = Surroundings(clock.now, self.working)
        self.policy = Policy(self.policies, self.directory, surroundings, signs_in=self.signs_in)
        self.people = People(database, clock)
        audit, conversations = Audit(database, clock), Conversations(database, clock, signals)
        self.requests = Requests(database, clock, audit, conversations, self.policy)
        self.approvals = Approvals(
            database,
            clock,
            signals,
            self.directory,
            self.policy,
            self.people,
            self.requests,
            conversations,
            Outbox(database, clock, signals, "one"),
            audit,
            hours=HOURS,
            working=self.working,
            console_url="https://bot.corp.example",
            signs_in=self.signs_in,
        )

    async def person(self, name: str) -> Person:
        """Return ana@corp.example for “ana”; whole addresses stay as they are."""
        return await self.people.of_email(name if "@" in name else f"{name}@corp.example")

    async def place(self, by: str = "ana", *, tier: str = "standard", intent: str = "AWSAccountVending") -> str:
        """Put a request up for approval, whether or not anybody could approve it; return its id."""
        requester = await self.person(by)
        plan = Plan(intent, "Create the account web", {"name": "web"}, (("Name", "web"),), tier=tier)  # type: ignore[arg-type]
        record = RequestRecord(
            id=new_request_id(),
            intent=intent,
            state="awaiting_approval",
            requester=requester,
            owner="",
            conversation=f"test:{by}",
            tier=tier,
            slots={"AccountType": "Sandbox"},
            plan=plan,
            digest=plan.digest,
            version=1,
            notes=self.approvals.notes(plan, requester.email, {"AccountType": "Sandbox"}),
            outcome=None,
            expires_at=self.approvals.expires_at(),
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )

        async def work(transaction: Transaction) -> None:
            await self.requests.insert(transaction, record)
            await self.approvals.ask(transaction, record)

        await self.database.write(work)
        return record.id

    async def obstacle(self, by: str = "ana", *, tier: str = "standard") -> str:
        """Return why a request of somebody's could not be approved."""
        plan = Plan("AWSAccountVending", "Create", {}, (), tier=tier)  # type: ignore[arg-type]
        return await self.approvals.obstacle(plan, (await self.person(by)).email, {})

    async def amend(self, request: str) -> None:
        """Have the plan change under everybody's hands: another version is put up."""

        async def work(transaction: Transaction) -> None:
            record = await self.requests.read(transaction.connection, request)
            assert record is not None
            plan = Plan(record.intent, record.plan.summary, {"name": secrets.token_hex(4)}, (), tier=record.plan.tier)
            notes = {**record.notes, **self.approvals.notes(plan, record.requester.email, record.slots)}
            await self.requests.move(
                transaction,
                request,
                ("awaiting_approval", "approved"),
                "awaiting_approval",
                plan=plan.as_dict(),
                digest=plan.digest,
                version=record.version + 1,
                notes=notes,
                expires_at=self.approvals.expires_at(),
            )
            current = await self.requests.read(transaction.connection, request)
            assert current is not None
            await self.approvals.ask(transaction, current)

        await self.database.write(work)

    async def decide(self, by: str, request: str, decision: str = "approve", **how: Any) -> str:
        """Decide about the newest version, or the one that is given; return how the request stands."""
        record = await self.requests.find(request)
        version, reason = how.pop("version", record.version), how.pop("reason", "no" if decision == "reject" else "")
        surface = how.pop("surface", "console")
        person = await self.person(by)
        await self.approvals.decide_as(request, version, person, decision, reason, surface=surface, **how)
        return (await self.requests.find(request)).state

    async def fires(self, kind: str, request: str) -> bool:
        """Fire what waits under that kind for the request, as the scheduler does when it is due."""
        acts = {
            "approval-expiry": self.approvals.expire,
            "approval-reminder": self.approvals.remind,
            "approval-escalation": self.approvals.escalate,
        }

        async def work(transaction: Transaction) -> bool:
            mine = (waits.c.request_id == request, waits.c.kind == kind, waits.c.done_at.is_(None))
            due = select(waits).where(*mine, waits.c.due_at <= self.clock.now())
            row = (await transaction.execute(due.order_by(waits.c.seq.desc()))).first()
            record = await self.requests.read(transaction.connection, request)
            if row is None or record is None:
                return False
            await transaction.execute(waits.update().where(waits.c.seq == row.seq).values(done_at=self.clock.now()))
            return await acts[kind](transaction, record, **row.payload)

        return await self.database.write(work)

    async def looks_again(self, last: datetime | None = None) -> None:
        """Run what asks others while requests wait, as the scheduler does; it ran before at `last`, or just now."""
        _, again = self.approvals.jobs
        await again.work(last or self.clock.now())

    async def mailed(self, name: str) -> list[str]:
        """Return the kinds of the mails that somebody gets, sorted."""
        async with self.database.read() as connection:
            payloads = (
                await connection.execute(select(outbox).where(outbox.c.pace == f"email:{name}@corp.example"))
            ).all()
        return sorted(str(row.payload["kind"]) for row in payloads)

    async def asked(self, request: str) -> dict[str, str | None]:
        """Return who was asked about the newest version, and in whose place."""
        record = await self.requests.find(request)
        mine = (approvals.c.request_id == request, approvals.c.version == record.version)
        async with self.database.read() as connection:
            return {r.approver: r.in_place_of for r in (await connection.execute(select(approvals).where(*mine))).all()}

    async def told(self, request: str) -> list[str]:
        """Return what the requester was told about a request."""
        query = select(messages.c.text).where(messages.c.request_id == request).order_by(messages.c.seq)
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def recorded(self, request: str) -> list[str]:
        """Return the kinds of what the audit has about a request."""
        query = select(record_rows.c.kind).where(record_rows.c.request_id == request).order_by(record_rows.c.seq)
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def starts(self, request: str) -> int:
        """Return how often the request's workflow was started."""
        mine = (waits.c.request_id == request, waits.c.segment == "replan")
        async with self.database.read() as connection:
            return len((await connection.execute(select(waits.c.seq).where(*mine))).all())


@asynccontextmanager
async def open_desk(
    folder: Path, rules: str = "", people: dict[str, list[str]] | None = None, **more: Any
) -> AsyncIterator[Desk]:
    """Open a desk at which these people work: their names, with their groups."""
    extra = more.pop("directory", {})
    listed = [{"email": f"{n}@corp.example", "groups": g, **extra.get(n, {})} for n, g in (people or {}).items()]
    desk = Desk(folder, rules, {"people": listed, **more.pop("file", {})}, **more)
    await desk.database.start()
    try:
        yield desk
    finally:
        await desk.database.close()
