"""An experiment template as people see it, and the place it is kept in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from bot.plan import digest_of
from bot.words import lasting

PRODUCTION_WORDS = frozenset({"prod", "production", "live", "prd"})
USD_A_MINUTE = 0.10
"""What FIS takes for each minute that an action runs (AWS Fault Injection Service pricing)."""
_SAID_ONLY = ("name", "description", "tags", "updated")
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_ACCOUNT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):")


@dataclass(frozen=True)
class Place:
    """An account, as the role that leads into it, and a Region."""

    role: str
    region: str

    @property
    def account(self) -> str:
        """The account's id; empty when the bot's own identity is used."""
        found = _ACCOUNT.findall(self.role)
        return str(found[-1]) if found else ""


@dataclass(frozen=True)
class Template:
    """One template; targets, actions and stop conditions as FIS words them."""

    id: str
    name: str
    description: str
    tags: Mapping[str, str]
    place: Place
    updated: str
    targets: Mapping[str, Any]
    actions: Mapping[str, Any]
    stop_conditions: tuple[Mapping[str, str], ...]
    role: str
    accounts: tuple[str, ...]

    @property
    def environment(self) -> str:
        """Which environment its tags say that it is for."""
        return self.tags.get("environment") or self.tags.get("Environment") or "unknown"

    @property
    def is_production(self) -> bool:
        """Whether it is for production, or nobody said what it is for."""
        return self.environment.casefold() in PRODUCTION_WORDS or self.environment == "unknown"

    @property
    def stack(self) -> str:
        """The stack that it is tried on; its name when no tag says so."""
        return self.tags.get("stack") or self.tags.get("aws:cloudformation:stack-name") or self.name

    @property
    def alarms(self) -> tuple[str, ...]:
        """The ARNs of the alarms that stop it."""
        return tuple(c["value"] for c in self.stop_conditions if c.get("source") == "aws:cloudwatch:alarm")

    @property
    def content(self) -> str:
        """A digest of all that says what a run does, to what, in which tier, and what stops it."""
        told = {name: value for name, value in self.as_dict().items() if name not in _SAID_ONLY}
        return digest_of({**told, "environment": self.environment, "stack": self.stack})

    def order(self) -> tuple[tuple[str, ...], ...]:
        """Return the actions' names in the order they start, those that start together side by side."""
        left, done, order = dict(self.actions), set[str](), []
        while left:
            ready = sorted(n for n, a in left.items() if set(a.get("startAfter", ())) <= done) or sorted(left)
            order.append(tuple(ready))
            done |= set(ready)
            for name in ready:
                del left[name]
        return tuple(order)

    def seconds(self) -> float:
        """Return how long it takes as far as its actions tell."""
        ends: dict[str, float] = {}
        for group in self.order():
            for name in group:
                begins = max((ends.get(b, 0.0) for b in self.actions[name].get("startAfter", ())), default=0.0)
                ends[name] = begins + seconds_of(self.actions[name])
        return max(ends.values(), default=0.0)

    def usd(self) -> float:
        """Return what FIS charges for a whole run: by the minutes of each action, in each account."""
        minutes = sum(max(1.0, seconds_of(action) / 60) for action in self.actions.values())
        return float(minutes * USD_A_MINUTE * max(1, len(self.accounts)))

    def steps(self) -> tuple[str, ...]:
        """Return what it does in plain words, in order."""
        lines = []
        for number, group in enumerate(self.order(), 1):
            words = " and ".join(words_of(name, self.actions[name]) for name in group)
            lines.append(f"{number}. {words}")
        return tuple(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types; `template_from` is the inverse."""
        return {**asdict(self), "tags": dict(self.tags), "stop_conditions": [dict(c) for c in self.stop_conditions]}


def template_from(data: Mapping[str, Any]) -> Template:
    """Rebuild a template from `as_dict`'s output."""
    place = Place(**data["place"])
    conditions = tuple(data["stop_conditions"])
    return Template(**{**data, "place": place, "stop_conditions": conditions, "accounts": tuple(data["accounts"])})


def words_of(name: str, action: Mapping[str, Any]) -> str:
    """Return what an action does in words, with how long and on which target."""
    said = str(action.get("description") or name)
    targets = ", ".join(action.get("targets", {}).values())
    seconds = seconds_of(action)
    time = f" for {lasting(timedelta(seconds=seconds))}" if seconds else ""
    return f"{said[:1].upper()}{said[1:]}{time}" + (f" (target {targets})" if targets else "")


def seconds_of(action: Mapping[str, Any]) -> float:
    """Return how long an action takes by its parameters, 0 when they don't tell."""
    for value in action.get("parameters", {}).values():
        if found := _DURATION.fullmatch(str(value)):
            hours, minutes, seconds = (float(part or 0) for part in found.groups())
            return hours * 3_600 + minutes * 60 + seconds
    return 0.0
