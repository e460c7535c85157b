"""What a text says to an open question or a shown plan without being an answer to it.

A refusal, a correction that names no value, a question back, or what has been said before. It owns no recogniser, so
that every recogniser is followed alike.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from bot.dialogue.phrases import NO, YES, bare
from bot.intent import Definition, Slot

_NOS = r"(?:no|nope|nah|nay|naw|nein|wrong|incorrect|wait)"
_CONTRADICTS = re.compile(
    rf"(?:(?:oh|um|uh|hmm|sorry|well|actually)[\s,.!]+)*{_NOS}\b[\s,.!:;…-]*(\S.*)", re.IGNORECASE
)
_DECLINING = frozenset(
    # refusing
    "no nope nah nay naw n nein non nee negative never not dont don't do cannot can't won't wouldn't refuse reject"
    " rejected decline declined deny denied cancel stop abort halt drop scrap forget discard delete skip leave withdraw"
    " nevermind mind nvm no-one longer more anymore now yet today later maybe hold on off wrong incorrect false 👎 ❌"
    # what is refused
    " it this that order orders create build place send submit go ahead proceed continue start want wish need bother"
    " account request think so i we i'd i'm me us would rather better had am is are was changed have my to the an a any"
    # courtesies
    " please pls thanks thank you thx very much sorry oh um uh hmm well ok okay actually just really way at all hell"
    " absolutely certainly definitely of course surely about everything then for".split()
)
_NEGATIVE = re.compile(
    r"\b(?:no|nope|nah|nay|naw|n|nein|non|nee|not|never|negative|dont|refuse|reject(?:ed)?|declined?|den(?:y|ied)|cancel"
    r"|stop|abort|halt|drop|scrap|forget|discard|delete|skip|leave|withdraw|nevermind|nvm|mind|later|hold|longer|wrong"
    r"|incorrect|false)\b|n't\b|[👎❌]",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"(?:(?:and|but|so|hmm+|um+|ok|okay|wait|sorry|oh|well)[\s,.!]+)*(?:"
    r"why(?: though| exactly| this| that| is (?:that|this|it)| (?:do|does|would|should|must|are|is|did|have)\b"
    r".*\b(?:need|needs|needed|want|wants|ask|asks|asking|asked|require[sd]?|necessary|know|matter|tell|give|say|answer)\b"
    r".*)?"
    r"|how come|what for|huh|(?:sorry,? )?what|pardon|come again|\?+"
    r"|(?:i (?:do not|don't|dont) know|i have no (?:idea|clue)|no (?:idea|clue)|not sure|i(?:'m| am) not sure)"
    r"(?: (?:yet|what (?:that|this|it) is|what you mean|what to (?:say|answer|put|give)))?"
    r"|(?:what(?:'s|s| is| are)|whats) (?:that|this|it|those|these)(?: (?:\w+ )?(?:for|about|good for))?"
    r"|what (?:do|does|would|will) (?:you|it|that|this|one) (?:need|want|use|do with) (?:that|this|it|my \S+|the \S+)?"
    r" ?(?:for)?"
    r"|what (?:do you|does (?:that|this|it)) mean(?: by (?:that|this|it))?"
    r"|(?:what(?:'s| is)) the (?:difference|point|purpose|reason)(?: .*)?"
    r"|(?:can|could) you explain(?: (?:that|this|it))?|please explain|explain"
    r"|i (?:do not|don't|dont) (?:understand|get it|get that)(?: (?:that|this|it|the question))?"
    r")[\s?.!]*",
    re.IGNORECASE,
)
_NO_KINDS = frozenset(
    "new aws amazon cloud another additional own separate second third fresh extra further single different root brand"
    " whole first last more my our your their his her this that the a an one some any bigger member service user team"
    " slack so right happen work go quick up sure email e-mail mail".split()
)
_OUTSIDE = re.compile(r"[\s.,;!?:“”\"']+")
_LEADING = re.compile(r"^(?:(?:i (?:said|mean|meant)|it's|it is|a|an|the|in|use|as|still|again)\s+)+")
_TRAILING = re.compile(r"(?:\s+(?:please|again|account|ou|one))+$")
_CLOSE = 0.85
_LONG_ENOUGH = 6


def declines(text: str) -> bool:
    """Tell whether a text says no more than no: "no", "no thanks", "don't do it"; not "no, make that …"."""
    plain = text.casefold().replace("\u2019", "'")
    words = [w for w in re.split(r"[^\w'👎❌-]+", plain) if w]
    if len(words) > 1 and re.search(r"\b(?:wrong|incorrect|false)\b", plain):
        return False  # something is to be put right
    return bool(words) and _NEGATIVE.search(plain) is not None and all(w.strip("-'") in _DECLINING for w in words)


def contradicts(text: str) -> bool:
    """Tell whether a text begins with a no and goes on: a correction, if only one knew of what."""
    found = _CONTRADICTS.fullmatch(text.strip())
    return found is not None and bool(re.search(r"\w", found[1]))


def asks_why(text: str) -> bool:
    """Tell whether a text asks back what the open question is for."""
    return _PURPOSE.fullmatch(text.strip().replace("\u2019", "'")) is not None


def unlisted(text: str, definition: Definition, known: Mapping[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """Return a listed slot and what a text names for it that is none of its values: "a gold account" → gold.

    It is found by the slot's own phrases, "a {AccountType} account", so it is up to the definition what counts.
    """
    listed = {w.casefold() for s in definition.slots for v in s.type.values for w in (v.value, *v.synonyms)}
    listed |= {value.casefold() for values in known.values() for value in values}
    for slot in definition.slots:
        if not (slot.type.values and slot.type.listed):
            continue
        for utterance in slot.utterances:
            pattern = _pattern_of(utterance, slot)
            for found in pattern.finditer(text) if pattern else ():
                word = found["value"].casefold()
                if word not in _NO_KINDS and not any(word in value or value in word for value in listed):
                    return slot.name, found["value"]
    return None


def _pattern_of(utterance: str, slot: Slot) -> re.Pattern[str] | None:
    before, placeholder, after = utterance.partition("{" + slot.name + "}")
    before, after = before.strip(), after.strip()
    if not placeholder or not before:
        return None
    if before in ("a", "an", "the"):
        if not after:
            return None
        opening = r"\b(?:an?|the|another|one|your?)(?: (?:new|aws|brand new))*"
    else:
        opening = rf"\b{re.escape(before)}".replace(r"\ it", r"\ (?:it|that|this)") + "(?: an?| the)?"
    closing = (
        rf" (?:aws )?{re.escape(after)}\b"
        if after
        else r"(?: account| one)?(?:[,\s]+(?:please|pls|thanks|instead))*[.!\s]*$"
    )
    return re.compile(rf"{opening} (?P<value>[^\W\d_][\w-]*){closing}", re.IGNORECASE)


def held(text: str, definition: Definition, values: Mapping[str, str], offered: tuple[str, ...] = ()) -> Slot | None:
    """Return the slot whose present value a whole text says again, a listed one also misspelt; None if it says more.

    What also names something that the open question offers, the last part of a path, is for that question to judge.
    """
    said = _TRAILING.sub("", _LEADING.sub("", text.casefold().strip(" .!?\"'“”,")))
    if _key(said) in {_key(value.rpartition("/")[2]) for value in offered}:
        return None
    for slot in definition.slots:
        value = values.get(slot.name, "").casefold()
        if not value or not said:
            continue
        if "@" in value:
            if said.removeprefix("mailto:") == value:
                return slot
            continue
        words = next(((v.value, *v.synonyms) for v in slot.type.values if v.value.casefold() == value), (value,))
        if _key(said) and _key(said) in map(_key, words):
            return slot
        if slot.type.values and slot.type.listed and _is_close(said, value):
            others = [v.value.casefold() for v in slot.type.values if v.value.casefold() != value]
            if not any(_is_close(said, other) for other in others):
                return slot
    return None


def misspelt(text: str, value: str, slot: Slot) -> str:
    """Return the single word of a text that was corrected to a slot's value; empty when the value was said."""
    said = _TRAILING.sub("", _LEADING.sub("", text.strip(" .!?\"'“”,")))
    spellings = [(v.value, *v.synonyms) for v in slot.type.values if v.value == value]
    words = [*(spellings[0] if spellings else ()), value, value.rpartition("/")[2]]
    if " " in said or "@" in said or any(_key(said) == _key(word) for word in words):
        return ""
    near = any(_is_close(said.casefold(), word.casefold()) for word in words)
    inflected = any(_key(said) == _key(word) + ending for word in words for ending in ("s", "es", "ing"))
    return said if near and not inflected else ""


def affirms(text: str) -> bool:
    """Tell whether a text is a plain yes, which is no value."""
    return bool(_spellings(text) & YES)


def refuses(text: str) -> bool:
    """Tell whether a text is a plain no, which is no value either."""
    return bool(_spellings(text) & NO)


def _spellings(text: str) -> set[str]:
    return {bare(text), " ".join(re.findall(r"[\w']+", text.casefold()))}


def _key(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _is_close(said: str, value: str) -> bool:
    if len(said) < _LONG_ENOUGH or not said.isalpha():
        return False
    return difflib.SequenceMatcher(None, said, value).ratio() >= _CLOSE
