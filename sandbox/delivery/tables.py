"""What DynamoDB makes of items: which are well formed, where they stand in a scan, and how large they are."""

from __future__ import annotations

import base64
import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.delivery.state import Delivery
from sandbox.delivery.table_model import Table, TableItem
from sandbox.errors import AwsError

LARGEST_ITEM = 400 * 1024
LARGEST_PAGE = 1024 * 1024
"""Bytes; a scan's page ends with the item that passes it."""
_TYPES = ("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")
_DEEPEST = 32


def invalid(what: str) -> AwsError:
    """DynamoDB's error for what it won't take."""
    return AwsError("ValidationException", what)


def put_item(delivery: Delivery, table: Table, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put an item in, and return what it replaced, as on the wire; AwsError for what is malformed."""
    kept = {name: _checked(value) for name, value in item.items()}
    if table.key_name not in kept:
        raise invalid(f"One or more parameter values were invalid: Missing the key {table.key_name} in the item")
    place = _place_of(table, kept[table.key_name], in_item=True)
    if _size_of(kept) > LARGEST_ITEM:
        raise invalid("Item size has exceeded the maximum allowed size")
    record = TableItem(f"{table.key}/{place}", table.key, place, kept)
    before = delivery.items.get(record.key)
    delivery.keep("items", record.key, record)
    return on_wire(before.attributes) if before else None


def find_item(delivery: Delivery, table: Table, key: Mapping[str, Any]) -> TableItem | None:
    """The item with that key; AwsError for what is no key of the table's."""
    return delivery.items.get(f"{table.key}/{_place_of_key(table, key)}")


def scan(
    delivery: Delivery, table: Table, start: Mapping[str, Any] | None, limit: int | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """A page of items after a key, in the order of the keys' digests, and the key that the next page begins after.

    As in DynamoDB, the key need not be in the table any more, and the last page may be known only by an empty one.
    """
    records = sorted((i for i in delivery.items.values() if i.table == table.key), key=lambda i: i.place)
    first = 0
    if start is not None:
        first = bisect_right([r.place for r in records], _place_of_key(table, start))
    page: list[dict[str, Any]] = []
    size = 0
    for record in records[first:]:
        page.append(on_wire(record.attributes))
        size += _size_of(record.attributes)
        if len(page) == limit or size >= LARGEST_PAGE:
            return page, {table.key_name: page[-1][table.key_name]}
    return page, None


def on_wire(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as an answer has them: what is binary as bytes."""
    return {name: _decoded(value) for name, value in attributes.items()}


def size_of_table(delivery: Delivery, table: Table) -> tuple[int, int]:
    """How many items a table has, and how many bytes they are."""
    sizes = [_size_of(i.attributes) for i in delivery.items.values() if i.table == table.key]
    return len(sizes), sum(sizes)


def _place_of_key(table: Table, key: Mapping[str, Any]) -> str:
    if set(key) != {table.key_name}:
        raise invalid("The provided key element does not match the schema")
    return _place_of(table, _checked(key[table.key_name]), in_item=False)


def _place_of(table: Table, value: Mapping[str, Any], *, in_item: bool) -> str:
    ((kind, text),) = value.items()
    if kind != table.key_type:
        raise invalid(
            f"One or more parameter values were invalid: Type mismatch for key {table.key_name} "
            f"expected: {table.key_type} actual: {kind}"
            if in_item
            else "The provided key element does not match the schema"
        )
    if text == "":
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {table.key_name}"
        )
    return hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()


def _checked(value: Mapping[str, Any], depth: int = 1) -> dict[str, Any]:
    """An attribute's value in the form that is kept: JSON, numbers as DynamoDB shows them, bytes in base64."""
    given = {kind: content for kind, content in value.items() if content is not None}
    if len(given) != 1:
        count = "must contain exactly one of the supported datatypes"
        more = "has more than one datatypes set" if given else "is empty"
        raise invalid(f"Supplied AttributeValue {more}, {count}")
    if depth > _DEEPEST:
        raise invalid("Nesting Levels have exceeded supported limits")
    ((kind, content),) = given.items()
    if kind not in _TYPES:
        raise invalid(f"Supplied AttributeValue has the unknown datatype {kind}")
    if kind in ("SS", "NS", "BS"):
        return {kind: _checked_set(kind, content)}
    if kind == "M":
        return {kind: {name: _checked(inner, depth + 1) for name, inner in content.items()}}
    if kind == "L":
        return {kind: [_checked(inner, depth + 1) for inner in content]}
    if kind == "NULL" and content is not True:
        raise invalid(
            "One or more parameter values were invalid: Null attribute value types must have the value of true"
        )
    return {kind: _scalar(kind, content)}


def _checked_set(kind: str, content: list[Any]) -> list[Any]:
    found = [_scalar(kind[0], entry) for entry in content]
    if not found:
        names = {"SS": "string", "NS": "number", "BS": "binary"}
        raise invalid(f"One or more parameter values were invalid: An {names[kind]} set  may not be empty")
    if len(set(found)) != len(found):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates")
    return found


def _scalar(kind: str, content: Any) -> Any:
    if kind == "N":
        return _number(str(content))
    if kind == "B":
        return base64.b64encode(content if isinstance(content, bytes) else str(content).encode()).decode()
    return content


def _number(text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text[:80]}") from None
    if not number.is_finite():
        raise invalid(f"The parameter cannot be converted to a numeric value: {text[:80]}")
    if len(number.normalize().as_tuple().digits) > 38:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    if number and not -130 <= number.adjusted() <= 125:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    return f"{number.normalize():f}"


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(entry) for entry in content]}
    if kind == "M":
        return {kind: on_wire(content)}
    if kind == "L":
        return {kind: [_decoded(entry) for entry in content]}
    return {kind: content}


def _size_of(attributes: Mapping[str, Any]) -> int:
    """About what DynamoDB counts: names and values; the types' own letters are not counted there either."""
    return sum(
        len(name.encode()) + len(json.dumps(value, ensure_ascii=False).encode()) - 8
        for name, value in attributes.items()
    )
