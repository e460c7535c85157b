"""Amazon Lex V2 runtime: one turn of a conversation, understood by the local engine."""

from __future__ import annotations

from typing import Any

from sandbox.lex_bots import find_bot, recognize
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(Service("lexv2-runtime", signing_name="lex", throttled_status=429, denied_status=403))


@operation("RecognizeText", locked=False)
def recognize_text(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What the bot makes of a text; the same turn sent again is played again, as in Lex."""
    bot = find_bot(context.world, parameters["botId"], parameters["botAliasId"], parameters["localeId"])
    return recognize(
        context.world,
        bot,
        session_id=parameters["sessionId"],
        text=parameters["text"],
        session_state=parameters.get("sessionState"),
        request_attributes=parameters.get("requestAttributes"),
    )
