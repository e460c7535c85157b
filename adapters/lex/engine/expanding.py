"""Taggers for intents whose slots take more than their lists hold, where there are enough samples to learn from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.lex.engine.definition import BotLocale, Intent, Slot, ValueKind
from adapters.lex.engine.expansion import PLACEHOLDER
from adapters.lex.engine.fields import Fields, FieldWeights, Lesson, Sentence
from adapters.lex.engine.gazetteer import Gazetteer, Place, cut
from adapters.lex.engine.meaning import Meanings, meanings
from adapters.lex.engine.tagging import OUTSIDE, Tagger, TaggerWeights, tags_of
from adapters.lex.engine.text import Token, clean
from adapters.lex.engine.word_features import Reader, Seen

_SEED = 1_913
_ENOUGH_TEMPLATES = 20
_ENOUGH_VALUES = 20
_VARIANTS = 4
_LEAST_NEW, _MOST_NEW = 0.1, 0.9
"""The share of a type's values in sentences that count as never met, at least and at most."""
_RARELY = (2, 3, 4, 6, 9, 14, 20)
_MOST_WEIGHTS = 3_000_000
"""Features of few templates are left out, the more the larger a bot is."""
_TELLING = 0.05
"""A feature none of whose weights is larger says nothing."""


@dataclass(frozen=True, slots=True)
class LearnedTags:
    """What the taggers of a bot have learnt: their features, and weights by intent."""

    features: tuple[str, ...]
    by_intent: Mapping[str, TaggerWeights]


def expandable(slot: Slot) -> bool:
    """Whether a slot's values are examples of what it takes (Lex: custom values under OriginalValue)."""
    is_listed = slot.type.kind is ValueKind.LIST and slot.type.passes_anything
    return is_listed and slot.type.pattern is None and bool(slot.type.values)


def tagged_intents(bot: BotLocale) -> tuple[Intent, ...]:
    """The intents with enough templates and values to learn from; in others lists and words must do."""
    return tuple(intent for intent in bot.intents if _is_taught(intent))


def _is_taught(intent: Intent) -> bool:
    slots = {slot.name: len(slot.type.values) for slot in intent.slots if expandable(slot)}
    templates = sum(bool(set(PLACEHOLDER.findall(text)) & set(slots)) for text in intent.utterances)
    return templates >= _ENOUGH_TEMPLATES and sum(slots.values()) >= _ENOUGH_VALUES


class Taggers:
    """The taggers of a bot, learnt from its templates, or made of what was learnt before."""

    def __init__(self, bot: BotLocale, learned: LearnedTags | None = None) -> None:
        intents = tagged_intents(bot)
        school = _School(intents, meanings()) if intents else None
        self.learned = LearnedTags((), {})
        if school is not None:
            self.learned = learned if learned is not None and school.fits(learned) else school.learn()
        places = {feature: place for place, feature in enumerate(self.learned.features)}
        self._by_intent = {
            name: Tagger(weights, places, school.known, school.readers[name])
            for name, weights in self.learned.by_intent.items()
            if school is not None
        }

    def of(self, intent: Intent) -> Tagger | None:
        """The tagger of an intent, if there is enough to learn one from."""
        return self._by_intent.get(intent.name)


