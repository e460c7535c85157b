"""A Plan: everything a change will do, resolved by the server before anybody is asked to approve it.

Effects are hashed: their digest is what approvers approve. Checks are not: they are run again before
the first change, and a failing check waits or refuses, it never changes the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

Tier = Literal["none", "standard", "production"]
CheckResult = Literal["ok", "waits", "fails"]


@dataclass(frozen=True)
class Check:
    """One condition of the world. `slot` names the answer that is at fault, so that it can be asked again."""

    name: str
    result: CheckResult
    sentence: str
    slot: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Resource:
    """Something in the world that a request touches, such as ("account", "123456789012").

    Of an `exclusive` one, such as the root address of an account to be made, only one open request may exist.
    """

    kind: str
    name: str
    exclusive: bool = False


@dataclass(frozen=True)
class Plan:
    """What would be done. `effects` holds JSON types only; `details` says the same in words for people."""

    intent: str
    summary: str
    effects: Mapping[str, Any]
    details: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...] = ()
    tier: Tier = "standard"
    touches: tuple[Resource, ...] = ()
    ask: tuple[str, ...] = ()
    """Who is asked to approve (addresses, or group:name) instead of whom directory.yml names for the tier."""
    figure: Mapping[str, Any] = field(default_factory=dict)
    """What a picture of it shows, as `bot.charts.blast` reads it; like the details not hashed, empty for none."""

    @property
    def digest(self) -> str:
        """Return SHA-256 over intent and effects in canonical JSON, in hex."""
        return digest_of({"intent": self.intent, "effects": self.effects})

    @property
    def monthly_usd(self) -> int:
        """What it would spend a month at most, in whole US dollars: the largest of its budgets, 0 without one."""
        return round(max(_budgets(self.effects), default=0.0))

    @property
    def account(self) -> str:
        """The id of the account that it is about, empty when there is none yet."""
        return next((t.name for t in self.touches if t.kind == "account"), "")

    @property
    def stacks(self) -> tuple[str, ...]:
        """The names of the stack and the component that it is about, by which freezes know them."""
        named = (self.effects.get(kind) for kind in ("stack", "component"))
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))

    @property
    def problems(self) -> tuple[Check, ...]:
        """Return the checks that refuse the plan as it stands."""
        return tuple(c for c in self.checks if c.result == "fails")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; `from_dict` is the inverse."""
        return {
            "intent": self.intent,
            "summary": self.summary,
            "effects": dict(self.effects),
            "details": [list(row) for row in self.details],
            "checks": [
                {"name": c.name, "result": c.result, "sentence": c.sentence, "slot": c.slot, "next_step": c.next_step}
                for c in self.checks
            ],
            "tier": self.tier,
            "touches": [{"kind": t.kind, "name": t.name, "exclusive": t.exclusive} for t in self.touches],
            "ask": list(self.ask),
            **({"figure": dict(self.figure)} if self.figure else {}),
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from `as_dict`'s output."""
        return Plan(
            intent=data["intent"],
            summary=data["summary"],
            effects=data["effects"],
            details=tuple((row[0], row[1]) for row in data["details"]),
            checks=tuple(Check(**c) for c in data["checks"]),
            tier=data["tier"],
            touches=tuple(Resource(**t) for t in data["touches"]),
            ask=tuple(data.get("ask", ())),
            figure=data.get("figure", {}),
        )


def difference(old: Plan, new: Plan) -> tuple[tuple[str, str, str], ...]:
    """Return what people would see changed, as (name, before, after); effects by their names if no detail shows it."""
    return _changes(dict(old.details), dict(new.details)) or _changes(_flat(old.effects), _flat(new.effects))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    names = [*before, *(n for n in after if n not in before)]
    return tuple((n, before.get(n, "—"), after.get(n, "—")) for n in names if before.get(n) != after.get(n))


def _flat(effects: Mapping[str, Any], above: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in effects.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{above}{name}."))
        else:
            flat[above + name] = str(value)
    return flat


def _budgets(node: Any) -> Iterator[float]:
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == "monthly_usd":
                with suppress(TypeError, ValueError):
                    yield float(value)
            yield from _budgets(value)


def canonical(value: Any) -> bytes:
    """Return the one JSON text that a value has: sorted keys, no blanks, UTF-8 (after RFC 8785 for our types)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(value: Any) -> str:
    """Return SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
