"""The reason of an override and, in the same sentence, the second person who answers for it. Pure."""

from __future__ import annotations

import re

_EMAIL = r"[^\s<>,;:()\"“”]+@[^\s<>,;:()\"“”]+[^\s<>,;:()\"“”.!]"
_JOINED = r"[\s,;.]*(?:\band\b\s*|\bwith\b\s*)?"
_SECOND = r"(?:the\s+|my\s+)?second\s+person"
_NAMED = re.compile(
    rf"{_JOINED}(?:(?P<first>{_EMAIL})\s+(?:is|will be|being|as)\s+{_SECOND}"
    rf"|{_SECOND}(?:\s+is|\s*:)?\s+(?P<last>{_EMAIL})"
    rf"|(?P<answers>{_EMAIL})\s+answers\s+for\s+it(?:\s+(?:with me|too|as well))?)[\s.!]*$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\s*(?:please\s+)?override(?:\s+(?:it|this|that))?\s+because\s+(?P<reason>.+)", re.IGNORECASE | re.DOTALL
)


def said_reason(text: str) -> str:
    """Return the whole reason in “override because …”, of which recognisers cut out a part; empty for other texts."""
    found = _SAID.fullmatch(text)
    return found["reason"].strip() if found else ""


def parted_override(text: str) -> tuple[str, str]:
    """Return the reason, and the address of the second person that it names outright at its end (else empty).

    An address that is only a part of the reason (“bo@corp.example asked for it”) names nobody. Where nothing is left
    of a reason but the name, the reason stays as it was said.
    """
    found = _NAMED.search(text)
    if found is None or not text[: found.start()].strip():
        return text, ""
    return text[: found.start()].strip(), found["first"] or found["last"] or found["answers"]
