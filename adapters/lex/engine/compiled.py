"""A bot locale made ready to understand: classifier and slot fillers, compiled once a definition."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.lex.engine.acts import NEGATED, acts_of, makes_something, share_left, taught_acts, wants_elsewhere
from adapters.lex.engine.answers import Answer, read_answer
from adapters.lex.engine.classifier import Classifier
from adapters.lex.engine.definition import BotLocale, Intent, read_definition
from adapters.lex.engine.expanding import Taggers
from adapters.lex.engine.expansion import PLACEHOLDER, expand
from adapters.lex.engine.features import pattern_mark, words_of, words_of_name
from adapters.lex.engine.filling import SlotFiller
from adapters.lex.engine.keeping import Kept, file_for, keep, load
from adapters.lex.engine.noise import is_noise
from adapters.lex.engine.things import wants_other_things, without_purpose

_MOST_COMPILED = 8
_KEPT = 0.8
"""Confidence in an intent that takes bare ids, when an id is all that is understood."""
_ANSWERED = 0.3
"""What is left of the confidence in any intent for a bare yes or no."""
_LONGEST_ANSWER = 8
_ELSEWHERE = 0.3
"""What is left of the confidence in making something when a sentence wishes for something unknown somewhere."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An intent with its confidence between 0 and 1."""

    intent: Intent
    score: float


class CompiledBot:
    """Understands single utterances of one locale; immutable, shared by engines and threads."""

    def __init__(self, bot: BotLocale, kept: Kept | None = None) -> None:
        self.bot = bot
        self._patterns = tuple(
            dict.fromkeys(
                slot.type.pattern for intent in bot.intents for slot in intent.slots if slot.type.pattern is not None
            )
        )
        examples = expand(bot, self._patterns)
        words = [words_of(example.text, self._patterns) for example in examples]
        self._classifier: Classifier | None = None
        if examples:
            # What an intent is called says what it is for: one more sample, worth most where there are few.
            titles = [(number, own) for number, own in enumerate(map(words_of_name, self._names())) if own]
            self._classifier = Classifier(
                [*words, *(own for _, own in titles)],
                [*(example.intent for example in examples), *(number for number, _ in titles)],
                [*(example.group for example in examples), *(-1 - number for number, _ in titles)],
                len(bot.intents),
                listed_values(bot),
                kept.learned if kept is not None else None,
            )
        self._verbatim: dict[tuple[str, ...], int] = {}
        samples: list[list[list[str]]] = [[] for _ in bot.intents]
        for example, own in zip(examples, words, strict=True):
            self._verbatim.setdefault(tuple(own), example.intent)
            samples[example.intent].append(own)
        self._taggers = Taggers(bot, kept.tags if kept is not None else None)
        self._fillers = {intent.name: SlotFiller(intent, self._taggers.of(intent)) for intent in bot.intents}
        self._taught = [taught_acts(own) for own in samples]
        self._makers = frozenset(
            number
            for number, intent in enumerate(bot.intents)
            if intent.confirmation is not None and makes_something(samples[number])
        )
        self._keepers = self._find_keepers()

    def _names(self) -> list[str]:
        """What each intent is called; nothing for one without samples, which must not be understood."""
        return [intent.name if intent.utterances else "" for intent in self.bot.intents]

    @property
    def kept(self) -> Kept | None:
        """What was learnt, to be kept; None for a bot without samples."""
        return Kept(self._classifier.learned, self._taggers.learned) if self._classifier is not None else None

    def filler(self, intent: Intent) -> SlotFiller | None:
        """The slot filler of an intent; the fallback has none."""
        return self._fillers.get(intent.name)

    def rank(self, text: str, contexts: frozenset[str]) -> list[Ranked]:
        """Intents open in these active contexts by falling confidence for a cleaned text."""
        noise = is_noise(text)
        words = words_of(text, self._patterns)
        scores: Sequence[float] = ()
        if self._classifier is not None:
            scores = self._classifier.classify(without_purpose(words, self._classifier.knows)).by_intent
        acts = acts_of(words)
        elsewhere = self._classifier is not None and (
            wants_elsewhere(words, self._classifier.knows) or wants_other_things(words, self._classifier.was_taught)
        )
        answers = len(words) <= _LONGEST_ANSWER and _is_answer(text)
        ranked: list[Ranked] = []
        for number, (intent, score) in enumerate(zip(self.bot.intents, scores, strict=False)):
            if intent.input_contexts <= contexts:
                if noise and is_noise(self._without_names(text, intent)):
                    ranked.append(Ranked(intent, 0.0))
                    continue
                share = share_left(
                    self._acts_for(intent, text, acts) if acts else acts,
                    self._taught[number],
                    makes=number in self._makers,
                )
                if elsewhere and number in self._makers:
                    share = min(share, _ELSEWHERE)
                if answers and not self.is_verbatim(text, intent):
                    share = min(share, _ANSWERED)
                ranked.append(Ranked(intent, score * share))
        ranked.sort(key=lambda entry: -entry.score)
        is_all_noise = noise and not any(entry.score for entry in ranked)
        return ranked if is_all_noise else self._keep(words, acts, ranked)

    def _acts_for(self, intent: Intent, text: str, said: frozenset[str]) -> frozenset[str]:
        """What of `said` a text asks besides naming things and choosing between an intent's values."""
        if not intent.slots:
            return said
        nameless = self._without_names(text, intent)
        acts = said if nameless == text else acts_of(words_of(nameless, self._patterns))
        filler = self.filler(intent)
        refuses = NEGATED + "create" in acts
        return acts - {NEGATED + "create"} if refuses and filler is not None and filler.chooses(text) else acts

    def _without_names(self, text: str, intent: Intent) -> str:
        """The text less the names it announces for an intent: "named frozen-lake" asks nothing to be done."""
        filler = self.filler(intent)
        for name in filler.announced(text) if filler is not None else ():
            text = text[: name.start] + " " * (name.end - name.start) + text[name.end :]
        return text

    def _keep(self, words: Sequence[str], acts: frozenset[str], ranked: list[Ranked]) -> list[Ranked]:
        """Give a text that names an id, and is otherwise not understood, to the intent that takes bare ids."""
        if not ranked or ranked[0].score >= self.bot.threshold or acts:
            return ranked
        keepers = [self._keepers[word] for word in words if word in self._keepers]
        at = next((at for at, entry in enumerate(ranked) if entry.intent in keepers), None)
        if at is None:
            return ranked
        return [Ranked(ranked[at].intent, max(_KEPT, self.bot.threshold)), *ranked[:at], *ranked[at + 1 :]]

    def _find_keepers(self) -> dict[str, Intent]:
        """By a pattern's mark, the first intent with a sample that is nothing but a slot of this pattern."""
        keepers: dict[str, Intent] = {}
        for intent in self.bot.intents:
            bare = (PLACEHOLDER.fullmatch(text.strip()) for text in intent.utterances)
            for slot in (intent.slot(match.group(1)) for match in bare if match is not None):
                if slot is not None and slot.type.pattern is not None:
                    keepers.setdefault(pattern_mark(self._patterns.index(slot.type.pattern)), intent)
        return keepers

    def is_verbatim(self, text: str, intent: Intent) -> bool:
        """Whether a text is one of the intent's own sample utterances, letter case and punctuation aside."""
        number = self._verbatim.get(tuple(words_of(text, self._patterns)))
        return number is not None and self.bot.intents[number] is intent


