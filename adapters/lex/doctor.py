"""Whether Lex understands, if it is set."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.lex.runtime import LexRecognizer
from bot.doctor import Check, Finding, Patient, failed, ok
from bot.doctor.aws import trouble
from bot.errors import CloudError


def checks(patient: Patient) -> Sequence[Check]:
    """Return the check of understanding."""
    settings = patient.settings

    async def lex() -> Finding:
        if not settings.lex_bot_id:
            return ok("the embedded engine: LEX_BOT_ID is not set")
        shown = f"bot {settings.lex_bot_id}, alias {settings.lex_bot_alias_id}, {settings.lex_locale_id}"
        try:
            await LexRecognizer(patient.cloud, settings).recognize("doctor-probe", "help", {})
        except CloudError as error:
            if error.code in ("ResourceNotFoundException", "ValidationException"):
                return failed(
                    f"Lex in {settings.lex_region} has no {shown}",
                    "Run python -m bot lex deploy; set LEX_BOT_ID and LEX_BOT_ALIAS_ID to what it prints.",
                )
            return trouble(error, "the bot's identity")
        return ok(f"{shown} answers")

    return (Check("understanding", lex),)
