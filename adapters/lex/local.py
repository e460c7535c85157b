"""The embedded engine as a recogniser: the default, and the fall-back when Lex does not answer in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.lex.engine import Engine
from bot.recognizer import Turn, turn_of


class LocalRecognizer:
    """Understands in-process; a text takes about a millisecond. What it learns is kept in the folder `kept`, if any."""

    name = "engine"

    def __init__(self, definition: Mapping[str, Any], kept: Path | None = None) -> None:
        self._engine = Engine(definition, kept)

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Return what the text means, starting from the given state."""
        return turn_of(self._engine.recognize_text(session_id=session_id, text=text, session_state=session_state))
