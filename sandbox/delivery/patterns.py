"""Event patterns of EventBridge, held against events."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from typing import Any

_OPERATORS = ("prefix", "suffix", "anything-but", "exists", "equals-ignore-case", "wildcard", "numeric")
_COMPARED = {
    "=": lambda value, limit: value == limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}


class BadPattern(ValueError):
    """What is no event pattern; the message says why."""


def read_pattern(text: str) -> dict[str, Any]:
    """A pattern from its JSON; BadPattern for what EventBridge would refuse."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise BadPattern("Event pattern is not valid. Reason: it is not JSON.") from error
    if not isinstance(pattern, dict) or not pattern:
        raise BadPattern("Event pattern is not valid. Reason: Filter is not an object, or empty.")
    _check(pattern)
    return pattern


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event has what a pattern asks for: every field, any of its values."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(alternative, event) for alternative in wanted):
                return False
        elif isinstance(wanted, Mapping):
            inner = event.get(name)
            if not matches(wanted, inner if isinstance(inner, Mapping) else {}):
                return False
        elif not any(_fits(one, name in event, event.get(name)) for one in wanted):
            return False
    return True


def _check(pattern: Mapping[str, Any]) -> None:
    for name, wanted in pattern.items():
        if name == "$or":
            for alternative in wanted:
                _check(alternative)
        elif isinstance(wanted, Mapping):
            _check(wanted)
        elif not isinstance(wanted, list) or not wanted:
            raise BadPattern(f'Event pattern is not valid. Reason: "{name}" must be an object or an array.')
        else:
            for one in wanted:
                if isinstance(one, Mapping) and (len(one) != 1 or next(iter(one)) not in _OPERATORS):
                    raise BadPattern(
                        f"Event pattern is not valid. Reason: Unrecognized match type {next(iter(one), '')}"
                    )


def _fits(wanted: Any, is_there: bool, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        ((operator, operand),) = wanted.items()
        if operator == "exists":
            return is_there is bool(operand)
        values = value if isinstance(value, list) else [value]
        return is_there and any(_fits_operator(operator, operand, one) for one in values)
    if isinstance(value, list):
        return wanted in value
    return is_there and bool(value == wanted)


def _fits_operator(operator: str, operand: Any, value: Any) -> bool:
    if operator == "anything-but":
        if isinstance(operand, Mapping):
            return not _fits(operand, True, value)
        return value not in (operand if isinstance(operand, list) else [operand])
    if operator == "numeric":
        pairs = zip(operand[::2], operand[1::2], strict=False)
        return isinstance(value, int | float) and all(_COMPARED[sign](value, limit) for sign, limit in pairs)
    if not isinstance(value, str):
        return False
    if operator == "prefix":
        return value.startswith(operand)
    if operator == "suffix":
        return value.endswith(operand)
    if operator == "equals-ignore-case":
        return value.casefold() == str(operand).casefold()
    return fnmatch.fnmatchcase(value, str(operand).replace("[", "[[]").replace("?", "[?]"))
