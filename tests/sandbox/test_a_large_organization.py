"""An organization of 800 accounts and 60 OUs: the same every time, paged as AWS pages it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.growth import ImpossibleSize, seed_grown
from sandbox.landing_zone import ACCOUNTS, ROOT_ID, UNITS, unit_id
from sandbox.model import from_document
from sandbox.server import Sandbox
from sandbox.store import to_json
from tests.sandbox.landing import Aws


@pytest.fixture(scope="module")
def large() -> Iterator[Aws]:
    with Sandbox(speed=0, accounts=800, ous=60) as sandbox:
        aws = Aws(sandbox.url)
        yield aws
        aws.close()


def listed(aws: Aws, operation: str, member: str, **parameters: Any) -> list[dict[str, Any]]:
    pages = aws.client("organizations").get_paginator(operation).paginate(**parameters)
    return [entry for page in pages for entry in page[member]]


def units_below(aws: Aws, parent: str) -> dict[str, int]:
    """Every OU below a parent, with how deep it is."""
    found: dict[str, int] = {}
    for unit in listed(aws, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent):
        below = units_below(aws, unit["Id"])
        found |= {unit["Id"]: 1} | {identifier: depth + 1 for identifier, depth in below.items()}
    return found


def test_has_as_many_members_as_asked_for_twenty_a_page(large: Aws) -> None:
    pages = list(large.client("organizations").get_paginator("list_accounts").paginate())
    accounts = [account for page in pages for account in page["Accounts"]]

    assert [len(page["Accounts"]) for page in pages] == [20] * 40 + [1]
    assert len({account["Id"] for account in accounts}) == len({account["Email"] for account in accounts}) == 801
    assert {entry[0] for entry in ACCOUNTS} <= {account["Id"] for account in accounts}
    assert {account["JoinedMethod"] for account in accounts} == {"CREATED", "INVITED"}


def test_takes_no_page_above_twenty(large: Aws) -> None:
    organizations = large.client("organizations")
    for call in (
        organizations.list_accounts,
        lambda **size: organizations.list_accounts_for_parent(ParentId=ROOT_ID, **size),
        lambda **size: organizations.list_children(ParentId=ROOT_ID, ChildType="ACCOUNT", **size),
        lambda **size: organizations.list_organizational_units_for_parent(ParentId=ROOT_ID, **size),
    ):
        with pytest.raises(organizations.exceptions.InvalidInputException, match="less than or equal to 20"):
            call(MaxResults=21)
        assert call(MaxResults=1)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_has_sixty_registered_units_nested_three_deep(large: Aws) -> None:
    units = units_below(large, ROOT_ID)
    enabled = large.client("controltower").get_paginator("list_enabled_baselines").paginate()
    governed = {entry["targetIdentifier"].rpartition("/")[2] for page in enabled for entry in page["enabledBaselines"]}

    assert len(units) == 61
    assert max(units.values()) == 3
    assert set(units) - governed == {unit_id("1egacy00")}


def test_accounts_are_in_every_unit_and_the_listings_agree(large: Aws) -> None:
    units = units_below(large, ROOT_ID)
    found: list[str] = []
    for unit in units:
        accounts = listed(large, "list_accounts_for_parent", "Accounts", ParentId=unit)
        children = listed(large, "list_children", "Children", ParentId=unit, ChildType="ACCOUNT")
        assert [account["Id"] for account in accounts] == [child["Id"] for child in children]
        assert accounts
        found += [account["Id"] for account in accounts]

    assert len(found) == len(set(found)) == 800


def test_a_third_of_the_added_accounts_is_tagged(large: Aws) -> None:
    tagged = [
        {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
        for page in large.client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(ResourceTypeFilters=["organizations:account"])
        for mapping in page["ResourceTagMappingList"]
    ]

    assert len(tagged) == 264
    assert all(set(tags) == {"owner", "team", "cost-centre", "expires"} for tags in tagged)


def test_is_the_same_every_time_and_survives_being_kept() -> None:
    first, second = seed_grown(800, 60), seed_grown(800, 60)
    assert first == second
    assert to_json(from_document(json.loads(to_json(first)))) == to_json(second)


def test_the_default_seed_stays_small() -> None:
    zone = seed_grown()

    assert len(zone.accounts) == len(ACCOUNTS)
    assert len(zone.units) == len(UNITS)
    assert zone.tags == {}


def test_the_quota_has_room_for_more(large: Aws) -> None:
    quota = large.client("service-quotas").get_service_quota(ServiceCode="organizations", QuotaCode="L-E619E033")

    assert quota["Quota"]["Value"] >= 900


@pytest.mark.parametrize(("accounts", "ous"), [(0, None), (10_001, None), (None, 0), (None, 2_001)])
def test_refuses_a_size_that_can_not_be(accounts: int | None, ous: int | None) -> None:
    with pytest.raises(ImpossibleSize, match="can be seeded with 1 to"):
        Sandbox(accounts=accounts, ous=ous)


def test_an_account_is_ordered_into_a_unit_that_was_added(large: Aws) -> None:
    unit = next(identifier for identifier, depth in units_below(large, ROOT_ID).items() if depth == 3)
    name = large.client("organizations").describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]
    record = large.order("team-deep", values={"ManagedOrganizationalUnit": f"{name['Name']} ({unit})"})
    large.advance(30)

    assert large.record(record["RecordId"])["Status"] == "SUCCEEDED"
    assert unit in large.account_called("team-deep")["Paths"][0]
    large.post("reset")
    assert large.account_called("team-deep") is None
    with pytest.raises(ClientError, match="AccountNotFoundException"):
        large.client("organizations").describe_account(AccountId="999999999999")
