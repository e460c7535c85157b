"""Yes and no in the many words people use for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final

from adapters.lex.engine.text import plain_words


class Answer(Enum):
    """What a text says to a yes-or-no question."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer and the words it leaves unexplained."""

    answer: Answer
    rest: tuple[str, ...] = ()


def _phrases(*lines: str) -> dict[tuple[str, ...], None]:
    return {tuple(phrase.split()): None for line in lines for phrase in line.split("|")}


_YES: Final = _phrases(
    "yes|y|yep|yeah|yea|ya|yup|yah|yas|yess|yesss|aye|si|oui|ja|jawohl|da|ok|okay|okey|k|kk|okie|okey dokey",
    "alright|all right|sure|sure thing|for sure|certainly|definitely|absolutely|of course|indeed",
    "naturally|by all means|totally|go|go ahead|go on|go for it|proceed|continue|carry on|please do",
    "do it|do that|do so|do this|just do it|let us do it|let us go|make it so|make it happen|ship it",
    "create it|order it|build it|place it|place the order|send it|submit|submit it|run it|start it",
    "approve|approved|approve it|confirm|confirmed|i confirm|confirm it|agreed|i agree|accept|accepted",
    "i accept|correct|that is correct|right|that is right|exactly|precisely|true|affirmative|roger",
    "granted|sounds good|sounds great|sounds right|looks good|looks great|looks right|looks correct",
    "looks fine|lgtm|good to go|fine|that is fine|it is fine|fine by me|fine with me|works for me",
    "that works|good|great|perfect|excellent|cool|i do|it is|you may|you can|please|yes please|positive",
    "10 4|hit it|fire away|why not|no problem|no objection|no objections|no worries|not a problem",
    "i am sure|we are good|all good|thumbs up|please go ahead|i would like that|i want that|i want it",
    "that is what i want|engage|do",
)
_PRAISE: Final = "good great right correct fine perfect ok okay alright awesome excellent brilliant wonderful".split()
_PRAISED: Final = ("sounds", "looks", "seems", "all", "that is", "this is", "it is")
_YES.update(
    _phrases(
        *(f"{praised} {praise}" for praised in _PRAISED for praise in _PRAISE),
        "exactly what i need|that is what i need|what i need|what i want|what i wanted|exactly what i wanted",
        "awesome|brilliant|wonderful|done deal|let us do this|let us go for it|bring it on|yes sir",
    )
)
_NO: Final = _phrases(
    "absolutely not|certainly not|definitely not|of course not|surely not|i do not think so|i think not",
    "not ok|not okay|not good|not fine",
    "no|n|nope|nah|nay|naw|noo|nooo|no way|no thanks|no thank you|nein|non|nee|negative|never|no go",
    "hell no|not at all|not|not now|not yet|not today|not really|not this time|not correct|not right",
    "incorrect|wrong|that is wrong|false|do not|please do not|do not do it|do not do that",
    "do not create it|do not order it|do not proceed|do not want|i do not|i do not want that",
    "i do not want to|i would rather not|rather not|i refuse|refuse|decline|declined|reject|rejected",
    "deny|denied|cancel|cancel it|cancel that|cancel this|abort|abort it|stop|stop it|stop that|halt",
    "delete it|remove it|discard it|delete that",
    "better not|best not|i better not|i had better not|not any more|no more|call it off|leave it be",
    "hold on|hold off|forget it|forget that|forget about it|never mind|nevermind|nvm|scrap it",
    "scrap that|drop it|leave it|skip it|changed my mind|i changed my mind|i have changed my mind",
    "no longer|not anymore|is not|it is not|that is not right|that is not correct|please stop|later",
    "maybe later|not sure|i am not sure|thumbs down|wait no|can not|must not|should not|would not",
    "will not",
)
_COURTESY: Final = frozenset(
    "please thanks thank you thx very much so well um uh hmm oh ah eh hey hi hello dear bot then now"
    " just that this it a lot the all is i am we you to me for my sir madam mate buddy friend cheers"
    " kindly lovely really quite pretty totally absolutely and".split()
)
_RESERVATIONS: Final = frozenset(
    "but wait except however unless if when until till after before first later tomorrow tonight"
    " instead rather although though only maybe perhaps hold not change wrong different other else"
    " once provided should could why what which how who where question ask".split()
)
_YES_SIGNS: Final = (
    *"\U0001f44d \u2705 \u2714 \U0001f44c \U0001f197 \U0001f64f \U0001f680".split(),
    *"+1 :+1: :thumbsup: :white_check_mark: :heavy_check_mark: :ok_hand:".split(),
)
_NO_SIGNS: Final = (
    *"\U0001f44e \u274c \u26d4 \U0001f6ab \u2716 \U0001f645".split(),
    *"-1 :-1: :thumbsdown: :x: :no_entry:".split(),
)
_LONGEST_PHRASE: Final = max(len(phrase) for phrase in (*_YES, *_NO))
_QUESTION_OPENERS: Final = frozenset("is are does did was were will would could can should shall may".split())
_NAME: Final = re.compile(r"[^\W_]+(?:[-._@/+:][^\W_]+)+")
_LETTERS: Final = frozenset({"y", "n", "k"})
"""Answers only where nothing but courtesy stands beside them."""
_NEGATIONS: Final = frozenset({"not", "never"})


