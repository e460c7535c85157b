"""Amazon Lex V2, building bots: bots, their draft's locales, and builds."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.lex_bots import learn_ahead
from sandbox.lex_building import blamed, find_faults, over_quota, shown_failure
from sandbox.lex_finding import (
    bot_to_change,
    draft_to_change,
    find_bot,
    find_content,
    find_locale,
    is_of,
    paged,
    require_free_name,
)
from sandbox.lex_model import (
    BOT_SECONDS,
    BUILD_SECONDS,
    DRAFT,
    FALLBACK_ID,
    FALLBACK_NAME,
    FALLBACK_SIGNATURE,
    LOCALE_SECONDS,
    TEST_ALIAS,
    TEST_ALIAS_NAME,
    ModelledBot,
    Part,
    new_id,
    settle_bot,
)
from sandbox.registry import Context, Parameters, Service, serve
from sandbox.world import without_nothing

operation = serve(Service("lexv2-models", signing_name="lex", throttled_status=429, denied_status=403))

LOCALES = {"en_US": "English (US)", "en_GB": "English (GB)", "en_AU": "English (AU)", "de_DE": "German (DE)"}


@operation("CreateBot")
def create_bot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a bot with its test alias; it is Creating for a while."""
    own = [bot for bot in context.world.zone.lex_bots.values() if is_of(context, bot)]
    require_free_name(parameters["botName"], (bot.name for bot in own), "Bot")
    over_quota("bots", len(own))
    bot = ModelledBot(
        id=new_id(),
        name=parameters["botName"],
        account=context.account,
        region=context.region,
        role_arn=parameters["roleArn"],
        idle_seconds=parameters["idleSessionTTLInSeconds"],
        child_directed=parameters["dataPrivacy"]["childDirected"],
        created_at=context.now,
        updated_at=context.now,
        due=context.now + BOT_SECONDS,
        description=parameters.get("description", ""),
        tags=dict(parameters.get("botTags", {})),
    )
    bot.aliases[TEST_ALIAS] = {
        "name": TEST_ALIAS_NAME,
        "description": "",
        "version": DRAFT,
        "status": "Available",
        "due": None,
        "settings": {},
        "createdAt": context.now,
        "updatedAt": context.now,
        "history": [{"version": DRAFT, "since": context.now, "until": None}],
    }
    context.world.zone.lex_bots[bot.id] = bot
    context.world.changed()
    return {**_describe_bot(bot, "lastUpdatedDateTime"), "botTags": bot.tags}


@operation("DescribeBot")
def describe_bot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What is known of a bot."""
    return _describe_bot(find_bot(context, parameters))


@operation("UpdateBot")
def update_bot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a bot's settings, all of which are given again."""
    bot = bot_to_change(context, parameters)
    others = (b.name for b in context.world.zone.lex_bots.values() if is_of(context, b) and b.id != bot.id)
    require_free_name(parameters["botName"], others, "Bot")
    bot.name, bot.role_arn = parameters["botName"], parameters["roleArn"]
    bot.description = parameters.get("description", "")
    bot.idle_seconds = parameters["idleSessionTTLInSeconds"]
    bot.child_directed = parameters["dataPrivacy"]["childDirected"]
    bot.updated_at = context.now
    return _describe_bot(bot)


