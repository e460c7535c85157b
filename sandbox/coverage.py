"""What DevOps Guru analyses: everything in an account and Region, chosen stacks only, or nothing."""

from __future__ import annotations

from sandbox.landing_zone import FOUNDED, HOME_REGION
from sandbox.model import LandingZone

DELEGATED_AT = FOUNDED + 60 * 86_400.0
"""When the delegated administrator was registered; the seed's accounts were covered on that day."""
LEARNING = 24 * 3_600.0
"""Seconds for which what is newly covered is only learnt, and nothing is found there."""
ALL = "*"
_NOBODY = "888899990000"
"""Old Intranet, from before the delegated administrator, was never covered."""
_CHOSEN = ("666688889999", HOME_REGION, "cart-table")
"""In Webshop Test one stack is covered in the home Region."""


def seed_coverage(zone: LandingZone) -> None:
    """What differs from covering everything."""
    zone.coverage[_NOBODY] = {}
    account, region, stack = _CHOSEN
    zone.coverage[_key(account, region)] = {stack: DELEGATED_AT}


def covered(zone: LandingZone, account_id: str, region: str) -> dict[str, float]:
    """The stacks that are analysed there, and since when; "*" for all that there is."""
    chosen = zone.coverage.get(_key(account_id, region), zone.coverage.get(account_id))
    if chosen is not None:
        return chosen
    account = zone.accounts.get(account_id)
    return {ALL: max(DELEGATED_AT, account.joined_at)} if account else {}


def is_learnt(zone: LandingZone, account_id: str, region: str, stack: str, at: float) -> bool:
    """Whether something found in a stack at that time is known: it was covered for long enough by then."""
    found = covered(zone, account_id, region)
    since = found.get(ALL, found.get(stack))
    return since is not None and since + LEARNING <= at


def cover(zone: LandingZone, account_id: str, region: str, stacks: list[str], now: float) -> None:
    """Add stacks to what is analysed; those that are already stay as they are."""
    found = dict(covered(zone, account_id, region))
    zone.coverage[_key(account_id, region)] = {**dict.fromkeys(stacks, now), **found}


def uncover(zone: LandingZone, account_id: str, region: str, stacks: list[str]) -> None:
    """Take stacks out of what is analysed."""
    found = covered(zone, account_id, region)
    zone.coverage[_key(account_id, region)] = {name: at for name, at in found.items() if name not in stacks}


def _key(account_id: str, region: str) -> str:
    return f"{account_id}/{region}"
