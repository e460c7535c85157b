"""Markdown blocks, for what the bot formats and Slack's other texts can't: lists of checks, and quotations. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.card import Checks, Item, Quote, StepMark

Block = dict[str, Any]
MOST = 3000
"""Characters of one block; Slack takes 12,000 in all."""
MARKS: dict[StepMark, str] = {"done": "✓", "running": "…", "waiting": "·", "failed": "✗"}
_HARMLESS = re.compile(r"[\w“„‚(][\w .,;:?!'’“”„…–—/%+=@()€$£·-]*")
_MEANT = re.compile(r"_|://|www\.|:[\w+-]+:|^\d+[.)]", re.IGNORECASE)
"""Emphasis, links, emoji and numbered lists, of the signs that are harmless by themselves."""


def formatted(item: Item) -> list[Block]:
    """Return an item as markdown, which messages alone may hold; empty for what is better or safer said without.

    Markdown of Slack's knows no way to escape, so words with any sign that could mean something in it go without.
    """
    match item:
        case Checks(rows=rows) if all(is_harmless(name) and is_harmless(sentence) for _, name, sentence in rows):
            lines = [f"{MARKS[mark]} **{name.strip()}**: {sentence}" for mark, name, sentence in rows if name.strip()]
            return _markdown(lines) if len(lines) == len(rows) else []
        case Quote(text=text, by=by) if is_harmless(text) and is_harmless(by) and by.strip() and text.strip():
            return _markdown([f"**{by.strip()}** wrote:", f"> {text.strip()}"])
    return []


def is_harmless(text: str) -> bool:
    """Tell whether words say the same in markdown as without, and lead nowhere."""
    return bool(_HARMLESS.fullmatch(text)) and not _MEANT.search(text)


def _markdown(lines: Sequence[str]) -> list[Block]:
    """Return lines as markdown, one below the other, in blocks of MOST characters at most."""
    blocks: list[Block] = []
    chunk = ""
    for line in lines:
        longer = f"{chunk}  \n{line}" if chunk else line
        if chunk and len(longer) > MOST:
            blocks.append({"type": "markdown", "text": chunk})
            longer = line
        chunk = longer[:MOST]
    return [*blocks, {"type": "markdown", "text": chunk}] if chunk else blocks
