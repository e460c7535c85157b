"""What a table that is master says, and what follows from it for what is known. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.releases.registry import deployment_from
from bot.releases.table import Followed, Known, Reading, compare, read_records
from bot.releases.waves import Deployment

OURS, OTHER, FOREIGN = "444466667777", "666677778888", "999999999999"
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def record(name: str, account: str = OURS, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "silo", "account": account, "region": "eu-west-1", **more}


def read(*records: dict[str, Any]) -> Reading:
    return read_records(records, allowed={OURS, OTHER}, component="shop", where="Workloads", begun_at=NOW)


def known(name: str, account: str = OURS, **more: Any) -> Known:
    return Known(deployment_from({**record(name, account), "component": "shop", **more}))


def follow(reading: Reading, *found: Known, held: dict[str, str] | None = None) -> Followed:
    return compare("saas", reading, found, held or {})


def keys(found: tuple[Deployment, ...]) -> list[str]:
    return [one.key for one in found]


def test_what_the_table_says_beyond_its_own_fields_is_not_taken() -> None:
    taken = read(record("acme", tier="gold", tenants="900", pinned="9.9.9", window="Sun 02:00-03:00 UTC")).taken
    assert taken == (replace(known("acme").deployment),)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (record("intruder", FOREIGN), "999999999999 is no active member of the organization under Workloads"),
        (record("short", "1234"), "account"),
        (record("typed", region={"S": "eu-west-1"}), "region: it is no text"),
        (record("kind", type="lake"), "type"),
    ],
)
def test_a_record_that_is_wrong_is_named_and_what_is_known_of_it_stays(wrong: dict[str, Any], why: str) -> None:
    reading = read(record("acme"), wrong)
    assert keys(reading.taken) == ["silo-acme"]
    ((_, reason),) = reading.wrong
    assert why in reason
    found = follow(reading, known("acme"), known(wrong["id"]), known("gone"))
    assert keys(found.retired) == ["silo-gone"]
    assert why in found.sentence()


def test_the_second_record_of_one_name_is_not_taken() -> None:
    reading = read(record("acme"), record("acme", OTHER))
    assert [one.account for one in reading.taken] == [OURS]
    assert reading.wrong == (("silo-acme", "it is there twice"),)


@pytest.mark.parametrize("reading", [read(), read(record("acme"), record("", OURS)), read({"id": 7}, record("acme"))])
def test_a_table_that_is_empty_or_names_a_record_unreadably_retires_nothing(reading: Reading) -> None:
    found = follow(reading, known("acme"), known("gone"))
    assert not found.retired
    assert "Nothing was retired" in found.sentence()


def test_what_has_another_place_is_moved_and_what_has_left_retired_and_what_is_back_returned() -> None:
    back = replace(known("back"), is_retired=True)
    reading = read(record("acme", OTHER), record("back"), record("new"))
    found = follow(reading, known("acme"), back, known("gone"), replace(known("long-gone"), is_retired=True))
    assert (keys(found.moved), keys(found.returned), keys(found.added), keys(found.retired)) == (
        ["silo-acme"],
        ["silo-back"],
        ["silo-new"],
        ["silo-gone"],
    )
    assert follow(read(record("acme")), known("acme", tier="production", tenants="5")).has_changed is False


def test_what_a_request_holds_is_neither_moved_nor_retired_before_it_is_over() -> None:
    reading = read(record("acme", OTHER), record("new"))
    found = follow(reading, known("acme"), known("gone"), held={"shop": "qm-7k3m9qxa"})
    assert not found.moved
    assert not found.retired
    assert keys(found.added) == ["silo-new"]
    assert "These wait until qm-7k3m9qxa is over: silo-acme, silo-gone" in found.sentence()
