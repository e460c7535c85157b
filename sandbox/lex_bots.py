"""Lex V2 bots in the sandbox: definitions in Lex's own shape, run by the local engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.model import LexBot
from sandbox.world import Recognize, World

_BOT_ID = re.compile(r"[0-9a-zA-Z]{10}")


def register_bot(world: World, wish: Mapping[str, Any]) -> LexBot:
    """Register (or replace) a bot from ``{"botId", "botAliasId", "localeId", "definition"}``.

    ValidationException says what is wrong with it, also when the engine can't work with the definition.
    """
    names = ("botId", "botAliasId", "localeId")
    for name in names:
        if not isinstance(wish.get(name), str) or not wish[name]:
            raise AwsError("ValidationException", f"{name} must be a text.")
    if not _BOT_ID.fullmatch(wish["botId"]):
        raise AwsError("ValidationException", "botId must be ten letters or digits.")
    if not isinstance(wish.get("definition"), dict):
        raise AwsError("ValidationException", "definition must be a bot in Lex V2's own shape (an object).")
    bot = LexBot(wish["botId"], wish["botAliasId"], wish["localeId"], wish["definition"])
    with world.lock:
        try:
            engine_of(world, bot)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AwsError("ValidationException", f"The definition can't be used: {error!r}") from error
        world.zone.bots[_key(bot.bot_id, bot.bot_alias_id, bot.locale_id)] = bot
        world.changed()
        world.save()
    return bot


def find_bot(world: World, bot_id: str, bot_alias_id: str, locale_id: str) -> LexBot:
    """The bot registered under those three names, or ResourceNotFoundException."""
    with world.lock:
        bot = world.zone.bots.get(_key(bot_id, bot_alias_id, locale_id))
    if bot is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"Bot {bot_id} with alias {bot_alias_id} and locale {locale_id} does not exist.",
        )
    return bot


def recognize(world: World, bot: LexBot, **turn: Any) -> dict[str, Any]:
    """One turn of the local engine; ValidationException for what Lex would refuse too."""
    engine = engine_of(world, bot)
    try:
        return engine(**turn)
    except ValueError as error:
        raise AwsError("ValidationException", str(error)) from error


def engine_of(world: World, bot: LexBot) -> Recognize:
    """The engine's `recognize_text` for a bot, made once; it keeps the bot's sessions."""
    key = _key(bot.bot_id, bot.bot_alias_id, bot.locale_id)
    with world.lock:
        made_for, engine = world.engines.get(key, (None, None))
        if engine is None or made_for is not bot:
            # Loaded when the first bot needs it: most sandboxes never see one.
            from adapters.lex.engine import Engine

            engine = Engine(bot.definition).recognize_text
            world.engines[key] = (bot, engine)
        return engine


def _key(bot_id: str, bot_alias_id: str, locale_id: str) -> str:
    return f"{bot_id}/{bot_alias_id}/{locale_id}"
