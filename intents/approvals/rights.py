"""“What may I do?”: what the policies let a person ask for and decide, and the words in which they say so."""

from __future__ import annotations

from bot.card import Card, Facts, Text
from bot.intent import Answer, Ask, Definition, Query
from bot.policy import Subject

NOTHING = Subject("", "", "standard", "", (), {})
"""A request of nobody's: what may be done with it may be done with anybody's."""


class WhatMayI(Query):
    """Lists what a person may do, by policy."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="WhatMayI",
            title="list of what you may do",
            description="Tell what you may do, and why.",
            utterances=(
                "what may I do",
                "what am I allowed to do",
                "what may I ask for",
                "what am I allowed to ask for",
                "what are my permissions",
                "what are my rights",
                "which permissions do I have",
                "what rights do I have",
                "what may I approve",
                "am I an approver",
                "which groups am I in",
                "what do the policies let me do",
            ),
            examples=("what may I do?",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return what policy lets the person ask for, decide and see; what depends on whose it is says so."""
        services, person = self.services, ask.person
        policy = services.policy
        rows: list[tuple[str, str]] = []
        refused: list[str] = []
        for intent in services.registry.intents.values():
            if intent.shape != "change":
                continue
            decision = policy.may_ask(person, intent.definition, intent.shape, {}, channel=ask.channel)
            if decision.allowed:
                rows.append((f"Ask for: {intent.definition.title}", decision.reason))
            else:
                refused.append(intent.definition.title)
        may_all = policy.may_approve(person, NOTHING, channel="console")
        named = person.email in services.directory.asked("", "").approvers
        if may_all.allowed or named:
            rows.append(
                ("Approve", may_all.reason if may_all.allowed else "You are asked to approve what others ask for.")
            )
        for name, decision in (
            ("See, cancel and stop everybody's requests", policy.may_cancel(person, NOTHING)),
            ("Pause changes", policy.may_pause(person)),
            ("Retry failed steps", policy.may_override(person, NOTHING)),
            ("Break the glass", policy.may_break_glass(person, NOTHING, channel="console")),
            ("Read the whole audit", policy.may_audit(person)),
        ):
            if decision.allowed:
                rows.append((name, decision.reason))
        groups = services.directory.groups_of(person.email)
        standing_in = [
            one.approver
            for one in await services.approvals.delegations.concerning(person)
            if one.delegate == person.email and one.holds_at(services.clock.now())
        ]
        items: list[Facts | Text] = [Facts(tuple(rows))]
        items.append(Text(f"Your groups: {', '.join(groups) or 'none'}.", subtle=True))
        if standing_in:
            items.append(Text(f"You stand in for {' and '.join(standing_in)}."))
        if refused:
            items.append(Text(f"Not for you: {', '.join(refused)}. Ask for it to hear why.", subtle=True))
        card = Card("What you may do", tuple(items))
        return Answer(card.as_text(), card)
