"""Cursors: ours come back as they were, all others are Invalid and nothing worse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.database import Database
from bot.errors import Invalid
from bot.paging import decode_cursor, encode_cursor
from bot.requests import Filter, Requests

PARTS = some.text(some.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(some.lists(PARTS, min_size=2, max_size=4))
def test_parts_come_back_as_they_were(parts: list[str]) -> None:
    assert decode_cursor(encode_cursor(*parts), len(parts)) == parts


@given(some.integers(min_value=0, max_value=10**18 - 1))
def test_a_number_comes_back_as_it_was(number: int) -> None:
    assert decode_cursor(encode_cursor(str(number)), 1) == [str(number)]


@given(some.one_of(some.text(max_size=60), some.from_regex(r"[A-Za-z0-9_-]{0,60}", fullmatch=True)))
def test_anything_else_is_invalid_or_a_number(cursor: str) -> None:
    try:
        (number,) = decode_cursor(cursor, 1)
    except Invalid:
        return
    assert number.isascii()
    assert number.isdigit()


HOSTILE_PARTS = [
    ("not a date", "QM-1"),
    ("2026-03-01", "QM-1"),
    ("2026-03-01T08:00:00", "QM-1"),
    ("0001-01-01T00:00:00+23:59", "QM-1"),
    ("9999-12-31T23:59:59-23:59", "QM-1"),
    ("2026-03-01T08:00:00+00:00", "\x00"),
    ("2026-03-01T08:00:00+00:00", "' OR 1=1 --"),
]


@pytest.mark.parametrize(("at", "request_id"), HOSTILE_PARTS)
async def test_a_hostile_cursor_of_requests_is_invalid_or_finds_nothing(
    requests: Requests, at: str, request_id: str
) -> None:
    try:
        page = await requests.list(Filter(cursor=encode_cursor(at, request_id)))
    except Invalid:
        return
    assert page.items == ()


@pytest.mark.parametrize("cursor", ["x", "MQ", "\x00", "é", "A" * 10_000, "MjAyNg", "////"])
async def test_a_cursor_of_another_list_is_invalid(requests: Requests, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        await requests.list(Filter(cursor=cursor))


@pytest.fixture
def requests(database: Database) -> Requests:
    """Requests, of which there are none."""
    nothing: object = None
    return Requests(database, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]
