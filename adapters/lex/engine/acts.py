"""What a sentence asks to be done: ending, moving, blocking … as against the acts that an intent was taught.

Words alone mislead: "close my account" is nearly "open a new account". An intent that asks for confirmation
changes the world, so it is not entered by a sentence whose act none of its own samples has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final

from adapters.lex.engine.lexicon import CARRIER_WORDS, FAMILIES

NEGATED: Final = "not "
"""Begins the names of acts that are refused rather than asked for."""


def _acts(lines: dict[str, str]) -> dict[str, str]:
    return {word: act for act, words in lines.items() for word in words.split()}


_ANYWHERE: Final = _acts(
    {
        "end": "cancel close closing delete deleting remove removing terminate terminating destroy erase purge wipe"
        " nuke kill withdraw revoke retract abort decommission deprovision retire offboard deactivate dispose discard"
        " scrap unsubscribe suspend suspending closure deletion removal termination",
        "trouble": "hacked stolen compromised broken locked blocked hijacked leaked crashed frozen",
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
        "show": "list show display count find search compare export print who why when whose",
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
}
_NEGATIONS: Final = frozenset({"not", "never", "longer"})
_REACH: Final = 3
_WISHING: Final = frozenset(word for word, head in FAMILIES.items() if head == "create")


def acts_of(words: Sequence[str]) -> frozenset[str]:
    """The acts a sentence asks for; "not end" and "not create" for those it asks to be left undone."""
    acts: set[str] = set()
    for position, word in enumerate(words):
        act = _ANYWHERE.get(word) or _PHRASES.get(" ".join(words[position : position + 2]))
        if act is not None:
            acts.add(NEGATED + act if _is_negated(words, position) else act)
    leading = next((word for word in words if word not in CARRIER_WORDS or word in _LEADING), "")
    if leading in _LEADING:
        acts.add(_LEADING[leading])
    wishes = [_is_negated(words, position) for position, word in enumerate(words) if word in _WISHING]
    if wishes and all(wishes):
        acts.add(NEGATED + "create")
    return frozenset(acts)


def taught_acts(samples: Iterable[Sequence[str]]) -> frozenset[str]:
    """The acts of an intent's own samples."""
    return frozenset(act for words in samples for act in acts_of(words))


def is_foreign(acts: Set[str], taught: Set[str], *, changes_something: bool) -> bool:
    """Whether a sentence asks for what an intent does not do; of mere questions only what is refused counts."""
    return any(act not in taught and (changes_something or act.startswith(NEGATED)) for act in acts)


def _is_negated(words: Sequence[str], position: int) -> bool:
    return bool(_NEGATIONS & set(words[max(0, position - _REACH) : position]))
