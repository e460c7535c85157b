"""Whether policies hold together: that they parse, keep to the schema, and tell people why."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cedarpy

from bot.directory import read_text_of
from bot.errors import SettingsError
from bot.policy.parsing import parse_folder, texts_of
from bot.policy.requirement import ANNOTATIONS

SCHEMA = "schema.cedarschema"
_KNOWN = {"id", "reason", *ANNOTATIONS}


def check_folder(folder: Path, schema: Path | None = None) -> list[str]:
    """Return what is wrong with a folder of policies, one sentence each; raises SettingsError if it can't be read.

    The schema is the folder's own; where it has none, `schema` is taken.
    """
    rules = parse_folder(folder).rules
    file = folder / SCHEMA
    try:
        known = cedarpy.Schema.from_str(read_text_of(file if file.exists() or schema is None else schema))
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
        for found in cedarpy.validate_policies(text, known).errors:
            called = names.get(found.policy_id or "", {}).get("id") or found.policy_id or "a policy"
            words = str(found.error).replace(f"for policy `{found.policy_id}`, ", "")
            faults.append(f"{name}: {called}: {words}")
    return list(dict.fromkeys(faults))
