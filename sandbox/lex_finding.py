"""Finding what a call of lexv2-models is about, and what it is refused with when it can't be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.errors import AwsError
from sandbox.lex_model import DRAFT, ModelledBot, Part, settle_bot
from sandbox.registry import Context, Parameters, page_of

_MISSING = "Failed to retrieve resource since it does not exist."


def find_bot(context: Context, parameters: Parameters) -> ModelledBot:
    """The bot that a call names, with what was due ended; ResourceNotFoundException."""
    bot = context.world.zone.lex_bots.get(parameters["botId"])
    if bot is None or not is_of(context, bot):
        raise AwsError("ResourceNotFoundException", _MISSING)
    if settle_bot(bot, context.now):
        context.world.changed()
    return bot


def bot_to_change(context: Context, parameters: Parameters) -> ModelledBot:
    """The bot that a call changes; PreconditionFailedException if it is missing, ConflictException if it is busy."""
    try:
        bot = find_bot(context, parameters)
    except AwsError as error:
        raise AwsError("PreconditionFailedException", _MISSING) from error
    if bot.status != "Available":
        raise conflict(f"bot {bot.id}", bot.status)
    context.world.changed()
    return bot


def find_locale(bot: ModelledBot, parameters: Parameters) -> Part:
    """The draft's locale that a call names; ResourceNotFoundException."""
    locale = bot.locales.get(parameters["localeId"])
    if locale is None:
        raise AwsError("ResourceNotFoundException", _MISSING)
    return locale


def find_content(bot: ModelledBot, parameters: Parameters) -> Part:
    """A locale of the draft or of a numbered version; ResourceNotFoundException."""
    if parameters["botVersion"] == DRAFT:
        return find_locale(bot, parameters)
    version = bot.versions.get(parameters["botVersion"])
    if version is None or parameters["localeId"] not in version["locales"]:
        raise AwsError("ResourceNotFoundException", _MISSING)
    content: Part = version["locales"][parameters["localeId"]]
    return content


def draft_to_change(context: Context, bot: ModelledBot, parameters: Parameters, *, edits: bool = True) -> Part:
    """The draft's locale that a call edits, which is no longer built then; ConflictException while it is busy."""
    try:
        locale = find_locale(bot, parameters)
    except AwsError as error:
        raise AwsError("PreconditionFailedException", _MISSING) from error
    if locale["status"] in ("Creating", "Building"):
        raise conflict(f"locale {locale['localeId']}", locale["status"])
    if edits:
        locale.update(status="NotBuilt", updatedAt=context.now, failureReasons=[])
    return locale


def conflict(what: str, status: str) -> AwsError:
    """The refusal of a change to what is under way."""
    return AwsError(
        "ConflictException", f"The {what} is in the {status} state. Wait until it is complete, then try again."
    )


def missing() -> AwsError:
    """The refusal of a change to what is not there."""
    return AwsError("PreconditionFailedException", _MISSING)


def paged(context: Context, parameters: Parameters, name: str, entries: list[Any], **more: Any) -> dict[str, Any]:
    """A listing's page."""
    page, token = page_of(context, parameters, entries, cursor="nextToken", size="maxResults", default_size=10)
    return {name: page, **more, **({"nextToken": token} if token else {})}


def require_free_name(name: str, taken: Iterable[str], kind: str) -> None:
    """ValidationException for a name that another has."""
    if name in set(taken):
        raise AwsError("ValidationException", f"{kind} with name {name} already exists. Use another name.")


def is_of(context: Context, bot: ModelledBot) -> bool:
    """Tell whether a bot is of the caller's account and Region."""
    return (bot.account, bot.region) == (context.account, context.region)
