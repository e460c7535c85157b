"""What if: recorded requests decided once more, by the policies in force and by changed ones; only differences count.

Each is decided as of the moment at which it was placed or decided. Who owned an account then is not on record, so that
policies on `context.values.Relation` are taken to hold for owners.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.activity import Person
from bot.intent import Definition
from bot.policy.deciding import Policy
from bot.policy.model import Decision
from bot.requests import RequestRecord


@dataclass(frozen=True)
class Difference:
    """One decision that comes out otherwise: about which request, who would do what, and both outcomes in words."""

    request: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.request}  {self.what}\n    now:      {self.before}\n    what if:  {self.after}"


def replay(old: Policy, new: Policy, record: RequestRecord, decisions: Iterable[Any]) -> list[Difference]:
    """Return what would differ for one request; `decisions` are its rows of the table approvals that decided."""
    asked = _asked(old, record), _asked(new, record)
    found = [_difference(record, f"{record.requester.email} asks for {record.intent}", *asked)]
    then = old.surroundings.at(record.created_at)
    needed = [policy.requirement(record.subject, then).words or "nobody's approval" for policy in (old, new)]
    if needed[0] != needed[1]:
        what = f"whose approvals {record.requester.email}'s {record.intent} takes"
        found.append(Difference(record.id, what, needed[0], needed[1]))
    for row in decisions:
        when = old.surroundings.at(row.decided_at)
        person = Person("", row.approver)
        both = [
            policy.may_approve(person, record.subject, channel=row.surface or "", circumstances=when)
            for policy in (old, new)
        ]
        found.append(_difference(record, f"{row.approver} decides on {row.surface}", both[0], both[1]))
    return [one for one in found if one is not None]


def _asked(policy: Policy, record: RequestRecord) -> Decision:
    definition = Definition(record.intent, record.intent, "", ())
    then = policy.surroundings.at(record.created_at)
    return policy.may_ask(record.requester, definition, "change", record.slots, circumstances=then)


def _difference(record: RequestRecord, what: str, before: Decision, after: Decision) -> Difference | None:
    if before.allowed == after.allowed:
        return None
    return Difference(record.id, what, *words_of((before, after)))


def words_of(decisions: Sequence[Decision]) -> list[str]:
    """Return what each decision says, in words."""
    return [f"{'allowed' if d.allowed else 'refused'} ({d.policy or 'no policy'}): {d.reason}" for d in decisions]
