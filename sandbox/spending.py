"""What the accounts spend: deterministic by account and day, plausible by the kind of account.

Money is whole millionths of a US dollar, so that the sums of any grouping agree to the last digit.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, pstdev

from sandbox.clock import moment
from sandbox.landing_zone import ACCOUNT_FACTORY_PRODUCT, MANAGEMENT_ACCOUNT
from sandbox.model import Account
from sandbox.world import World

DAY_SECONDS = 86_400.0
DAYS_BEFORE_FORECAST = 35
_DAYS_LOOKED_AT = 28
_MICROS = 1_000_000
_LONGEST_MONTH = 31
_EPOCH = date(1970, 1, 1).toordinal()

SERVICES = (
    "Amazon Elastic Compute Cloud - Compute",
    "Amazon Relational Database Service",
    "Amazon Simple Storage Service",
    "AmazonCloudWatch",
    "AWS CloudTrail",
    "AWS Config",
    "AWS Key Management Service",
)
_POSITIONS = {service: position for position, service in enumerate(SERVICES)}

# US dollars a day for each of SERVICES, in their order
_PROFILES = {
    "production": (62.0, 31.0, 9.0, 6.5, 0.0, 1.8, 0.5),
    "test": (14.0, 6.0, 1.2, 1.4, 0.0, 0.9, 0.2),
    "experimental": (1.9, 0.0, 0.3, 0.2, 0.0, 0.4, 0.0),
    "shared": (0.0, 0.0, 6.0, 0.8, 3.5, 1.5, 0.3),
    "ordinary": (7.5, 2.5, 0.8, 0.6, 0.0, 0.6, 0.1),
}
_KINDS = (
    ("shared", re.compile(r"\b(log archive|audit|security)\b")),
    ("production", re.compile(r"\b(prod|production|prd|live)\b")),
    ("test", re.compile(r"\b(test|staging|lab|dev|development)\b")),
    ("experimental", re.compile(r"\b(sandbox|playground|experiment|demo|demos|sbx)\b")),
)


@dataclass(frozen=True)
class Line:
    """One service of one account: `micros` is what an average day costs; it runs from `since` until `until`."""

    account_id: str
    service: str
    micros: float
    is_idle_at_weekends: bool
    since: float
    until: float

    def cost_on(self, day: date, now: float) -> int:
        """Millionths of a dollar spent on a day, as far as it has passed and the account existed."""
        begin = start_of(day)
        share = (min(begin + DAY_SECONDS, now, self.until) - max(begin, self.since)) / DAY_SECONDS
        return 0 if share <= 0 else round(self._month(day)[day.day - 1] * share)

    def cost_between(self, start: date, end: date, now: float) -> int:
        """Millionths of a dollar spent from a day up to (not with) another."""
        asked = range(start.toordinal(), end.toordinal())
        first_whole = math.ceil(self.since / DAY_SECONDS) + _EPOCH
        first_cut = math.floor(min(now, self.until) / DAY_SECONDS) + _EPOCH
        # Only the days that it began and ends on can be cut.
        cost = sum(
            self.cost_on(date.fromordinal(number), now) for number in {first_whole - 1, first_cut} if number in asked
        )
        day = date.fromordinal(max(asked.start, first_whole))
        last = date.fromordinal(max(day.toordinal(), min(asked.stop, first_cut)))
        while day < last:
            until = min(following_month(day), last)
            cost += sum(self._month(day)[day.day - 1 : day.day - 1 + (until - day).days])
            day = until
        return cost

    def _month(self, day: date) -> tuple[int, ...]:
        position = _POSITIONS[self.service]
        return _whole_days(self.account_id, position, self.micros, self.is_idle_at_weekends, day.year, day.month)


@dataclass(frozen=True)
class Projection:
    """What a day to come is expected to cost, in millionths of a dollar: its mean and how much days differ."""

    mean: float
    deviation: float


def list_lines(world: World, seen_by: str, passes: Callable[[Account, str], bool]) -> list[Line]:
    """What an account sees spent (the management account: by everyone), narrowed to what passes."""
    kinds = _kinds_of_accounts(world)
    lines = []
    for account in world.zone.accounts.values():
        if seen_by not in (MANAGEMENT_ACCOUNT, account.id):
            continue
        kind = kinds[account.id]
        size = 0.5 + _noise(account.id, 1)[0] / 170
        closure = world.zone.closures.get(account.id)
        until = float("inf") if closure is None else closure.asked_at
        lines += [
            Line(account.id, service, dollars * size * _MICROS, kind != "production", account.joined_at, until)
            for service, dollars in zip(SERVICES, _PROFILES[kind], strict=True)
            if dollars and passes(account, service)
        ]
    return lines


def sum_costs(lines: Iterable[Line], start: date, end: date, now: float) -> int:
    """Millionths of a dollar spent from a day up to (not with) another."""
    return sum(line.cost_between(start, end, now) for line in lines)


def project(lines: list[Line], now: float) -> Projection | None:
    """What the days to come will cost by the last four weeks; None while there are too few days to go by."""
    if not lines or now - min(line.since for line in lines) < DAYS_BEFORE_FORECAST * DAY_SECONDS:
        return None
    today = moment(now).date()
    days = [
        sum(line.cost_on(today - timedelta(days=before), now) for line in lines)
        for before in range(1, _DAYS_LOOKED_AT + 1)
    ]
    return Projection(fmean(days), pstdev(days))


def start_of(day: date) -> float:
    """When a day begins (UTC), in seconds since the epoch."""
    return (day.toordinal() - _EPOCH) * DAY_SECONDS


def following_month(day: date) -> date:
    """The first of the month after a day's."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def write_dollars(micros: float) -> str:
    """An amount as AWS writes it: dollars with decimals, no thousands separator, never in powers of ten."""
    whole, fraction = divmod(max(0, round(micros)), _MICROS)
    return f"{whole}.{fraction:06d}"


