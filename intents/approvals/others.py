"""“Bo is away until Monday, Cy stands in for Bo”: what operators say about somebody who fell ill, and who is meant.

Names are those that addresses of the directory have before their @: what people call themselves decides nothing.
"""

from __future__ import annotations

import re

from bot.activity import Person
from bot.directory import DEFAULT_APPROVERS
from bot.errors import Invalid
from bot.people import checked_email
from bot.policy import Decision
from bot.services import Services

_ADDRESS = r"[^\s<>,;:()\"“”]+@[^\s<>,;:()\"“”]+[^\s<>,;:()\"“”.]"
_NAME = (
    r"(?!(?:i|he|she|it|we|they|you|who|what|this|that|there|nobody|everybody|somebody)\b)"
    r"[^\W\d_][\w.'-]*(?:\s[^\W\d_][\w.'-]*)?"
)
_WHO = rf"(?:{_ADDRESS}|{_NAME})"
_GONE = (
    r"(?:is|will be)\s+(?:away|out|off|gone|absent|ill|sick|on (?:leave|vacation|holiday|holidays|sick leave)"
    r"|out of (?:the )?office|not (?:there|here))"
)
_STANDS_IN = r"(?:stands? in|will stand in|covers|takes over|decides|deputi[sz]es)"
_WHEN = (
    r"(?:\s+from\s+(?P<since{0}>.+?))?(?:\s+(?:until|till|to|through)\s+(?P<until{0}>.+?)|\s+for\s+(?P<long{0}>.+?))"
)
SAID = re.compile(
    rf"(?:please note(?: that)?,?\s+)?(?:(?P<absent>{_WHO})\s+{_GONE}{_WHEN.format('')}"
    rf"(?:\s*[,;.]?\s*(?:and\s+|with\s+)?(?P<nobody>nobody|no one)\s+{_STANDS_IN}(?:\s+for\s+(?P<for_none>{_WHO}))?"
    rf"|\s*[,;.]?\s*(?:and\s+|with\s+)?(?P<who>{_WHO})\s+(?:{_STANDS_IN}|standing in)(?:\s+for\s+(?P<for>{_WHO}))?)?"
    rf"|(?P<first>{_WHO})\s+{_STANDS_IN}\s+for\s+(?!me\b)(?P<absent_too>{_WHO}){_WHEN.format('_too')})[\s.!]*",
    re.IGNORECASE,
)
BACK = re.compile(
    rf"(?:(?P<who>{_WHO})\s+is\s+back(?:\s+(?:again|now|early|in the office))?"
    rf"|end\s+(?:the\s+)?absence\s+of\s+(?P<of>{_WHO}))[\s.!]*",
    re.IGNORECASE,
)
_PRONOUNS = ("him", "her", "them")


def whose_absence(services: Services, by: Person, word: str, channel: str) -> str:
    """Return the address of somebody about whose absence `by` may speak; raises Invalid, or Refused by policy."""

    def decision(email: str) -> Decision:
        return services.policy.may_delegate_for(by, email, channel=channel)

    if "@" in word:
        email = checked_email(word, field="absent")
        decision(email).require()
        return email
    # Who may speak for nobody hears that, and not which names the directory knows.
    decision(f"somebody-else@{by.email.rpartition('@')[2]}").require()
    return _called(services, word, "absent")


def whoever_is(services: Services, word: str) -> str:
    """Return the address that is meant by an address or a name of the directory's; raises Invalid."""
    return checked_email(word, field="delegate") if "@" in word else _called(services, word, "delegate")


def is_other_than(word: str | None, absent: str) -> bool:
    """Tell whether “for …” at the end of a sentence speaks of somebody else than its beginning does."""
    folded = (word or absent).casefold()
    return folded not in (*_PRONOUNS, absent.casefold())


def _called(services: Services, word: str, field: str) -> str:
    directory = services.directory
    wanted = ".".join(word.casefold().split())
    known = dict.fromkeys((*directory.everybody(), *directory.members(DEFAULT_APPROVERS)))
    found = [email for email in known if wanted == email.partition("@")[0]]
    found = found or [email for email in known if wanted == email.partition("@")[0].partition(".")[0]]
    if len(found) == 1:
        return found[0]
    problem = "Several people are called" if found else "The directory has nobody called"
    raise Invalid(
        f"{problem} “{word[:60]}”.", field=field, next_step="Say it with the address, such as name@corp.example."
    )
