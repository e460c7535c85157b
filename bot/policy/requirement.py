"""Whose approvals a request needs: the four tiers, from nobody to several people who have just signed in. Pure.

Policies on the action "require" say so in their annotations:

    @approvals("2")                                 how many people; "0" acts at once
    @from("group:platform, group:security")         whose; without it, those whom the directory or APPROVERS name
    @each("yes")                                    at least one of each of them
    @sign_in("15")                                  each having signed in within so many minutes, in the console
    @acr("phrh")                                    and so well, by the identity provider's word
    @then("group:heads") @after("24")               who is asked as well when nobody decided for so many hours

Every policy that holds is a part of the requirement, and each part must be met. A person counts once in each part,
and may take one seat of it: of two groups "each", two different people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.errors import Invalid, SettingsError
from bot.people import checked_email

ANNOTATIONS = ("approvals", "from", "each", "sign_in", "acr", "then", "after")
MOST_APPROVALS = 20
GROUP = "group:"
_YES, _NO = ("yes", "true"), ("no", "false", "")


@dataclass(frozen=True)
class Part:
    """What one policy demands. `names` are addresses or group:name; empty for those whom the directory names."""

    approvals: int = 1
    names: tuple[str, ...] = ()
    each: bool = False
    sign_in: int = 0
    acr: str = ""
    then: tuple[str, ...] = ()
    after: float = 0
    policy: str = ""
    reason: str = ""
    is_escalated: bool = False
    """Whether those of `then` were asked as well: they may take any seat."""

    @property
    def seats(self) -> tuple[tuple[str, ...], ...]:
        """Return who may take each seat that has to be taken; empty means anybody whom policy lets approve."""
        more = self.then if self.is_escalated and self.names else ()
        own = [(name, *more) for name in self.names] if self.each else []
        return (*own, *([(*self.names, *more)] * (self.approvals - len(own))))

    @property
    def words(self) -> str:
        """Return it for people, such as “2 approvals of group platform or group security, one of each”."""
        count = max(self.approvals, len(self.seats))
        text = f"{count} approval{'s' if count != 1 else ''}"
        if self.names:
            named = [name.replace(GROUP, "group ") for name in self.names]
            text += " of " + (" and ".join(named) if self.each and count == len(named) else " or ".join(named))
            text += ", one of each" if self.each and len(named) > 1 else ""
        return text


@dataclass(frozen=True)
class Requirement:
    """All that is demanded before a request goes on."""

    parts: tuple[Part, ...] = (Part(),)

    @property
    def is_none(self) -> bool:
        """Whether nobody needs to approve."""
        return not any(part.seats for part in self.parts)

    @property
    def sign_in(self) -> int:
        """The age in minutes that a sign-in may have to decide; 0 when none is asked for."""
        return min((part.sign_in for part in self.parts if part.sign_in), default=0)

    @property
    def acr(self) -> str:
        """How well people must have signed in, as the identity provider names it; empty for any way."""
        return next((part.acr for part in self.parts if part.acr), "")

    @property
    def names(self) -> tuple[str, ...]:
        """Whom the policies name, each once; the directory's own approvers come on top where `asks_directory`."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    @property
    def asks_directory(self) -> bool:
        """Whether a part leaves it to the directory, or to APPROVERS, who is asked."""
        return any(part.seats and not part.names for part in self.parts)

    @property
    def is_several(self) -> bool:
        """Whether one person's approval is not enough."""
        return any(len(part.seats) > 1 for part in self.parts) or len([p for p in self.parts if p.names]) > 1

    @property
    def then(self) -> tuple[str, ...]:
        """Who is asked as well when nobody decides, each once."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.then))

    @property
    def after(self) -> float:
        """After how many hours they are; 0 when no policy says."""
        return min((part.after for part in self.parts if part.then and part.after), default=0)

    @property
    def tier(self) -> str:
        """The tier's name: none, one approver, quorum; and whether a fresh sign-in is asked for."""
        name = "none" if self.is_none else "quorum" if self.is_several else "one approver"
        return f"{name} with a fresh sign-in" if self.sign_in else name

    @property
    def words(self) -> str:
        """Return it for people."""
        text = " and ".join(part.words for part in self.parts if part.seats)
        return f"{text}, signed in anew" if self.sign_in else text

    @property
    def reasons(self) -> str:
        """Return why, in the words of the policies that ask for it."""
        return " ".join(dict.fromkeys(part.reason for part in self.parts if part.reason))

    def escalated(self) -> Requirement:
        """Return it as it stands once those who come next were asked as well: they may take any seat."""
        return Requirement(tuple(replace(part, is_escalated=True) for part in self.parts))

    def missing(self, holders: Sequence[Sequence[str]]) -> int:
        """Return how many approvals lack; 0 when it is met.

        `holders` are those who approved, one entry a person: every name (own address, group:name) under which that
        person counts.
        """
        return max((len(part.seats) - _seated(part.seats, holders) for part in self.parts), default=0)

    def unfilled(self, holders: Sequence[Sequence[str]]) -> int:
        """Return how many seats of all parts together lack: an approval adds something when they become fewer.

        `missing` can't tell that: of two groups that are asked for one approval each, one more is missing before and
        after the first has approved.
        """
        return sum(len(part.seats) - _seated(part.seats, holders) for part in self.parts)

    def as_list(self) -> list[dict[str, Any]]:
        """Return plain JSON types; `from_list` is the inverse."""
        return [asdict(part) for part in self.parts]

    @staticmethod
    def from_list(data: Iterable[Mapping[str, Any]]) -> Requirement:
        """Rebuild a requirement from `as_list`'s output."""
        return Requirement(tuple(Part(**{**p, "names": tuple(p["names"]), "then": tuple(p["then"])}) for p in data))


