"""The budget finds each lane's pace, asks again what was throttled, and holds back no other lane."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import CloudError
from intents.insights.budget import AT_ONCE, TRIES, Budget

THROTTLED = CloudError("ThrottlingException", "Rate exceeded", retryable=True)


class Time:
    """Moves by what is waited."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += max(0.0, seconds)
        await asyncio.sleep(0)


def budget_in(time: Time) -> Budget:
    return Budget(time.clock, time.pause, lambda: 1.0)


async def test_a_limited_service_is_asked_until_it_has_answered_everything() -> None:
    time = Time()
    budget = budget_in(time)
    tokens, at, answered = 5.0, 0.0, 0

    async def work() -> None:
        nonlocal tokens, at, answered
        tokens, at = min(5.0, tokens + (time.now - at) * 4), time.now
        if tokens < 1:
            raise THROTTLED
        tokens -= 1
        answered += 1

    for _ in range(200):
        await budget.spend("guru", work)
    assert answered == 200
    assert 0 < budget.throttled < 60  # without a pace each would be refused several times
    assert 200 / time.now == pytest.approx(4, rel=0.35)


async def test_what_stays_throttled_is_given_up_and_what_is_refused_is_not_asked_again() -> None:
    time = Time()
    budget = budget_in(time)

    async def throttle() -> None:
        raise THROTTLED

    with pytest.raises(CloudError, match="Rate exceeded"):
        await budget.spend("guru", throttle)
    assert budget.calls == TRIES

    async def deny() -> None:
        raise CloudError("AccessDeniedException", "no")

    with pytest.raises(CloudError, match="AccessDenied"):
        await budget.spend("guru", deny)
    assert budget.calls == TRIES + 1


async def test_a_slow_lane_holds_back_no_other_and_few_calls_are_under_way_at_once() -> None:
    time = Time()
    budget = budget_in(time)
    refusals = iter([THROTTLED] * 4)

    async def throttle_at_first() -> None:
        if refusal := next(refusals, None):
            raise refusal

    await budget.spend("slow", throttle_at_first)
    begun = time.now
    await budget.spend("other", throttle_at_first)
    assert time.now == begun

    under_way = most = 0
    gate, full = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way >= AT_ONCE:
            full.set()
        await gate.wait()
        under_way -= 1

    tasks = [asyncio.create_task(budget.spend(n, hold)) for n in range(3 * AT_ONCE)]
    await full.wait()
    gate.set()
    await asyncio.gather(*tasks)
    assert most == AT_ONCE
