"""A bot locale made ready to understand: classifier and slot fillers, compiled once a definition."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.lex.engine.classifier import Classifier
from adapters.lex.engine.definition import BotLocale, Intent, read_definition
from adapters.lex.engine.expansion import expand
from adapters.lex.engine.features import words_of
from adapters.lex.engine.filling import SlotFiller

_MOST_COMPILED = 8


@dataclass(frozen=True, slots=True)
class Ranked:
    """An intent with its confidence between 0 and 1."""

    intent: Intent
    score: float


class CompiledBot:
    """Understands single utterances of one locale; immutable, shared by engines and threads."""

    def __init__(self, bot: BotLocale) -> None:
        self.bot = bot
        self._patterns = tuple(
            dict.fromkeys(
                slot.type.pattern for intent in bot.intents for slot in intent.slots if slot.type.pattern is not None
            )
        )
        examples = expand(bot, self._patterns)
        self._classifier: Classifier | None = None
        if examples:
            self._classifier = Classifier(
                [example.text for example in examples],
                [example.intent for example in examples],
                [example.group for example in examples],
                len(bot.intents),
                self._patterns,
            )
        self._verbatim: dict[tuple[str, ...], int] = {}
        for example in examples:
            self._verbatim.setdefault(tuple(words_of(example.text, self._patterns)), example.intent)
        self._fillers = {intent.name: SlotFiller(intent) for intent in bot.intents}

    def filler(self, intent: Intent) -> SlotFiller | None:
        """The slot filler of an intent; the fallback has none."""
        return self._fillers.get(intent.name)

    def rank(self, text: str, contexts: frozenset[str]) -> list[Ranked]:
        """Intents open in these active contexts by falling confidence for a cleaned text."""
        scores = self._classifier.classify(text).by_intent if self._classifier is not None else ()
        ranked = [
            Ranked(intent, score)
            for intent, score in zip(self.bot.intents, scores, strict=False)
            if intent.input_contexts <= contexts
        ]
        ranked.sort(key=lambda entry: -entry.score)
        return ranked

    def is_verbatim(self, text: str, intent: Intent) -> bool:
        """Whether a text is one of the intent's own sample utterances, letter case and punctuation aside."""
        number = self._verbatim.get(tuple(words_of(text, self._patterns)))
        return number is not None and self.bot.intents[number] is intent


_compiled: OrderedDict[str, CompiledBot] = OrderedDict()
_lock = threading.Lock()


def compile_bot(definition: Mapping[str, Any]) -> CompiledBot:
    """Compile a definition, or take it from memory when the same one was compiled before."""
    canonical = json.dumps(definition, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(canonical).hexdigest()
    with _lock:
        known = _compiled.get(digest)
        if known is None:
            known = _compiled[digest] = CompiledBot(read_definition(definition))
        _compiled.move_to_end(digest)
        while len(_compiled) > _MOST_COMPILED:
            _compiled.popitem(last=False)
        return known
