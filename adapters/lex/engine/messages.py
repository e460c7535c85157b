"""Prompts and responses as the messages of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.lex.engine.definition import Message, Prompt

_MOST_MESSAGES = 10
_LONGEST_MESSAGE = 1024
_REFERENCE = re.compile(r"\{([A-Za-z0-9_.-]+)\}|\[([A-Za-z0-9_.-]+)\]")


def render(
    prompt: Prompt, values: Mapping[str, str], attributes: Mapping[str, str], attempt: int = 0
) -> list[dict[str, Any]]:
    """The messages of a prompt with `{Slot}` and `[sessionAttribute]` written in.

    The first try takes each group's first message, later ones go through its variations. A reference to a
    value that does not exist vanishes with the blank or comma that belonged to it.
    """
    rendered: list[dict[str, Any]] = []
    for group in prompt.groups[:_MOST_MESSAGES]:
        message = group[attempt % len(group)]
        if message.kind == "ImageResponseCard":
            rendered.append({"contentType": message.kind, "imageResponseCard": dict(message.card or {})})
            continue
        content = _write_in(message, values, attributes)
        if content:
            rendered.append({"contentType": message.kind, "content": content[:_LONGEST_MESSAGE]})
    return rendered


def _write_in(message: Message, values: Mapping[str, str], attributes: Mapping[str, str]) -> str:
    if message.kind == "CustomPayload":
        return message.content
    missing = "\x00"

    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1)) if match.group(1) else attributes.get(match.group(2))
        return found if found else missing

    text = _REFERENCE.sub(value, message.content)
    if missing not in text:
        return text
    text = re.sub(rf"^{missing},?\s+", "", text)
    text = re.sub(rf"\s*{missing}", "", text).strip()
    return text[:1].upper() + text[1:]
