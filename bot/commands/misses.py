"""`lex misses`: what people said that was not understood, as utterances that a person may accept."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections import Counter
from typing import Any

from sqlalchemy.exc import DBAPIError

from bot.audit import unreadable
from bot.clock import SystemClock
from bot.commands.record import require_file
from bot.lexshape import lex_definition
from bot.misses import Miss
from bot.settings import Settings


def show_misses(*, as_json: bool) -> int:
    """Print the sentences, the most frequent first, each with the intent that it comes nearest to."""
    kept, definition, settings = asyncio.run(_read())
    if not kept:
        print("Nothing that was not understood is kept. It is kept for 30 days, where MISSES_KEY is set.")
        return 0
    engine = importlib.import_module("adapters.lex.engine").Engine(definition, settings.var_dir / "engine")
    counted = Counter(" ".join(miss.text.casefold().split()) for miss in kept)
    for text, times in counted.most_common():
        leading = engine.compiled.rank(text, frozenset())[0]
        entry: dict[str, Any] = {"utterance": text, "times": times, "intent": leading.intent.name}
        if as_json:
            print(json.dumps({**entry, "confidence": round(leading.score, 3)}))
        else:
            print(f"{times:>4} ×  {text!r}  nearest: {leading.intent.name} ({leading.score:.2f})")
    if not as_json:
        print("\nTo accept one, add it to the utterances of the intent it means, with {Slot} where {…} stands.")
    return 0


async def _read() -> tuple[list[Miss], dict[str, Any], Settings]:
    from bot.main import build_cloud, build_services, discover

    settings = Settings()  # not checked as a whole: it depends on no mail and no sign-in
    require_file(settings.database_url)
    services = build_services(settings, SystemClock(), build_cloud(settings))
    await services.database.start()
    try:
        kept = await services.misses.read()
    except DBAPIError as error:
        raise unreadable(error) from error
    else:
        return kept, lex_definition(discover(services)), settings
    finally:
        await services.database.close()