def _kinds_of_accounts(world: World) -> dict[str, str]:
    """Each account's kind, by its name and the OU that it was first ordered into, so that a move rewrites nothing."""
    first_units: dict[str, str] = {}
    zone = world.zone
    for record in zone.records.values():
        product = zone.provisioned_products.get(record.provisioned_product_id)
        if product is not None and product.account_id and record.product_id == ACCOUNT_FACTORY_PRODUCT:
            first_units.setdefault(product.account_id, record.parameters.get("ManagedOrganizationalUnit", ""))
    return {
        account.id: _kind_of(account.id, f"{account.name} {first_units.get(account.id, '')}")
        for account in zone.accounts.values()
    }


@functools.lru_cache(maxsize=4_096)
def _kind_of(account_id: str, words: str) -> str:
    if account_id == MANAGEMENT_ACCOUNT:
        return "shared"
    lowered = re.sub(r"[-_/]", " ", words.casefold())
    return next((kind for kind, pattern in _KINDS if pattern.search(lowered)), "ordinary")


@functools.lru_cache(maxsize=131_072)
def _whole_days(
    account_id: str, position: int, micros: float, is_idle_at_weekends: bool, year: int, month: int
) -> tuple[int, ...]:
    """What each day of a month costs when it has passed."""
    first = date(year, month, 1)
    noise = _noise(f"{account_id}/{year}-{month}", _LONGEST_MONTH * len(SERVICES))
    costs = []
    for number in range((following_month(first) - first).days):
        weekend = 0.4 if is_idle_at_weekends and (first.weekday() + number) % 7 >= 5 else 1.0
        costs.append(round(micros * weekend * (0.8 + 0.4 * noise[position * _LONGEST_MONTH + number] / 255)))
    return tuple(costs)


@functools.lru_cache(maxsize=16_384)
def _noise(name: str, length: int) -> bytes:
    return hashlib.shake_128(name.encode()).digest(length)
