"""Cedar files, parsed once: the set itself, and what its policies say in their annotations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cedarpy
import orjson

from bot.directory_file import read_text_of
from bot.errors import SettingsError
from bot.policy.requirement import ANNOTATIONS, Part, part_of

REQUIRE = "require"
"""The action whose policies permit nothing but say whose approvals a request needs."""
KEPT = 1_000
"""Sets of policies that are kept ready: one for each action and each combination of groups that its policies name."""
BREAK_GLASS = "break-glass"
"""The action whose policies may say, by @acr, how well somebody has to sign in for it."""


@dataclass(frozen=True)
class Rule:
    """One policy as people know it, and as Cedar's JSON."""

    name: str
    reason: str
    policy: Mapping[str, Any]
    acr: str = ""
    """How well who acts by it must have signed in, by the identity provider's word; only for breaking the glass."""

    @property
    def is_permit(self) -> bool:
        """Whether it allows, rather than forbids."""
        return bool(self.policy["effect"] == "permit")

    @cached_property
    def actions(self) -> list[str]:
        """The actions that it names; empty for a policy about all of them."""
        scope = self.policy["action"]
        entities = scope.get("entities") or ([scope["entity"]] if scope.get("entity") else [])
        return [e["id"] for e in entities]

    @cached_property
    def head(self) -> str:
        """The group whose members alone it is about, by its head; empty when it is about others, too."""
        scope = self.policy["principal"]
        named = scope.get("in") if scope["op"] == "is" else scope
        entity = (named or {}).get("entity") or {}
        return str(entity["id"]) if scope["op"] in ("in", "is") and _is_group(entity) else ""

    @cached_property
    def text(self) -> str:
        """The policy in Cedar's own language."""
        return cedarpy.policies_from_json_str(_as_json({"policy0": self.policy}))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups that it names in its head or conditions, each once: for a forbid, those whom it spares."""
        found = (p["id"] for p in parts_of([self.policy["principal"], self.policy["conditions"]]) if _is_group(p))
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Chosen:
    """The policies that could decide something, ready for Cedar, and what Cedar's ids in them stand for."""

    policies: cedarpy.PolicySet
    added: tuple[str, ...] = ()
    """Of the policies that were added to an action's usual ones, in their order: their ids among all."""

    def own(self, cedar_id: str) -> str:
        """Return a policy's id among all policies: Cedar numbers what is added to a set from policy0 on."""
        if cedar_id.startswith(_USUAL):
            return cedar_id.removeprefix(_USUAL)
        return self.added[int(cedar_id.removeprefix("policy"))]


@dataclass(frozen=True)
class _OfAction:
    """The policies about an action: those that may be about anybody, parsed, and the others by the group they name."""

    usual: cedarpy.PolicySet
    by_group: Mapping[str, tuple[str, ...]]


_USUAL = "usual:"
"""What the ids of an action's usual policies begin with, so that none of those that are added has the same."""


@dataclass(frozen=True)
class Parsed:
    """All policies of a folder."""

    rules: Mapping[str, Rule]
    """By Cedar's own ids."""
    parts: Mapping[str, Part]
    """What the policies on "require" demand, by Cedar's own ids."""
    version: str
    files: frozenset[str]
    """Names of the files that say anything."""
    _chosen: dict[tuple[str, frozenset[str]], Chosen] = field(default_factory=dict, compare=False, repr=False)
    _of_actions: dict[str, _OfAction] = field(default_factory=dict, compare=False, repr=False)

    def about(self, action: str, groups: Iterable[str] = ()) -> Chosen:
        """Return the policies that could decide about an action of a member of these groups.

        Cedar looks at each policy of a set, whomever it is about. Left out are those whose head names another action,
        or a group that the person is not in: they never hold, so they are neither a reason nor an error. The usual
        ones of an action are parsed once; to add those of a team takes a tenth of that.
        """
        action = action if action in self._actions else ""
        whole = self._of_actions.get(action)
        if whole is None:
            whole = self._of_actions[action] = self._of(action)
        key = (action, frozenset(whole.by_group.keys() & set(groups)))
        if key not in self._chosen:
            if len(self._chosen) >= KEPT:
                self._chosen.clear()
            added = tuple(name for group in sorted(key[1]) for name in whole.by_group[group])
            texts = "\n".join(self.rules[name].text for name in added)
            policies = whole.usual.with_added_str(texts) if added else whole.usual
            self._chosen[key] = Chosen(policies, added)
        return self._chosen[key]

    def _of(self, action: str) -> _OfAction:
        concerned = {n: rule for n, rule in self.rules.items() if not rule.actions or action in rule.actions}
        by_group: dict[str, tuple[str, ...]] = {}
        for name, rule in concerned.items():
            if rule.head:
                by_group[rule.head] = (*by_group.get(rule.head, ()), name)
        usual = {f"{_USUAL}{name}": rule.policy for name, rule in concerned.items() if not rule.head}
        return _OfAction(cedarpy.PolicySet.from_json_str(_as_json(usual)), by_group)

    @cached_property
    def _actions(self) -> frozenset[str]:
        return frozenset(action for rule in self.rules.values() for action in rule.actions)

    def permits(self, action: str) -> tuple[Rule, ...]:
        """Return the policies that could permit an action, and say for whom."""
        return self._permits.get(action, ())

    @cached_property
    def _permits(self) -> Mapping[str, tuple[Rule, ...]]:
        told = [rule for rule in self.rules.values() if rule.is_permit and rule.reason]
        return {action: tuple(rule for rule in told if action in rule.actions) for action in self._actions}


