"""Approve and Reject: a modal with the plan and room for a reason, and the decision itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.slack.arrived import Arrived
from adapters.slack.blocks import Block, blocks_of, fit, paragraphs, plain
from adapters.slack.envelope import CHANNEL, LOCAL, REASON
from adapters.slack.forms import modal, open_view, own
from adapters.slack.interactions import metadata_of
from adapters.slack.web import Web
from bot.approvals import MAX_REASON
from bot.approvals.pressing import decide_by
from bot.dialogue.ended import nothing, say
from bot.dialogue.exchange import Decided
from bot.errors import QuartermasterError
from bot.request_card import card_of, story_of
from bot.requests import RequestRecord
from bot.services import Services


class Deciding:
    """Takes decisions of people whom Slack vouches for; who may decide is up to the policies."""

    def __init__(self, services: Services, web: Web) -> None:
        self._services, self._web = services, web

    async def open(self, arrived: Arrived) -> Decided:
        """Show the plan and ask for the reason; who may not decide is told so at once."""
        request_id, _, version = arrived.activity.value.partition(":")
        decision = "approve" if arrived.activity.verb == LOCAL + "approve" else "reject"
        services = self._services
        try:
            record = await services.requests.find(request_id)
        except QuartermasterError as error:
            return say(services, own(arrived), error.sentence())
        may = await services.approvals.may_decide(record, arrived.person, surface=CHANNEL)
        metadata = {"request": record.id, "version": version, "decision": decision}
        title = "Approve" if decision == "approve" else "Reject"
        if not may or str(record.version) != version:
            words = await self._why_not(record, version, arrived)
            view = modal(REASON, title, "", paragraphs(words), metadata)
            return await open_view(services, self._web, arrived, view)
        story = await story_of(services, record)
        card = card_of(services, record, story, channel=CHANNEL, audience="approver")
        plan = [b for item in card.items for b in blocks_of(item)]
        blocks = fit([*paragraphs(record.plan.summary), *plan], [_reason_field(decision)], services.settings.public_url)
        return await open_view(services, self._web, arrived, modal(REASON, title, title, blocks, metadata))

    async def _why_not(self, record: RequestRecord, version: str, arrived: Arrived) -> str:
        """Return why somebody may not decide, in the words in which the decision would be refused."""
        given = int(version) if version.isdigit() else 0
        return await self._services.approvals.objection(record.id, given, arrived.person, surface=CHANNEL)

    async def decide(self, arrived: Arrived) -> Decided:
        """Decide; the card shows the outcome, so only a refusal is told."""
        decision = "approve" if arrived.activity.verb.startswith(LOCAL + "approve") else "reject"
        objection = await decide_by(self._services, arrived.activity, decision)
        return say(self._services, own(arrived), objection) if objection else nothing()

    @staticmethod
    def check(view: Mapping[str, Any], reason: str) -> dict[str, Any] | None:
        """Return what is wrong with a decision's reason as Slack shows it at the field; None when nothing is."""
        if metadata_of(view).get("decision") == "reject" and not reason.strip():
            return {"response_action": "errors", "errors": {"reason": "Say why, so that the requester can mend it."}}
        return None


def _reason_field(decision: str) -> Block:
    return {
        "type": "input",
        "block_id": "reason",
        "label": plain("Reason", 24),
        "optional": decision == "approve",
        "element": {
            "type": "plain_text_input",
            "action_id": "words",
            "multiline": True,
            "max_length": MAX_REASON,
        },
    }
