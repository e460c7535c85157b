"""A mail that tells something and asks for no decision: {"kind": "news", "to", "subject", "lines", "rows", "link", …}.

It carries no token: whoever reads it can do no more than before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.email.letter import Attachment, Letter
from adapters.email.rendering import render
from bot.channel import Delivery, DeliveryFailed


def write_news(delivery: Delivery) -> Letter:
    """Return the letter of an outbox row; raises DeliveryFailed for one that names no receiver or no subject.

    `lines` are paragraphs, `rows` pairs of name and value, `link` {"title", "url"} or nothing, and `attachments`
    {"name", "type", "text"} each, the type being one below "text".
    """
    payload: Mapping[str, Any] = delivery.payload
    to, subject = payload.get("to"), payload.get("subject")
    if not isinstance(to, str) or not to or not isinstance(subject, str) or not subject:
        raise DeliveryFailed("The outbox row names no receiver or no subject.", retryable=False)
    values = {
        "subject": subject,
        "lines": [str(line) for line in payload.get("lines", ())],
        "rows": [(str(name), str(value)) for name, value in payload.get("rows", ())],
        "link": payload.get("link") or {},
        "to": to,
    }
    text, html = render("news.txt", **values), render("news.html", **values)
    attachments = tuple(Attachment(one["name"], one["type"], one["text"]) for one in payload.get("attachments", ()))
    return Letter(key=delivery.key, to=to, subject=subject, text=text, html=html, attachments=attachments)
