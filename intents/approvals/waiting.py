"""“What waits for me?”: the requests that a person could decide now, with where to do it."""

from __future__ import annotations

from dataclasses import replace

from bot.card import Card, Item, Link, Table, Text
from bot.clock import iso
from bot.intent import Answer, Ask, Definition, Query
from bot.paging import Page
from bot.requests import Filter, RequestRecord
from bot.services import Services
from bot.waiting import Waiting

SHOWN = 10
PAGES = 3
"""Pages that are looked at for those who decide about little of what waits."""
NOTHING = "Nothing waits for your decision."


class WaitsForMe(Query):
    """Lists what waits for somebody's approval."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._waiting = Waiting(services)

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="WaitsForMe",
            title="list of what waits for your approval",
            description="List what waits for my approval.",
            utterances=(
                "what waits for me",
                "show pending approvals",
                "which approvals are on my desk",
                "what is waiting for me",
                "what waits for my approval",
                "what waits for my decision",
                "what do I have to approve",
                "what do I have to decide",
                "which approvals wait for me",
                "which requests need my approval",
                "is anything waiting for my approval",
                "does anything wait for me",
                "show what I have to approve",
                "list my open approvals",
                "my approvals",
                "what should I approve",
            ),
            examples=("what waits for me?",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return what the person could decide, newest first; through a REST key only what was asked with it."""
        services, wanted = self.services, Filter(limit=SHOWN, owner=ask.owner or None)
        page = await self._waiting.page(ask.person, wanted)
        shown = self._seen(ask, page)
        for _ in range(PAGES - 1):
            if not page.next_cursor or len(shown) >= SHOWN:
                break
            page = await self._waiting.page(ask.person, replace(wanted, cursor=page.next_cursor))
            shown |= self._seen(ask, page)
        if not shown:
            return Answer(NOTHING if not page.next_cursor else "None of the newest waits for you; the console has all.")
        rows = tuple(
            (r.id, r.plan.summary, r.requester.email, (iso(r.expires_at) or "")[:16].replace("T", " "))
            for r in list(shown.values())[:SHOWN]
        )
        url = f"{services.settings.public_url.rstrip('/')}/requests?view=waiting"
        items: list[Item] = [Table(("Request", "What", "Asked by", "Lapses (UTC)"), rows)]
        if len(shown) > SHOWN or page.next_cursor:
            items.append(Text(f"These are {len(rows)} of them; the console shows all.", subtle=True))
        items.append(Text("Decide on the card or the mail that asked you, or in the console.", subtle=True))
        items.append(Link("Decide in the console", url))
        card = Card("Waiting for you", tuple(items))
        return Answer(card.as_text(), card)

    def _seen(self, ask: Ask, page: Page[RequestRecord]) -> dict[str, RequestRecord]:
        policy = self.services.policy
        return {r.id: r for r in page.items if policy.may_see(ask.person, r.subject).allowed}
