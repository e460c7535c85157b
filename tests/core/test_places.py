"""Control Tower's places are given in the transaction that takes them, over every intent that takes one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.account_factory import DONE_WITH, KIND, PRODUCT
from bot.activity import Person
from bot.database import Database, Transaction
from bot.errors import CloudError
from bot.intent import Change
from bot.places import CHECK, STALE, UNCOUNTED, Places
from bot.plan import Plan
from bot.requests import RequestRecord, Requests
from bot.requests.record import State
from bot.services import Services
from bot.workflow.model import Verdict, Waiting
from tests.core.clock import HandClock


def change(*, takes_control_tower: bool) -> Any:
    """Return a change of which only that is known."""
    some: Any = type("Some", (Change,), {"takes_control_tower": takes_control_tower})
    some.__abstractmethods__ = frozenset()
    return some.__new__(some)


INTENTS = {
    "order": change(takes_control_tower=True),
    "move": change(takes_control_tower=True),
    "product": change(takes_control_tower=False),
}


class Tower:
    """What Service Catalog lists as being worked on."""

    def __init__(self) -> None:
        self.busy: list[str] = []
        self.fault: CloudError | None = None

    async def pages(self, *_: str, **__: Any) -> AsyncIterator[dict[str, Any]]:
        """Give them one by one, among others that are no accounts or that are done."""
        if self.fault:
            raise self.fault
        yield {"Name": "bucket", "Type": "CFN_STACK", "Status": "UNDER_CHANGE"}
        yield {"Name": "done", "Type": KIND, "Status": "AVAILABLE"}
        for name in self.busy:
            yield {"Name": name, "Type": KIND, "Status": "UNDER_CHANGE"}


class World:
    """Places over a real database."""

    def __init__(self, database: Database, clock: HandClock, ana: Person) -> None:
        self.database, self.clock, self._ana = database, clock, ana
        self.tower = Tower()
        unused: Any = SimpleNamespace()
        self.requests = Requests(database, clock, unused, unused, unused)
        settings = SimpleNamespace(control_tower_capacity=2, control_tower_region="us-east-1", management_role_arn="")
        services = SimpleNamespace(
            settings=settings,
            cloud=self.tower,
            clock=clock,
            database=database,
            registry=SimpleNamespace(get=INTENTS.get),
            requests=self.requests,
        )
        self.places = Places(cast(Services, services))

    async def asked(
        self, request: str, *, intent: str = "order", state: State = "approved", is_done: bool = False
    ) -> Waiting:
        """Keep a request for an account product of that name, and return the row that waits for its place."""
        now = self.clock.now()
        plan = Plan(intent, "Do it", {PRODUCT: f"product of {request}"}, ())
        record = RequestRecord(
            id=request,
            intent=intent,
            state=state,
            requester=self._ana,
            owner="",
            conversation="c",
            tier="standard",
            slots={},
            plan=plan,
            digest=plan.digest,
            version=1,
            notes={DONE_WITH: is_done},
            outcome=None,
            expires_at=None,
            created_at=now,
            updated_at=now,
        )

        async def work(transaction: Transaction) -> None:
            await self.requests.insert(transaction, record)

        await self.database.write(work)
        return Waiting(int(request), request, request, {}, now, False, 1)

    async def lets_run(self, row: Waiting, verdict: Verdict) -> bool:
        """Record a verdict as the scheduler does; tell whether the request runs."""

        async def work(transaction: Transaction) -> bool:
            if not verdict.ready or (verdict.admits and not await verdict.admits(transaction)):
                return False
            return await self.requests.move(transaction, row.request_id, ("approved", "queued", "running"), "running")

        return await self.database.write(work)

    async def admitted(self, *rows: Waiting) -> list[bool]:
        """Look once at all, and tell which may go on."""
        verdicts = await self.places.look(rows)
        return [await self.lets_run(row, verdicts[row.seq]) for row in rows]


@pytest.fixture
def world(database: Database, clock: HandClock, ana: Person) -> World:
    return World(database, clock, ana)


async def test_the_oldest_are_admitted_whatever_their_intent_and_the_others_told_their_number(world: World) -> None:
    rows = [await world.asked("1"), await world.asked("2", intent="move"), await world.asked("3")]
    verdicts = await world.places.look(rows)
    assert [verdicts[row.seq].state for row in rows] == ["running", "running", "queued"]
    notice = verdicts[3].notice
    assert notice
    assert "number 1 in line" in notice.text
    assert verdicts[3].payload == {CHECK: True}


async def test_what_others_let_run_since_the_look_takes_their_places(world: World) -> None:
    first, second, third = await world.asked("1"), await world.asked("2", intent="move"), await world.asked("3")
    seen = [(row, (await world.places.look([row]))[row.seq]) for row in (first, second, third)]
    assert all(verdict.ready for _, verdict in seen), "each look by itself sees two free places"
    assert [await world.lets_run(row, verdict) for row, verdict in seen] == [True, True, False]
    assert await world.admitted(third) == [False]


async def test_running_requests_and_what_is_seen_in_service_catalog_count_once(world: World) -> None:
    await world.asked("1", state="running")
    world.tower.busy = ["product of 1"]
    waiting = [await world.asked("2"), await world.asked("3")]
    assert await world.admitted(*waiting) == [True, False]


async def test_products_and_accounts_that_are_being_finished_take_no_place(world: World) -> None:
    await world.asked("1", intent="product", state="running")
    await world.asked("2", state="running", is_done=True)
    await world.asked("3", intent="removed", state="running")
    waiting = [await world.asked("4"), await world.asked("5")]
    assert await world.admitted(*waiting) == [True, True]


async def test_requests_that_are_tried_again_do_not_stand_in_their_own_way(world: World) -> None:
    rows = [await world.asked(str(number), state="running") for number in (1, 2)]
    assert await world.admitted(*rows) == [True, True]


async def test_what_waited_for_long_is_checked_again(world: World) -> None:
    row = await world.asked("1")
    assert (await world.places.look([row]))[1].payload == {CHECK: False}
    world.clock.at += STALE * 2
    assert (await world.places.look([row]))[1].payload == {CHECK: True}


async def test_while_places_can_not_be_counted_nobody_is_admitted_and_people_hear_of_it(world: World) -> None:
    row = await world.asked("1")
    world.tower.fault = CloudError("Throttling", "slow", operation="SearchProvisionedProducts", retryable=True)
    assert await world.places.look([row]) == {}
    world.clock.at += UNCOUNTED * 2
    notice = (await world.places.look([row]))[1].notice
    assert notice
    assert "keeps its place in line" in notice.text
