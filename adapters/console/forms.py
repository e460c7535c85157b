"""What browsers post: read with limits, and only taken from our own pages."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from adapters.console.sessions import Session
from bot.errors import Invalid, Refused

MAX_BODY = 64 * 1024
"""Bytes; a text of 10,000 characters fits, percent-encoded."""

FORM = "application/x-www-form-urlencoded"


class TooLarge(Invalid):
    """More was posted than any of our forms holds."""

    status = 413
    title = "That is too much"


async def read_form(request: Request, session: Session) -> Mapping[str, str]:
    """Return the fields of a form of ours; raises Refused for posts from elsewhere, Invalid for no form.

    A field given twice counts once, by its first value. Bytes that are not UTF-8 become U+FFFD.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"}:
        raise Refused("This form was sent by another site, so nothing was done.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Invalid("This address takes the console's own forms only.", field="content-type")
    body = bytearray()
    async for chunk in request.stream():
        body.extend(chunk)
        if len(body) > MAX_BODY:
            raise TooLarge("The text is far too long.", next_step="Send at most 1,024 characters.")
    text = body.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=50)
    except ValueError as error:
        raise Invalid("The form has too many fields.", field="body") from error
    form: dict[str, str] = {}
    for name, value in pairs:
        form.setdefault(name, value)
    token = form.get("csrf") or request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(token.encode(), session.csrf.encode()):
        raise Refused(
            "This form is out of date, so nothing was done.",
            next_step="Go back, reload the page and try again.",
        )
    return form


def safe_path(text: str) -> str:
    """Return a path on this site that one may be sent to, "/" for everything else (RFC 3986 has many)."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable() or "\\" in text:
        return "/"
    try:
        url = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if url.scheme or url.netloc or url.path.startswith("//") else text
