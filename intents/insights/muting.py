"""The order to leave a room alone for a while: about one insight, or about all of an account."""

from __future__ import annotations

import re

from bot.accounts import find_account
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Watch
from bot.services import Services
from bot.watches import about_account, about_insight
from intents.insights import watch_definitions as definitions
from intents.insights.asking import Watcher
from intents.insights.cards import when
from intents.insights.orders import read_until
from intents.insights.spoken import insight_meant

_ACCOUNT = re.compile(
    r"\b(?:accounts?|everything (?:in|of))\s+(?:the account\s+)?(.+?)(?:\s+(?:for|until|till|til)\b.*)?[.!]?$",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|please|pls|plz|so|and|can you|could you|would you|will you)[\s,]+)*"
    r"(?:mute|unmute|snooze|silence|be quiet|hush|shut up)\b"
)


class InsightMute(Watch):
    """Mutes, and ends that again; it lapses by itself."""

    def __init__(self, services: Services, watcher: Watcher) -> None:
        super().__init__(services)
        self._watcher = watcher

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_mute()

    async def answer(self, ask: Ask) -> Answer:
        """Mute in this room alone until the time that is said; raises Invalid when that or what is not known."""
        folded = ask.text.casefold()
        if not _ORDERS.match(folded):
            return Answer("I have done nothing. To mute something, say “mute this for 2 hours”.")
        now, settings = self.services.clock.now(), self.services.settings
        ends = bool(re.search(r"\bunmute\b", folded))
        until = now if ends else read_until(ask.text, now, settings.working_hours)
        if until is None:
            raise Invalid("For how long?", next_step="Say “mute this for 2 hours”, or “until tomorrow”.")
        subject, words = await self._subject(ask)
        room = self.services.rooms.room_of(ask.conversation)
        await self.services.watches.mute(room, subject, until, ask.person)
        if ends:
            return Answer(f"I tell you here about {words} again.")
        return Answer(
            f"I keep quiet here about {words} until {when(until)}. What happens meanwhile I tell in one message "
            "afterwards. To hear of it again, say “unmute” and what."
        )

    async def _subject(self, ask: Ask) -> tuple[str, str]:
        found = _ACCOUNT.search(ask.text)
        if found and not re.search(r"\binsight\b", ask.text, re.IGNORECASE):
            names, _ = await self._watcher.surroundings()
            account = find_account(names.organization, found[1].strip())
            return about_account(account["Id"]), f"the account {names.account(account['Id'])}"
        identifier, _, _ = await insight_meant(self.services, ask)
        return about_insight(identifier), "this insight"
