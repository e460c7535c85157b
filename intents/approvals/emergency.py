"""“Break the glass for qm-7k3m9qxa”: who may, and where. It is done in the console alone, after a fresh sign-in."""

from __future__ import annotations

from bot.card import Card, Facts, Link, Text
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType
from bot.requests import Filter, RequestRecord, no_request

REQUEST_ID = SlotType("RequestId", pattern="(qm-)?[23456789abcdefghjkmnpqrstvwxyz]{8}", listed=False)
WHERE = (
    "Chat breaks no glass: it is done in the console, after a sign-in within the last five minutes, with a reason that "
    "every approver and operator reads at once. Somebody else has to review it afterwards."
)


class BreakGlass(Query):
    """Tells who may let a request go on without its approvers, and where; does nothing itself."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="BreakGlass",
            title="way around an approval in an emergency",
            description="Tell how a request goes on without its approvers in an emergency.",
            utterances=(
                "break the glass",
                "what is the emergency procedure when nobody can approve",
                "none of the approvers can be reached and it is an emergency",
                "break glass",
                "break the glass for {RequestId}",
                "break glass for {RequestId}",
                "I want to break the glass",
                "I need to break the glass for {RequestId}",
                "how do I break the glass",
                "who may break the glass",
                "emergency approval for {RequestId}",
                "bypass the approval of {RequestId}",
                "skip the approval of {RequestId}",
                "this can't wait for an approval",
            ),
            slots=(Slot("RequestId", REQUEST_ID, required=False, label="Request"),),
            examples=("break the glass",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return the way for the request that is named, or the newest that waits in this conversation."""
        record, policy = await self._meant(ask), self.services.policy
        if record is None:
            text = f"{WHERE} Say “break the glass for” and the request's id."
            return Answer(text, Card("Breaking the glass", (Text(text),)))
        rows = Facts((("Request", record.id), ("What", record.plan.summary)))
        if record.state != "awaiting_approval":
            text = f"Request {record.id} does not wait for an approval: there is no glass to break."
            return Answer(text)
        decision = policy.may_break_glass(ask.person, record.subject, channel="console")
        if not decision.allowed:
            text = f"{decision.reason} {decision.help}".strip()
            return Answer(f"{text} {WHERE}", Card("Breaking the glass is not for you", (Text(text), rows, Text(WHERE))))
        url = f"{self.services.settings.public_url.rstrip('/')}/requests/{record.id}/break-glass"
        items = (Text(WHERE), rows, Link("Break the glass in the console", url))
        return Answer(f"{WHERE} Request {record.id}: {url}", Card("Breaking the glass", items, tone="warning"))

    async def _meant(self, ask: Ask) -> RequestRecord | None:
        if ask.slots.get("RequestId"):
            record = await self.services.requests.find(ask.slots["RequestId"])
            foreign = bool(ask.owner) and record.owner != ask.owner
            if foreign or not self.services.policy.may_see(ask.person, record.subject).allowed:
                raise no_request(record.id)
            return record
        wanted = Filter(conversation=ask.conversation, state=("awaiting_approval",), owner=ask.owner or None, limit=1)
        page = await self.services.requests.list(wanted)
        seen = [r for r in page.items if self.services.policy.may_see(ask.person, r.subject).allowed]
        return seen[0] if seen else None
