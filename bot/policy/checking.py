"""Whether policies hold together: that they parse, keep to the schema, and tell people why."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cedarpy

from bot.directory_file import read_text_of
from bot.errors import SettingsError
from bot.policy.parsing import parse_folder, parts_of, texts_of
from bot.policy.requirement import ANNOTATIONS

SCHEMA = "schema.cedarschema"
_OPTIONAL = re.compile(r"(\w+)\?: String")
_KNOWN = {"id", "reason", *ANNOTATIONS}


def check_folder(folder: Path, schema: Path | None = None, slots: Iterable[str] = ()) -> list[str]:
    """Return what is wrong with a folder of policies, one sentence each; raises SettingsError if it can't be read.

    The schema is the folder's own; where it has none, `schema` is taken. `slots` are names of slots that policies may
    speak of beside those that it names.
    """
    rules = parse_folder(folder).rules
    file = folder / SCHEMA
    try:
        text = read_text_of(file if file.exists() or schema is None else schema)
        whole = _with_slots(text, slots)
        known, named = cedarpy.Schema.from_str(whole), set(_OPTIONAL.findall(whole))
    except ValueError as error:
        raise SettingsError(f"{file} does not parse: {error}") from error
    faults: list[str] = []
    counts = Counter(rule.name for rule in rules.values())
    faults += [f"Two policies are called {name}: give each an @id of its own." for name, n in counts.items() if n > 1]
    for name, text in texts_of(folder).items():
        if not text.strip():
            continue
        described = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        names = {key: (policy.get("annotations") or {}) for key, policy in described.items()}
        for key, notes in names.items():
            called = notes.get("id") or key
            faults += [f"{name}: {called} has no @{lack}." for lack in ("id", "reason") if not notes.get(lack)]
            odd = sorted(set(notes) - _KNOWN)
            faults += [f"{name}: {called} has the annotation @{one}, which means nothing here." for one in odd]
        for key, policy in described.items():
            called = (policy.get("annotations") or {}).get("id") or key
            odd = sorted(_values_of(policy) - named)
            faults += [f"{name}: {called}: context.values has no {one} in {SCHEMA}." for one in odd]
        for found in cedarpy.validate_policies(text, known).errors:
            called = names.get(found.policy_id or "", {}).get("id") or found.policy_id or "a policy"
            words = str(found.error).replace(f"for policy `{found.policy_id}`, ", "")
            faults.append(f"{name}: {called}: {words}")
    return list(dict.fromkeys(faults))


def _values_of(policy: Mapping[str, Any]) -> set[str]:
    """Return the slots that a policy speaks of: Cedar takes those asked for by “has” for never there, silently."""
    values = {".": {"left": {"Var": "context"}, "attr": "values"}}
    asked = (
        part[how] for part in parts_of(policy["conditions"]) for how in ("has", ".") if isinstance(part.get(how), dict)
    )
    return {str(one["attr"]) for one in asked if one.get("left") == values}


def _with_slots(schema: str, slots: Iterable[str]) -> str:
    """Return the schema with these slots among its Values, so that a new intent needs no word there."""
    named = set(_OPTIONAL.findall(schema))
    more = "".join(f"{slot}?: String, " for slot in sorted(set(slots) - named) if re.fullmatch(r"[A-Za-z_]\w*", slot))
    return schema.replace("type Values = {", "type Values = { " + more, 1)
