"""Parameters and results held against botocore's own shapes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

_MAPS_WITH_NULLS = ("Slots",)
"""Lex answers an empty slot as null, which botocore reads but would not send."""
_NUMBERS = ("integer", "long", "float", "double")


def find_violations(shape: StructureShape | None, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request's parameters, each in the words that AWS uses."""
    return [] if shape is None else list(_walk(shape, parameters, ""))


def summarize(violations: list[str]) -> str:
    """Violations as AWS lists them in one message."""
    count = len(violations)
    return f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(violations)}"


def check_result(shape: StructureShape | None, result: Mapping[str, Any]) -> str:
    """What is wrong with a result of ours (types, unknown or missing members, patterns); empty if nothing."""
    if shape is None:
        return f"the operation returns nothing, but got {sorted(result)}" if result else ""
    report = ParamValidator().validate(_without_empty_slots(shape, result), shape)
    if report.has_errors():
        return str(report.generate_report())
    return "; ".join(_walk(shape, result, ""))


def _without_empty_slots(shape: Shape, value: Any) -> Any:
    """A result without the nulls that its maps may hold."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {n: _without_empty_slots(shape.members[n], v) if n in shape.members else v for n, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [_without_empty_slots(shape.member, entry) for entry in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if v is not None or shape.name not in _MAPS_WITH_NULLS}
        return {k: _without_empty_slots(shape.value, v) for k, v in kept.items()}
    return value


def _walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return
        if not isinstance(value, Mapping):
            yield _failed(value, path, "Member must be a structure")
            return
        for name in shape.required_members:
            if value.get(name) is None:
                where = _join(path, name)
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _walk(member, value[name], _join(path, name))
    elif isinstance(shape, ListShape):
        if not isinstance(value, list | tuple):
            yield _failed(value, path, "Member must be a list")
            return
        yield from _check_length(shape, value, path)
        for position, entry in enumerate(value, start=1):
            yield from _walk(shape.member, entry, f"{path}.{position}.member")
    elif isinstance(shape, MapShape):
        if not isinstance(value, Mapping):
            yield _failed(value, path, "Member must be a map")
            return
        for key, entry in value.items():
            if shape.name in _MAPS_WITH_NULLS and entry is None:
                continue
            yield from _walk(shape.key, key, f"{path}.key")
            yield from _walk(shape.value, entry, f"{path}.{key}.member")
    else:
        yield from _check_scalar(shape, value, path)


def _check_scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "string":
        if not isinstance(value, str):
            yield _failed(value, path, "Member must be a string")
            return
        yield from _check_length(shape, value, path)
        pattern = shape.metadata.get("pattern")
        expression = _compile(pattern) if pattern else None
        if expression is not None and not expression.fullmatch(value):
            yield _failed(value, path, f"Member must satisfy regular expression pattern: {pattern}")
        allowed = getattr(shape, "enum", None) or []
        if allowed and value not in allowed:
            yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    elif kind in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _failed(value, path, "Member must be a number")
            return
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and value < least:
            yield _failed(value, path, f"Member must have value greater than or equal to {least}")
        if most is not None and value > most:
            yield _failed(value, path, f"Member must have value less than or equal to {most}")
    elif kind == "boolean" and not isinstance(value, bool):
        yield _failed(value, path, "Member must be a boolean")


def _check_length(shape: Shape, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _failed(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _failed(value, path, f"Member must have length less than or equal to {most}")


@functools.cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    # The models' patterns are Java's; what Python can't read (\\p{L}) isn't checked.
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _failed(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered
