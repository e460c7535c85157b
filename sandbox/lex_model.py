"""Lex V2 bots as lexv2-models makes them: a draft, its built state, numbered versions, aliases.

A bot's parts are plain dictionaries, so that they go to JSON and back as they are. What is under way has a time at
which it ends (`due`, seconds of the simulated clock); `settle_bot` ends it.
"""

from __future__ import annotations

import copy
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

DRAFT = "DRAFT"
TEST_ALIAS, TEST_ALIAS_NAME = "TSTALIASID", "TestBotAlias"
FALLBACK_ID, FALLBACK_NAME, FALLBACK_SIGNATURE = "FALLBCKINT", "FallbackIntent", "AMAZON.FallbackIntent"
BOT_SECONDS, LOCALE_SECONDS, BUILD_SECONDS, VERSION_SECONDS, ALIAS_SECONDS = 2.0, 3.0, 25.0, 5.0, 2.0
"""How long things take, in simulated seconds."""

_ID_ALPHABET = string.ascii_uppercase + string.digits
Part = dict[str, Any]


@dataclass
class ModelledBot:
    """A bot of lexv2-models.

    `locales` are the draft's by id: status, due, settings, `slotTypes`, `intents` (each with its `slots`) and
    `built`, the content of the last good build. `versions` are by number, `aliases` by id.
    """

    id: str
    name: str
    account: str
    region: str
    role_arn: str
    idle_seconds: int
    child_directed: bool
    created_at: float
    updated_at: float
    due: float | None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    versions_made: int = 0
    locales: dict[str, Part] = field(default_factory=dict)
    versions: dict[str, Part] = field(default_factory=dict)
    aliases: dict[str, Part] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The bot's ARN."""
        return f"arn:aws:lex:{self.region}:{self.account}:bot/{self.id}"

    @property
    def status(self) -> str:
        """Creating, Versioning or Available."""
        if self.due is not None:
            return "Creating"
        return "Versioning" if any(v["status"] == "Creating" for v in self.versions.values()) else "Available"


def new_id() -> str:
    """Ten letters and digits, as Lex makes them."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(10))


def settle_bot(bot: ModelledBot, now: float) -> bool:
    """End what is due; tell whether anything was."""
    changed = False
    if bot.due is not None and bot.due <= now:
        bot.due, changed = None, True
    for locale in bot.locales.values():
        if locale["due"] is not None and locale["due"] <= now:
            _end_locale(locale, locale["due"])
            changed = True
    for part in (*bot.versions.values(), *bot.aliases.values()):
        if part["due"] is not None and part["due"] <= now:
            part["due"], part["status"], changed = None, "Available", True
    return changed


def _end_locale(locale: Part, at: float) -> None:
    was, locale["due"], locale["updatedAt"] = locale["status"], None, at
    if was == "Creating":
        locale["status"] = "NotBuilt"
    elif locale["failureReasons"]:
        locale["status"] = "Failed"
    else:
        locale["status"] = "Built"
        locale["built"] = content_of(locale)


def content_of(locale: Part) -> Part:
    """A copy of what a locale says, without how it stands."""
    names = ("localeId", "description", "nluIntentConfidenceThreshold", "slotTypes", "intents")
    return copy.deepcopy({name: locale[name] for name in names})


def definition_of(bot: ModelledBot, content: Part) -> dict[str, Any]:
    """The locale in the shape that the engine takes, from nothing but what was created.

    Lex generalises from the values of a type that takes anything (OriginalValue); without synonyms they are samples
    and no list, so that the engine is not told them as one.
    """
    types = content["slotTypes"]
    return {
        "botName": bot.name,
        "localeId": content["localeId"],
        "nluIntentConfidenceThreshold": content["nluIntentConfidenceThreshold"],
        "idleSessionTTLInSeconds": bot.idle_seconds,
        "slotTypes": [_slot_type(entry) for entry in types.values()],
        "intents": [_intent(entry, types) for entry in content["intents"].values()],
    }


def _slot_type(entry: Part) -> Part:
    shown = _said(entry)
    values = shown.get("slotTypeValues") or []
    takes_anything = (shown.get("valueSelectionSetting") or {}).get("resolutionStrategy") == "OriginalValue"
    if takes_anything and not any(value.get("synonyms") for value in values):
        shown.pop("slotTypeValues", None)
    return shown


def _intent(entry: Part, types: Part) -> Part:
    slots = entry["slots"]
    shown = _said(entry)
    shown["slots"] = [
        {**_said(slot), "slotTypeName": types.get(slot["slotTypeId"], {}).get("slotTypeName", slot["slotTypeId"])}
        for slot in slots.values()
    ]
    shown["slotPriorities"] = [
        {"slotName": slots[row["slotId"]]["slotName"], "priority": row["priority"]}
        for row in entry.get("slotPriorities") or ()
        if row["slotId"] in slots
    ]
    return shown


def _said(entry: Part) -> Part:
    """An entry without what Lex adds to it: ids and times."""
    added = ("slotTypeId", "intentId", "slotId", "slots", "slotPriorities", "createdAt", "updatedAt")
    return {name: value for name, value in entry.items() if name not in added}