def parse_folder(folder: Path) -> Parsed:
    """Return the policies of the files *.cedar; raises SettingsError for what can't be used."""
    texts = texts_of(folder)
    files = frozenset(name for name, said in texts.items() if said.strip())
    if not files:
        raise SettingsError(f"{folder} holds no *.cedar file: nobody could do anything.", next_step="Set POLICY_DIR.")
    try:
        return _parse("\n".join(texts.values()), files)
    except ValueError as error:
        raise SettingsError(f"{folder}: the Cedar policies do not parse: {error}") from error


@lru_cache(maxsize=8)
def _parse(text: str, files: frozenset[str]) -> Parsed:
    """Return what a text says, each text parsed once; raises ValueError for one that is not Cedar."""
    cedarpy.PolicySet.from_str(text)
    described = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    rules: dict[str, Rule] = {}
    parts: dict[str, Part] = {}
    for cedar_id, policy in described.items():
        annotations = policy.get("annotations") or {}
        rule = Rule(annotations.get("id") or cedar_id, annotations.get("reason") or "", policy)
        is_glass = rule.actions == [BREAK_GLASS] and rule.is_permit
        if is_glass:
            rule = replace(rule, acr=(annotations.get("acr") or "").strip())
        rules[cedar_id] = rule
        if rule.actions == [REQUIRE] and rule.is_permit:
            parts[cedar_id] = part_of(annotations, rule.name, rule.reason)
        elif REQUIRE in rule.actions or (set(annotations) & set(ANNOTATIONS)) - ({"acr"} if is_glass else set()):
            raise SettingsError(
                f"The policy {rule.name} mixes up what it demands and what it allows: whose approvals are needed is "
                'said by "permit" policies whose only action is Action::"require".'
            )
    return Parsed(rules, parts, hashlib.sha256(text.encode()).hexdigest()[:12], files)


def _as_json(policies: Mapping[str, Mapping[str, Any]]) -> str:
    """Return policies, by their ids, as Cedar's JSON."""
    return orjson.dumps({"staticPolicies": policies, "templates": {}, "templateLinks": []}).decode()


def texts_of(folder: Path) -> dict[str, str]:
    """Return what each file *.cedar says, by its name."""
    return {file.name: read_text_of(file) for file in sorted(folder.glob("*.cedar"))}


def concerns(policy: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Tell whether a policy speaks of such a resource at all, so that its reason helps whoever was refused."""
    kind, name = resource["uid"]["type"], resource["uid"]["id"]
    scope = policy["resource"]
    if scope.get("entity_type", kind) != kind:
        return False
    named, told = set(), dict(resource["attrs"])
    for part in parts_of([scope, policy["conditions"]]):
        if part.get("type") == kind and "id" in part:
            named.add(part["id"])
        if "==" in part:
            left, right = part["=="]["left"].get(".", {}), part["=="]["right"]
            is_of_resource = left.get("left") == {"Var": "resource"} and left.get("attr") in told
            if is_of_resource and right.get("Value", told[left["attr"]]) != told[left["attr"]]:
                return False
    return not named or name in named


def parts_of(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object within a policy's JSON."""
    if isinstance(node, Mapping):
        yield node
        node = node.values()
    if not isinstance(node, str) and isinstance(node, Iterable):
        for child in node:
            yield from parts_of(child)


def _is_group(part: Mapping[str, Any]) -> bool:
    return part.get("type") == "Group" and isinstance(part.get("id"), str)
