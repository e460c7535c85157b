"""What is read part by part: shared while it is under way, remembered for seconds, honest about what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import CloudError
from bot.insights import Details, Gap, Insight, Part, Question, Scope
from intents.insights.reading import Reader

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCOPE = Scope(("us-east-1", "eu-central-1"), {"111111111111": "", "222222222222": ""})


class StandingClock:
    def __init__(self) -> None:
        self.at = NOW

    def wall(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at


class Scripted:
    """A provider that reads each account and Region; what it answers is up to the test."""

    name = "Scripted"
    kept = timedelta(days=30)

    def __init__(self) -> None:
        self.read_parts: list[Part] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.all_read = asyncio.Event()
        self.errors: dict[str, str] = {}

    def parts(self, scope: Scope) -> Sequence[Part]:
        return [Part(self.name, region, account) for account in scope.accounts for region in scope.regions]

    async def read(self, part: Part, question: Question, scope: Scope) -> tuple[Insight, ...]:
        self.read_parts.append(part)
        if len(self.read_parts) == 4:
            self.all_read.set()
        if part.region == "eu-central-1":
            await self.gate.wait()
        if code := self.errors.get(part.account):
            raise CloudError(code, "no")
        return (Insight(f"i-{part.account}", part.account, part.region, "wrong", "HIGH", False, NOW, None),)

    async def gaps(self, scope: Scope, *, deep: bool = False) -> tuple[Gap, ...]:
        return ()

    async def with_resources(self, insight: Insight) -> Insight:
        return insight

    async def details(self, insight: Insight) -> Details:
        return Details(insight, (), (), ())


@pytest.fixture
def provider() -> Scripted:
    return Scripted()


async def test_a_reading_serves_again_until_it_is_forgotten_or_time_has_jumped(provider: Scripted) -> None:
    clock = StandingClock()
    reader = Reader([provider], clock)
    first = await reader.read(SCOPE, Question())
    assert len(first.insights) == len(provider.read_parts) == 4
    assert await reader.read(SCOPE, Question()) == first
    assert len(provider.read_parts) == 4
    reader.forget("111111111111", "us-east-1")
    await reader.read(SCOPE, Question())
    assert provider.read_parts[4:] == [Part("Scripted", "us-east-1", "111111111111")]
    clock.at += timedelta(hours=2)
    await reader.read(SCOPE, Question())
    assert len(provider.read_parts) == 9


async def test_a_source_that_does_not_look_back_so_far_says_so(provider: Scripted) -> None:
    reader = Reader([provider], StandingClock())
    assert not (await reader.read(SCOPE, Question("opened", NOW - timedelta(days=30)))).missing
    (said,) = (await reader.read(SCOPE, Question("opened", NOW - timedelta(days=40)))).missing
    assert said == "Scripted tells of the past 30 days only."


async def test_who_asks_for_the_same_at_the_same_time_shares_the_reading(provider: Scripted) -> None:
    provider.gate.clear()
    reader = Reader([provider], StandingClock())
    asked = [asyncio.create_task(reader.read(SCOPE, Question("opened", NOW - timedelta(minutes=n)))) for n in (5, 9)]
    await provider.all_read.wait()
    provider.gate.set()
    one, other = await asyncio.gather(*asked)
    assert one.insights == other.insights
    assert len(provider.read_parts) == 4


async def test_the_first_results_do_not_wait_for_the_last_which_are_there_at_the_next_question(
    provider: Scripted,
) -> None:
    provider.gate.clear()
    reader = Reader([provider], StandingClock())
    first = await reader.read(SCOPE, Question(), patience=0.01)
    assert {i.region for i in first.insights} == {"us-east-1"}
    assert first.pending == 2
    provider.gate.set()
    rest = await reader.read(SCOPE, Question())
    assert (len(rest.insights), rest.pending) == (4, 0)
    assert len(provider.read_parts) == 4
    await reader.close()


async def test_closing_ends_what_still_reads(provider: Scripted) -> None:
    provider.gate.clear()
    reader = Reader([provider], StandingClock())
    await reader.read(SCOPE, Question(), patience=0.01)
    await reader.close()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_what_is_missing_is_told_by_reason_and_nothing_read_is_an_error(provider: Scripted) -> None:
    reader = Reader([provider], StandingClock())
    provider.errors = {"222222222222": "AccessDeniedException"}
    found = await reader.read(SCOPE, Question(), names=lambda account: f"Two ({account})")
    assert len(found.insights) == 2
    assert found.missing == tuple(
        f"{region} is without Two (222222222222): no access, AWS answered AccessDeniedException (Scripted)."
        for region in SCOPE.regions
    )
    provider.errors = dict.fromkeys(SCOPE.accounts, "ThrottlingException")
    reader.forget("111111111111", "us-east-1")
    reader.forget("111111111111", "eu-central-1")
    with pytest.raises(CloudError, match="Throttling"):
        await reader.read(SCOPE, Question())
