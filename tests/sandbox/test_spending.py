"""Costs of a period are the costs of its days, whenever an account began, ended, or is looked at."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sandbox.spending import SERVICES, Line, start_of

_NEW_YEAR = date(2025, 1, 1)
moments = st.floats(-5, 100).map(lambda days: start_of(_NEW_YEAR) + days * 86_400)


@given(
    since=moments,
    until=st.one_of(st.just(float("inf")), moments),
    now=moments,
    first=st.integers(-10, 90),
    length=st.integers(1, 80),
    service=st.sampled_from(SERVICES),
    is_idle=st.booleans(),
)
def test_a_period_costs_what_its_days_cost(
    since: float, until: float, now: float, first: int, length: int, service: str, is_idle: bool
) -> None:
    line = Line("555566667777", service, 5_000_000.0, is_idle, since, until)
    start = _NEW_YEAR + timedelta(days=first)
    days = [start + timedelta(days=number) for number in range(length)]
    costs = [line.cost_on(day, now) for day in days]

    assert line.cost_between(start, start + timedelta(days=length), now) == sum(costs)
    for day, cost in zip(days, costs, strict=True):
        existed = min(start_of(day) + 86_400, until, now) - max(start_of(day), since)
        # Within a second it may round to nothing.
        assert cost > 0 if existed > 1 else cost >= 0
        assert existed > 0 or cost == 0
