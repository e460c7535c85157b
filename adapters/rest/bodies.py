"""Reading JSON bodies strictly: whatever is sent, the answer is a value or a reason, never a crash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request

from adapters.rest.problems import InvalidFields, TooLarge, WrongMediaType

MAX_BYTES = 1_000_000
MAX_DEPTH = 32


@dataclass(frozen=True)
class Posted:
    """A body as it was sent: bytes, text (without a byte order mark) and value."""

    raw: bytes
    text: str
    value: Any


class ReadRequest(Request):
    """A request whose body has been read and decoded."""

    def __init__(self, request: Request, posted: Posted) -> None:
        super().__init__(request.scope, request.receive)
        self.posted = posted

    async def body(self) -> bytes:
        """Return the bytes that were sent."""
        return self.posted.raw

    async def json(self) -> Any:
        """Return the decoded value."""
        return self.posted.value


async def read_json(request: Request) -> ReadRequest:
    """Read and decode a body; an empty one has the value None.

    Raises TooLarge above MAX_BYTES (without reading on), WrongMediaType unless the body is said to be JSON
    (which no HTML form can say, so a foreign page can't post here unasked), and InvalidFields for what is
    not one UTF-8 JSON text with unique keys, whole characters and at most MAX_DEPTH levels.
    """
    raw = await _read(request)
    if raw and not _is_json(request.headers.get("content-type", "")):
        raise WrongMediaType("The body must be JSON.", next_step="Send it with “Content-Type: application/json”.")
    return ReadRequest(request, _decode(raw))


async def _read(request: Request) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:12]) > MAX_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> TooLarge:
    return TooLarge(
        f"The body is longer than {MAX_BYTES:,} bytes.", next_step="A message has at most 1,024 characters."
    )


def _is_json(content_type: str) -> bool:
    kind, _, subtype = content_type.partition(";")[0].strip().casefold().partition("/")
    return kind == "application" and (subtype == "json" or subtype.endswith("+json"))


def _decode(raw: bytes) -> Posted:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse("is not UTF-8 text; send JSON in UTF-8")
    if not raw:
        return Posted(raw, text, None)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        _refuse(f"is nested more than {MAX_DEPTH} levels deep; send plain fields")
    except json.JSONDecodeError as error:
        _refuse(f"is not JSON: {error.msg} at character {error.pos + 1}")
    except ValueError:
        _refuse("holds a number that is too long; send plain fields")
    _check(value)
    return Posted(raw, text, value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse("is given more than once; send each field once", field=_printable(twice))
    return found


def _no_constant(name: str) -> NoReturn:
    _refuse(f"holds {name}, which is not JSON; send a number or a text")


def _check(value: Any) -> None:
    waiting: list[tuple[Any, str, int]] = [(value, "", 1)]
    while waiting:
        item, path, depth = waiting.pop()
        if isinstance(item, str):
            if not _is_whole(item):
                _refuse("holds half of a surrogate pair; send whole characters", field=path or "body")
        elif isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                _refuse(f"is nested more than {MAX_DEPTH} levels deep; send plain fields")
            parts = item.items() if isinstance(item, dict) else enumerate(item)
            for name, part in parts:
                if isinstance(name, str) and not _is_whole(name):
                    _refuse("has a field name with half of a surrogate pair; send whole characters")
                waiting.append((part, f"{path}.{name}" if path else str(name), depth + 1))


def _is_whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:100] or "body"


def _refuse(problem: str, *, field: str = "body") -> NoReturn:
    raise InvalidFields([(field, problem)])
