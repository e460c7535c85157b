"""Regions and account ids are slot types of the engine's own, known by their pattern."""

from __future__ import annotations

import re

import pytest

from adapters.lex.engine.definition import SlotType, ValueKind
from adapters.lex.engine.recognisers import find_built_in
from bot import slot_types
from bot.intent import SlotType as Defined


def found(defined: Defined, text: str) -> list[tuple[str, str]]:
    """Return what stands in a text for a value of a defined type, and the value."""
    known = SlotType(defined.name, ValueKind.ALPHANUMERIC, pattern=re.compile(defined.pattern))
    return [(text[one.start : one.end], one.values[0]) for one in find_built_in(known, text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("in eu-central-1.", [("eu-central-1", "eu-central-1")]),
        ("the one in Frankfurt", [("Frankfurt", "eu-central-1")]),
        ("N. Virginia please", [("N. Virginia", "us-east-1")]),
        ("use eu west 1, not us-east-2", [("us-east-2", "us-east-2"), ("eu west 1", "eu-west-1")]),
        ("apsoutheast2", [("apsoutheast2", "ap-southeast-2")]),
        ("the stack frankfurt-shop of paris@corp.example", []),
        ("eu middle 1", []),
    ],
)
def test_regions_are_known_by_code_place_and_loose_spelling(text: str, wanted: list[tuple[str, str]]) -> None:
    assert found(slot_types.REGION, text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("123456789012", [("123456789012", "123456789012")]),
        ("it is 1234-5678-9012, I think", [("1234-5678-9012", "123456789012")]),
        ("account 1234 5678 9012", [("1234 5678 9012", "123456789012")]),
        ("1234-5678 9012", []),
        ("1234567890123", []),
        ("0049-1234-5678-9012", []),
    ],
)
def test_account_ids_are_known_plain_and_in_groups_of_four(text: str, wanted: list[tuple[str, str]]) -> None:
    assert found(slot_types.ACCOUNT_ID, text) == wanted


def test_other_patterns_are_taken_by_themselves_alone() -> None:
    request = Defined("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
    assert found(request, "qm-2345abcd in Frankfurt of 1234-5678-9012") == [("qm-2345abcd", "qm-2345abcd")]
