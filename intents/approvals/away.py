"""“I am away until Monday, cy@corp.example stands in”, and “I am back”."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, tzinfo

from bot.activity import Person
from bot.card import Card, Facts, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType
from bot.people import checked_email
from intents.approvals.days import day_meant, length_meant

_AWAY = (
    r"(?:i am|i'm|i will be|i'll be|i shall be)\s+(?:away|out|off|gone|absent|on (?:leave|vacation|holiday|holidays)"
    r"|out of (?:the )?office|not (?:there|here))"
)
_ADDRESS = r"(?P<{0}>[^\s<>,;:()\"“”]+@[^\s<>,;:()\"“”]+[^\s<>,;:()\"“”.])"
_STANDS_IN = r"(?:stands? in|will stand in|covers|takes over|decides|deputi[sz]es)(?:\s+for me)?"
_WHEN = (
    r"(?:\s+from\s+(?P<since{0}>.+?))?(?:\s+(?:until|till|to|through)\s+(?P<until{0}>.+?)|\s+for\s+(?P<long{0}>.+?))"
)
SAID = re.compile(
    rf"(?:please note(?: that)?,?\s+)?(?:{_AWAY}{_WHEN.format('')}"
    rf"(?:\s*[,;.]?\s*(?:and\s+|with\s+)?{_ADDRESS.format('who')}\s+(?:{_STANDS_IN}|standing in)"
    rf"|\s*[,;.]?\s*(?:and\s+)?(?:nobody|no one)\s+{_STANDS_IN})?"
    rf"|{_ADDRESS.format('first')}\s+{_STANDS_IN}(?:{_WHEN.format('_too')}))[\s.!]*",
    re.IGNORECASE,
)
HOW = "Say “I am away until Monday, name@corp.example stands in”, or the same with “nobody stands in”."
_BACK = re.compile(
    r"(?:i am|i'm)\s+back(?:\s+(?:again|now|early|in the office))?[\s.!]*|end my absence[\s.!]*", re.IGNORECASE
)


class Away(Query):
    """Names who stands in for an approver who is away; said outright, it counts at once."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="Away",
            title="absence",
            description="Name who approves in your place while you are away.",
            utterances=(
                "I am away until {AwayUntil}",
                "I am away until {AwayUntil} and {StandIn} stands in",
                "I'm away until {AwayUntil}, {StandIn} stands in for me",
                "I am on vacation until {AwayUntil}, {StandIn} stands in",
                "I am on leave until {AwayUntil}",
                "I will be out of office until {AwayUntil}",
                "out of office until {AwayUntil}",
                "I am out until {AwayUntil}",
                "{StandIn} stands in for me until {AwayUntil}",
                "{StandIn} covers for me until {AwayUntil}",
                "I am away",
                "I am on vacation",
                "who stands in for me",
                "name a delegate",
                "name somebody who stands in for me",
                "I want somebody to approve in my place",
            ),
            slots=(
                Slot("AwayUntil", SlotType("AMAZON.Date"), required=False, label="Until"),
                Slot("StandIn", SlotType("AMAZON.EmailAddress"), required=False, label="Stand-in"),
            ),
            examples=("I am away until Monday, cy@corp.example stands in",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Record the absence; what does not say plainly until when changes nothing, and hears how it stands."""
        said = SAID.fullmatch(ask.text.replace("\u2019", "'").strip())
        if said is None:
            return await self._how_it_stands(ask)
        zone = self._zone(ask.person)
        now = self.services.clock.now().astimezone(zone)
        given = {name: (value or "").strip() for name, value in said.groupdict().items()}
        begin, end = given["since"] or given["since_too"], given["until"] or given["until_too"]
        since = _begin(begin, now) if begin else None
        until = _begin(end, now) if end else _after(given["long"] or given["long_too"], since or now)
        delegate = checked_email(given["who"] or given["first"]) if given["who"] or given["first"] else ""
        made, asked = await self.services.approvals.stand_in(
            ask.person, delegate, until, since=since, channel=ask.channel
        )
        who = f"{made.delegate} stands in for you" if made.delegate else "Nobody stands in for you"
        start = f"from {_shown(made.since, zone)} " if made.since > self.services.clock.now() else ""
        text = f"{who} {start}until {_shown(made.until, zone)}. Say “I am back” to end it."
        if asked:
            text += (
                f" {asked} that waited for you now wait for them." if asked > 1 else " One request waits for them now."
            )
        if not made.delegate:
            text += " What needs your approval may lapse meanwhile; it is better to name somebody."
        return Answer(text, Card("You are away", (Text(text),), tone="good"))

    async def _how_it_stands(self, ask: Ask) -> Answer:
        zone, rows = self._zone(ask.person), []
        for one in await self.services.approvals.delegations.concerning(ask.person):
            whole = f"{_shown(one.since, zone)} to {_shown(one.until, zone)}"
            if one.approver == ask.person.email:
                rows.append((f"{one.delegate or 'Nobody'} stands in for you", whole))
            else:
                rows.append((f"You stand in for {one.approver}", whole))
        if not rows:
            return Answer(f"Nothing is recorded about an absence of yours. {HOW}")
        card = Card("Who stands in", (Facts(tuple(rows)), Text(HOW, subtle=True)))
        return Answer(card.as_text(), card)

    def _zone(self, person: Person) -> tzinfo:
        hours = self.services.directory.hours_of(person.email) or self.services.policy.surroundings.working
        return hours.zone if hours else UTC


class BackAgain(Query):
    """Ends one's own absence."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="BackAgain",
            title="end of your absence",
            description="End your absence.",
            utterances=("I am back", "I'm back", "I am back again", "I am back in the office", "end my absence"),
            examples=("I am back",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """End every absence of the person's, if that was said outright."""
        if not _BACK.fullmatch(ask.text.replace("\u2019", "'").strip()):
            return Answer("I have changed nothing. To end an absence of yours, say “I am back”.")
        if not await self.services.approvals.delegations.end(ask.person, channel=ask.channel):
            return Answer("Welcome back. No absence of yours was recorded.")
        return Answer("Welcome back. Nobody stands in for you any more; what waits is yours to decide again.")


def _begin(words: str, now: datetime) -> datetime:
    """Return the beginning of the day that is meant, in the time zone of `now`; raises Invalid."""
    day = day_meant(words, now.date())
    if day is None:
        raise Invalid(f"I don't know which day “{words[:40]}” is.", field="until", next_step="Say it like 2026-12-03.")
    return datetime.combine(day, time(), now.tzinfo).astimezone(UTC)


def _after(words: str, since: datetime) -> datetime:
    length = length_meant(words)
    if length is None:
        raise Invalid(f"I don't know how long “{words[:40]}” is.", field="until", next_step=HOW)
    return (since + length).astimezone(UTC)


def _shown(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a %Y-%m-%d}" if local.time() == time() else f"{local:%a %Y-%m-%d %H:%M %Z}"
