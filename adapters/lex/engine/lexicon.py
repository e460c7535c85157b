"""English that every bot shares: contractions, words without content, and families of like meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final


def _written_out(pairs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {short: tuple(long.split()) for short, long in pairs.items()}


CONTRACTIONS: Final = _written_out(
    {
        "i'm": "i am", "im": "i am", "i'd": "i would", "id": "id", "i'll": "i will", "i've": "i have",
        "we're": "we are", "we'd": "we would", "we'll": "we will", "we've": "we have",
        "you're": "you are", "you'd": "you would", "you'll": "you will", "they're": "they are",
        "it's": "it is", "that's": "that is", "what's": "what is", "whats": "what is", "where's": "where is",
        "wheres": "where is", "how's": "how is", "hows": "how is", "who's": "who is", "there's": "there is",
        "here's": "here is", "let's": "let us", "lets": "let us",
        "don't": "do not", "dont": "do not", "doesn't": "does not", "doesnt": "does not", "didn't": "did not",
        "isn't": "is not", "isnt": "is not", "aren't": "are not", "wasn't": "was not", "won't": "will not",
        "can't": "can not", "cant": "can not", "cannot": "can not", "couldn't": "could not",
        "wouldn't": "would not", "shouldn't": "should not", "haven't": "have not", "hasn't": "has not",
        "gimme": "give me", "lemme": "let me", "wanna": "want to", "gonna": "going to", "gotta": "got to",
        "pls": "please", "plz": "please", "plse": "please", "thx": "thanks", "ty": "thanks", "u": "you",
        "ur": "your", "r": "are", "acct": "account", "acc": "account", "acount": "account", "req": "request",
        "reqs": "requests", "msg": "message", "info": "information", "asap": "soon", "2day": "today",
        "tmrw": "tomorrow", "thru": "through", "cuz": "because", "bc": "because", "hv": "have",
    }
)  # fmt: skip
"""Short forms people type, and what they stand for."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


FUNCTION_WORDS: Final = _words(
    "a an the this that these those some any each every",
    "i me my mine we us our ours you your yours he she it its they them their one",
    "am is are was were be been being do does did have has had will would shall should can could may",
    "might must",
    "and or but so if then than as of to in on at by for from with into onto about under over within",
    "up out off",
    "not no yes please thanks thank hi hello hey dear just really very also too now again here there",
    "what which who whom whose when where why how",
    "let going got get im id",
)
"""Words that carry grammar rather than subject; alone they say nothing about an intent."""

CARRIER_WORDS: Final = FUNCTION_WORDS | _words(
    "set want need like wish love hope give make know tell think try use using go going look looking",
    "would could kindly maybe perhaps actually soon today still yet guys team folks bot buddy mate sir",
)
"""Function words and the verbs of asking: they wrap a request without naming it."""

FILLERS: Final = _words(
    "a an the it its it's is this that to of be as um uh erm hmm well so ok okay please pls thanks",
    "thank you thx",
    "just then should would could will shall i i'd id i'll we we'd like want prefer use take choose",
    "pick go with",
    "make set put have let let's lets me us my our for and hi hello hey sure answer value guess think",
    "yes yeah",
    "actually rather instead sorry wait no mean meant change switch update correct correction really maybe",
)
"""Words that may surround a slot value in an answer without changing it."""

CORRECTION_CUES: Final = _words(
    "no nope actually instead rather sorry wait change switch correct correction make meant mean",
    "update oops scratch",
    "replace not should use",
)
"""Words by which people announce that they are putting something right."""


def _families(*lines: str) -> dict[str, str]:
    families: dict[str, str] = {}
    for line in lines:
        words: Iterable[str] = line.split()
        head, *others = words
        for word in (head, *others):
            families[word] = head
    return families


FAMILIES: Final = _families(
    "create make open provision order vend spin build setup establish raise launch generate obtain get give need want",
    "new another additional extra fresh more",
    "cancel abort withdraw revoke retract scrap drop undo stop discard kill",
    "show list display view see print",
    "status state progress happening stand stands update going ready done",
    "delete remove close terminate destroy erase decommission",
    "help assist support guide explain commands capabilities abilities instructions",
    "request requests orders",
    "account accounts acct acc subscription",
    "problem problems issue issues trouble broken wrong error errors fail failed fails failing",
    "email mail e-mail mailbox address",
    "deploy release rollout ship push promote",
    "start begin run execute trigger",
)
"""Words that mean much the same when asking a service for something, by the family's first word."""
