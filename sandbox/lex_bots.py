"""Lex V2 bots at run time: registered definitions, and what lexv2-models built, run by the local engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

from sandbox.errors import AwsError
from sandbox.lex_model import DRAFT, ModelledBot, Part, content_of, definition_of, settle_bot
from sandbox.model import LexBot
from sandbox.world import Recognize, World

_BOT_ID = re.compile(r"[0-9a-zA-Z]{10}")
_DEFAULT_IDLE_SECONDS = 300
_MANY_INTENTS = 20
"""Bots of fewer are learnt in less than a second."""


@dataclass(frozen=True)
class ServedBot:
    """One locale of one alias; `source` is the very object that the definition comes from."""

    key: str
    idle_seconds: int
    source: object
    definition: Mapping[str, Any]


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
    try:
        engine_of(world, _registered(bot))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AwsError("ValidationException", f"The definition can't be used: {error!r}") from error
    with world.lock:
        world.zone.bots[_key(bot.bot_id, bot.bot_alias_id, bot.locale_id)] = bot
        world.changed()
        world.save()
    return bot


def find_served(world: World, bot_id: str, bot_alias_id: str, locale_id: str) -> ServedBot:
    """The bot that answers under those three names, or ResourceNotFoundException."""
    with world.lock:
        registered = world.zone.bots.get(_key(bot_id, bot_alias_id, locale_id))
        if registered is not None:
            return _registered(registered)
        modelled = world.zone.lex_bots.get(bot_id)
        served = _modelled(world, modelled, bot_alias_id, locale_id) if modelled is not None else None
    if served is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"Bot {bot_id} with alias {bot_alias_id} and locale {locale_id} does not exist.",
        )
    return served


def recognize(world: World, bot: ServedBot, **turn: Any) -> dict[str, Any]:
    """One turn of the local engine; ValidationException for what Lex would refuse too."""
    engine = engine_of(world, bot)
    try:
        return engine(**turn)
    except ValueError as error:
        raise AwsError("ValidationException", str(error)) from error


def engine_of(world: World, bot: ServedBot) -> Recognize:
    """The engine's `recognize_text` for a bot, made once; nobody else waits while it learns."""
    engine = _made(world, bot)
    if engine is not None:
        return engine
    # Loaded when the first bot needs it: most sandboxes never see one.
    from adapters.lex.engine import Engine

    engine = Engine(bot.definition).recognize_text
    with world.lock:
        other = _made(world, bot)
        if other is None:
            world.engines[bot.key] = (bot.source, engine)
        return other or engine


def learn_ahead(bot: ModelledBot, locale: Part) -> None:
    """Have the engine learn a locale of many intents while it is built: the first turn is to find it learnt."""
    if len(locale["intents"]) >= _MANY_INTENTS:
        definition = definition_of(bot, content_of(locale))
        Thread(target=_learn, args=(definition,), name="lex-build", daemon=True).start()


def _learn(definition: Mapping[str, Any]) -> None:
    from adapters.lex.engine import DefinitionError, Engine

    with suppress(DefinitionError):  # the build says so
        Engine(definition)


def _made(world: World, bot: ServedBot) -> Recognize | None:
    with world.lock:
        made_for, engine = world.engines.get(bot.key, (None, None))
        return engine if made_for is bot.source else None


def _registered(bot: LexBot) -> ServedBot:
    key = _key(bot.bot_id, bot.bot_alias_id, bot.locale_id)
    idle = int(bot.definition.get("idleSessionTTLInSeconds") or _DEFAULT_IDLE_SECONDS)
    return ServedBot(key, idle, bot, bot.definition)


def _modelled(world: World, bot: ModelledBot, alias_id: str, locale_id: str) -> ServedBot | None:
    """What the alias points at, as it was built; None when it points at nothing that was."""
    if settle_bot(bot, world.clock.now()):
        world.changed()
        world.save()
    alias = bot.aliases.get(alias_id)
    if alias is None or alias["version"] is None:
        return None
    if not (alias["settings"].get(locale_id) or {}).get("enabled", alias["version"] == DRAFT):
        return None
    if alias["version"] == DRAFT:
        content = (bot.locales.get(locale_id) or {}).get("built")
    else:
        content = (bot.versions.get(alias["version"]) or {"locales": {}})["locales"].get(locale_id)
    if content is None:
        return None
    key = f"{bot.id}/{alias['version']}/{locale_id}"
    made_for, _ = world.engines.get(key, (None, None))
    definition = {} if made_for is content else definition_of(bot, content)
    return ServedBot(key, bot.idle_seconds, content, definition)


def _key(bot_id: str, bot_alias_id: str, locale_id: str) -> str:
    return f"{bot_id}/{bot_alias_id}/{locale_id}"
