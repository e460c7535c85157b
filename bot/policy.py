"""Who may: Cedar policies decide, this module only asks them. Nothing named means refused.

Policies are the files `policies/*.cedar`, parsed once and again when one changes or is added; a set that
does not parse, or in which a file was emptied or has vanished, is logged and the old one stays in force
(`Policy.fault` says why): what forbids must not get lost by accident. To lift a policy, edit it or turn it
into a comment; a file is left out by a restart. Every decision names the policy that made it.
Entities: Person (by case-folded e-mail, member of its Groups), Intent, Request. A Person's `mailbox` and a
Request's `requester_mailbox` are addresses without "+tags", which make no other person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy
import structlog

from bot.activity import Person
from bot.directory import Asked, Directory, file_stamp, read_text_of
from bot.errors import Refused, SettingsError
from bot.intent import Definition
from bot.people import mailbox_of

log = structlog.get_logger(__name__)


ASK = "If you need it, ask your platform team."


@dataclass(frozen=True)
class Decision:
    """Whether an action is allowed, in words, and the id of the policy that decided (empty: none permits)."""

    allowed: bool
    reason: str
    policy: str

    def require(self) -> Decision:
        """Return itself when allowed, else raise Refused with the reason."""
        if not self.allowed:
            raise Refused(self.reason, policy=self.policy)
        return self


@dataclass(frozen=True)
class Subject:
    """The request as policies see it."""

    id: str
    intent: str
    tier: str
    requester: str
    approvers: tuple[str, ...]
    values: Mapping[str, str]


@dataclass(frozen=True)
class _Parsed:
    policies: cedarpy.PolicySet
    names: Mapping[str, tuple[str, str]]
    """Cedar's own id of each policy to its @id and @reason."""
    permits: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]]
    """Action to the policies that could permit it: each one's reason, and the policy as Cedar's JSON."""
    version: str
    files: frozenset[str]
    """Names of the files that say anything."""


