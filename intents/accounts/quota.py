"""The quota of closures: AWS lets a tenth of the members be closed in any 30 days, from 10 to 1,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=30)
LEAST, MOST = 10, 1_000


@dataclass(frozen=True)
class Closures:
    """Closures as far as we know. `certain` count for sure; of `possible` ones the day is not known."""

    quota: int
    certain: int
    possible: int
    next_free: datetime | None
    """When the oldest of our own leaves the window, None when none of them counts."""

    @property
    def is_used_up(self) -> bool:
        """Whether AWS would refuse another one for sure."""
        return self.certain >= self.quota

    @property
    def may_be_used_up(self) -> bool:
        """Whether AWS may refuse another one."""
        return self.certain + self.possible >= self.quota


def count_closures(
    accounts: Sequence[Mapping[str, str]], own: Mapping[str, datetime], now: datetime, *, but: str = ""
) -> Closures:
    """Count what uses up the quota: our own closings by account id and time, and accounts that are being closed.

    An account that is suspended without our doing may have been closed within the window or before. `but` is the
    account that is to be closed now.
    """
    recent = {account_id: at for account_id, at in own.items() if now - at < WINDOW and account_id != but}
    pending = {a["Id"] for a in accounts if a["Status"] == "PENDING_CLOSURE" and a["Id"] != but}
    suspended = {a["Id"] for a in accounts if a["Status"] == "SUSPENDED" and a["Id"] not in own and a["Id"] != but}
    certain = len(pending | set(recent))
    members = sum(a["Status"] == "ACTIVE" for a in accounts) - 1 + certain
    quota = min(max(LEAST, members // 10), MOST)
    next_free = min(recent.values()) + WINDOW if recent else None
    return Closures(quota, certain, len(suspended), next_free)
