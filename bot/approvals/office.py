"""What asking and deciding share: the parts that they need, and who is to be asked about a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.approvals.delegations import Delegations
from bot.approvals.fresh_sign_in import FreshSignIns
from bot.audit import Audit
from bot.clock import Clock
from bot.conversations import Conversations
from bot.database import Database
from bot.directory import Directory
from bot.hours import WorkingHours
from bot.outbox import Outbox
from bot.people import People, mailbox_of
from bot.plan import Plan
from bot.policy import Policy, Requirement, Subject
from bot.requests import RequestRecord, Requests
from bot.signals import Signals

REQUIREMENT, APPROVERS, ESCALATED, CHANGES = "requirement", "approvers", "escalated", "changes"
"""Notes on a request: whose approvals it needs, whom it was put up to, who came on top later, and what changed."""
FREED = "freed"
"""Note on a request: who of those it was put up to is asked no more, as far as others have heard of it."""


@dataclass(frozen=True)
class Whom:
    """Who is asked about one request: addresses, mailboxes that get a notice only, and what must come together.

    `then` are the names of those who are asked as well when nobody decided for `after` hours.
    """

    requirement: Requirement
    approvers: tuple[str, ...]
    shared: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    after: float = 0


@dataclass(frozen=True)
class Office:
    """The parts, wired by Approvals."""

    database: Database
    clock: Clock
    signals: Signals
    directory: Directory
    policy: Policy
    people: People
    requests: Requests
    conversations: Conversations
    outbox: Outbox
    audit: Audit
    hours: float
    working: WorkingHours | None = None
    follows: str = "Now it is being carried out."
    topic: str = ""
    console_url: str = ""
    signs_in: bool = False
    """Whether there is an identity provider that can ask people to sign in anew."""
    sign_ins: FreshSignIns = field(init=False)
    delegations: Delegations = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sign_ins", FreshSignIns(self.database, self.clock))
        delegations = Delegations(self.database, self.clock, self.policy, self.people, self.audit)
        object.__setattr__(self, "delegations", delegations)

    def after(self, since: datetime, hours: float) -> datetime:
        """Return when that many hours of approval time will have passed: working hours, where they are set."""
        duration = timedelta(hours=hours)
        return self.working.add(since, duration) if self.working else since + duration

    def page_of(self, record: RequestRecord) -> str:
        """Return the address of a request's page in the console."""
        return f"{self.console_url.rstrip('/')}/requests/{record.id}"

    def whom(self, plan: Plan, requester: str, values: Mapping[str, str]) -> Whom:
        """Return who would be asked about such a plan, by the policies and the directory as they are now."""
        about = (plan.account, plan.monthly_usd, plan.stacks)
        subject = Subject("", plan.intent, plan.tier, requester, (), values, *about)
        return self._whom(plan, self.policy.requirement(subject))

    def whom_of(self, record: RequestRecord) -> Whom:
        """Return who is asked about a request today: what was demanded when it was put up, of people as of now."""
        return self._whom(record.plan, requirement_of(record), record.notes.get(ESCALATED, ()))

    def _whom(self, plan: Plan, requirement: Requirement, escalated: Iterable[str] = ()) -> Whom:
        if requirement.is_none:
            return Whom(requirement, ())
        directory = self.directory
        asked = directory.asked(plan.intent, plan.tier, plan.ask)
        named = directory.asked(plan.intent, plan.tier, requirement.names) if requirement.names else None
        later = directory.expand(tuple(escalated))
        approvers = (
            *(named.approvers if named else ()),
            *(asked.approvers if requirement.asks_directory else ()),
            *later,
        )
        shared = (*(named.shared if named else ()), *(asked.shared if requirement.asks_directory else ()))
        then, after = (requirement.then, requirement.after) if requirement.then else (asked.then, asked.after_hours)
        return Whom(requirement, tuple(dict.fromkeys(approvers)), tuple(dict.fromkeys(shared)), then, after)

    def holder(self, seat: str) -> tuple[str, ...]:
        """Return every name under which somebody counts in a requirement: the address, and the groups."""
        return (seat, *(f"group:{group}" for group in self.directory.groups_of(seat)))


def requirement_of(record: RequestRecord) -> Requirement:
    """Return what was demanded when the request's version was put up; one approver where nothing was noted."""
    if REQUIREMENT not in record.notes:
        return Requirement()
    requirement = Requirement.from_list(record.notes[REQUIREMENT])
    return requirement.escalated() if record.notes.get(ESCALATED) else requirement


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two addresses are one person's: "+tags" make nobody else."""
    return mailbox_of(one) == mailbox_of(other)
