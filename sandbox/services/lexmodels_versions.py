"""Amazon Lex V2, building bots: numbered versions and the aliases that point at them."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.lex_building import over_quota
from sandbox.lex_finding import bot_to_change, conflict, find_bot, missing, paged, require_free_name
from sandbox.lex_model import (
    ALIAS_SECONDS,
    DRAFT,
    TEST_ALIAS,
    TEST_ALIAS_NAME,
    VERSION_SECONDS,
    ModelledBot,
    Part,
    content_of,
    new_id,
)
from sandbox.registry import Context, Parameters
from sandbox.services.lexmodels import operation


@operation("CreateBotVersion")
def create_version(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Number what is built; meanwhile the bot is Versioning. Numbers are never used again."""
    bot = bot_to_change(context, parameters)
    over_quota("versions", len(bot.versions))
    contents: Part = {}
    for identifier, details in parameters["botVersionLocaleSpecification"].items():
        contents[identifier] = _content(bot, identifier, details["sourceBotVersion"])
    bot.versions_made += 1
    number = str(bot.versions_made)
    bot.versions[number] = {
        "number": number,
        "description": parameters.get("description", ""),
        "status": "Creating",
        "due": context.now + VERSION_SECONDS,
        "createdAt": context.now,
        "locales": contents,
    }
    return {
        "botId": bot.id,
        "botVersion": number,
        "description": parameters.get("description", ""),
        "botVersionLocaleSpecification": parameters["botVersionLocaleSpecification"],
        "botStatus": "Creating",
        "creationDateTime": moment(context.now),
    }


