"""Whether a sentence is plainly the command that it was recognised as.

Recognisers tell what a sentence is about, hardly whether it asks for it: "why was qm-7k3m9qxa cancelled?", "don't pause
anything" and "cancel qm-7k3m9qxa" sound alike to them. What acts at once is done only when it is said outright.
"""

from __future__ import annotations

import difflib
import re

from bot.intent import Definition

_REASON = re.compile(r"\b(?:because|since)\b.*", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"[^\W_][\w'-]*")
_NO_NEED = re.compile(
    r"\b(?:do not|don't|dont|no longer|not|isn't|is not)(?: \w+ly)? (?:need|want|require)(?:ed)?\b"
    r"(?:(?: (?:it|this|that|one|them|the|my|request|account|order|[\w-]*\d[\w-]*))*(?: any ?more| any longer| now)?)"
    r"(?=\s*(?:$|[.,;!:–-]|(?:and|so|then|please)\b))"
)
"""What says that something is not needed: no refusal of the command, but its reason."""
_POLITE = re.compile(r"^(?:(?:hey|hi|hello|okay|ok|so|and|please)[\s,]+)*(?:can|could|would|will) you\b(?! not\b)")
_REFUSES = re.compile(r"\b(?:not|never|dont|cannot|without|nobody|avoid|stop \w+ing)\b|n't\b")
_ASKS = re.compile(
    r"\b(?:what|who|whom|whose|why|how|which|whether|wonder\w*|should|shall|may|might|must i|must we|can i|can we"
    r"|could i|could we|can any\w+|until|before|after)\b"
    r"|^(?:\W*(?:hey|hi|hello|ok|okay|so|and|but|well|bot|sorry)\b)*\W*"
    r"(?:is|are|am|was|were|has|have|had|did|does|do|when|where|if)\b"
)
_COURTEOUS = re.compile(r"^(?:(?:hey|hi|hello|okay|ok|so|and|please|wait|first)\b[\s,]*)+")
_ARTICLES = frozenset("i we the a an all no nobody my our".split())
_DEPENDS = re.compile(r"\b(?:if|unless|in case|as soon as|once|after|tomorrow|tonight|later|next week|when)\b")
_INFLECTED = ("ed", "ing", "s", "en", "n", "d")
_CLOSE = 0.8
_LONG_ENOUGH = 5


def commands(text: str, definition: Definition) -> bool:
    """Tell whether a text says outright to do what acts at once.

    It has to hold a verb that one of the utterances begins with, or say that something is no longer needed where
    that is an utterance. A question (other than "could you ..."), a refusal and a condition are no commands.
    """
    plain = _REASON.sub("", text.casefold().replace("\u2019", "'")).strip()
    asks = text.rstrip(" .!").endswith("?")
    needless = _NO_NEED.search(plain)
    if needless:
        plain = plain.replace(needless[0], " ")
    polite = _POLITE.match(plain)
    if polite:
        plain = plain[polite.end() :]
    begins = _begin_of_verb(plain, definition)
    if begins is None:
        is_said = needless is not None and any("no longer need" in utterance for utterance in definition.utterances)
        begins = len(plain)
    else:
        is_said = True
    before = plain[:begins]
    is_doubtful = (asks and not polite) or _REFUSES.search(before) or _ASKS.search(before) or _DEPENDS.search(plain)
    return is_said and not is_doubtful


def asks_or_begins(text: str, definition: Definition) -> bool:
    """Tell whether a text asks, or begins as one of the utterances does: then it is no statement about the world."""
    plain = text.casefold().replace("\u2019", "'").strip()
    if plain.rstrip(" .!").endswith("?") or _POLITE.match(plain):
        return True
    said = _WORD.search(_COURTEOUS.sub("", plain))
    begins = {words[0] for u in definition.utterances if (words := u.casefold().removeprefix("please ").split())}
    return said is not None and said[0] in begins - _ARTICLES


def _begin_of_verb(plain: str, definition: Definition) -> int | None:
    """Return where the first verb stands that an utterance begins with, also misspelt but not inflected."""
    verbs = {words[0] for u in definition.utterances if (words := u.casefold().removeprefix("please ").split())} - {"i"}
    for word in _WORD.finditer(plain):
        said = word[0]
        if said in verbs:
            return word.start()
        may_be_misspelt = len(said) >= _LONG_ENOUGH and not said.endswith(_INFLECTED) and not said.startswith("qm-")
        if may_be_misspelt and difflib.get_close_matches(said, verbs, n=1, cutoff=_CLOSE):
            return word.start()
    return None
