"""IAM policy documents: read, and asked what they say about an action.

What is simulated: Effect, Action and NotAction, Resource and NotResource (with ``*``, ``?`` and policy
variables such as ``${aws:PrincipalTag/team}``), Principal in trust policies, and the condition operators of
strings, ARNs, Bool and Null with ``IfExists``, ``ForAllValues:`` and ``ForAnyValue:``. A document with anything
else is refused when it is put, so that no policy means less here than it says.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Keys = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, each with its values."""


class MalformedPolicy(ValueError):
    """A policy document that isn't one, or that says what isn't simulated; the message says what."""


class Verdict(Enum):
    """What a policy says about one action on one resource."""

    ALLOWED = "allowed"
    DENIED = "denied"
    SILENT = "silent"


@dataclass(frozen=True)
class Condition:
    """One line of a Condition block: an operator, a key, and what the key is compared with."""

    operator: str
    quantifier: str
    is_optional: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement; `principals` is empty in policies of a role."""

    is_allowing: bool
    actions: tuple[str, ...]
    is_not_action: bool
    resources: tuple[str, ...]
    is_not_resource: bool
    principals: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def applies(self, action: str, resource: str, keys: Keys) -> bool:
        """Whether it speaks about this action on this resource under these condition keys."""
        named = any(matches(pattern.lower(), action.lower()) for pattern in self.actions)
        if named == self.is_not_action:
            return False
        if self.resources:
            covered = any(matches(_fill(pattern, keys), resource) for pattern in self.resources)
            if covered == self.is_not_resource:
                return False
        return all(_holds(condition, keys) for condition in self.conditions)


def decide(statements: Iterable[Statement], action: str, resource: str, keys: Keys) -> Verdict:
    """What statements say together: a denial outweighs every permission."""
    verdict = Verdict.SILENT
    for statement in statements:
        if statement.applies(action, resource, keys):
            if not statement.is_allowing:
                return Verdict.DENIED
            verdict = Verdict.ALLOWED
    return verdict


@functools.lru_cache(maxsize=1_024)
def read_policy(text: str, *, is_trust_policy: bool = False) -> tuple[Statement, ...]:
    """The statements of a policy document; MalformedPolicy if it can't be simulated as it is written."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy("The policy document is not JSON.") from error
    if not isinstance(document, dict) or document.get("Version", "2012-10-17") != "2012-10-17":
        raise MalformedPolicy('The policy document must be an object of Version "2012-10-17".')
    _refuse_others(document, {"Version", "Id", "Statement"})
    statements = document.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    entries = [entry for entry in listed if isinstance(entry, dict)]
    if not entries or len(entries) < len(listed):
        raise MalformedPolicy("The policy document must have a Statement.")
    return tuple(_read_statement(entry, is_trust_policy) for entry in entries)


def matches(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with ``*`` for any characters and ``?`` for one."""
    return _compile(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=4_096)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern), re.DOTALL)


_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_OPERATORS = {
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
    "Bool",
    "Null",
}
_MEMBERS = {"Sid", "Effect", "Action", "NotAction", "Condition"}


def _read_statement(entry: Mapping[str, Any], is_trust_policy: bool) -> Statement:
    _refuse_others(entry, _MEMBERS | ({"Principal"} if is_trust_policy else {"Resource", "NotResource"}))
    if entry.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("A statement's Effect must be Allow or Deny.")
    actions, is_not_action = _either(entry, "Action", "NotAction")
    if not all(action == "*" or re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action) for action in actions):
        raise MalformedPolicy("Actions must be in the form of service:Operation.")
    resources: tuple[str, ...] = ()
    is_not_resource = False
    principals: tuple[str, ...] = ()
    if is_trust_policy:
        principals = _read_principals(entry.get("Principal"))
    else:
        resources, is_not_resource = _either(entry, "Resource", "NotResource")
        if not all(resource == "*" or resource.startswith("arn:") for resource in resources):
            raise MalformedPolicy("Resources must be ARNs or *.")
    return Statement(
        is_allowing=entry["Effect"] == "Allow",
        actions=actions,
        is_not_action=is_not_action,
        resources=resources,
        is_not_resource=is_not_resource,
        principals=principals,
        conditions=tuple(_read_conditions(entry.get("Condition", {}))),
    )


def _either(entry: Mapping[str, Any], name: str, inverse: str) -> tuple[tuple[str, ...], bool]:
    if (name in entry) == (inverse in entry):
        raise MalformedPolicy(f"A statement must have either {name} or {inverse}.")
    return _texts(entry.get(name, entry.get(inverse)), name), inverse in entry


def _read_principals(principal: Any) -> tuple[str, ...]:
    if principal == "*":
        return ("*",)
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicy("A trust policy's statement must have a Principal.")
    _refuse_others(principal, {"AWS", "Service"})
    # A service principal is taken and never calls here.
    return _texts(principal["AWS"], "Principal") if "AWS" in principal else ("service",)


def _read_conditions(block: Any) -> Iterable[Condition]:
    if not isinstance(block, dict):
        raise MalformedPolicy("A Condition must be an object.")
    for written, lines in block.items():
        quantifier, _, rest = written.rpartition(":")
        operator = rest.removesuffix("IfExists")
        if operator not in _OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
            raise MalformedPolicy(f"The condition operator {written} is none, or is not simulated.")
        if not isinstance(lines, dict):
            raise MalformedPolicy(f"{written} must be an object of condition keys.")
        for key, values in lines.items():
            yield Condition(operator, quantifier, rest != operator, key.lower(), _texts(values, key))


def _texts(value: Any, name: str) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    texts = [str(entry).lower() if isinstance(entry, bool) else entry for entry in listed]
    if not texts or not all(isinstance(entry, str) for entry in texts):
        raise MalformedPolicy(f"{name} must be a text or a list of texts.")
    return tuple(texts)


def _refuse_others(document: Mapping[str, Any], known: set[str]) -> None:
    others = sorted(set(document) - known)
    if others:
        raise MalformedPolicy(f"{', '.join(others)} does not belong there, or is not simulated.")


def _fill(pattern: str, keys: Keys) -> str:
    """A pattern with its policy variables filled in; one without a value fits nothing."""

    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("*", "?", "$"):
            return name
        return (keys.get(name.lower()) or ("\0",))[0]

    return _VARIABLE.sub(value_of, pattern)


def _holds(condition: Condition, keys: Keys) -> bool:
    values = keys.get(condition.key)
    if condition.operator == "Null":
        return (values is None) == (condition.values == ("true",))
    if values is None:
        return condition.is_optional or condition.quantifier == "ForAllValues" or "Not" in condition.operator
    wanted = tuple(_fill(value, keys) for value in condition.values)
    held = [_compare(condition.operator, value, wanted) for value in values]
    return all(held) if condition.quantifier == "ForAllValues" or "Not" in condition.operator else any(held)


def _compare(operator: str, value: str, wanted: tuple[str, ...]) -> bool:
    plain = operator.replace("Not", "")
    if plain.endswith("IgnoreCase") or plain == "Bool":
        found = value.lower() in [entry.lower() for entry in wanted]
    elif plain == "StringEquals":
        found = value in wanted
    else:
        # ArnEquals compares as ArnLike does.
        found = any(matches(entry, value) for entry in wanted)
    return found != ("Not" in operator)