@operation("DescribeBotVersion")
def describe_version(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A version and how it stands."""
    bot = find_bot(context, parameters)
    version = _version(bot, parameters["botVersion"])
    return {
        "botId": bot.id,
        "botName": bot.name,
        "botVersion": version["number"],
        "description": version["description"],
        "roleArn": bot.role_arn,
        "dataPrivacy": {"childDirected": bot.child_directed},
        "idleSessionTTLInSeconds": bot.idle_seconds,
        "botStatus": version["status"],
        "creationDateTime": moment(version["createdAt"]),
        "botType": "Bot",
    }


@operation("ListBotVersions")
def list_versions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All versions and the draft, oldest first unless it is wished otherwise."""
    bot = find_bot(context, parameters)
    rows = [(DRAFT, "Draft version", bot.status, bot.created_at)]
    rows += [(v["number"], v["description"], v["status"], v["createdAt"]) for v in bot.versions.values()]
    if (parameters.get("sortBy") or {}).get("order") == "Descending":
        rows.reverse()
    summaries = [
        {
            "botName": bot.name,
            "botVersion": number,
            "description": description,
            "botStatus": status,
            "creationDateTime": moment(at),
        }
        for number, description, status, at in rows
    ]
    return paged(context, parameters, "botVersionSummaries", summaries, botId=bot.id)


@operation("DeleteBotVersion")
def delete_version(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a version; one that an alias points at only if the check is skipped."""
    bot = bot_to_change(context, parameters)
    number = parameters["botVersion"]
    if number not in bot.versions:
        raise missing()
    if any(a["version"] == number for a in bot.aliases.values()) and not parameters.get("skipResourceInUseCheck"):
        raise AwsError("ConflictException", f"An alias points at version {number}. Point it elsewhere first.")
    del bot.versions[number]
    return {"botId": bot.id, "botVersion": number, "botStatus": "Deleting"}


@operation("CreateBotAlias")
def create_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make an alias; it is Creating for a while."""
    bot = bot_to_change(context, parameters)
    if parameters["botAliasName"] == TEST_ALIAS_NAME:
        raise AwsError("ValidationException", f"{TEST_ALIAS_NAME} is the name of the alias that every bot has.")
    require_free_name(parameters["botAliasName"], (a["name"] for a in bot.aliases.values()), "Bot alias")
    over_quota("aliases", len(bot.aliases) - 1)
    _require_version(bot, parameters)
    identifier = new_id()
    bot.aliases[identifier] = {
        "name": parameters["botAliasName"],
        "createdAt": context.now,
        "history": [],
    }
    _point(context, bot, identifier, parameters)
    return {name: value for name, value in _describe(bot, identifier).items() if name not in _LATER}


@operation("DescribeBotAlias")
def describe_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """An alias, where it points and where it pointed before."""
    bot = find_bot(context, parameters)
    if parameters["botAliasId"] not in bot.aliases:
        raise AwsError("ResourceNotFoundException", missing().message)
    return _describe(bot, parameters["botAliasId"])


@operation("UpdateBotAlias")
def update_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Point an alias elsewhere; what is not given is gone."""
    bot = bot_to_change(context, parameters)
    identifier = parameters["botAliasId"]
    if identifier not in bot.aliases:
        raise missing()
    alias = bot.aliases[identifier]
    if alias["status"] != "Available":
        raise conflict(f"alias {alias['name']}", alias["status"])
    others = (a["name"] for i, a in bot.aliases.items() if i != identifier)
    require_free_name(parameters["botAliasName"], others, "Bot alias")
    if identifier == TEST_ALIAS and parameters.get("botVersion", DRAFT) != DRAFT:
        raise AwsError("ValidationException", f"{TEST_ALIAS_NAME} can only point at the draft.")
    _require_version(bot, parameters)
    alias["name"] = parameters["botAliasName"]
    _point(context, bot, identifier, parameters)
    return {name: value for name, value in _describe(bot, identifier).items() if name != "botAliasHistoryEvents"}


@operation("DeleteBotAlias")
def delete_alias(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete an alias."""
    bot = bot_to_change(context, parameters)
    if parameters["botAliasId"] not in bot.aliases or parameters["botAliasId"] == TEST_ALIAS:
        raise missing()
    del bot.aliases[parameters["botAliasId"]]
    return {"botAliasId": parameters["botAliasId"], "botId": bot.id, "botAliasStatus": "Deleting"}


@operation("ListBotAliases")
def list_aliases(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All aliases of a bot."""
    bot = find_bot(context, parameters)
    names = (
        "botAliasId",
        "botAliasName",
        "description",
        "botVersion",
        "botAliasStatus",
        "creationDateTime",
        "lastUpdatedDateTime",
    )
    shown = [_describe(bot, identifier) for identifier in bot.aliases]
    summaries = [{name: alias[name] for name in names if name in alias} for alias in shown]
    return paged(context, parameters, "botAliasSummaries", summaries, botId=bot.id)


_LATER = ("botAliasHistoryEvents", "lastUpdatedDateTime", "parentBotNetworks")


def _content(bot: ModelledBot, locale: str, source: str) -> Part:
    if source != DRAFT:
        return dict(_version(bot, source)["locales"][locale])
    if locale not in bot.locales:
        raise missing()
    if bot.locales[locale]["status"] != "Built":
        raise AwsError(
            "PreconditionFailedException",
            f"The locale {locale} isn't built: it is {bot.locales[locale]['status']}. Build it, then try again.",
        )
    return content_of(bot.locales[locale])


def _version(bot: ModelledBot, number: str) -> Part:
    if number not in bot.versions:
        raise AwsError("ResourceNotFoundException", missing().message)
    return bot.versions[number]


def _require_version(bot: ModelledBot, parameters: Parameters) -> None:
    version = parameters.get("botVersion", DRAFT)
    if version == DRAFT:
        return
    if version not in bot.versions:
        raise missing()
    if bot.versions[version]["status"] != "Available":
        raise conflict(f"version {version}", bot.versions[version]["status"])


def _point(context: Context, bot: ModelledBot, identifier: str, parameters: Parameters) -> None:
    alias, version = bot.aliases[identifier], parameters.get("botVersion")
    alias.update(
        version=version,
        description=parameters.get("description", ""),
        settings=dict(parameters.get("botAliasLocaleSettings") or {}),
        status="Creating",
        due=context.now + ALIAS_SECONDS,
        updatedAt=context.now,
    )
    history = alias["history"]
    if not history or history[-1]["version"] != version:
        if history:
            history[-1]["until"] = context.now
        history.append({"version": version, "since": context.now, "until": None})


def _describe(bot: ModelledBot, identifier: str) -> dict[str, Any]:
    alias = bot.aliases[identifier]
    shown = {
        "botAliasId": identifier,
        "botAliasName": alias["name"],
        "description": alias["description"],
        "botAliasStatus": alias["status"],
        "botId": bot.id,
        "creationDateTime": moment(alias["createdAt"]),
        "lastUpdatedDateTime": moment(alias["updatedAt"]),
        "botAliasHistoryEvents": [
            {
                "botVersion": event["version"],
                "startDate": moment(event["since"]),
                **({"endDate": moment(event["until"])} if event["until"] is not None else {}),
            }
            for event in alias["history"]
            if event["version"]
        ],
    }
    if alias["version"]:
        shown["botVersion"] = alias["version"]
    if alias["settings"]:
        shown["botAliasLocaleSettings"] = alias["settings"]
    return shown
