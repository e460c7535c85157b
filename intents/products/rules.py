"""TEMPLATE constraints: CloudFormation's rules, read here so that a plan is refused before anybody approves it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Breach:
    """A rule that values break: in the words of whoever wrote it, and the parameters that it looks at."""

    rule: str
    description: str
    keys: tuple[str, ...]


class _Unknown(Exception):
    """A function that only CloudFormation can evaluate, such as Fn::ValueOf."""


def find_breaches(rules: str, values: Mapping[str, str]) -> list[Breach]:
    """Return the assertions that values break. `rules` is JSON as UsageInstructions give it.

    What can't be evaluated here is left to CloudFormation.
    """
    try:
        told = json.loads(rules)
    except ValueError:
        return []
    breaches = []
    for name, rule in (told if isinstance(told, dict) else {}).items():
        try:
            applies = "RuleCondition" not in rule or bool(_evaluate(rule["RuleCondition"], values))
        except (_Unknown, TypeError, AttributeError):
            continue
        for assertion in rule.get("Assertions", ()) if applies else ():
            try:
                holds = bool(_evaluate(assertion["Assert"], values))
            except (_Unknown, KeyError, TypeError):
                continue
            if not holds:
                words = assertion.get("AssertDescription") or f"The rule {name} forbids this."
                breaches.append(Breach(name, words, tuple(dict.fromkeys(_references(assertion["Assert"])))))
    return breaches


def _evaluate(told: Any, values: Mapping[str, str]) -> Any:
    if not isinstance(told, dict):
        return told
    if len(told) != 1:
        raise _Unknown
    ((function, given),) = told.items()
    if function == "Ref":
        if given not in values:
            raise _Unknown
        return values[given]
    arguments = [_evaluate(entry, values) for entry in given] if isinstance(given, list) else []
    match function:
        case "Fn::Equals":
            return arguments[0] == arguments[1]
        case "Fn::Not":
            return not arguments[0]
        case "Fn::And":
            return all(arguments)
        case "Fn::Or":
            return any(arguments)
        case "Fn::Contains":
            return arguments[1] in arguments[0]
        case "Fn::EachMemberEquals":
            return all(entry == arguments[1] for entry in _members(arguments[0]))
        case "Fn::EachMemberIn":
            return all(entry in _members(arguments[1]) for entry in _members(arguments[0]))
    raise _Unknown


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [entry.strip() for entry in str(value).split(",")]


def _references(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for function, given in told.items():
            if function == "Ref":
                yield str(given)
            else:
                yield from _references(given)
    elif isinstance(told, list):
        for entry in told:
            yield from _references(entry)