class _School:
    """The templates and values of the intents that get a tagger."""

    def __init__(self, intents: Sequence[Intent], table: Meanings) -> None:
        self._intents = intents
        slots = [slot for intent in intents for slot in intent.slots if expandable(slot)]
        self._values = {slot.type.name: [clean(value.value) for value in slot.type.values] for slot in slots}
        self._types = {
            intent.name: {slot.name: slot.type.name for slot in intent.slots if expandable(slot)} for intent in intents
        }
        gazetteer = Gazetteer(self._values, table)
        self.readers = {
            name: Reader(frozenset(types.values()), gazetteer, table) for name, types in self._types.items()
        }
        texts = [PLACEHOLDER.sub(" ", clean(text)) for intent in intents for text in intent.utterances]
        texts += [value for values in self._values.values() for value in values]
        self._met = Counter(token.word for text in texts for token in cut(text))
        self.known = frozenset(self._met)

    def fits(self, learned: LearnedTags) -> bool:
        """Whether what was kept is of these intents and slots."""
        return {name: set(weights.slots) for name, weights in learned.by_intent.items()} == {
            name: set(types) for name, types in self._types.items()
        }

    def learn(self) -> LearnedTags:
        """Learn the fields of all intents together."""
        lessons = {intent.name: list(self._lessons(intent)) for intent in self._intents}
        features = self._features(lessons)
        places = {feature: place for place, feature in enumerate(features)}
        kinds = {OUTSIDE: 0}
        fields = Fields(
            [
                Lesson(
                    [
                        Sentence(
                            [[places[f] for f in word if f in places] for word in seen.features], seen.meanings, tags
                        )
                        for variants in lessons[name]
                        for seen, tags in variants
                    ],
                    np.array([kinds.setdefault(tag, len(kinds)) for tag in tags_of(list(types.values()))], np.int64),
                )
                for name, types in self._types.items()
            ],
            len(features),
            len(kinds),
        ).learn()
        return LearnedTags(
            features,
            {
                name: _kept(tuple(types), field)
                for (name, types), field in zip(self._types.items(), fields, strict=True)
            },
        )

    def _lessons(self, intent: Intent) -> Iterator[list[tuple[Seen, list[int]]]]:
        """For each template its sentences, with the tags of their words by number."""
        types, reader = self._types[intent.name], self.readers[intent.name]
        tags = {tag: number for number, tag in enumerate(tags_of(list(types)))}
        dice = random.Random(f"{_SEED} {intent.name}")
        rounds: dict[str, list[str]] = {}
        news = self._news()
        for template in intent.utterances:
            variants: list[tuple[Seen, list[int]]] = []
            for variant in range(_VARIANTS):
                text, values = self._fill(clean(template), types, rounds, dice)
                tokens = cut(text)
                if not tokens:
                    continue
                places = [(slot, *_covered(tokens, start, end)) for slot, start, end in values]
                own = [tags[OUTSIDE]] * len(tokens)
                forgotten: list[Place] = []
                for slot, first, last in places:
                    own[first : last + 1] = [tags[f"B {slot}"], *[tags[f"I {slot}"]] * (last - first)]
                    if dice.random() < news[types[slot]]:
                        forgotten.append((first, last, types[slot]))
                hidden = self._hidden(tokens, places, forgotten, is_strange=bool(variant % 2))
                variants.append((reader.see(text, tokens, hidden, forgotten), own))
            yield variants

    def _hidden(
        self,
        tokens: Sequence[Token],
        places: Sequence[tuple[str, int, int]],
        forgotten: Sequence[Place],
        *,
        is_strange: bool,
    ) -> frozenset[int]:
        """The words that would be unknown but for this value, or this template, as many in new sentences are."""
        valued = {at for _, first, last in places for at in range(first, last + 1)}
        doubted = {at for first, last, _ in forgotten for at in range(first, last + 1)}
        if is_strange:
            doubted |= set(range(len(tokens))) - valued
        return frozenset(at for at in doubted if self._met[tokens[at].word] < 2)

    def _news(self) -> dict[str, float]:
        """How often a type's value is one that no list holds: rarely if its values come again and again."""
        used = Counter(
            self._types[intent.name][slot]
            for intent in self._intents
            for template in intent.utterances
            for slot in PLACEHOLDER.findall(template)
            if slot in self._types[intent.name]
        )
        return {
            name: min(_MOST_NEW, max(_LEAST_NEW, len(values) / max(1, used[name])))
            for name, values in self._values.items()
        }

    def _fill(
        self, template: str, types: Mapping[str, str], rounds: dict[str, list[str]], dice: random.Random
    ) -> tuple[str, list[tuple[str, int, int]]]:
        text, at = "", 0
        filled: list[tuple[str, int, int]] = []
        for place in PLACEHOLDER.finditer(template):
            text += template[at : place.start()]
            slot = place.group(1)
            value = slot
            if slot in types:
                name = types[slot]
                if not rounds.get(name):
                    rounds[name] = dice.sample(self._values[name], len(self._values[name]))
                value = rounds[name].pop()
                if cut(value):
                    filled.append((slot, len(text), len(text) + len(value)))
            text += value
            at = place.end()
        return text + template[at:], filled

    def _features(self, lessons: Mapping[str, Sequence[Sequence[tuple[Seen, list[int]]]]]) -> tuple[str, ...]:
        """The features that enough templates have."""
        by_intent: dict[str, Counter[str]] = {}
        for name, templates in lessons.items():
            counted = by_intent[name] = Counter()
            for variants in templates:
                counted.update({feature for seen, _ in variants for word in seen.features for feature in word})
        total = sum(by_intent.values(), Counter())
        kinds = 1 + 2 * len(self._values)
        kept: list[str] = []
        for least in _RARELY:
            kept = [feature for feature, count in total.items() if count >= least]
            own = sum(
                len(counted.keys() & set(kept)) * (1 + 2 * len(self._types[name]))
                for name, counted in by_intent.items()
            )
            if len(kept) * kinds + own <= _MOST_WEIGHTS:
                break
        return tuple(sorted(kept))


def _numbered(seen: Seen, places: Mapping[str, int]) -> list[list[int]]:
    return [[places[feature] for feature in word if feature in places] for word in seen.features]


def _covered(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    inside = [at for at, token in enumerate(tokens) if token.start < end and token.end > start]
    return inside[0], inside[-1]


def _kept(slots: tuple[str, ...], field: FieldWeights) -> TaggerWeights:
    rows = np.flatnonzero(np.abs(field.sparse).max(axis=1) > _TELLING).astype(np.int32)
    return TaggerWeights(slots, rows, FieldWeights(field.sparse[rows], field.dense, field.steps))
