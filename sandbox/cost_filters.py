"""Filter expressions of Cost Explorer and Budgets: which account's which service passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.model import Account

Passes = Callable[[Account, str], bool]

_OPERATORS = ("And", "Or", "Not", "Dimensions", "Tags", "CostCategories", "ProductAttributes")
_VALUES: dict[str, Callable[[Account, str], str]] = {
    "LINKED_ACCOUNT": lambda account, _service: account.id,
    "LINKED_ACCOUNT_NAME": lambda account, _service: account.name,
    "SERVICE": lambda _account, service: service,
    "RECORD_TYPE": lambda _account, _service: "Usage",
}
_OF_BUDGETS = {"LinkedAccount": "LINKED_ACCOUNT", "Service": "SERVICE", "RecordType": "RECORD_TYPE"}


class BadFilter(ValueError):
    """An expression that AWS refuses, or that the sandbox's costs can't be narrowed by; the message says which."""


def read_expression(expression: Mapping[str, Any] | None) -> Passes:
    """What an expression lets pass; all, when there is none. BadFilter if it can't be read."""
    if expression is None:
        return _pass_all
    operators = [name for name in _OPERATORS if name in expression]
    if len(operators) != 1:
        raise BadFilter(f"An expression must have exactly one of {', '.join(_OPERATORS)}; found {len(operators)}.")
    operator = operators[0]
    operand = expression[operator]
    if operator == "Not":
        negated = read_expression(operand)
        return lambda account, service: not negated(account, service)
    if operator in ("And", "Or"):
        if len(operand) < 2:
            raise BadFilter(f"{operator} must have at least two operands.")
        parts = [read_expression(part) for part in operand]
        combine = all if operator == "And" else any
        return lambda account, service: combine(part(account, service) for part in parts)
    if operator == "Dimensions":
        return _read_dimension(operand)
    raise BadFilter(f"The sandboxed AWS has no costs by {operator}; filter by Dimensions.")


def read_cost_filters(filters: Mapping[str, list[str]]) -> Passes:
    """What a budget's CostFilters let pass: all of its filters at once."""
    parts = []
    for name, values in filters.items():
        if name not in _OF_BUDGETS:
            raise BadFilter(f"The cost filter {name} is not one of {', '.join(_OF_BUDGETS)}.")
        parts.append(_read_dimension({"Key": _OF_BUDGETS[name], "Values": values}))
    return lambda account, service: all(part(account, service) for part in parts)


def _read_dimension(dimension: Mapping[str, Any]) -> Passes:
    key, values = dimension.get("Key"), dimension.get("Values") or []
    value_of = _VALUES.get(str(key))
    if value_of is None:
        raise BadFilter(f"The dimension {key} is not one of {', '.join(_VALUES)}.")
    if not values:
        raise BadFilter(f"The dimension {key} needs at least one value.")
    options = set(dimension.get("MatchOptions", []))
    if options - {"EQUALS", "CASE_SENSITIVE"}:
        raise BadFilter(f"The dimension {key} takes the match options EQUALS and CASE_SENSITIVE only.")
    wanted = frozenset(values)
    return lambda account, service: value_of(account, service) in wanted


def _pass_all(_account: Account, _service: str) -> bool:
    return True