def read_answer(text: str, expected_words: Iterable[str] = ()) -> Reading:
    """Read a yes or a no out of a cleaned text.

    `expected_words` are words that may accompany a yes without weakening it (those of the question asked).
    A yes with anything else around it, or with a reservation ("yes, but …"), is unclear: consent is never
    guessed. A no needs no such care.
    """
    signed = _read_signs(text)
    if signed is not None:
        return Reading(signed)
    expected = frozenset(expected_words)
    words = plain_words(_with_names_whole(re.sub(r"([^\W\d])\1{2,}", r"\1", text), expected))
    found, rest = _consume(words)
    has_more = not _COURTESY.issuperset(rest)
    told = set(words) - set(rest) - _COURTESY
    if not found or (has_more and (told & _LETTERS or told <= expected)):  # a name, rather, or a part of one
        return Reading(Answer.UNCLEAR, tuple(rest))
    harmless = _COURTESY | expected
    reserved = any(word in _RESERVATIONS for word in rest)
    unexplained = tuple(word for word in rest if word not in harmless or word in _RESERVATIONS)
    if all(answer is Answer.YES for answer in found):
        if reserved or unexplained or _asks(text, words):
            return Reading(Answer.UNCLEAR, unexplained)
        return Reading(Answer.YES)
    if all(answer is Answer.NO for answer in found):
        leads = _leads_with_no(words)
        return Reading(Answer.NO if leads or not unexplained else Answer.UNCLEAR, unexplained)
    return _read_mixed(words, found, unexplained)


def _with_names_whole(text: str, expected: frozenset[str]) -> str:
    """Return the text with each name of several parts as one word, so that no part is read by itself.

    The "y" of "team-y" is no yes. Names that the question mentions are left out, as its words are; what is yes or no
    in all its parts ("yes-please") is no name.
    """

    def whole(match: re.Match[str]) -> str:
        parts = plain_words(match.group())
        if _COURTESY.issuperset(_consume(parts)[1]):
            return match.group()
        return " " if expected.issuperset(parts) else "".join(parts)

    return _NAME.sub(whole, text)


def _read_mixed(words: list[str], found: list[Answer], unexplained: tuple[str, ...]) -> Reading:
    """Both were said: the last word counts when it takes the first back, else neither does."""
    takes_back = bool({"wait", "sorry", "actually", "mean", "meant"} & set(words))
    if takes_back and found[-1] is Answer.NO:
        return Reading(Answer.NO, unexplained)
    if found[0] is Answer.NO and Answer.YES not in found[:1] and words[:1] == ["no"] and found[-1] is Answer.NO:
        return Reading(Answer.NO, unexplained)
    leftovers = tuple(word for word in unexplained if word not in {"wait", "sorry", "actually", "mean", "meant"})
    if takes_back and found[-1] is Answer.YES and not leftovers:
        return Reading(Answer.YES)
    return Reading(Answer.UNCLEAR, unexplained)


def _asks(text: str, words: list[str]) -> bool:
    """Whether yes-words stand in a question ("is it good", "ok?"); "why not?" is an answer."""
    if ("why", "not") in set(pairwise(words)):
        return False
    return text.rstrip().endswith("?") or (len(words) > 1 and words[0] in _QUESTION_OPENERS)


def _leads_with_no(words: list[str]) -> bool:
    meaningful = [word for word in words if word not in {"oh", "um", "uh", "well", "hmm", "please", "ah", "actually"}]
    return any(tuple(meaningful[:length]) in _NO for length in range(1, _LONGEST_PHRASE + 1))


def _read_signs(text: str) -> Answer | None:
    yes = any(sign in text.split() or (not sign.isascii() and sign in text) for sign in _YES_SIGNS)
    no = any(sign in text.split() or (not sign.isascii() and sign in text) for sign in _NO_SIGNS)
    bare = text
    for sign in (*_YES_SIGNS, *_NO_SIGNS):
        bare = bare.replace(sign, " ")
    if yes == no or plain_words(bare):
        return None
    return Answer.YES if yes else Answer.NO


def _consume(words: list[str]) -> tuple[list[Answer], list[str]]:
    """Take out the longest known phrases from left to right; what is negated counts as no."""
    found: list[Answer] = []
    rest: list[str] = []
    position = 0
    while position < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - position), 0, -1):
            phrase = tuple(words[position : position + length])
            if phrase in _NO:
                found.append(Answer.NO)
            elif phrase in _YES:
                negated = position > 0 and words[position - 1] in _NEGATIONS
                found.append(Answer.NO if negated else Answer.YES)
            else:
                continue
            position += length
            break
        else:
            rest.append(words[position])
            position += 1
    if _only_please(found, words):
        found = []
    return found, rest


def _only_please(found: list[Answer], words: list[str]) -> bool:
    """A lone "please" among other words is courtesy, not consent."""
    return found == [Answer.YES] and "please" in words and len(words) > 1 and not _yes_without_please(words)


def _yes_without_please(words: list[str]) -> bool:
    others = [word for word in words if word != "please"]
    for start in range(len(others)):
        for length in range(1, _LONGEST_PHRASE + 1):
            if tuple(others[start : start + length]) in _YES:
                return True
    return tuple(words[:2]) == ("please", "do")
