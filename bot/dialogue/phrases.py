"""Words with a meaning of their own in any conversation, whatever the recogniser makes of them."""

from __future__ import annotations

import re

from bot.activity import STOP_WORDS
from bot.errors import CloudError, Refused
from bot.recognizer import Turn

CONTINUE = frozenset("continue|resume|go on|carry on|where were we|pick up where we left|back to it".split("|"))
ANEW = frozenset("start over|start again|begin again|begin anew|restart|from the beginning|reset".split("|"))
KEEP = frozenset("keep|keep it|keep that|keep this|keep the old one|keep what you have|leave it as it is".split("|"))
SKIP = frozenset("skip|skip it|none|no|leave it to you|whatever|any|you choose|no name".split("|"))
YES = frozenset(
    "yes|y|yep|yeah|yup|ok|okay|sure|sure thing|absolutely|definitely|certainly|of course|go ahead|go for it|do it|"
    "yes do it|yes go ahead|yeah go for it|yeah go ahead|yeah sure|yes sure|ok go ahead|sounds good".split("|")
)
NO = frozenset("no|n|nope|nah|no way|not yet|not now|no thanks|no thank you|absolutely not|rather not".split("|"))
YES_OR_NO = YES | NO
_THANKS = "thanks|thank you|thx|ty|cheers|many thanks|great|perfect|awesome|wonderful|bye|goodbye|see you".split("|")
_BESIDES = "|a lot|very much|so much|again|mate|all|bye|goodbye|for your help|thanks|thank you|thx".split("|")
THANKS = frozenset(f"{thanking} {besides}".strip() for thanking in _THANKS for besides in _BESIDES)
SENTENCE = 4
"""Words from which on a text can be a request of its own rather than a wrong answer."""
SURE = 0.75
"""Confidence from which another intent may interrupt a form: leaving one takes more than a guess."""
_COURTESY = re.compile(
    r"^(?:please|ok|okay|oh|no|sorry|actually|well)[ ,]+|[ ,]+(?:please|thanks|thank you|sorry|then)$"
)
SLACK_MAILTO = re.compile(r"<mailto:([^|>\s]+)(?:\|[^>]*)?>")


def bare(text: str) -> str:
    """Return a text folded and without courtesies around it: “Never mind, thanks!” is a plain “never mind”."""
    words = text.casefold().strip(" .!")
    while (shorter := _COURTESY.sub("", words).strip(" .!,")) not in ("", words):
        words = shorter
    return words


def is_yes_or_no(text: str, words: str) -> bool:
    """Tell whether a text agrees or declines and says nothing else; `words` are its `bare` ones."""
    return bool({words, text.casefold().strip(" .!").replace(",", "")} & YES_OR_NO)


def is_thanks(words: str) -> bool:
    """Tell whether a text, folded and without courtesies, thanks or takes leave and says nothing else."""
    return words.replace(",", "").replace("!", "") in THANKS


def is_small_talk(text: str, words: str) -> bool:
    """Tell whether a text means nothing to who was asked nothing: no words, a yes, thanks, or a stop."""
    return not text or words in STOP_WORDS or is_thanks(words) or is_yes_or_no(text, words)


def is_sure(understood: Turn) -> bool:
    """Tell whether something was understood, and well enough to interrupt a form; Lex may leave scores out."""
    return not understood.is_fallback and (understood.confidence >= SURE or understood.confidence == 0)


def aws_silence(is_kept: bool, *, may_have_acted: bool) -> str:
    """Return what a person is told when AWS has been waited for too long."""
    became = "It may have been done all the same: ask how it stands before you repeat it." if may_have_acted else ""
    placed = became or f"No request was placed.{_how_to_go_on(is_kept)}"
    return f"AWS takes too long to answer, so I have stopped waiting. {placed}"


def _how_to_go_on(is_kept: bool) -> str:
    return " I have kept what you told me; say “continue” to try again." if is_kept else " Try again in a moment."


def aws_trouble(error: CloudError, is_kept: bool, *, is_operator: bool) -> str:
    """Return what a person is told when AWS fails in a conversation: no ARN, no jargon, and what to do.

    Operators are told of a permission that is missing: they can give it.
    """
    kept = _how_to_go_on(is_kept)
    reference = f" (AWS request {error.request_id})" if error.request_id else ""
    if error.retryable:
        return f"AWS is too busy or does not answer ({error.operation}: {error.code}). Nothing was placed.{kept}"
    if is_operator and error.missing_permission:
        return (
            f"AWS refused {error.operation}: my role lacks the permission {error.missing_permission}, so I can't plan "
            f"this. Nothing was placed. Add it as docs/aws.md says; “python -m bot doctor” prints the statement.{kept}"
        )
    return (
        f"AWS refused {error.operation} with {error.code}, so I can't plan this. Nothing was placed. "
        f"Please tell your platform team{reference}.{kept}"
    )


WHY = frozenset("why|why not|why is that|how come|why am i not allowed|why may i not|says who|who says so".split("|"))
"""Whole messages that ask for the reason of a refusal."""


def why_refused(error: Refused) -> str:
    """Return the reason of a refusal in full: which policy decided, in its own words, and who could help."""
    if not error.policy:
        return f"{error.sentence()} What no policy permits is refused. Say “what may I do?” for what you may."
    return (
        f"The policy “{error.policy}” decides this: {error.sentence()} Say “what may I do?” for what you may. "
        "Whoever keeps the policies can change it."
    )


def still_open(title: str) -> str:
    """Return what is told beside a refusal while a form stays open: another answer may be allowed."""
    return f"Your {title} is still open: give another answer, or say “stop” to drop it."
