"""The bot around its content: itself, its language, its versions, its aliases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.lex.building.lexapi import LexApi
from adapters.lex.building.role import service_role
from bot.cloud import Cloud
from bot.errors import CloudError, Conflict

IDLE_SECONDS = 3_600
"""How long Lex keeps a conversation; what counts is in our own database."""
ROLE_SECONDS = 10.0
"""How long a new role takes to be known everywhere in IAM."""
KEPT_VERSIONS = 10
"""How many versions that no alias points at outlive pruning; Lex allows 100 in all."""
DESCRIPTION = "Made by Quartermaster from its intents; what is changed by hand is overwritten."
BUSY = frozenset({"Creating", "Versioning", "Updating", "Importing", "Building", "Processing", ""})
_MARK = re.compile(r"Quartermaster content ([0-9a-f]{16})\b")


@dataclass(frozen=True)
class Target:
    """Which bot, in which language and environment; an environment is an alias of that name."""

    region: str
    locale: str = "en_US"
    environment: str = "production"
    bot_name: str = "Quartermaster"
    bot_id: str = ""


class Bot:
    """One bot in AWS. What it does may raise CloudError, and Moved when somebody else was there first."""

    def __init__(
        self, cloud: Cloud, api: LexApi, target: Target, threshold: float, tell: Callable[[str], None]
    ) -> None:
        self._cloud, self._api, self._target = cloud, api, target
        self._threshold, self._tell = threshold, tell

    async def find_bot(self) -> dict[str, Any] | None:
        """Return the bot if it is there, and speak of it from now on. Raises Conflict for one that is not ours."""
        if self._target.bot_id:
            self._api.bot_id = self._target.bot_id
            return await self._api.call("DescribeBot", botId=self._target.bot_id)
        wish = [{"name": "BotName", "values": [self._target.bot_name], "operator": "EQ"}]
        for row in await self._api.listed("ListBots", "botSummaries", filters=wish):
            if row["botName"] == self._target.bot_name:
                if row.get("description") != DESCRIPTION:
                    raise Conflict(
                        f"There is a bot {row['botName']} ({row['botId']}) that Quartermaster has not made.",
                        next_step="Name another with --name, or set LEX_BOT_ID to take that one over.",
                    )
                self._api.bot_id = row["botId"]
                return row
        return None

    async def ensure_bot(self) -> None:
        """Make the bot if it is not there, and wait until it is ready."""
        bot = await self.find_bot()
        if bot is None:
            self._tell("create bot")
            role, is_new = await service_role(self._cloud, self._target.region)
            if is_new:
                await self._api.pause(ROLE_SECONDS)
            made = await self._api.call(
                "CreateBot",
                botName=self._target.bot_name,
                description=DESCRIPTION,
                roleArn=role,
                dataPrivacy={"childDirected": False},
                idleSessionTTLInSeconds=IDLE_SECONDS,
            )
            self._api.bot_id = made["botId"]

        async def look() -> Mapping[str, Any]:
            return await self._api.call("DescribeBot", botId=self._api.bot_id)

        await self._api.until(look, "botStatus", BUSY, "make the bot")

    async def has_locale(self) -> bool:
        """Tell whether the draft has the language."""
        try:
            await self._api.on_draft("DescribeBotLocale")
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return False
            raise
        return True

    async def ensure_locale(self) -> None:
        """Add the language if it is not there, and wait until nothing is under way with it."""
        if not await self.has_locale():
            self._tell("create locale")
            await self._api.call(
                "CreateBotLocale",
                botId=self._api.bot_id,
                botVersion="DRAFT",
                localeId=self._target.locale,
                nluIntentConfidenceThreshold=self._threshold,
            )
        await self.settled_locale()

    async def settled_locale(self) -> Mapping[str, Any]:
        """Return the draft's locale once nothing is under way with it."""

        async def look() -> Mapping[str, Any]:
            return await self._api.on_draft("DescribeBotLocale")

        return await self._api.until(look, "botLocaleStatus", BUSY, "build the locale")

    # ------------------------------------------------------------------------------ versions and aliases

    async def versions(self) -> dict[str, str]:
        """Return the descriptions of the numbered versions that did not fail."""
        rows = await self._api.listed("ListBotVersions", "botVersionSummaries", botId=self._api.bot_id)
        usable = (row for row in rows if row["botVersion"].isdecimal() and row.get("botStatus") != "Failed")
        return {row["botVersion"]: row.get("description", "") for row in usable}

    async def find_alias(self) -> dict[str, Any] | None:
        """Return the environment's alias once it is ready, None when there is none."""
        for row in await self._api.listed("ListBotAliases", "botAliasSummaries", botId=self._api.bot_id):
            if row.get("botAliasName") == self._target.environment:
                return await self._settled_alias(row["botAliasId"])
        return None

    async def _settled_alias(self, identifier: str) -> dict[str, Any]:
        async def look() -> Mapping[str, Any]:
            return await self._api.call("DescribeBotAlias", botId=self._api.bot_id, botAliasId=identifier)

        return dict(await self._api.until(look, "botAliasStatus", BUSY, "move the alias"))

    async def point(self, version: str, digest: str, alias: Mapping[str, Any] | None, note: str = "") -> str:
        """Point the alias at a version that exists, keeping its other settings; return the alias' id.

        `note` is written into its description, beside the digest.
        """
        self._tell(f"point {self._target.environment} at version {version}")
        given: dict[str, Any] = {
            "botId": self._api.bot_id,
            "botAliasName": self._target.environment,
            "botVersion": version,
            "description": (f"Quartermaster content {digest}" if digest else "") + note,
        }
        settings = dict((alias or {}).get("botAliasLocaleSettings") or {})
        settings[self._target.locale] = {**settings.get(self._target.locale, {}), "enabled": True}
        given["botAliasLocaleSettings"] = settings
        if alias is None:
            identifier = str((await self._api.call("CreateBotAlias", **given))["botAliasId"])
        else:
            kept = ("conversationLogSettings", "sentimentAnalysisSettings")
            identifier = str(alias["botAliasId"])
            given |= {name: alias[name] for name in kept if alias.get(name)}
            await self._api.call("UpdateBotAlias", botAliasId=identifier, **given)
        await self._settled_alias(identifier)
        return identifier

    async def create_version(self, digest: str) -> str:
        """Make a version of what is built, named by the digest of its content; return its number."""
        self._tell("create a version")
        made = await self._api.call(
            "CreateBotVersion",
            botId=self._api.bot_id,
            description=f"Quartermaster content {digest}",
            botVersionLocaleSpecification={self._target.locale: {"sourceBotVersion": "DRAFT"}},
        )
        return str(made["botVersion"])

    async def is_available(self, number: str) -> bool:
        """Tell whether a version is usable, once it is made."""

        async def look() -> Mapping[str, Any]:
            return await self._api.call("DescribeBotVersion", botId=self._api.bot_id, botVersion=number)

        seen = await self._api.until(look, "botStatus", BUSY, f"make version {number}")
        return seen.get("botStatus") == "Available"

    async def prune_versions(self) -> None:
        """Delete our own versions that no alias points at, but for the newest."""
        rows = await self._api.listed("ListBotAliases", "botAliasSummaries", botId=self._api.bot_id)
        served = {row.get("botVersion") for row in rows}
        own = [number for number, description in (await self.versions()).items() if marked_in(description)]
        spare = sorted((number for number in own if number not in served), key=int, reverse=True)
        for number in spare[KEPT_VERSIONS:]:
            self._tell(f"delete version {number}")
            await self._api.call("DeleteBotVersion", botId=self._api.bot_id, botVersion=number)


def marked(entry: Mapping[str, Any]) -> str:
    """Return the digest that stands in the description of a version or an alias, empty when none does."""
    return marked_in(str(entry.get("description") or ""))


def marked_in(description: str) -> str:
    """Return the digest that stands in a description, empty when none does."""
    found = _MARK.search(description)
    return found[1] if found else ""
