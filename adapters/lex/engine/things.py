"""Sentences that ask for some other thing: "I need a prod db" is no wish for whatever a bot calls prod.

A slot's value beside a wish looks much like an order. What decides is the thing wished for, the last word of its
phrase: well-known things that a bot was not taught are not what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adapters.lex.engine.acts import BESIDE
from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES


def _things(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_THINGS: Final = _things(
    # of the office
    "laptop notebook macbook computer desktop pc phone smartphone iphone tablet ipad monitor screen",
    "keyboard mouse headset headphones webcam camera charger cable printer scanner desk chair room office",
    "seat locker badge parking car bike taxi flight train hotel visa ticket appointment meeting vacation",
    "holiday raise salary haircut coffee pizza lunch beer license licence book pen mug",
    # of the cloud
    "db database rds postgres postgresql mysql mongodb dynamodb redis aurora redshift server vm ec2",
    "bucket s3 cluster kubernetes eks container pod lambda vpc subnet nat gateway firewall vpn",
    "loadbalancer queue kafka topic volume disk backup snapshot certificate cert dns website webpage wiki",
    "repository repo branch dashboard chatbot",
)
_WISHES: Final = frozenset(word for word, head in FAMILIES.items() if head == "create") | frozenset(
    "like have request requesting require requires buy wish book".split()
)
_OWN: Final = frozenset("my our".split())
_JOINING: Final = frozenset("and or plus".split())
_ENDING: Final = frozenset(
    "in on into to inside within from of under for with by at that which so because called named where who when".split()
)


def without_purpose(words: Sequence[str], is_known: Callable[[str], bool]) -> Sequence[str]:
    """The words less what something is for, when that is at their end and strange: "a sandbox for my cluster"."""
    at = next((at for at in range(len(words) - 1, 0, -1) if words[at] == "for"), 0)
    told = [word for word in words[at + 1 :] if word not in CARRIER_WORDS]
    is_owned = words[at + 1 : at + 2] and words[at + 1] in _OWN
    return words[:at] if at and told and is_owned and not any(map(is_known, told)) else words


def wants_other_things(words: Sequence[str], is_taught: Callable[[str], bool]) -> bool:
    """Whether all that is wished for are well-known things of which the bot was taught nothing."""
    wished = [list(_heads(words, at + 1)) for at, word in enumerate(words) if word in _WISHES]
    return any(wished) and all(_is_thing(head, is_taught) for heads in wished for head in heads)


def _is_thing(head: str, is_taught: Callable[[str], bool]) -> bool:
    spellings = {head, head.removesuffix("s")}
    return bool(spellings & _THINGS) and not any(is_taught(spelling) for spelling in spellings)


def _heads(words: Sequence[str], start: int) -> Iterator[str]:
    """The last telling word of each phrase that a wish is about: "a new laptop and a prod db" → laptop, db."""
    head = ""
    for word in words[start:]:
        if word in _ENDING or word in _WISHES:
            break
        if word in _JOINING:
            if head:
                yield head
            head = ""
        elif word not in CARRIER_WORDS and FAMILIES.get(word) not in BESIDE:
            head = word
    if head:
        yield head
