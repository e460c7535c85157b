"""Whatever happens in whatever order: nothing goes on without its people, is decided twice, or by who asked for it.

What must hold is said here once more, in other words than the code's: by trying all pairs of people.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from bot.database.tables import approvals, waits
from bot.errors import QuartermasterError
from bot.people import mailbox_of
from tests.approvals.desk import Desk
from tests.approvals.test_quorum import TWO_OF_EACH

PEOPLE = {"ana": [], "bo": ["platform"], "cy": ["platform", "finance"], "dee": ["finance"], "eve": []}
NAMES = st.sampled_from([*PEOPLE, "bo+x@corp.example"])
FINAL = ("rejected", "expired")


class AnyOrder(RuleBasedStateMachine):
    """People ask, change their minds, go away and decide; the process restarts; time passes."""

    database_url = ""
    """A database with all tables; a file of its own when empty."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        listed = [{"email": f"{name}@corp.example", "groups": groups} for name, groups in PEOPLE.items()]
        self.desk = Desk(
            self.folder,
            TWO_OF_EACH,
            {"people": listed},
            approvers=("bo@corp.example", "dee@corp.example"),
            database_url=self.database_url,
        )
        self.requests: dict[str, tuple[str, str]] = {}
        """Each request's requester and tier."""
        self.ended: dict[str, str] = {}
        self.met: set[tuple[str, int]] = set()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end; what is refused is part of the game."""
        with suppress(QuartermasterError):
            return self.loop.run_until_complete(work)
        return None

    @initialize(first=NAMES, absent=st.sampled_from(["bo", "dee"]), stand_in=st.sampled_from(["eve", "ana", "cy"]))
    def opens(self, first: str, absent: str, stand_in: str) -> None:
        self.run(self.desk.database.start())
        self.goes_away(absent, stand_in, 3)
        self.asks(first, "production")
        self.asks(absent, "standard")

    @precondition(lambda self: len(self.requests) < 3)
    @rule(by=NAMES, tier=st.sampled_from(["standard", "production"]))
    def asks(self, by: str, tier: str) -> None:
        request = self.run(self.desk.place(by, tier=tier))
        self.requests[request] = (by if "@" in by else f"{by}@corp.example", tier)

    @rule(who=NAMES, approves=st.integers(0, 5), which=st.integers(0, 2), is_stale=st.booleans())
    def decides(self, who: str, approves: int, which: int, is_stale: bool) -> None:
        request = self._pick(which)
        version = self._record(request).version - (is_stale and approves == 5)
        self.run(self.desk.decide(who, request, "approve" if approves else "reject", version=version))

    @rule(who=st.permutations(list(PEOPLE)), which=st.integers(0, 2))
    def all_approve(self, who: list[str], which: int) -> None:
        for name in who[:4]:
            self.run(self.desk.decide(name, self._pick(which)))

    @rule(which=st.integers(0, 2), first=NAMES, second=NAMES)
    def decide_at_once(self, which: int, first: str, second: str) -> None:
        async def both() -> None:
            request = self._pick(which)
            await asyncio.gather(
                self.desk.decide(first, request), self.desk.decide(second, request), return_exceptions=True
            )

        self.run(both())

    @rule(who=NAMES, stand_in=NAMES, days=st.integers(1, 4))
    def goes_away(self, who: str, stand_in: str, days: int) -> None:
        async def leave() -> None:
            person, other = await self.desk.person(who), await self.desk.person(stand_in)
            until = self.desk.clock.now() + timedelta(days=days)
            await self.desk.approvals.stand_in(person, other.email, until, channel="console")

        self.run(leave())

    @rule(who=NAMES)
    def comes_back(self, who: str) -> None:
        async def back() -> None:
            await self.desk.approvals.delegations.end(await self.desk.person(who))

        self.run(back())

    @rule(which=st.integers(0, 2))
    def plan_changes(self, which: int) -> None:
        request = self._pick(which)
        if request not in self.ended:
            self.run(self.desk.amend(request))

    @rule(hours=st.sampled_from([1, 1, 30]))
    def time_passes(self, hours: int) -> None:
        self.desk.clock.move(hours=hours)
        for request in self.requests:
            self.run(self.desk.fires("approval-expiry", request))

    @rule()
    def restarts(self) -> None:
        self.desk.open_again()

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        for request, (requester, tier) in self.requests.items():
            record = self._record(request)
            rows = self._rows(request)
            for version in {row.version for row in rows}:
                decided = [row for row in rows if row.version == version and row.decision]
                people = [mailbox_of(row.approver) for row in decided]
                seats = [mailbox_of(row.in_place_of or row.approver) for row in decided]
                assert len(people) == len(set(people)), "somebody decided twice"
                assert len(seats) == len(set(seats)), "a place was taken twice"
                assert mailbox_of(requester) not in (*people, *seats), "somebody decided what they asked for"
                if sum(row.decision == "reject" for row in decided) == 0 and _is_enough(decided, tier):
                    self.met.add((request, version))
            starts = self.loop.run_until_complete(self._starts(request))
            assert len(starts) == len(set(starts)), "one version was started twice"
            assert {(request, version) for version in starts} <= self.met, "it went on without its people"
            if record.state == "approved":
                assert record.version in starts
            assert self.ended.get(request, record.state) == record.state, "what had ended moved again"
            if record.state in FINAL:
                self.ended[request] = record.state

    def teardown(self) -> None:
        self.loop.run_until_complete(self.desk.database.close())
        self.loop.close()
        shutil.rmtree(self.folder)

    def _pick(self, which: int) -> str:
        return list(self.requests)[which % len(self.requests)]

    def _record(self, request: str) -> Any:
        return self.loop.run_until_complete(self.desk.requests.find(request))

    def _rows(self, request: str) -> list[Any]:
        async def read() -> list[Any]:
            async with self.desk.database.read() as connection:
                query = select(approvals).where(approvals.c.request_id == request)
                return list((await connection.execute(query)).all())

        found: list[Any] = self.loop.run_until_complete(read())
        return found

    async def _starts(self, request: str) -> list[int]:
        query = select(waits.c.key).where(waits.c.request_id == request, waits.c.segment == "replan")
        async with self.desk.database.read() as connection:
            return [int(key.split(":")[1]) for key in (await connection.execute(query)).scalars()]


def _is_enough(decided: list[Any], tier: str) -> bool:
    """Tell whether these approvals are those that the rules ask for, by trying every pair."""
    groups = [set(PEOPLE.get((row.in_place_of or row.approver).partition("@")[0], [])) for row in decided]
    if tier == "standard":
        return bool(decided)
    pairs = ((one, two) for n, one in enumerate(groups) for two in groups[n + 1 :])
    return any(
        ("platform" in one and "finance" in two) or ("finance" in one and "platform" in two) for one, two in pairs
    )


AnyOrder.TestCase.settings = settings(
    max_examples=18,
    stateful_step_count=18,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyOrder = AnyOrder.TestCase


@pytest.fixture
def postgres_template(postgres_tables: str) -> str:
    """A database with all tables."""
    return postgres_tables


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(postgres_url: str) -> None:
    class OnPostgreSQL(AnyOrder):
        database_url = postgres_url

    # Requests of the examples before stay in the database; each example looks at its own.
    few = settings(TestAnyOrder.settings, max_examples=4, stateful_step_count=12)
    run_state_machine_as_test(OnPostgreSQL, settings=few)
