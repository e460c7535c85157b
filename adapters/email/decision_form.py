"""What a decision's POST may carry: an HTML form or JSON, small, with `decision` and `reason`."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from bot.errors import Invalid

MAX_BODY = 64 * 1024
"""Octets of a body: a reason that is far too long still comes back filled in."""
MAX_REASON = 1000
"""Characters of a reason."""
MAX_FIELDS = 20

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class BodyTooLarge(Invalid):
    """The body is larger than any decision can be."""

    status = 413
    title = "Too much was sent"


class UnknownBody(Invalid):
    """The body is neither a form nor JSON."""

    status = 415
    title = "That kind of body is not understood"


@dataclass(frozen=True)
class DecisionForm:
    """The fields as they were sent, cleaned but not checked."""

    decision: str = ""
    reason: str = ""

    def check(self) -> None:
        """Raise Invalid, with the field at fault, unless this is a decision that can be recorded."""
        if self.decision not in {"approve", "reject"}:
            raise Invalid("Choose Approve or Reject (decision must be approve or reject).", field="decision")
        if len(self.reason) > MAX_REASON:
            raise Invalid(
                f"The reason has {len(self.reason):,} characters; {MAX_REASON:,} are the most.",
                field="reason",
            )
        if self.decision == "reject" and not self.reason:
            raise Invalid("Say why you reject it, so that the requester knows what to change.", field="reason")


async def read_body(request: Request) -> bytes:
    """Return the body; raises BodyTooLarge as soon as it is, and Invalid when the client breaks off."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise BodyTooLarge(f"At most {MAX_BODY // 1024} kB can be sent.")
    except ClientDisconnect as error:
        raise Invalid("The request broke off before it was whole.") from error
    return bytes(body)


async def parse_form(headers: Headers, body: bytes) -> DecisionForm:
    """Return the fields of a form or of a JSON object; unknown fields are ignored.

    Raises UnknownBody for other content types, Invalid for what can't be decoded.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind == "application/json" or kind.endswith("+json"):
        fields = _json_fields(body)
    elif kind == "application/x-www-form-urlencoded" or (not kind and not body):
        fields = _form_fields(body)
    elif kind == "multipart/form-data":
        fields = await _multipart_fields(headers, body)
    else:
        raise UnknownBody("Send application/x-www-form-urlencoded, multipart/form-data or application/json.")
    return DecisionForm(fields.get("decision", "").strip(), tidy(fields.get("reason", "")))


def tidy(text: str) -> str:
    """Return text as NFC with plain line ends, without other control characters and lone surrogates."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in text if c in "\n\t" or (unicodedata.category(c) not in {"Cc", "Cs"} and c not in _BIDI_CONTROLS))
    return "".join(kept).strip()


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not JSON.") from error
    if not isinstance(found, dict):
        raise Invalid("The body must be a JSON object with decision and reason.")
    return {name: _text(name, found[name]) for name in ("decision", "reason") if found.get(name) is not None}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.", field=name)
    return value


def _form_fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:  # also UnicodeDecodeError
        raise Invalid("The form can't be decoded; it must be UTF-8 with few fields.") from error
    return _single(pairs)


async def _multipart_fields(headers: Headers, body: bytes) -> dict[str, str]:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(headers, stream(), max_files=0, max_fields=MAX_FIELDS)
    try:
        parsed = await parser.parse()
    except (MultiPartException, ValueError, LookupError, KeyError) as error:
        raise Invalid("The form can't be decoded.") from error
    return _single([(name, value) for name, value in parsed.multi_items() if isinstance(value, str)])


def _single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the fields as a mapping; a decision or reason that is there twice is nobody's clear will."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields and name in {"decision", "reason"}:
            raise Invalid(f"{name} was sent more than once.", field=name)
        fields[name] = value
    return fields