class Policy:
    """Decides; pure but for noticing changed files."""

    def __init__(self, folder: Path, directory: Directory) -> None:
        self._folder, self._directory = folder, directory
        self._stamp = self._stamp_now()
        self._parsed = _parse(folder)
        self.fault = ""

    @property
    def version(self) -> str:
        """Digest of the policies in force; recorded with every decision."""
        return self._parsed.version

    def may_ask(self, person: Person, definition: Definition, shape: str, values: Mapping[str, str]) -> Decision:
        """Decide whether a person may ask for an intent with these slot values."""
        intent = _entity("Intent", definition.name, {"shape": shape})
        return self._decide(person, "ask", intent, {"values": dict(values)})

    def may_see(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may look at a request."""
        return self._decide(person, "see", _request(subject), {"values": dict(subject.values)})

    def may_cancel(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may withdraw a request."""
        return self._decide(person, "cancel", _request(subject), {"values": dict(subject.values)})

    def may_approve(self, person: Person, subject: Subject, *, channel: str) -> Decision:
        """Decide whether a person may approve or reject a request on that channel."""
        context = {"values": dict(subject.values), "channel": channel}
        return self._decide(person, "approve", _request(subject), context)

    def may_audit(self, person: Person, about: str = "") -> Decision:
        """Decide whether a person may read the audit about one address, or (empty) about everybody."""
        resource = _entity("Person", about, {}) if about else _entity("Audit", "all", {})
        return self._decide(person, "audit", resource, {})

    def may_override(self, person: Person, subject: Subject) -> Decision:
        """Decide whether a person may retry a request's failed steps, or record them as done by hand."""
        return self._decide(person, "override", _request(subject), {"values": dict(subject.values)})

    def may_pause(self, person: Person) -> Decision:
        """Decide whether a person may pause and resume all changes."""
        return self._decide(person, "pause", _entity("Changes", "all", {}), {})

    def can_be_approved(self, subject: Subject, candidates: Iterable[str]) -> bool:
        """Tell whether at least one of the addresses may approve the request."""
        return any(self.may_approve(Person("", address), subject, channel="mail").allowed for address in candidates)

    def _decide(self, person: Person, action: str, resource: dict[str, Any], context: dict[str, Any]) -> Decision:
        self._refresh()
        parsed = self._parsed
        request = {
            "principal": f"Person::{json.dumps(person.email)}",
            "action": f'Action::"{action}"',
            "resource": f"{resource['uid']['type']}::{json.dumps(resource['uid']['id'])}",
            "context": context,
        }
        result = cedarpy.is_authorized(request, parsed.policies, self._entities(person, resource))
        for error in result.diagnostics.errors:
            log.error("policy.evaluation_failed", action=action, error=str(error))
        named = [parsed.names.get(r, (r, "")) for r in result.diagnostics.reasons]
        policy, reason = named[0] if named else ("", "")
        if result.allowed:
            return Decision(True, reason, policy)
        if named:
            return Decision(False, reason or f"The policy {policy} forbids it.", policy)
        could = " ".join(reason for reason, policy in parsed.permits.get(action, ()) if _concerns(policy, resource))
        return Decision(False, f"No policy lets {person.email} do this. {could or ASK}", "")

    def _entities(self, person: Person, resource: dict[str, Any]) -> list[dict[str, Any]]:
        groups = self._directory.groups_of(person.email)
        entities = [
            _entity(
                "Person",
                person.email,
                {"mailbox": mailbox_of(person.email)},
                parents=[{"type": "Group", "id": g} for g in groups],
            ),
            *(_entity("Group", g, {}) for g in groups),
        ]
        if resource["uid"] != entities[0]["uid"]:
            entities.append(resource)
        return entities

    def _stamp_now(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((file.name, file_stamp(file)) for file in sorted(self._folder.glob("*.cedar")))

    def _refresh(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            parsed = _parse(self._folder)
            lost = sorted(self._parsed.files - parsed.files)
            if lost:
                raise SettingsError(f"{', '.join(lost)} in {self._folder} is empty or has vanished.")
        except SettingsError as error:
            self.fault = f"kept old: {error.detail}"
            log.error("policy.kept_old", error=error.detail)
            return
        self._parsed, self.fault = parsed, ""


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


def _parse(folder: Path) -> _Parsed:
    texts = {file.name: read_text_of(file) for file in sorted(folder.glob("*.cedar"))}
    files = frozenset(name for name, said in texts.items() if said.strip())
    if not files:
        raise SettingsError(f"{folder} holds no *.cedar file: nobody could do anything.", next_step="Set POLICY_DIR.")
    text = "\n".join(texts.values())
    try:
        policies = cedarpy.PolicySet.from_str(text)
        described = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    except ValueError as error:
        raise SettingsError(f"{folder}: the Cedar policies do not parse: {error}") from error
    names: dict[str, tuple[str, str]] = {}
    permits: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for cedar_id, policy in described.items():
        annotations = policy.get("annotations") or {}
        reason = annotations.get("reason") or ""
        names[cedar_id] = (annotations.get("id") or cedar_id, reason)
        if policy["effect"] == "permit" and reason:
            for action in _actions(policy["action"]):
                permits.setdefault(action, []).append((reason, policy))
    reasons = {action: tuple(found) for action, found in permits.items()}
    return _Parsed(policies, names, reasons, hashlib.sha256(text.encode()).hexdigest()[:12], files)


def _actions(scope: Mapping[str, Any]) -> list[str]:
    entities = scope.get("entities") or ([scope["entity"]] if scope.get("entity") else [])
    return [e["id"] for e in entities]


def _concerns(policy: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Tell whether a policy speaks of such a resource at all, so that its reason helps whoever was refused."""
    kind, name = resource["uid"]["type"], resource["uid"]["id"]
    scope = policy["resource"]
    if scope.get("entity_type", kind) != kind:
        return False
    named, told = set(), dict(resource["attrs"])
    for part in _parts_of([scope, policy["conditions"]]):
        if part.get("type") == kind and "id" in part:
            named.add(part["id"])
        if "==" in part:
            left, right = part["=="]["left"].get(".", {}), part["=="]["right"]
            is_of_resource = left.get("left") == {"Var": "resource"} and left.get("attr") in told
            if is_of_resource and right.get("Value", told[left["attr"]]) != told[left["attr"]]:
                return False
    return not named or name in named


def _parts_of(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object within a policy's JSON."""
    if isinstance(node, Mapping):
        yield node
        node = node.values()
    if not isinstance(node, str) and isinstance(node, Iterable):
        for child in node:
            yield from _parts_of(child)
