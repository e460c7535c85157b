"""Values that no list and no shape gives away: found by the words before them, or as an answer's whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from adapters.lex.engine.context import Anchor, SlotContexts
from adapters.lex.engine.definition import Slot, ValueKind
from adapters.lex.engine.lexicon import CORRECTION_CUES, FILLERS, FUNCTION_WORDS
from adapters.lex.engine.recognisers import is_person_name
from adapters.lex.engine.spans import Found
from adapters.lex.engine.text import Token, comparison_key, tokenize

_MOST_ANSWER_WORDS = 8
_MOST_VALUE_WORDS = 6
_MOST_READINGS = 6
_EDGES = " \t\n.,;:!?\"'"

_CLAUSE_END = re.compile(r"[,;?\n]|!(?=\s)|\.(?=\s|$)|\s[-\u2013\u2014]\s")
_CODE_END = re.compile(r"\n|[.,](?=\s|$)")
_CODE_LIKE = re.compile(r"[<>(){}\[\]|\\$^*=~;]|[^\W_]['\"]$")
_LINK = re.compile(r"\s*(?::|=|->)")
_QUOTED = re.compile(r"\"([^\"]{1,100})\"|(?<!\w)'([^']{1,100})'(?!\w)")
_CONNECTIVES = frozenset(
    "in for with and on to at under using from by as via into please thanks thank of the a an or but that which".split()
)
_QUESTION_OPENERS = frozenset(
    "what which how why who whom where when can could do does did is are should would will may".split()
)
_NON_ANSWERS = frozenset(
    "idontknow idk dontknow noidea notsure imnotsure whatever anything any huh what hmm hm help skip none"
    " idontcare dontcare noclue dunno idunno youdecide whichever".split()
)
_JOINTS = frozenset("-_./@+")
_LEAD_INS = frozenset("the a an as to be is was should would must".split())
_COMPLAINTS = frozenset("wrong incorrect mistaken bad misspelt misspelled different else long short".split())
_OWNERS = frozenset("my his her your their whose".split())
_LINKS = frozenset("is to be should as called equals of it".split())
_BARE = Anchor((), ())
_HYPHENATED = re.compile(r"[^\W_]+(?:-[^\W_]+)+(?![\w@/-]|[.:]\w)")
_CHUNK = re.compile(r"\S+")
_LINKING_SIGNS = ":=->"
_QUOTES = ('"', "'")
_NAME_KINDS = frozenset({ValueKind.FIRST_NAME, ValueKind.LAST_NAME})
_TRAILING_COURTESY = frozenset("please thanks thank you thx pls then instead ok okay cheers sir".split())


class OpenValues:
    """Finds open values in the texts of one intent; stateless."""

    def __init__(self, contexts: SlotContexts) -> None:
        self.contexts = contexts

    def in_answer(self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]) -> Iterator[Found]:
        """What of an answer to the slot's question can be its value; `taken` are the stretches of other slots."""
        if slot.type.kind is ValueKind.FREE_FORM:
            stripped = text.strip()
            start = text.index(stripped)
            yield Found(start, start + len(stripped), (stripped,))
            return
        for start, end in _free_stretches(text, taken):
            found = self._trim_answer(text, tokens, slot, start, end)
            if found is not None and _may_answer(text, tokens, found):
                if taken and self._names_another(slot, found):
                    continue
                if slot.type.kind in _NAME_KINDS and not is_person_name(found.values[0]):
                    continue
                yield found

    def _names_another(self, slot: Slot, found: Found) -> bool:
        """Whether a stretch is but the name of another slot, whose value stands beside it: "no, the mail is x@…"."""
        words = [token.word for token in tokenize(found.values[0]) if token.word not in _LINKS | FILLERS]
        named = self.contexts.named_slot(words)
        return named not in {None, slot.name} and all(word in self.contexts.name_parts(str(named)) for word in words)

    def _trim_answer(self, text: str, tokens: Sequence[Token], slot: Slot, start: int, end: int) -> Found | None:
        """Cut politeness and the templates' lead-in off an answer; None when nothing is left."""
        quoted = _QUOTED.search(text, start, end)
        if quoted is not None:
            value = (quoted.group(1) or quoted.group(2)).strip()
            return Found(quoted.start(), quoted.end(), (value,)) if value else None
        inside = [token for token in tokens if token.start >= start and token.end <= end]
        lead_ins = {word for anchor in self.contexts.anchors(slot.name) for word in anchor.left}
        lead_ins |= FILLERS | {"name", "named", "called", "call"} | self.contexts.name_parts(slot.name)
        kept = list(inside)
        while len(kept) > 1 and kept[0].word in lead_ins and text[kept[0].end : kept[1].start] not in _JOINTS:
            kept.pop(0)
        while len(kept) > 1 and kept[-1].word in _TRAILING_COURTESY:
            kept.pop()
        if not kept or all(token.word in FILLERS | CORRECTION_CUES for token in kept):
            return None
        left, right = kept[0].start, kept[-1].end
        if kept[0] is not inside[0]:
            left = _begin_of_chunk(text, left)
        else:
            left = start + len(text[start:end]) - len(text[start:end].lstrip(_EDGES))
        if kept[-1] is inside[-1]:
            right = start + len(text[start:end].rstrip(_EDGES))
        return Found(left, max(right, kept[-1].end), (text[left : max(right, kept[-1].end)],))

    def beside_anchors(
        self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]
    ) -> Iterator[tuple[Found, bool]]:
        """Values after the words that templates have before the slot, and whether those words name it."""
        words = [token.word for token in tokens]
        for anchor in self.contexts.anchors(slot.name):
            size = len(anchor.left)
            if not size:
                continue
            matches = (
                at
                for at in range(size, len(tokens))
                if tuple(words[at - size : at]) == anchor.left and not _is_owned(tokens, at - size)
            )
            for position in islice(matches, _MOST_READINGS):
                found = self._value_after(text, tokens, slot, position, anchor, taken)
                if found is not None and (anchor.is_telling or self._looks_like_a_name(found, tokens)):
                    yield found, anchor.is_telling

    def named(self, text: str, tokens: Sequence[Token], slot: Slot, taken: Sequence[Found]) -> Iterator[Found]:
        """Values announced by the slot's own name: "name: x", "change the name to x"."""
        parts = self.contexts.name_parts(slot.name)
        mentions = (at for at, token in enumerate(tokens[:-1]) if token.word in parts and not _is_owned(tokens, at))
        for position in islice(mentions, _MOST_READINGS):
            token, after = tokens[position], position + 1
            while after < len(tokens) - 1 and tokens[after].word in _LINKS:
                after += 1
            linked = after > position + 1 or _LINK.match(text, token.end, tokens[after].start) is not None
            found = self._value_after(text, tokens, slot, after, _BARE, taken) if linked else None
            if found is not None:
                yield found

    def _value_after(
        self, text: str, tokens: Sequence[Token], slot: Slot, position: int, anchor: Anchor, taken: Sequence[Found]
    ) -> Found | None:
        start = tokens[position - 1].end
        quoted = _QUOTED.match(text, start + len(text[start:]) - len(text[start:].lstrip(" :=")))
        if quoted is not None:
            value = (quoted.group(1) or quoted.group(2)).strip()
            return Found(quoted.start(), quoted.end(), (value,)) if value else None
        chunk = _HYPHENATED.match(text, tokens[position - 1].start)
        if chunk is not None:  # the templates' last word begins a name: "retry pool-7"
            return Found(chunk.start(), chunk.end(), (chunk.group(),))
        limit = min((found.start for found in taken if found.end > tokens[position].start), default=len(text))
        begin = _begin_of_chunk(text, tokens[position].start)
        limit = min(limit, _end_of_aside(text, begin))
        is_code = _is_code_like(text, tokens[position], limit)
        clause = (_CODE_END if is_code else _CLAUSE_END).search(text, tokens[position].start, limit)
        if clause is not None:
            limit = clause.start() + (clause.group() == "!")
        inside = [token for token in tokens[position:] if token.end <= limit]
        for offset in range(1, len(inside)):
            if anchor.right and inside[offset].word == anchor.right[0]:
                inside = inside[:offset]
                break
        inside = self._until_other_slot(slot, _until_connective(text, inside))
        while inside and inside[0].word in _LEAD_INS and text[inside[0].end : inside[0].end + 1].isspace():
            inside.pop(0)
        while inside and inside[-1].word in _CONNECTIVES and text[inside[-1].start - 1].isspace():
            inside.pop()
        if not inside:
            return None
        if not is_code:
            known = FUNCTION_WORDS | self.contexts.fixed_words | _COMPLAINTS
            if len(inside) > _MOST_VALUE_WORDS or all(token.word in known for token in inside):
                return None
        return _as_typed(text, tokens, inside, limit, is_code=is_code)

    def _until_other_slot(self, slot: Slot, tokens: Sequence[Token]) -> list[Token]:
        """Stop a value before the name of another slot that is followed by something: "foo type production"."""
        for index, token in enumerate(tokens[1:-1], start=1):
            if self.contexts.named_slot([token.word]) not in {None, slot.name}:
                return list(tokens[:index])
        return list(tokens)

    def _looks_like_a_name(self, found: Found, tokens: Sequence[Token]) -> bool:
        """After a mere "in" or "for", only what is written like a proper name is taken for a value."""
        value = found.values[0]
        short = len(value.split()) <= 3
        named = value[:1].isupper() or "/" in value or ("-" in value and any(letter.isdigit() for letter in value))
        return short and named and found.start > tokens[0].start