def listed_values(bot: BotLocale) -> tuple[str, ...]:
    """Every listed value and synonym of the bot's slots, each once."""
    spellings = (
        spelling
        for intent in bot.intents
        for slot in intent.slots
        for listed in slot.type.values
        for spelling in (listed.value, *listed.synonyms)
    )
    return tuple(dict.fromkeys(spellings))


def _is_answer(text: str) -> bool:
    """Whether a text is a yes or a no, and nothing else."""
    reading = read_answer(text)
    return reading.answer is not Answer.UNCLEAR and not reading.rest


_compiled: OrderedDict[str, CompiledBot] = OrderedDict()
_lock = threading.Lock()


def compile_bot(definition: Mapping[str, Any], kept: Path | None = None) -> CompiledBot:
    """Compile a definition, or take it from memory when the same one was compiled before.

    What is learnt, which takes seconds for a large bot, is kept in the folder `kept`, when one is given.
    """
    canonical = json.dumps(definition, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(canonical).hexdigest()
    with _lock:
        known = _compiled.get(digest)
        if known is None:
            known = _compiled[digest] = _compile(read_definition(definition), canonical, kept)
        _compiled.move_to_end(digest)
        while len(_compiled) > _MOST_COMPILED:
            _compiled.popitem(last=False)
        return known


def _compile(bot: BotLocale, canonical: bytes, folder: Path | None) -> CompiledBot:
    if folder is None:
        return CompiledBot(bot)
    file = file_for(folder, canonical)
    known = load(file)
    compiled = CompiledBot(bot, known)
    found = compiled.kept
    if found is not None and (known is None or found.tags is not known.tags):
        keep(file, found)
    return compiled
