"""“What is to be reviewed?” and “review qm-7k3m9qxa: rightly so”: what went on without its approvers."""

from __future__ import annotations

import re

from bot.card import Card, Table, Text
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType

REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
SAID = re.compile(
    r"(?:please\s+)?review\s+(?:request\s+)?(?P<id>(?:qm-)?[0-9a-z]{8})\s*(?:[:,;–-]|\s+as\s+|\s+because\s+)\s*(?P<verdict>.+)",
    re.IGNORECASE | re.DOTALL,
)
HOW = "Say “review”, its id and what you make of it, such as “review qm-7k3m9qxa: rightly so, the site was down”."


class ReviewRequest(Query):
    """Lists what nobody has reviewed yet, and takes reviews that are said outright."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="ReviewRequest",
            title="review of what went on without approval",
            description="Review what went on without its approvers.",
            utterances=(
                "review {RequestId}",
                "review request {RequestId}",
                "what is to be reviewed",
                "which emergencies have to be reviewed",
                "show what went through without approval",
                "open reviews",
                "list the open reviews",
                "which reviews are open",
                "what went on without approval",
                "who has broken the glass",
            ),
            slots=(Slot("RequestId", REQUEST_ID, required=False, label="Request"),),
            examples=("open reviews",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Record a review that was said outright; else list what is open, to those who may see it."""
        glass, said = self.services.approvals.glass, SAID.fullmatch(ask.text.strip())
        if said:
            review = await glass.review(said["id"], ask.person, said["verdict"], surface=ask.channel)
            text = f"Your review of request {review.request} is recorded."
            return Answer(text, Card("Reviewed", (Text(text),), tone="good", request=review.request))
        rows: list[tuple[str, str, str]] = []
        for one in await glass.open_reviews():
            record = await self.services.requests.find(one.request)
            if self.services.policy.may_see(ask.person, record.subject).allowed:
                rows.append((one.request, f"{record.plan.summary}: “{one.reason}”", one.by))
        if not rows:
            return Answer("Nothing waits for a review of yours.")
        card = Card("To be reviewed", (Table(("Request", "What", "By"), tuple(rows)), Text(HOW, subtle=True)))
        return Answer(card.as_text(), card)
