"""A landing zone grown to the size of a large company: many nested OUs and many accounts, the same every time.

The small seed comes first; OUs and accounts are added until the numbers asked for are reached. Every third
account that was added carries the tags owner, team, cost-centre and expires; the rest carry none. Every tenth came
by invitation, so Account Factory doesn't know it; every twenty-fifth holds a bucket and an instance.
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from sandbox.access import seed_assignments
from sandbox.chaos_seed import seed_chaos
from sandbox.clock import moment
from sandbox.coverage import seed_coverage
from sandbox.errors import SandboxError
from sandbox.landing_zone import ACCOUNT_QUOTA, FOUNDED, GOVERNED_REGIONS, ROOT_ID, enroll, seed, unit_id
from sandbox.model import Account, LandingZone, OrganizationalUnit
from sandbox.stacks import MORE_REGIONS, govern, seed_contents, seed_loose

MAX_ACCOUNTS = 10_000
MAX_UNITS = 2_000
MAX_REGIONS = len(GOVERNED_REGIONS) + len(MORE_REGIONS)

_DIVISIONS = ("Retail", "Logistics", "Finance", "Research", "Energy", "Mobility", "Health", "Media")
_BELOW_DIVISION = ("Prod", "Test", "Shared")
_OWNERS = ("ana@corp.example", "bo@corp.example", "cy@corp.example", "dee@corp.example", "eli@corp.example")
_TEAMS = ("webshop", "network", "payments")
_COST_CENTRES = ("cc-1001", "cc-1002", "cc-2001", "cc-3001")
# A division, three OUs below it, and one below its Prod.
_UNITS_A_DIVISION = 5


class ImpossibleSize(SandboxError):
    """The organization can't be seeded in the size asked for."""


def check_size(accounts: int | None, units: int | None, regions: int | None = None) -> None:
    """ImpossibleSize unless so many member accounts, registered OUs and Regions can be; None is the small seed."""
    for asked, most, what in (
        (accounts, MAX_ACCOUNTS, "accounts"),
        (units, MAX_UNITS, "OUs"),
        (regions, MAX_REGIONS, "Regions"),
    ):
        if asked is not None and not 1 <= asked <= most:
            raise ImpossibleSize(f"The sandbox can be seeded with 1 to {most:,} {what}, not {asked}.")


def seed_grown(accounts: int | None = None, units: int | None = None, regions: int | None = None) -> LandingZone:
    """A fresh landing zone of that size; each call makes an independent one.

    `accounts` counts members, without the management account; `units` counts registered OUs. Fewer than the
    small seed has are no fewer. `regions` are those that Control Tower governs. ImpossibleSize as `check_size`.
    """
    check_size(accounts, units, regions)
    zone = seed()
    seed_contents(zone)
    seed_coverage(zone)
    govern(zone, regions or 0)
    seed_chaos(zone)
    if accounts is not None or units is not None:
        _grow(zone, accounts, units)
    return zone


def _grow(zone: LandingZone, accounts: int | None, units: int | None) -> None:
    _grow_units(zone, units or 0)
    _grow_accounts(zone, accounts or 0)
    zone.quotas["organizations/L-E619E033"] = max(ACCOUNT_QUOTA, 100.0 * ceil((len(zone.accounts) + 100) / 100))


def _grow_units(zone: LandingZone, wanted: int) -> None:
    missing = wanted - sum(unit.registered for unit in zone.units.values())
    for number in range(max(0, missing)):
        division, place = divmod(number, _UNITS_A_DIVISION)
        first = division * _UNITS_A_DIVISION
        if place == 0:
            name, parent = _division_name(division), ROOT_ID
        elif place <= len(_BELOW_DIVISION):
            name, parent = _BELOW_DIVISION[place - 1], _grown_unit_id(first)
        else:
            name, parent = "Regulated", _grown_unit_id(first + 1)
        identifier = _grown_unit_id(number)
        zone.units[identifier] = OrganizationalUnit(identifier, name, parent, True)


def _grow_accounts(zone: LandingZone, wanted: int) -> None:
    homes = [unit for unit in zone.units.values() if unit.registered and unit.name != "Security"]
    missing = wanted - (len(zone.accounts) - 1)
    added: list[str] = []
    for number in range(max(0, missing)):
        home = homes[number % len(homes)]
        identifier = grown_account_id(number)
        name = f"{_path_of_names(zone, home)} {number + 1:04d}"
        email = f"{name.lower().replace(' ', '-')}@corp.example"
        account = Account(identifier, name, email, home.id, FOUNDED + (number + 1) * 3_600.0)
        zone.accounts[identifier] = account
        if number % 10 == 9:
            account.joined_method = "INVITED"
        else:
            enroll(zone, account)
        added.append(identifier)
        if number % 3 == 0:
            zone.tags[identifier] = _tags(account, number)
        if number % 25 == 0:
            seed_loose(zone, identifier, f"corp-data-{identifier}", {"team": home.name.casefold()})
    zone.assignments |= seed_assignments(added, zone.groups.values())


def _tags(account: Account, number: int) -> dict[str, str]:
    expires = moment(account.joined_at) + timedelta(days=365 + number % 700)
    return {
        "owner": _OWNERS[number // 3 % len(_OWNERS)],
        "team": _TEAMS[number // 3 % len(_TEAMS)],
        "cost-centre": _COST_CENTRES[number // 3 % len(_COST_CENTRES)],
        "expires": expires.date().isoformat(),
    }


def grown_account_id(number: int) -> str:
    """The id of the account that was added as that one, from 0."""
    # The first nine digits differ, since seeded provisioned products are called by them.
    return str(900_000_001_000 + number * 1_000)


def _path_of_names(zone: LandingZone, unit: OrganizationalUnit) -> str:
    if unit.parent_id == ROOT_ID:
        return unit.name
    return f"{_path_of_names(zone, zone.units[unit.parent_id])} {unit.name}"


def _division_name(division: int) -> str:
    rounds, position = divmod(division, len(_DIVISIONS))
    return _DIVISIONS[position] if rounds == 0 else f"{_DIVISIONS[position]} {rounds + 1}"


def _grown_unit_id(number: int) -> str:
    return unit_id(f"gr0w{number:04d}")
