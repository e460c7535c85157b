"""What can be asked, in the words that work."""

from __future__ import annotations

from bot.card import Button, Card, Facts, Text
from bot.intent import Answer, Ask, Definition, Intent, Query
from bot.services import Services


class Help(Query):
    """Lists what the person may ask for, with sentences to try."""

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="Help",
            title="help",
            description="Show what I can do.",
            utterances=(
                "help",
                "help me",
                "help please",
                "halp",
                "what can you do",
                "what can I ask",
                "how does this work",
                "what are you able to do",
                "show me the commands",
                "what do you do",
                "who are you",
                "I need help",
                "can you help me",
                "what are my options",
                "which commands do you know",
                "commands",
                "what can I say here",
                "I am stuck",
                "how do I talk to you",
                "what are you good for",
                "explain what you can do",
                "I'm lost",
                "I don't know what to say",
                "what is possible here",
                "give me an overview of your features",
                "teach me how to use you",
                "which things can you help with",
                "how do I start",
                "how do I use this",
                "hello",
                "hi",
                "hi there",
                "good morning",
            ),
            examples=("help",),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return the intents that policy lets the person ask for."""
        rows: list[tuple[str, str]] = []
        buttons: list[Button] = []
        for intent in self.services.registry.intents.values():
            definition = intent.definition
            if not intent.is_offered_to(ask.person):
                continue
            rows.append((definition.description.rstrip("."), " · ".join(f"“{e}”" for e in definition.examples)))
            if intent.shape == "change":
                buttons.append(Button(definition.examples[0], "say", definition.examples[0]))
        hint = (
            "Say it in your own words. While I ask you things you can correct an answer (“no, make that Production”), "
            "ask something else, or say “cancel”."
        )
        card = Card("What I can do", (Facts(tuple(rows)), Text(hint, subtle=True)), tuple(buttons))
        return Answer(card.as_text(), card)


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    return [Help(services)]
