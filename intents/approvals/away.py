"""“I am away until Monday, cy@corp.example stands in”, and “I am back”; operators say it of others as well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, tzinfo

from bot.activity import Person
from bot.approvals.delegations import Delegation
from bot.card import Card, Facts, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType
from bot.people import checked_email
from bot.spoken_days import day_meant, length_meant
from intents.approvals import others

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
FOR_OTHERS = "Say “name@corp.example is away until Monday, other@corp.example stands in”."
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
                "I am out sick until {AwayUntil}",
                "{StandIn} approves instead of me until {AwayUntil}",
                "I am ill and {StandIn} can approve instead of me",
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
                "{Absent} is away until {AwayUntil}",
                "{Absent} is away until {AwayUntil} and {StandIn} stands in",
                "{Absent} is on leave until {AwayUntil}, {StandIn} stands in",
                "{StandIn} stands in for {Absent} until {AwayUntil}",
                "who stands in for me",
                "who is away",
                "name a delegate",
                "name somebody who stands in for me",
                "I want somebody to approve in my place",
            ),
            slots=(
                Slot("AwayUntil", SlotType("AMAZON.Date"), required=False, label="Until"),
                Slot("StandIn", SlotType("AMAZON.EmailAddress"), required=False, label="Stand-in"),
                Slot("Absent", SlotType("AMAZON.EmailAddress"), required=False, label="Away"),
            ),
            examples=("I am away until Monday, cy@corp.example stands in",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Record the absence; what does not say plainly until when changes nothing, and hears how it stands."""
        text = ask.text.replace("\u2019", "'").strip()
        if said := SAID.fullmatch(text):
            return await self._of_oneself(ask, _given(said))
        if said := others.SAID.fullmatch(text):
            return await self._of_another(ask, _given(said))
        return await self._how_it_stands(ask)

    async def _of_oneself(self, ask: Ask, given: Mapping[str, str]) -> Answer:
        zone = self._zone(ask.person)
        since, until = self._times(given, zone)
        delegate = checked_email(given["who"] or given["first"]) if given["who"] or given["first"] else ""
        made, asked = await self.services.approvals.stand_in(
            ask.person, delegate, until, since=since, channel=ask.channel
        )
        text = self._told(made, zone, "you", "I am back", asked)
        if not made.delegate:
            text += " What needs your approval may lapse meanwhile; it is better to name somebody."
        return Answer(text, Card("You are away", (Text(text),), tone="good"))

    async def _of_another(self, ask: Ask, given: Mapping[str, str]) -> Answer:
        word = given["absent"] or given["absent_too"]
        absent = others.whose_absence(self.services, ask.person, word, ask.channel)
        if others.is_other_than(given["for"] or given["for_none"], word):
            raise Invalid("Who is away: the sentence names two people.", next_step=FOR_OTHERS)
        zone = self._zone(ask.person)
        since, until = self._times(given, zone)
        who = given["who"] or given["first"]
        delegate = others.whoever_is(self.services, who) if who else ""
        made, asked = await self.services.approvals.stand_in(
            ask.person, delegate, until, since=since, channel=ask.channel, absent=absent
        )
        if made.named_by:
            text = self._told(made, zone, made.approver, f"{made.approver} is back", asked)
            text += f" I have told {made.approver} by mail."
        else:
            text = self._told(made, zone, "you", "I am back", asked)
        return Answer(text, Card(f"{made.approver} is away", (Text(text),), tone="good"))

    def _times(self, given: Mapping[str, str], zone: tzinfo) -> tuple[datetime | None, datetime]:
        now = self.services.clock.now().astimezone(zone)
        begin, end = given["since"] or given["since_too"], given["until"] or given["until_too"]
        since = _begin(begin, now) if begin else None
        return since, _begin(end, now) if end else _after(given["long"] or given["long_too"], since or now)

    def _told(self, made: Delegation, zone: tzinfo, whom: str, back: str, asked: int) -> str:
        who = f"{made.delegate} stands in for {whom}" if made.delegate else f"Nobody stands in for {whom}"
        start = f"from {_shown(made.since, zone)} " if made.since > self.services.clock.now() else ""
        text = f"{who} {start}until {_shown(made.until, zone)}. Say “{back}” to end it."
        if asked > 1:
            return f"{text} {asked} that waited for {whom} now wait for {made.delegate}."
        return f"{text} One request waits for {made.delegate} now." if asked else text

    async def _how_it_stands(self, ask: Ask) -> Answer:
        zone, rows = self._zone(ask.person), []
        for one in await self.services.approvals.delegations.concerning(ask.person):
            whole = f"{_shown(one.since, zone)} to {_shown(one.until, zone)}"
            if one.approver == ask.person.email:
                rows.append((f"{one.delegate or 'Nobody'} stands in for you", whole))
            else:
                rows.append((f"You stand in for {one.approver}", whole))
        for one in await self.services.approvals.delegations.of_others(ask.person):
            if one.delegate != ask.person.email:
                whole = f"{_shown(one.since, zone)} to {_shown(one.until, zone)}"
                rows.append((f"{one.delegate or 'Nobody'} stands in for {one.approver}", whole))
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
            utterances=(
                "I am back",
                "my vacation is over",
                "I am here again",
                "nobody has to stand in for me any longer",
                "I'm back",
                "I am back again",
                "I am back in the office",
                "end my absence",
                "{Absent} is back",
                "end the absence of {Absent}",
            ),
            slots=(Slot("Absent", SlotType("AMAZON.EmailAddress"), required=False, label="Back"),),
            examples=("I am back",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """End every absence of the person's, or of whom they may speak for, if that was said outright."""
        text = ask.text.replace("\u2019", "'").strip()
        if said := others.BACK.fullmatch(text):
            return await self._end_of_another(ask, said["who"] or said["of"])
        if not _BACK.fullmatch(text):
            return Answer("I have changed nothing. To end an absence of yours, say “I am back”.")
        if not await self.services.approvals.delegations.end(ask.person, channel=ask.channel):
            return Answer("Welcome back. No absence of yours was recorded.")
        return Answer("Welcome back. Nobody stands in for you any more; what waits is yours to decide again.")

    async def _end_of_another(self, ask: Ask, word: str) -> Answer:
        absent = others.whose_absence(self.services, ask.person, word, ask.channel)
        absences = self.services.approvals.delegations
        theirs = [one for one in await absences.of_others(ask.person) if one.approver == absent]
        for one in theirs:
            await absences.end(ask.person, one.id, channel=ask.channel)
        if not theirs:
            return Answer(f"No absence of {absent} was recorded.")
        return Answer(f"Nobody stands in for {absent} any more; what waits is theirs to decide again.")


def _given(said: re.Match[str]) -> dict[str, str]:
    return {name: (value or "").strip() for name, value in said.groupdict().items()}


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
