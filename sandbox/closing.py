"""Closing accounts: asked for, PENDING_CLOSURE for some hours, SUSPENDED for 90 days, then gone.

What stays for good is the closure: the root e-mail stays used, and it counts in the quota for 30 days.
"""

from __future__ import annotations

from sandbox.errors import AwsError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.model import Account, Closure
from sandbox.stacks import forget_account
from sandbox.world import World

HOURS_TO_SUSPENSION = 4
DAYS_TO_THE_END = 90
QUOTA_DAYS = 30
_DAY = 86_400.0
_LEAST, _MOST = 10, 1_000


def close_account(world: World, account: Account) -> None:
    """Ask for an account's closure; ConstraintViolationException or AccountAlreadyClosedException if it can't be."""
    if account.id == MANAGEMENT_ACCOUNT:
        raise AwsError(
            "ConstraintViolationException",
            "You can't close the management account of an organization.",
            Reason="CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
        )
    if account.status != "ACTIVE":
        raise AwsError("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
    now = world.clock.now()
    if closures_that_count(world, now) >= closure_quota(world):
        raise AwsError(
            "ConstraintViolationException",
            f"You have exceeded the close account quota for the past {QUOTA_DAYS} days.",
            Reason="CLOSE_ACCOUNT_QUOTA_EXCEEDED",
        )
    account.status = "PENDING_CLOSURE"
    suspended_at = now + HOURS_TO_SUSPENSION * 3_600.0
    world.zone.closures[account.id] = Closure(
        account_id=account.id,
        email=account.email,
        asked_at=now,
        suspended_at=suspended_at,
        gone_at=suspended_at + DAYS_TO_THE_END * _DAY,
    )
    world.changed()


def closure_quota(world: World) -> int:
    """How many accounts may be closed in 30 days: a tenth of the active members, from 10 to 1,000."""
    members = sum(account.status == "ACTIVE" for account in world.zone.accounts.values()) - 1
    counted = members + closures_that_count(world, world.clock.now())
    return min(max(_LEAST, counted // 10), _MOST)


def closures_that_count(world: World, now: float) -> int:
    """Closures asked for in the last 30 days."""
    return sum(closure.asked_at > now - QUOTA_DAYS * _DAY for closure in world.zone.closures.values())


def settle_closures(world: World) -> None:
    """Suspend accounts, and let them go, as they come due."""
    now = world.clock.now()
    for closure in world.zone.closures.values():
        account = world.zone.accounts.get(closure.account_id)
        if account is None:
            continue
        if closure.gone_at <= now:
            del world.zone.accounts[account.id]
            world.zone.tags.pop(account.id, None)
            for key in [key for key, held in world.zone.assignments.items() if held.account_id == account.id]:
                del world.zone.assignments[key]
            forget_account(world.zone, account.id)
            world.changed()
        elif closure.suspended_at <= now and account.status == "PENDING_CLOSURE":
            account.status = "SUSPENDED"
            world.changed()