def _free_stretches(text: str, taken: Sequence[Found]) -> list[tuple[int, int]]:
    """The whole text, and what remains between the stretches that other slots claim."""
    borders = sorted((found.start, found.end) for found in taken)
    stretches = [(0, len(text))] if taken else []
    position = 0
    for start, end in borders:
        stretches.append((position, start))
        position = max(position, end)
    stretches.append((position, len(text)))
    return [(start, end) for start, end in stretches if text[start:end].strip()]


def _may_answer(text: str, tokens: Sequence[Token], found: Found) -> bool:
    """Whether a stretch can be a value at all: not a question, not a sentence, not "I don't know"."""
    value = found.values[0]
    words = [token.word for token in tokenize(value)]
    if not words or len(words) > _MOST_ANSWER_WORDS or comparison_key(text) in _NON_ANSWERS:
        return False
    if comparison_key(value) in _NON_ANSWERS:
        return False
    asks = text.rstrip().endswith("?") and len(tokens) > 2
    return not asks and not (tokens[0].word in _QUESTION_OPENERS and len(tokens) > 1)


def _is_owned(tokens: Sequence[Token], position: int) -> bool:
    """Whether a word is somebody's: "my name is …" names a person."""
    return position > 0 and tokens[position - 1].word in _OWNERS


