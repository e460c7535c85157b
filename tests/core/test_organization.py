"""The organization is read as seldom as its size asks for, and anew after our own changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.cloud import Cloud
from bot.database import Database
from bot.organization import CHANGED, LARGE, OrganizationReader
from bot.settings import load_settings

ENTRIES = {
    "ListRoots": [{"Id": "r-1"}],
    "ListEnabledBaselines": [{"targetIdentifier": "arn:ou-1"}],
}


class CountingCloud:
    """An organization of one OU and as many accounts as there are to be; counts the listings it is asked for."""

    def __init__(self, accounts: int) -> None:
        self.accounts = accounts
        self.listed: list[str] = []

    async def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of a listing."""
        self.listed.append(operation)
        entries: list[dict[str, Any]] = ENTRIES.get(operation, [])
        if operation == "ListOrganizationalUnitsForParent" and parameters["ParentId"] == "r-1":
            entries = [{"Id": "ou-1", "Name": "Demos", "Arn": "arn:ou-1"}]
        if operation == "ListAccounts":
            entries = [
                {"Id": f"{number:012}", "Name": f"a{number}", "Email": f"a{number}@corp.example", "Status": "ACTIVE"}
                for number in range(self.accounts)
            ]
        for entry in entries:
            yield entry

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """Answer nothing: only listings are read."""
        raise AssertionError(operation)

    def times(self, operation: str) -> int:
        """Return how often a listing was asked for."""
        return self.listed.count(operation)


def reader_of(cloud: Cloud, database: Database) -> OrganizationReader:
    settings = load_settings(aws_endpoint_url="http://127.0.0.1:1")
    return OrganizationReader(cloud, settings, database)


@pytest.fixture
def small(database: Database) -> tuple[CountingCloud, OrganizationReader]:
    """A small organization."""
    cloud = CountingCloud(LARGE)
    return cloud, reader_of(cloud, database)


@pytest.fixture
def large(database: Database) -> tuple[CountingCloud, OrganizationReader]:
    """A large organization."""
    cloud = CountingCloud(LARGE + 1)
    return cloud, reader_of(cloud, database)


async def test_a_small_organizations_accounts_are_read_anew_for_each_plan(
    small: tuple[CountingCloud, OrganizationReader],
) -> None:
    cloud, reader = small
    await reader.for_plan(fresh=False)
    await reader.for_plan(fresh=False)
    assert cloud.times("ListAccounts") == 2
    await reader.recent()
    assert cloud.times("ListAccounts") == 2
    assert cloud.times("ListRoots") == 1, "OUs move seldom"


async def test_a_large_organization_is_kept_for_plans_but_not_for_the_last_check(
    large: tuple[CountingCloud, OrganizationReader],
) -> None:
    cloud, reader = large
    for _ in range(3):
        await reader.for_plan(fresh=False)
    assert cloud.times("ListAccounts") == 1
    await reader.for_plan(fresh=True)
    assert cloud.times("ListAccounts") == 2


async def test_our_own_change_is_seen_by_every_replica(
    large: tuple[CountingCloud, OrganizationReader], database: Database
) -> None:
    cloud, reader = large
    other = reader_of(cloud, database)
    await reader.recent()
    await other.recent()
    assert cloud.times("ListAccounts") == 2
    await other.changed()
    cloud.accounts += 1
    found = await reader.recent()
    assert found.account(f"{LARGE + 1:012}") is not None
    assert cloud.times("ListOrganizationalUnitsForParent") == 6, "the OUs too"


async def test_a_second_change_within_the_same_moment_is_seen_too(
    large: tuple[CountingCloud, OrganizationReader],
) -> None:
    cloud, reader = large
    await reader.changed()
    await reader.recent()
    await reader.changed()
    await reader.recent()
    assert cloud.times("ListAccounts") == 2, f"the mark {CHANGED} must differ each time"


async def test_those_who_ask_at_once_share_one_reading(large: tuple[CountingCloud, OrganizationReader]) -> None:
    cloud, reader = large
    await asyncio.gather(*(reader.recent() for _ in range(20)))
    assert cloud.times("ListAccounts") == 1
