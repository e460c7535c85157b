"""What a sentence asks to be done: ending, moving, blocking … as against the acts that an intent was taught.

Words alone mislead: "close my account" is nearly "open a new account". An intent that makes something new, and
asks for confirmation, is not entered by a sentence that asks for something else to be done to what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from typing import Final

from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES

NEGATED: Final = "not "
"""Begins the names of acts that are refused rather than asked for."""
_FOREMOST_END: Final = "foremost end"
"""The act of a sentence that begins with ending something."""


def _acts(lines: dict[str, str]) -> dict[str, str]:
    return {word: act for act, words in lines.items() for word in words.split()}


_ANYWHERE: Final = _acts(
    {
        "end": "cancel close closing delete deleting remove removing terminate terminating destroy erase purge wipe"
        " nuke kill withdraw revoke retract abort decommission deprovision retire offboard deactivate dispose discard"
        " scrap unsubscribe suspend suspending closure deletion removal termination",
        "trouble": "hacked stolen compromised broken locked blocked hijacked leaked crashed frozen lost"
        " forgot forgotten",
    }
)
"""Acts whose words give them away wherever they stand."""

_LEADING: Final = _acts(
    {
        "move": "move transfer migrate relocate",
        "change": "change update modify edit rename relabel upgrade downgrade convert resize",
        "block": "lock unlock block unblock freeze unfreeze reset disable enable restore recover reactivate reopen",
        "repair": "fix repair restart reboot debug patch investigate troubleshoot",
        "deploy": "deploy redeploy release rollback promote",
        "grant": "grant invite assign add attach connect log login sign approve authorize authorise",
        "size": "raise increase reduce extend shrink",
        "show": "list show display count compare export print who why whose",
        "drop": "stop drop",
    }
)
"""Acts told by the first word that says anything: elsewhere these words are often something else."""

_PHRASES: Final = {
    "shut down": "end",
    "tear down": "end",
    "take down": "end",
    "get rid": "end",
    "getting rid": "end",
    "throw away": "end",
    "turn off": "end",
    "switch off": "end",
    "how many": "show",
    "how much": "show",
    "how long": "show",
    "how often": "show",
    "what is a": "define",
    "what is an": "define",
    "what does": "define",
    "meaning of": "define",
    "access to": "grant",
    "admin in": "grant",
    "admin on": "grant",
    "admin rights": "grant",
}
_NEGATIONS: Final = frozenset({"not", "never", "longer"})
_STATE_VERBS: Final = frozenset("is are was were has have did does".split())
_DETERMINERS: Final = frozenset("the my our your this that these those any".split())
"""Together they ask how something stands: "is the database down"."""
_REACH: Final = 3
_PLACES: Final = frozenset("in on into to inside within from of under".split())
_PREPOSITIONS: Final = _PLACES | frozenset("for with by at and or that which so because called named".split())
_MAKING: Final = frozenset("create provision vend setup spin establish generate launch open order".split())
_FOREIGN: Final = 0.3
_FOREMOST: Final = 0.5
BESIDE: Final = frozenset({"new", "create"})
"""Families of words that stand beside what is wished for and name nothing."""
_WISHING: Final = frozenset(word for word, head in FAMILIES.items() if head == "create")


def acts_of(words: Sequence[str]) -> frozenset[str]:
    """The acts a sentence asks for; "not end" and "not create" for those it asks to be left undone."""
    acts: set[str] = set()
    for position, word in enumerate(words):
        pair, three = words[position : position + 2], words[position : position + 3]
        act = _ANYWHERE.get(word) or _PHRASES.get(" ".join(pair)) or _PHRASES.get(" ".join(three))
        if act is not None:
            acts.add(NEGATED + act if _is_negated(words, position) else act)
    if words[:1] and words[0] in _STATE_VERBS and words[1:2] and words[1] in _DETERMINERS:
        acts.add("show")
    leading = next((word for word in words if word not in CARRIER_WORDS or word in _LEADING), "")
    if leading in _LEADING:
        acts.add(_LEADING[leading])
    if _ANYWHERE.get(leading) == "end" and "end" in acts:
        acts.add(_FOREMOST_END)
    wishes = [
        _is_negated(words, position)
        for position, word in enumerate(words)
        if word in _WISHING and not _only_places(words, position)
    ]
    if wishes and all(wishes):
        acts.add(NEGATED + "create")
    return frozenset(acts)


def taught_acts(samples: Iterable[Sequence[str]]) -> frozenset[str]:
    """The acts of an intent's own samples."""
    return frozenset(act for words in samples for act in acts_of(words))


def makes_something(samples: Iterable[Sequence[str]]) -> bool:
    """Whether an intent's own samples speak of making something new."""
    return any(word in _MAKING for words in samples for word in words)


def share_left(acts: Set[str], taught: Set[str], *, makes: bool) -> float:
    """What is left of the confidence in an intent when a sentence asks for these acts.

    Intents that `makes` something are hardly entered by any act they were not taught; others lose much by what
    is refused ("don't cancel …"), and something by a sentence that begins with ending something.
    """
    foreign = {act for act in acts - {_FOREMOST_END} if act not in taught}
    if any(makes or act.startswith(NEGATED) for act in foreign):
        return _FOREIGN
    is_foremost = "block" in foreign or (_FOREMOST_END in acts and "end" in foreign)
    return _FOREMOST if is_foremost else 1.0


def wants_elsewhere(words: Sequence[str], is_known: Callable[[str], bool]) -> bool:
    """Whether what is wished for is strange and the bot's own words only say where: "create a vpc in the …"."""
    verdicts: list[bool] = []
    for position, word in enumerate(words):
        if word not in _WISHING:
            continue
        wished, end = _wished(words, position + 1)
        if wished:
            strange = not any(is_known(other) for other in wished)
            verdicts.append(strange and end < len(words) and words[end] in _PLACES)
    return bool(verdicts) and all(verdicts)


def _wished(words: Sequence[str], start: int) -> tuple[list[str], int]:
    """The telling words from `start` up to the next preposition or wish, and where they end."""
    end = start
    while end < len(words) and words[end] not in _PREPOSITIONS and words[end] not in _WISHING:
        end += 1
    return [word for word in words[start:end] if word not in CARRIER_WORDS and FAMILIES.get(word) not in BESIDE], end


def _only_places(words: Sequence[str], position: int) -> bool:
    """Whether a wish only says where: "want it in …"."""
    return words[position + 1 : position + 2] == ["it"] and bool(_PLACES & set(words[position + 2 : position + 3]))


def _is_negated(words: Sequence[str], position: int) -> bool:
    return bool(_NEGATIONS & set(words[max(0, position - _REACH) : position]))