def combined(parts: Iterable[Part]) -> Requirement:
    """Return what all parts together demand: the strictest of those that name nobody, and each that names somebody.

    Without any part it is one approver; of several, one that demands nothing adds nothing.
    """
    found = list(parts)
    if not found:
        return Requirement()
    named = [part for part in found if part.names]
    at_most = max((part.approvals for part in found if not part.names), default=0)
    covered = max((len(part.seats) for part in named), default=0)
    is_open = False
    for part in found:
        if not part.names and part.approvals == at_most > covered and not is_open:
            named, is_open = [*named, part], True
        elif not part.names and (part.sign_in or not named):
            named.append(replace(part, approvals=0))  # its number is reached anyhow; what else it asks for holds
    return Requirement(tuple(named))


def part_of(annotations: Mapping[str, str | None], policy: str, reason: str) -> Part:
    """Return the part that a policy's annotations spell out; raises SettingsError for what can't be read."""
    given = {name: (annotations.get(name) or "").strip() for name in ANNOTATIONS}

    def fault(name: str, should: str) -> SettingsError:
        return SettingsError(f"The policy {policy}: @{name}({given[name]!r}) {should}.")

    def number(name: str, least: int, most: int, default: int) -> int:
        if not given[name]:
            return default
        if not (given[name].isascii() and given[name].isdigit() and least <= int(given[name]) <= most):
            raise fault(name, f"must be a whole number from {least} to {most}")
        return int(given[name])

    def names(name: str) -> tuple[str, ...]:
        try:
            return tuple(checked_name(part) for part in given[name].split(",") if part.strip())
        except Invalid as error:
            raise fault(name, f"names neither addresses nor group:name: {error.detail}") from error

    if given["each"].casefold() not in (*_YES, *_NO):
        raise fault("each", "must be yes or no")
    each = given["each"].casefold() in _YES
    listed = names("from")
    if each and not listed:
        raise fault("each", "needs @from, which says of whom")
    approvals = number("approvals", 0, MOST_APPROVALS, 1)
    part = Part(
        approvals=max(approvals, len(listed)) if each else approvals,
        names=listed,
        each=each,
        sign_in=number("sign_in", 1, 24 * 60, 0),
        acr=given["acr"],
        then=names("then"),
        after=number("after", 1, 10_000, 0),
        policy=policy,
        reason=reason,
    )
    if part.acr and not part.sign_in:
        raise fault("acr", "needs @sign_in, the age in minutes that the sign-in may have")
    if part.after and not part.then:
        raise fault("after", "needs @then, which says who is asked")
    return part


def checked_name(text: str) -> str:
    """Return an address, case-folded, or group:name as it is meant; raises Invalid for neither."""
    plain = text.strip()
    if plain.startswith(GROUP):
        if not plain.removeprefix(GROUP).strip():
            raise Invalid("“group:” names no group.")
        return GROUP + plain.removeprefix(GROUP).strip()
    return checked_email(plain)


def _seated(seats: Sequence[Sequence[str]], holders: Sequence[Sequence[str]]) -> int:
    """Return how many seats can be taken at once, one person a seat (Kuhn's augmenting paths; both are few)."""
    taken: dict[int, int] = {}

    def seat(person: int, tried: set[int]) -> bool:
        for number, names in enumerate(seats):
            if number in tried or (names and not set(names) & set(holders[person])):
                continue
            tried.add(number)
            if number not in taken or seat(taken[number], tried):
                taken[number] = person
                return True
        return False

    return sum(seat(person, set()) for person in range(len(holders)))