def _until_connective(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Stop a value before "in …", "for …", "with …", unless the value begins with it."""
    kept: list[Token] = []
    for index, token in enumerate(tokens):
        glued = index > 0 and not text[tokens[index - 1].end : token.start].isspace()
        if index > 0 and token.word in _CONNECTIVES and not glued and not text[token.start].isupper():
            break
        kept.append(token)
    return kept


def _as_typed(text: str, tokens: Sequence[Token], inside: Sequence[Token], limit: int, *, is_code: bool) -> Found:
    """The stretch of these words with the signs typed around them ("c++", "<b>"), but no quotes or full stop."""
    begin, end = _begin_of_chunk(text, inside[0].start), inside[-1].end
    if is_code:
        following = next((token.start for token in tokens if end <= token.start < limit), None)
        end = limit if following is None else _begin_of_chunk(text, following)
    while not is_code and end < limit and not text[end].isspace():
        end += 1
    value = text[begin:end].rstrip(" ,.")
    if value[:1] in _QUOTES:
        begin, value = begin + 1, value[1:]
    if value[-1:] in _QUOTES:
        value = value[:-1]
    return Found(begin, begin + len(value), (value,))


def _begin_of_chunk(text: str, start: int) -> int:
    """Where the signs typed right before a word begin, less what links it to another word: "<" in "name=<b>"."""
    begin = start
    while begin > 0 and not text[begin - 1].isspace() and not text[begin - 1].isalnum():
        begin -= 1
    if begin > 0 and text[begin - 1].isalnum():
        signs = text[begin:start]
        return start - len(signs.lstrip(_LINKING_SIGNS)) if signs[:1] in _LINKING_SIGNS else start
    return begin


def _is_code_like(text: str, token: Token, limit: int) -> bool:
    """Whether the chunk that a word stands in is code or markup, where punctuation ends no clause."""
    chunk = _CHUNK.match(text, _begin_of_chunk(text, token.start), limit)
    return chunk is not None and _CODE_LIKE.search(chunk.group().strip('"').rstrip(".,;!?:")) is not None


def _end_of_aside(text: str, start: int) -> int:
    """Where the bracket closes in which a position stands; the text's end when it stands in none."""
    for opening, closing in ("()", "[]"):
        if text.count(opening, 0, start) > text.count(closing, 0, start) and text.find(closing, start) > 0:
            return text.find(closing, start)
    return len(text)
