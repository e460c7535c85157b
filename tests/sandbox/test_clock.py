"""The simulated clock: follows real time at its speed, jumps forward, never back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import ClockError, SimulatedClock
from tests.sandbox.landing import Aws


class Wall:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_runs_at_its_speed() -> None:
    wall = Wall()
    clock = SimulatedClock(speed=60, resume_at=1_000.0, monotonic=wall)
    wall.at += 2
    assert clock.now() == pytest.approx(1_120)

    clock.set_speed(0)
    wall.at += 100
    assert clock.now() == pytest.approx(1_120)


moves = st.one_of(
    st.tuples(st.just("wait"), st.floats(0, 100)),
    st.tuples(st.just("advance"), st.floats(0, 10_000)),
    st.tuples(st.just("speed"), st.floats(0, 5_000)),
)


@given(st.lists(moves, max_size=30))
def test_shows_no_time_earlier_than_one_seen_whenever_it_is_killed(steps: list[tuple[str, float]]) -> None:
    wall = Wall()
    kept: list[float] = []
    clock = SimulatedClock(speed=60, resume_at=0.0, keep=kept.append, monotonic=wall)
    seen = clock.now()
    for step, amount in steps:
        if step == "wait":
            wall.at += amount
        elif step == "advance":
            clock.advance(amount)
        else:
            clock.set_speed(amount)
        now = clock.now()
        assert now >= seen
        seen = now
        resumed = SimulatedClock(speed=60, resume_at=kept[-1], monotonic=wall)
        assert resumed.now() >= seen


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "60", None, [], 1e300, 10**400])
def test_refuses_what_is_no_step_forward(seconds: object) -> None:
    clock = SimulatedClock(speed=0, resume_at=0.0)
    with pytest.raises(ClockError, match="advance"):
        clock.advance(seconds)
    assert clock.now() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"advance": -1},
        {"advance": "soon"},
        {"advance": True},
        {"speed": -0.5},
        {"speed": None},
        {"speed": 1e12},
        {},
        {"now": "2030-01-01"},
        [],
        b"no json",
        b'{"advance": NaN}',
        b'{"advance": 1e999}',
    ],
)
def test_answers_a_bad_wish_with_422_and_why(aws: Aws, body: Any) -> None:
    before = aws.get("clock")
    status, answer = aws.ask("POST", "clock", body)

    assert status == 422
    assert answer["detail"]
    assert aws.get("clock") == before


def test_tells_iso_time_with_offset_and_jumps(aws: Aws) -> None:
    before = datetime.fromisoformat(aws.get("clock")["now"])
    answer = aws.post("clock", advance=86_400)

    assert before.utcoffset() == timedelta(0)
    assert datetime.fromisoformat(answer["now"]) - before == timedelta(days=1)
    assert aws.post("clock", speed=120)["speed"] == 120
    assert before < datetime.now(UTC) + timedelta(days=3_650)
