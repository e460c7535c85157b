"""Texts between Slack's markup and plain words: decoded on their way in, escaped on their way out."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"<([^<>\n]{1,3000})>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
ELLIPSIS = "…"


def decode(text: str) -> str:
    """Return what a person typed, from a message's text: links as they were written, names of channels, entities."""
    plain = _MARKUP.sub(lambda found: _meant(found[1]), text)
    for entity, sign in _ENTITIES:
        plain = plain.replace(entity, sign)
    return plain


def _meant(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("mailto:"):
        return target.removeprefix("mailto:")
    if target.startswith("@"):
        return f"<{target}>" if not label else f"@{label}"  # whom an id means is looked up later
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:]}"
    return label or target


def without_mention(text: str, user_id: str) -> str:
    """Return a text without the mentions of one user: whom one speaks to is no part of what one says."""
    return re.sub(rf"\s*<@{re.escape(user_id)}(?:\|[^>]*)?>[:,]?\s*", " ", text).strip() if user_id else text


def mentions(text: str, user_id: str) -> bool:
    """Tell whether a message's text mentions the user."""
    return bool(user_id) and re.search(rf"<@{re.escape(user_id)}[|>]", text) is not None


def escape(text: str) -> str:
    """Return words that are not ours so that Slack shows them as they are: no mention, no link, no channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """Return an escaped text of at most `limit` characters, cut before it is escaped, so that no entity is torn."""
    escaped = escape(text)
    if len(escaped) <= limit:
        return escaped
    kept: list[str] = []
    left = limit - len(ELLIPSIS)
    for sign in text:
        left -= len(escape(sign))
        if left < 0:
            break
        kept.append(escape(sign))
    return "".join(kept).rstrip() + ELLIPSIS
