"""What a message shows: a request's card for everybody, or as one person may see it, and a question once answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.teams.arrivals import CHANNEL, VIEW
from adapters.teams.pictures import Pictures
from adapters.teams.places import Places
from adapters.teams.rendering import Around, content_of, render
from bot.activity import Activity, Person
from bot.answered import Answered, answered_by
from bot.approvals.pressing import named_in
from bot.card import Button, Card
from bot.card_copies import CardCopies
from bot.people import shown
from bot.request_card import Audience, card_of, story_of
from bot.services import Services

SETTLES = frozenset({"fill", "confirm", "decline", "submit"})
"""Verbs that answer a question, whose buttons go then; others can be pressed as long as the message stands."""
SEE = Button("Show what I can do", VIEW, "")
DECIDE = Button("Decide", VIEW, "", "positive")


class Views:
    """Draws messages from the rows as they stand."""

    def __init__(self, services: Services, places: Places, cards: CardCopies, pictures: Pictures) -> None:
        self._services, self._places, self._cards, self._pictures = services, places, cards, pictures

    def said(self, answered: Answered, number: int, extra: tuple[Button, ...] = ()) -> dict[str, Any]:
        """Return a message as it is first said."""
        message = answered.message
        around = Around(number=number, extra=extra, picture=self._pictures.of(number))
        return self._render(message.text, message.card, around)

    def answered(self, answered: Answered, number: int, note: str) -> dict[str, Any]:
        """Return a question without its buttons, and with what it was answered."""
        message = answered.message
        around = Around(has_buttons=False, note=note, picture=self._pictures.of(number))
        return self._render(message.text, message.card, around)

    async def for_all(self, request: str, audience: Audience, said: str, address: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's card as all may see it who read a conversation.

        Where several people read it, approvers' buttons are for those alone who may press them: Teams fetches their
        own view for them, and others get it when they press “Decide”.
        """
        card = await self._cards.card(request, audience, said)
        if address.get("kind") == "personal":
            is_asked = audience == "approver" and bool(card.buttons)
            return self._render("", card, Around(has_reason=is_asked))
        record = await self._services.requests.find(request)
        if record.state != "awaiting_approval" or audience == "reader":
            return self._render("", card, Around())
        value = f"{record.id}:{record.version}"
        asked = await self._services.approvals.asked_of(record)
        readers = await self._places.readers(address, asked)
        if audience == "approver":
            card = replace(card, buttons=(replace(DECIDE, value=value),))
        return self._render("", card, Around(refresh=replace(SEE, value=value), refreshes=readers))

    def withdrawn(self, request: str) -> dict[str, Any]:
        """Return what stands in place of a card where people of other organisations have come to read."""
        text = f"People from other organisations read this now: request {request} goes on elsewhere."
        return self._render(text, Card(""), Around())

    async def for_one(self, value: str, person: Person, user: str, fault: str = "") -> dict[str, Any] | None:
        """Return a request's card with the buttons of somebody who may decide it now; None for anybody else."""
        services = self._services
        request, version = named_in(value)
        if await services.approvals.objection(request, version, person, surface=CHANNEL):
            return None
        record = await services.requests.find(request)
        story = await story_of(services, record)
        card = card_of(services, record, story, channel=CHANNEL, audience="approver")
        refresh = replace(SEE, value=value)
        around = Around(has_reason=True, fault=fault, refresh=refresh, refreshes=(user,) if user else ())
        return content_of(self._render("", card, around))

    async def standing(self, request: str, person: Person, user: str, note: str = "") -> dict[str, Any] | None:
        """Return a request's card as it stands, for who may see it, with nothing to press."""
        services = self._services
        record = await services.requests.find(request)
        if not services.policy.may_see(person, record.subject).allowed and not await self._was_asked(request, person):
            return None
        story = await story_of(services, record)
        card = card_of(services, record, story, channel=CHANNEL, audience="approver")
        note = note if record.state == "awaiting_approval" else ""
        refresh = replace(SEE, value=f"{record.id}:{record.version}")
        refreshes = (user,) if user and note else ()
        around = Around(has_buttons=False, note=note, refresh=refresh, refreshes=refreshes)
        return content_of(self._render("", card, around))

    async def _was_asked(self, request: str, person: Person) -> bool:
        record = await self._services.requests.find(request)
        return person.email in await self._services.approvals.asked_of(record)

    async def settled_by(self, activity: Activity, number: int) -> tuple[Answered, str] | None:
        """Return the question that a press answers, and the words on the button.

        None unless the message was said to that person, in that conversation, and has that button: what a client
        says of itself takes nobody else's buttons away.
        """
        if activity.verb not in SETTLES or not number:
            return None
        answered = await answered_by(self._services, CHANNEL, number)
        if answered is None or answered.message.conversation != activity.conversation:
            return None
        if answered.activity.get("platform_id") != activity.platform_id:
            return None
        card = answered.message.card or Card("")
        if activity.verb == "submit":
            return (answered, "") if not card.request else None
        titles = [b.title for b in card.buttons if (b.verb, b.value) == (activity.verb, activity.value)]
        return (answered, titles[0]) if titles and not card.request else None

    def _render(self, text: str, card: Card | None, around: Around) -> dict[str, Any]:
        return render(text, card, console=self._services.settings.public_url, around=around)


def note_of(title: str, person: Person | None = None) -> str:
    """Return what is said below a question that was answered, to others or to oneself."""
    who = shown(person) if person else "You"
    return f"{who} chose “{title}”." if title else f"{who} filled in the form."
