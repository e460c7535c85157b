"""Leaving a form in a sentence: "cancel this order please", "I don't want an account any more".

Short stop words are `STOP_WORDS`; this reads the longer ones. It owns no recogniser, so that every recogniser
lets people out of a form alike. A sentence that says anything else ("forget Demos, use Experiment") is none.
"""

from __future__ import annotations

import re

_OPENING = (
    r"(?:(?:please|pls|ok|okay|oh|no thanks|no thank you|no|nope|nah|sorry|actually|well|hmm+|um+|uh|so|and|wait|hey"
    r"|you know what)"
    r"[\s,.!…-]+)*"
)
_STOPPING = (
    r"(?:(?:let(?:'s| us) |just |can you |could you |i (?:want|need|would like|'d like) to |i(?:'d| would) rather )*"
    r"(?:cancel|stop|abort|quit|drop|scrap|scratch|forget(?: about)?|leave|discard|never ?mind|nvm|call off|end|exit))"
)
_CHANGED_MIND = (
    r"(?:(?:i(?:'ve| have)? )?changed my mind|i give up|(?:i am|i'm|we are|we're) (?:not|no longer) interested)"
)
_UNWANTED = r"(?:i|we)(?: really| just)? (?:(?:do not|don't|dont) (?:want|need)|no longer (?:want|need))"
_OBJECT = (
    r"(?: (?:about|off|out|with|of))?"
    r"(?: (?:it|this|that|everything|all|(?:(?:the|this|that|my|our|an|any|a|whole|entire|new)\s+)*"
    r"(?:account|order|thing|form|process|conversation|one|questions|lot)))?(?: order| thing| now)?"
)
_CLOSING = (
    r"(?:[\s,.!…-]+(?:please|pls|thanks|thank you|thx|now|then|for now|for today|at all|again|any ?more|any longer"
    r"|altogether|after all|sorry|bye|(?:maybe )?(?:later|tomorrow|another time)|anyway|here|mission"
    r"|i(?:'ve| have)? changed my mind"
    r"|i(?:'ll| will) (?:do|try|come back|ask|order)\b[^,;?]*"
    r"|i (?:do not|don't|dont) (?:want|need) (?:it|this|that|an account)(?: any ?more| any longer| now)?))*[\s.!…]*"
)
_DROPPING = rf"(?:{_STOPPING}{_OBJECT}|{_CHANGED_MIND}|{_UNWANTED}{_OBJECT})"
_ABANDONS = re.compile(rf"{_OPENING}{_DROPPING}(?:[\s,.!…-]+{_OPENING}{_DROPPING}){{0,2}}{_CLOSING}", re.IGNORECASE)
_LONGEST = 160


def abandons(text: str) -> bool:
    """Tell whether a whole text says no more than that the form under way is to be dropped."""
    plain = text.strip().replace("\u2019", "'")
    return len(plain) <= _LONGEST and _ABANDONS.fullmatch(plain) is not None
