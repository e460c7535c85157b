"""What has to change so that what is found becomes what is wanted: a pure comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from adapters.lex.building.content import Content, Form, SlotKey, type_key

Kind = Literal["slot type", "intent", "slot", "locale"]


@dataclass(frozen=True)
class Step:
    """One changing call to be made; `differences` say what differs, for people."""

    verb: Literal["create", "update", "delete"]
    kind: Kind
    name: str
    differences: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.verb} {self.kind} {self.name}"


def left_over(wanted: Content, found: Content) -> list[Step]:
    """Return the deletions of what is found and no longer wanted: slots first, then intents, then slot types."""
    intents = [name for name in found.intents if name not in wanted.intents and not found.intents[name]["parent"]]
    slots = [key for key in found.slots if key not in wanted.slots and key[0] not in intents]
    types = [name for name in found.types if name not in wanted.types]
    return [
        *(Step("delete", "slot", ".".join(key)) for key in slots),
        *(Step("delete", "intent", name) for name in intents),
        *(Step("delete", "slot type", name) for name in types),
    ]


def plan(wanted: Content, found: Content, *, prune: bool) -> list[Step]:
    """Return the changing calls in an order in which each can be made; none when nothing differs.

    An intent that does not exist is created without its slots, and updated once they are there. Without `prune`
    what is no longer wanted stays; a slot that stays is no longer asked for.
    """
    wanted = wanted if prune else with_slots_that_stay(wanted, found)
    steps = list(_of_locale(wanted, found))
    steps += _of_parts("slot type", wanted.types, found.types)
    steps += [Step("create", "intent", name) for name in wanted.intents if name not in found.intents]
    steps += _of_parts("slot", wanted.slots, found.slots)
    for name, form in wanted.intents.items():
        has = found.intents.get(name) or created_form(form)
        if form != has:
            steps.append(Step("update", "intent", name, tuple(differences(form, has))))
    return [*steps, *(left_over(wanted, found) if prune else ())]


def with_slots_that_stay(wanted: Content, found: Content) -> Content:
    """Return what is wanted with the slots that stay: optional, and after all others, so that Lex asks for none."""
    stay = [key for key in found.slots if key not in wanted.slots and key[0] in wanted.intents]
    if not stay:
        return wanted
    intents, slots, raw = dict(wanted.intents), dict(wanted.slots), dict(wanted.raw)
    for intent, slot in stay:
        order = [*intents[intent]["priorities"], slot]
        intents[intent] = {**intents[intent], "priorities": order}
        slots[intent, slot] = {**found.slots[intent, slot], "constraint": "Optional"}
        entry = dict(found.raw[intent, slot])
        setting = {**entry["valueElicitationSetting"], "slotConstraint": "Optional"}
        raw[intent, slot] = {**entry, "valueElicitationSetting": setting}
        rows = [{"slotName": name, "priority": n} for n, name in enumerate(order, 1)]
        raw[intent] = {**raw[intent], "slotPriorities": rows}
    return replace(wanted, intents=intents, slots=slots, raw=raw)


def created_form(form: Form) -> Form:
    """Return the normal form of an intent right after it was created: without slots and confirmation."""
    return {**form, "priorities": [], "confirmation": {}}


def _of_locale(wanted: Content, found: Content) -> Iterator[Step]:
    if wanted.threshold != found.threshold:
        yield Step("update", "locale", "", (f"threshold: {found.threshold:g} → {wanted.threshold:g}",))


def _of_parts(kind: Kind, wanted: Mapping[Any, Form], found: Mapping[Any, Form]) -> list[Step]:
    steps = []
    for key, form in wanted.items():
        name = key if isinstance(key, str) else ".".join(key)
        if key not in found:
            steps.append(Step("create", kind, name))
        elif form != found[key]:
            steps.append(Step("update", kind, name, tuple(differences(form, found[key]))))
    return steps


def differences(wanted: Form, found: Form) -> Iterator[str]:
    """Yield what differs between two normal forms, a line each."""
    for name, value in wanted.items():
        has = found.get(name)
        if value == has:
            continue
        if isinstance(value, list) and isinstance(has, list) and name != "priorities":
            yield from (f"{name}: + {entry}" for entry in value if entry not in has)
            yield from (f"{name}: - {entry}" for entry in has if entry not in value)
        elif isinstance(value, Mapping) and isinstance(has, Mapping):
            yield from (f"{name}: + {key}" for key in value if key not in has)
            yield from (f"{name}: - {key}" for key in has if key not in value)
            yield from (f"{name}: {key} changes" for key in value if key in has and value[key] != has[key])
        else:
            yield f"{name}: {has} → {value}"


def key_of(step: Step) -> Any:
    """Return the key of what a step is about, among a content's `raw` and `ids`."""
    if step.kind == "slot type":
        return type_key(step.name)
    if step.kind == "slot":
        intent, _, slot = step.name.partition(".")
        key: SlotKey = intent, slot
        return key
    return step.name