@operation("DeleteBot")
def delete_bot(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a bot with everything in it; one with aliases of its own only if the check is skipped."""
    bot = bot_to_change(context, parameters)
    if len(bot.aliases) > 1 and not parameters.get("skipResourceInUseCheck"):
        raise AwsError("ConflictException", "The bot is in use by its aliases. Delete them, or skip the check.")
    del context.world.zone.lex_bots[bot.id]
    return {"botId": bot.id, "botStatus": "Deleting"}


@operation("ListBots")
def list_bots(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Bots by name; filtered by it."""
    bots = [bot for bot in context.world.zone.lex_bots.values() if is_of(context, bot)]
    for wish in parameters.get("filters") or ():
        value = wish["values"][0]
        if wish["name"] == "BotName":
            bots = [bot for bot in bots if _fits(bot.name, wish["operator"], value)]
    for bot in bots:
        settle_bot(bot, context.now)
    summaries = [
        without_nothing(
            {
                "botId": bot.id,
                "botName": bot.name,
                "description": bot.description,
                "botStatus": bot.status,
                "latestBotVersion": max(bot.versions, key=int, default=None),
                "lastUpdatedDateTime": moment(bot.updated_at),
                "botType": "Bot",
            }
        )
        for bot in sorted(bots, key=lambda bot: bot.name)
    ]
    return paged(context, parameters, "botSummaries", summaries)


@operation("CreateBotLocale")
def create_locale(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add a language to the draft, with its FallbackIntent."""
    bot, identifier = bot_to_change(context, parameters), parameters["localeId"]
    if identifier not in LOCALES:
        raise AwsError("ValidationException", f"The locale {identifier} isn't supported.")
    if identifier in bot.locales:
        raise AwsError("ValidationException", f"Locale {identifier} already exists.")
    bot.locales[identifier] = {
        "localeId": identifier,
        "description": parameters.get("description", ""),
        "nluIntentConfidenceThreshold": parameters["nluIntentConfidenceThreshold"],
        "status": "Creating",
        "due": context.now + LOCALE_SECONDS,
        "createdAt": context.now,
        "updatedAt": context.now,
        "submittedAt": None,
        "failureReasons": [],
        "built": None,
        "slotTypes": {},
        "intents": {
            FALLBACK_ID: {
                "intentId": FALLBACK_ID,
                "intentName": FALLBACK_NAME,
                "description": "Default intent when no other intent matches",
                "parentIntentSignature": FALLBACK_SIGNATURE,
                "createdAt": context.now,
                "updatedAt": context.now,
                "slots": {},
            }
        },
    }
    return _describe_locale(bot, bot.locales[identifier], "lastUpdatedDateTime", "intentsCount", "slotTypesCount")


@operation("DescribeBotLocale")
def describe_locale(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A locale's settings and how it stands; of a version it is Built."""
    bot = find_bot(context, parameters)
    if parameters["botVersion"] == DRAFT:
        return _describe_locale(bot, find_locale(bot, parameters))
    content = find_content(bot, parameters)
    version = bot.versions[parameters["botVersion"]]
    as_built: Part = {"status": "Built", "failureReasons": [], "submittedAt": None}
    times = {"createdAt": version["createdAt"], "updatedAt": version["createdAt"]}
    shown = _describe_locale(bot, {**content, **as_built, **times})
    return {**shown, "botVersion": parameters["botVersion"]}


@operation("UpdateBotLocale")
def update_locale(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a locale's settings."""
    bot = bot_to_change(context, parameters)
    locale = draft_to_change(context, bot, parameters)
    locale["nluIntentConfidenceThreshold"] = parameters["nluIntentConfidenceThreshold"]
    locale["description"] = parameters.get("description", "")
    return _describe_locale(bot, locale, "lastBuildSubmittedDateTime", "intentsCount", "slotTypesCount")


@operation("ListBotLocales")
def list_locales(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The languages of a bot's version."""
    bot = find_bot(context, parameters)
    locales = bot.locales if parameters["botVersion"] == DRAFT else bot.versions[parameters["botVersion"]]["locales"]
    summaries = [
        {
            "localeId": identifier,
            "localeName": LOCALES[identifier],
            "description": locale["description"],
            "botLocaleStatus": locale.get("status", "Built"),
        }
        for identifier, locale in locales.items()
    ]
    return paged(
        context, parameters, "botLocaleSummaries", summaries, botId=bot.id, botVersion=parameters["botVersion"]
    )


@operation("BuildBotLocale")
def build_locale(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Build the draft; it is Building for a while, then Built or Failed."""
    bot = bot_to_change(context, parameters)
    locale = draft_to_change(context, bot, parameters, edits=False)
    zone = context.world.zone
    building = sum(
        entry["status"] == "Building" for other in zone.lex_bots.values() for entry in other.locales.values()
    )
    over_quota("builds", building)
    fault = context.world.faults.take("build_failed")
    reasons = find_faults(bot, locale) if fault is None else [blamed(locale, str(fault["message"]))]
    locale.update(status="Building", due=context.now + BUILD_SECONDS, submittedAt=context.now, failureReasons=reasons)
    if not reasons:
        learn_ahead(bot, locale)
    return {
        "botId": bot.id,
        "botVersion": DRAFT,
        "localeId": locale["localeId"],
        "botLocaleStatus": "Building",
        "lastBuildSubmittedDateTime": moment(context.now),
    }


def _fits(name: str, operator: str, value: str) -> bool:
    return {"EQ": name == value, "NE": name != value, "CO": value in name}[operator]


def _describe_bot(bot: ModelledBot, *left_out: str) -> dict[str, Any]:
    shown = {
        "botId": bot.id,
        "botName": bot.name,
        "description": bot.description,
        "roleArn": bot.role_arn,
        "dataPrivacy": {"childDirected": bot.child_directed},
        "idleSessionTTLInSeconds": bot.idle_seconds,
        "botStatus": bot.status,
        "creationDateTime": moment(bot.created_at),
        "lastUpdatedDateTime": moment(bot.updated_at),
        "botType": "Bot",
    }
    return {name: value for name, value in shown.items() if name not in left_out}


def _describe_locale(bot: ModelledBot, locale: Part, *left_out: str) -> dict[str, Any]:
    shown = {
        "botId": bot.id,
        "botVersion": DRAFT,
        "localeId": locale["localeId"],
        "localeName": LOCALES[locale["localeId"]],
        "description": locale["description"],
        "nluIntentConfidenceThreshold": locale["nluIntentConfidenceThreshold"],
        "botLocaleStatus": locale["status"],
        "intentsCount": len(locale["intents"]),
        "slotTypesCount": len(locale["slotTypes"]),
        "creationDateTime": moment(locale["createdAt"]),
        "lastUpdatedDateTime": moment(locale["updatedAt"]),
        "lastBuildSubmittedDateTime": moment(locale["submittedAt"]) if locale["submittedAt"] is not None else None,
    }
    if locale["status"] == "Failed":
        shown |= shown_failure(locale["failureReasons"])
    return {name: value for name, value in shown.items() if name not in left_out and value is not None}
