"""Amazon Lex V2 as a recogniser (lexv2-runtime RecognizeText)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.cloud import Cloud
from bot.recognizer import Turn, turn_of
from bot.settings import Settings


class LexRecognizer:
    """Asks one bot alias; the caller bounds the time.

    Lex has no idempotency key, so a turn is never sent twice by us; the SDK repeats only what Lex refused.
    """

    name = "lex"

    def __init__(self, cloud: Cloud, settings: Settings) -> None:
        self._cloud = cloud
        self._region = settings.lex_region
        self._bot = {
            "botId": settings.lex_bot_id,
            "botAliasId": settings.lex_bot_alias_id,
            "localeId": settings.lex_locale_id,
        }

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Return what Lex makes of the text. Raises CloudError."""
        parameters: dict[str, Any] = {**self._bot, "sessionId": session_id, "text": text}
        if session_state:
            parameters["sessionState"] = dict(session_state)
        answer = await self._cloud.call("lexv2-runtime", "RecognizeText", region=self._region, **parameters)
        return turn_of(answer)
