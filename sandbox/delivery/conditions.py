"""Conditions of DynamoDB on what is put in and taken out: comparisons and attribute_(not_)exists, joined by AND."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.delivery.table_model import TableItem
from sandbox.delivery.tables import invalid
from sandbox.errors import AwsError

CONDITIONS = ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")
RESERVED = frozenset(("account", "action", "data", "date", "group", "name", "owner", "region", "status", "type"))
"""Of the words that an expression may not name as they are, those that attributes are likely to be called."""
_EXISTS = re.compile(r"attribute_(not_)?exists\s*\(\s*([#\w]+)\s*\)", re.IGNORECASE)
_EQUALS = re.compile(r"([#\w]+)\s*(=|<>)\s*(:\w+)")


def require_condition(parameters: Mapping[str, Any], item: TableItem | None) -> None:
    """Raise ConditionalCheckFailedException unless the item, None for no such item, is as a call demands."""
    said = parameters.get("ConditionExpression")
    names = dict(parameters.get("ExpressionAttributeNames") or {})
    values = dict(parameters.get("ExpressionAttributeValues") or {})
    if said is None:
        if names or values:
            raise invalid("ExpressionAttributeNames can only be specified when using expressions")
        return
    attributes: Mapping[str, Any] = item.attributes if item else {}
    used: set[str] = set()
    holds = True
    for clause in re.split(r"\s+AND\s+", said.strip(), flags=re.IGNORECASE):
        if found := _EXISTS.fullmatch(clause):
            name = _name(found[2], names, used)
            holds &= (name in attributes) is not bool(found[1])
        elif found := _EQUALS.fullmatch(clause):
            name = _name(found[1], names, used)
            if found[3] not in values:
                raise invalid(
                    "Invalid ConditionExpression: An expression attribute value used in expression is not defined; "
                    f"attribute value: {found[3]}"
                )
            used.add(found[3])
            holds &= (attributes.get(name) == values[found[3]]) is (found[2] == "=")
        else:
            raise invalid(f"The sandbox does not know the condition {clause}.")
    if unused := sorted({*names, *values} - used):
        raise invalid(f"Value provided in ExpressionAttribute... unused in expressions: keys: {{{', '.join(unused)}}}")
    if not holds:
        raise AwsError("ConditionalCheckFailedException", "The conditional request failed")


def _name(written: str, names: Mapping[str, str], used: set[str]) -> str:
    if written.startswith("#"):
        if written not in names:
            raise invalid(
                "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; "
                f"attribute name: {written}"
            )
        used.add(written)
        return names[written]
    if written.casefold() in RESERVED:
        raise invalid(f"Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: {written}")
    return written
