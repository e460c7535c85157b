"""`policy check|test|what-if`: whether the policies hold together and say what they should, and what a change does."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from bot import logs
from bot.approvals.deciding import REFUSED
from bot.audit import Audit
from bot.clock import SystemClock
from bot.commands.record import require_file
from bot.conversations import Conversations
from bot.database import Database
from bot.database.tables import approvals, audit, audit_payloads, people
from bot.directory import Directory
from bot.hours import WorkingHours
from bot.house import house_of
from bot.policy import Policy, Surroundings
from bot.policy.checking import SCHEMA, check_folder
from bot.policy.refusals import replay_refusals
from bot.policy.replaying import Difference, replay
from bot.policy.stories import read_table, tell
from bot.requests import Filter, RequestRecord, Requests
from bot.settings import Settings
from bot.signals import Signals

PAGE = 200


class Tried(NamedTuple):
    """A decision that was refused, with the names that rows of the table approvals have."""

    request_id: str
    approver: str
    surface: str
    decided_at: datetime


def run(chosen: argparse.Namespace) -> int:
    """Run one of them; the settings are not checked as a whole, since policies need neither mail nor sign-in."""
    logs.configure("error", plain=True)
    settings = Settings()
    match chosen.what:
        case "check":
            return _check(chosen.folder or settings.policy_dir, settings)
        case "test":
            folder = chosen.policies or settings.policy_dir
            return _test(folder, chosen.stories or folder / "stories.yml", settings)
        case _:
            return asyncio.run(_what_if(settings, chosen.folder, chosen.days))


def _check(folder: Path, settings: Settings) -> int:
    faults = check_folder(folder, settings.policy_dir / SCHEMA, _slots(settings))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults in {folder}." if faults else f"The policies in {folder} keep to the schema.")
    return int(bool(faults))


def _slots(settings: Settings) -> set[str]:
    """Return the names of all slots of the intents that are installed."""
    from bot.main import build_cloud, build_services, discover

    registry = discover(build_services(settings, SystemClock(), build_cloud(settings)))
    return {slot.name for intent in registry.intents.values() for slot in intent.definition.slots}


def _test(folder: Path, stories: Path, settings: Settings) -> int:
    table = read_table(stories)
    faults = tell(table, folder, house_of(settings).environments)
    for fault in faults:
        print(fault)
    held = len(table.stories) - len(faults)
    print(f"{held} of {len(table.stories)} stories come out as told.")
    return int(bool(faults))


async def _what_if(settings: Settings, folder: Path, days: int) -> int:
    require_file(settings.database_url)
    clock, signals = SystemClock(), Signals()
    database = Database(settings.database_url)
    directory = Directory(settings.directory_file, settings.approvers)
    house = house_of(settings)
    surroundings = Surroundings(
        clock.now, WorkingHours.parse(settings.working_hours), house.freeze_at, house.environments
    )
    old, new = (
        Policy(one, directory, surroundings, signs_in=settings.uses_oidc) for one in (settings.policy_dir, folder)
    )
    await database.start()
    try:
        conversations = Conversations(database, clock, signals)
        requests = Requests(database, clock, Audit(database, clock), conversations, old)
        wanted = Filter(since=clock.now() - timedelta(days=days), limit=PAGE)
        count, found = 0, 0
        async for record, rows in _recorded(database, requests, wanted):
            count += 1
            for difference in replay(old, new, record, rows):
                found += 1
                _print(difference)
        denied, otherwise = await replay_refusals(database, old, new, clock.now() - timedelta(days=days))
        for difference in otherwise:
            _print(difference)
        found += len(otherwise)
    finally:
        await database.close()
    about = f"{count} requests and {denied} refusals"
    print(f"{found} decisions about {about} of the last {days} days would come out otherwise.")
    return int(bool(found))


async def _recorded(
    database: Database, requests: Requests, wanted: Filter
) -> AsyncIterator[tuple[RequestRecord, Sequence[Any]]]:
    """Yield each request with the decisions about it: those that were taken, and those that were refused."""
    while True:
        page = await requests.list(wanted)
        ids = [record.id for record in page.items]
        query = select(approvals).where(approvals.c.request_id.in_(ids), approvals.c.decision.is_not(None))
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
            refused: list[Any] = [Tried(*row) for row in (await connection.execute(_refused_of(ids))).all()]
        for record in page.items:
            yield record, [row for row in [*refused, *rows] if row.request_id == record.id]
        if not page.next_cursor:
            return
        wanted = Filter(since=wanted.since, limit=PAGE, cursor=page.next_cursor)


def _refused_of(ids: Sequence[str]) -> Select[Any]:
    """Return the query for the decisions about these requests that were refused; erased ones are left out."""
    surface = audit_payloads.c.payload["surface"].as_string()
    return (
        select(audit.c.request_id, people.c.email, surface, audit.c.at)
        .join(audit_payloads, audit_payloads.c.seq == audit.c.seq)
        .join(people, people.c.id == audit.c.person_id)
        .where(audit.c.kind == REFUSED, audit.c.request_id.in_(ids), audit_payloads.c.erased_at.is_(None))
        .order_by(audit.c.seq)
    )


def _print(difference: Difference) -> None:
    print(difference)
    sys.stdout.flush()
