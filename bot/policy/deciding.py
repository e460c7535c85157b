"""The decisions: policies are parsed once, asked with few entities, and reloaded when a file changes.

A set that does not parse, or in which a file was emptied or has vanished, is logged and the old one stays in force
(`Policy.fault` says why): what forbids must not get lost by accident. To lift a policy, edit it or turn it into a
comment; a file is left out by a restart. Every decision names the policy that made it.

Entities: Person (by case-folded e-mail, member of its Groups), Intent, Request, Environment, Account, OU. A Person's
`mailbox` and a Request's `requester_mailbox` are addresses without "+tags", which make no other person. The schema
stands in policies/schema.cedarschema.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cedarpy
import orjson
import structlog

from bot.activity import Person
from bot.directory import Asked, Directory
from bot.directory_file import stamp_of
from bot.errors import SettingsError
from bot.intent import Definition
from bot.people import mailbox_of
from bot.policy.model import ASK, Decision, Subject
from bot.policy.parsing import REQUIRE, Rule, concerns, parse_folder
from bot.policy.requirement import Requirement, combined
from bot.policy.surroundings import Circumstances, Surroundings, target_of

log = structlog.get_logger(__name__)

_FAILED = re.compile(r"evaluating policy `([^`]+)`")
TOLD = 3
"""Policies that could have let somebody who was refused, told of in their words."""
NAMED = 5
"""People of a group who are named to somebody who was refused."""


class _Answer(NamedTuple):
    """What Cedar said: whether it is allowed, because of which policies, and which could not be evaluated."""

    allowed: bool
    reasons: list[str]
    broken: list[str]


class Policy:
    """Decides; pure but for noticing changed files."""

    def __init__(
        self, folder: Path, directory: Directory, surroundings: Surroundings | None = None, *, signs_in: bool = False
    ) -> None:
        self._folder, self._directory = folder, directory
        self.surroundings = surroundings or Surroundings()
        self._signs_in = signs_in
        self._stamp = self._stamp_now()
        self._parsed = parse_folder(folder)
        self.fault = ""

    @property
    def version(self) -> str:
        """Digest of the policies in force; recorded with every decision."""
        return self._parsed.version

    def may_ask(
        self,
        person: Person,
        definition: Definition,
        shape: str,
        values: Mapping[str, str],
        *,
        channel: str = "",
        circumstances: Circumstances | None = None,
    ) -> Decision:
        """Decide whether a person may ask for an intent with these slot values."""
        intent = _entity("Intent", definition.name, {"shape": shape})
        target = target_of(values, self.surroundings.environments, account=values.get("Account", ""))
        decision = self._decide(person, "ask", intent, target, channel, circumstances)
        if decision.allowed:
            return decision
        asked = {"intent": definition.name, "shape": shape, "values": dict(values), "channel": channel}
        return replace(decision, asked={**asked, "policy": decision.policy})

    def may_see(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may look at a request."""
        return self._about(person, "see", subject)

    def may_cancel(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may withdraw a request."""
        return self._about(person, "cancel", subject)

    def may_approve(
        self, person: Person, subject: Subject, *, channel: str, circumstances: Circumstances | None = None
    ) -> Decision:
        """Decide whether a person may approve or reject a request on that channel."""
        return self._about(person, "approve", subject, channel, circumstances)

    def may_break_glass(self, person: Person, subject: Subject, *, channel: str) -> Decision:
        """Decide whether a person may let a request go on without its approvers, in an emergency."""
        return self._about(person, "break-glass", subject, channel)

    def may_review(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may review afterwards what went on without its approvers."""
        return self._about(person, "review", subject)

    def may_audit(self, person: Person, about: str = "") -> Decision:
        """Decide whether a person may read the audit about one address, or (empty) about everybody."""
        resource = self._person(about) if about else _entity("Audit", "all", {})
        return self._decide(person, "audit", resource)

    def may_override(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may retry a request's failed steps, or record them as done by hand."""
        return self._about(person, "override", subject)

    def may_pause(self, person: Person) -> Decision:
        """Decide whether a person may pause and resume all changes."""
        return self._decide(person, "pause", _entity("Changes", "all", {}))

    def may_revoke_keys(self, person: Person) -> Decision:
        """Decide whether a person may see and revoke the REST keys that others made for themselves."""
        return self._decide(person, "revoke", _entity("Keys", "all", {}))

    def may_delegate(self, person: Person, to: str, *, channel: str = "") -> Decision:
        """Decide whether a person may name somebody, by address, who stands in for them."""
        return self._decide(person, "delegate", self._person(to), channel=channel)

    def may_delegate_for(self, person: Person, absent: str, *, channel: str = "") -> Decision:
        """Decide whether a person may say that somebody else is away, by address, and name who stands in for them."""
        return self._decide(person, "delegate-for", self._person(absent), channel=channel)

    def may_stop(self, person: Person, subject: Subject, *, channel: str = "") -> Decision:
        """Decide whether a person may stop a request's work."""
        return self._about(person, "stop", subject, channel)

    def may(
        self,
        person: Person,
        action: str,
        subject: Subject,
        *,
        channel: str = "",
        circumstances: Circumstances | None = None,
    ) -> Decision:
        """Decide about any action on a request, by its name in the schema."""
        return self._about(person, action, subject, channel, circumstances)

    def requirement(self, subject: Subject, circumstances: Circumstances | None = None) -> Requirement:
        """Return whose approvals a request needs. Who asks counts as the principal of the policies."""
        told = self._ask(Person("", subject.requester), REQUIRE, *self._told(subject), "", circumstances)
        parts = self._parsed.parts
        # A demand that could not be decided is made: more people look rather than fewer.
        held = {*told.reasons, *told.broken} & set(parts)
        return combined(parts[name] for name in sorted(held, key=_place))

    def can_be_approved(self, subject: Subject, candidates: Iterable[str]) -> bool:
        """Tell whether at least one of the addresses may approve the request."""
        return any(self.may_approve(Person("", address), subject, channel="mail").allowed for address in candidates)

    def _about(
        self,
        person: Person,
        action: str,
        subject: Subject,
        channel: str = "",
        circumstances: Circumstances | None = None,
    ) -> Decision:
        return self._decide(person, action, *self._told(subject), channel, circumstances)

    def _told(self, subject: Subject) -> tuple[dict[str, Any], Any]:
        account = subject.account or subject.values.get("Account", "")
        environments = self.surroundings.environments
        target = target_of(
            subject.values,
            environments,
            tier=subject.tier,
            account=account,
            monthly_usd=subject.monthly_usd,
            stacks=subject.stacks,
        )
        return _request(subject), target

    def _decide(
        self,
        person: Person,
        action: str,
        resource: dict[str, Any],
        target: tuple[dict[str, Any], list[dict[str, Any]]] | None = None,
        channel: str = "",
        circumstances: Circumstances | None = None,
    ) -> Decision:
        told = self._ask(person, action, resource, target, channel, circumstances)
        rules = self._parsed.rules
        named = [rules[r] for r in sorted(told.reasons, key=_place) if r in rules]
        broken = [rules[r] for r in told.broken if r in rules and not rules[r].is_permit]
        if told.allowed and broken:
            # Cedar leaves out what fails: what was to forbid this must not be lost by a slip.
            rule = broken[0]
            return Decision(False, f"The policy {rule.name} could not be decided, so this is refused.", rule.name, ASK)
        if told.allowed:
            acr = next((rule.acr for rule in named if rule.acr), "")
            return Decision(True, named[0].reason if named else "", named[0].name if named else "", acr=acr)
        if named:
            rule = named[0]
            spared = self._members(group for r in named for group in r.groups)
            return Decision(False, rule.reason or f"The policy {rule.name} forbids it.", rule.name, spared)
        could = list(islice((r for r in self._parsed.permits(action) if concerns(r.policy, resource)), TOLD))
        words = " ".join(dict.fromkeys(rule.reason for rule in could)) or ASK
        return Decision(False, f"No policy lets {person.email} do this. {words}", "", self._helped(could))

    def _helped(self, could: Iterable[Rule]) -> str:
        return self._members(group for rule in could for group in rule.groups)

    def _members(self, groups: Iterable[str]) -> str:
        """Return who could help, by name: people of these groups; empty when nobody is known."""
        found: dict[str, None] = {}
        for group in groups:
            found.update(dict.fromkeys(self._directory.members(group)))
        if not found:
            return ""
        named = list(found)[:NAMED]
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        return f"Who could: {', '.join(named)}{more}."

    def _ask(
        self,
        person: Person,
        action: str,
        resource: dict[str, Any],
        target: tuple[dict[str, Any], list[dict[str, Any]]] | None,
        channel: str,
        circumstances: Circumstances | None,
    ) -> _Answer:
        self._refresh()
        context, entities = target or target_of({}, {})
        moment = circumstances or self.surroundings.at()
        groups = self._directory.groups_of(person.email)
        told = {**context, **moment.as_context(context["stacks"]), "channel": channel, "signs_in": self._signs_in}
        request = {
            "principal": {"type": "Person", "id": person.email},
            "action": {"type": "Action", "id": action},
            "resource": resource["uid"],
            "context": orjson.dumps(told).decode(),
        }
        everything = [self._person(person.email, groups), *(_entity("Group", g, {}) for g in groups), *entities]
        if resource["uid"] != everything[0]["uid"]:
            everything.append(resource)
        # Only what a decision needs: Cedar reads all that it is given anew, each time.
        chosen = self._parsed.about(action, groups)
        result = cedarpy.is_authorized(request, chosen.policies, orjson.dumps(everything).decode())
        broken = [chosen.own(name) for error in result.diagnostics.errors for name in _FAILED.findall(str(error))]
        for error in result.diagnostics.errors:
            names = [rule.name for name in broken if (rule := self._parsed.rules.get(name))]
            log.error("policy.evaluation_failed", action=action, policies=names, error=str(error))
        return _Answer(result.allowed, [chosen.own(name) for name in result.diagnostics.reasons], broken)

    def _person(self, email: str, groups: Iterable[str] = ()) -> dict[str, Any]:
        attributes = {
            "mailbox": mailbox_of(email),
            "domain": email.rpartition("@")[2],
            "listed": self._directory.lists(email),
        }
        return _entity("Person", email, attributes, parents=[{"type": "Group", "id": g} for g in groups])

    def _stamp_now(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        try:
            with os.scandir(self._folder) as found:
                return tuple(sorted((e.name, stamp_of(e.stat())) for e in found if e.name.endswith(".cedar")))
        except OSError:
            return ()

    def _refresh(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            parsed = parse_folder(self._folder)
            lost = sorted(self._parsed.files - parsed.files)
            if lost:
                raise SettingsError(f"{', '.join(lost)} in {self._folder} is empty or has vanished.")
        except SettingsError as error:
            self.fault = f"kept old: {error.detail}"
            log.error("policy.kept_old", error=error.detail)
            return
        self._parsed, self.fault = parsed, ""


def _place(cedar_id: str) -> tuple[int, str]:
    """Return where a policy stands among the others, in the order written: Cedar names its reasons in any order."""
    digits = cedar_id.removeprefix("policy")
    return (int(digits) if digits.isdigit() else 0, cedar_id)


def asked_candidates(asked: Asked, directory: Directory) -> tuple[str, ...]:
    """Return everybody who could be allowed to approve: those asked, and all whom the directory lists."""
    return tuple(dict.fromkeys((*asked.approvers, *directory.everybody())))


def _request(subject: Subject) -> dict[str, Any]:
    return _entity(
        "Request",
        subject.id,
        {
            "intent": subject.intent,
            "tier": subject.tier,
            "requester": {"__entity": {"type": "Person", "id": subject.requester}},
            "requester_mailbox": mailbox_of(subject.requester),
            "approvers": [{"__entity": {"type": "Person", "id": a}} for a in subject.approvers],
        },
    )


def _entity(
    kind: str, name: str, attributes: dict[str, Any], *, parents: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": name}, "attrs": attributes, "parents": parents or []}
