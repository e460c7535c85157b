"""How much of the closing quota is used, as far as can be known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from intents.accounts.quota import WINDOW, count_closures

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def accounts(active: int, pending: int = 0, suspended: int = 0) -> list[dict[str, str]]:
    """Return a management account and so many members of each state."""
    states = ["ACTIVE"] * (active + 1) + ["PENDING_CLOSURE"] * pending + ["SUSPENDED"] * suspended
    return [{"Id": str(number), "Status": status} for number, status in enumerate(states)]


@pytest.mark.parametrize(("members", "quota"), [(3, 10), (109, 10), (110, 11), (805, 80), (20_000, 1_000)])
def test_a_tenth_of_the_members_may_be_closed_from_ten_to_a_thousand(members: int, quota: int) -> None:
    assert count_closures(accounts(members), {}, NOW).quota == quota


def test_our_own_closings_count_for_thirty_days_and_tell_when_the_next_is_free() -> None:
    own = {f"own-{n}": NOW - timedelta(days=n) for n in range(10)}
    closures = count_closures(accounts(50), own, NOW)
    assert (closures.certain, closures.is_used_up) == (10, True)
    assert closures.next_free == NOW - timedelta(days=9) + WINDOW
    assert count_closures(accounts(50), {"a": NOW - WINDOW}, NOW).certain == 0
    assert count_closures(accounts(50), {"a": NOW - WINDOW + MOMENT}, NOW).certain == 1


def test_what_others_close_counts_while_it_is_pending_and_may_count_afterwards() -> None:
    pending = count_closures(accounts(50, pending=10), {}, NOW)
    assert pending.is_used_up
    suspended = count_closures(accounts(50, suspended=10), {}, NOW)
    assert not suspended.is_used_up
    assert suspended.may_be_used_up


def test_the_account_that_is_to_be_closed_does_not_stand_in_its_own_way() -> None:
    assert count_closures(accounts(3, pending=1), {}, NOW, but="4").certain == 0
