"""From facts to the plans of an order, an update and a termination. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.errors import Invalid
from bot.plan import Check, Plan, Resource
from bot.tags import OWNER, REQUEST
from intents.products.definition import ORDER, TERMINATION, UPDATE
from intents.products.parameters import Parameter, checked_value
from intents.products.rules import find_breaches

PLATFORM_TEAM = "Ask your platform team."
PROVISIONED = "provisioned-product"
"""Kind of the resource that a plan takes for itself: the provisioned product, by name."""
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}")
SHOWN = 25
UNREAD = "could not be read"


def plan_order(facts: Mapping[str, Any]) -> Plan:
    """Return the plan of an order: the ProvisionProduct call in full as effects, and what was checked."""
    product, version, path = facts["product"], facts["version"], facts["path"]
    parameters = [Parameter.of(p) for p in facts["parameters"]]
    values, slots, name = _values_of(parameters, facts["slots"]), facts["slots"], facts["name"]
    tags = {OWNER: facts["requester"], **facts["tags"]}
    called = product.get("name") or slots["Product"]
    effects = {
        "call": "servicecatalog:ProvisionProduct",
        "region": facts["region"],
        "product_id": product.get("id", ""),
        "artifact_id": version.get("id", ""),
        "path_id": path.get("id", ""),
        "provisioned_product_name": name,
        "parameters": values,
        "tags": tags,
        "request_tag": REQUEST,
        "hidden": sorted(p.key for p in parameters if p.hidden),
    }
    details = (
        ("Product", called),
        ("Version", version.get("name", "?") + (" (deprecated)" if version.get("guidance") == "DEPRECATED" else "")),
        ("Launch path", path.get("name", "?")),
        *((p.key, _shown(p, values.get(p.key))) for p in parameters),
        ("Provisioned product", name),
        ("Owner", facts["requester"]),
        *((f"Tag {key}", value) for key, value in facts["tags"].items()),
    )
    checks = (
        _check("Product", product, f"{called} may be launched"),
        _check("Version", version, f"{version.get('name')} is active"),
        _check("Launch path", path, str(path.get("name"))),
        *_parameter_checks(parameters, values, facts["rules"]),
        _name_check(facts),
    )
    return Plan(
        ORDER,
        f"Order {called} as {name}",
        effects,
        details,
        checks,
        touches=(Resource(PROVISIONED, name.casefold(), exclusive=True), Resource("product", effects["product_id"])),
    )


def plan_update(facts: Mapping[str, Any]) -> Plan:
    """Return the plan of an update: what changes from what to what; everything else keeps its previous value."""
    subject, version, slots = facts["subject"], facts["version"], facts["slots"]
    parameters = [Parameter.of(p) for p in facts["parameters"]]
    before: Mapping[str, str] | None = facts["before"]
    named = {p.key: p for p in parameters}
    changes = {key: slots[p.slot_name] for key, p in named.items() if p.slot_name in slots}
    changes = {k: v for k, v in changes.items() if not (v == "" and named[k].hidden) and (before or {}).get(k) != v}
    kept = sorted(key for key in named if key not in changes and (before is None or key in before))
    is_new = bool(version.get("id")) and version["id"] != subject.get("version_id")
    effects = {
        "call": "servicecatalog:UpdateProvisionedProduct",
        "region": facts["region"],
        "provisioned_product_id": subject.get("id", ""),
        "provisioned_product_name": subject.get("name", ""),
        "product_id": subject.get("product_id", ""),
        "artifact_id": version.get("id", ""),
        "path_id": facts["path"].get("id", ""),
        "parameters": changes,
        "previous": kept,
        "hidden": sorted(p.key for p in parameters if p.hidden),
    }
    rows: list[tuple[str, str]] = [("Product", f"{subject.get('name', '?')} ({subject.get('product', '?')})")]
    if is_new:
        rows.append(("Version", f"{subject.get('version') or '?'} → {version['name']}"))
    for key, value in changes.items():
        was = "not known" if before is None else _shown(named[key], before.get(key, "—"))
        rows.append((key, f"{was} → {_shown(named[key], value)}"))
    rows += [("Stays as it is", ", ".join(kept) or "—"), ("Owner", subject.get("owner") or "nobody")]
    present = {**{k: v for k, v in (before or {}).items() if k in named}, **changes}
    what = ", ".join([*([f"version {version['name']}"] if is_new else []), *changes])
    checks = (
        *_subject_checks(facts),
        _check("Version", version, f"{version.get('name')} is active"),
        *_parameter_checks([named[key] for key in changes], changes, facts["rules"], present),
        _change_check(is_new, changes),
    )
    summary = f"Update {subject.get('name', slots['ProvisionedProduct'])}" + (f": {what}" if what else "")
    return Plan(UPDATE, summary, effects, tuple(rows), checks, touches=_touches(subject))


def plan_termination(facts: Mapping[str, Any]) -> Plan:
    """Return the plan of a termination: what would be lost is part of what is approved."""
    subject, resources, users = facts["subject"], facts["resources"], facts["users"]
    name = subject.get("name") or facts["slots"]["ProvisionedProduct"]
    effects = {
        "call": "servicecatalog:TerminateProvisionedProduct",
        "region": facts["region"],
        "provisioned_product_id": subject.get("id", ""),
        "provisioned_product_name": name,
        "lost": resources if resources is not None else UNREAD,
        "retain_physical_resources": False,
    }
    lost = UNREAD if resources is None else f"{len(resources)} resources" if resources else "no resources"
    rows = [
        ("Product", f"{name} ({subject.get('product', '?')}, version {subject.get('version') or '?'})"),
        ("State", subject.get("status", "?")),
        ("Since", (subject.get("created") or "?")[:10]),
        ("Owner", subject.get("owner") or "nobody is named"),
        ("Would be lost for good", lost),
        *((f"Lost {number}", resource) for number, resource in enumerate((resources or ())[:SHOWN], 1)),
    ]
    if resources and len(resources) > SHOWN:
        rows.append(("Lost besides", f"{len(resources) - SHOWN} more"))
    rows.append(("Used by", "not known" if users is None else ", ".join(users) or "no other stack that is known"))
    checks = (*_subject_checks(facts), _users_check(users), _resources_check(resources))
    return Plan(TERMINATION, f"Terminate {name} for good", effects, tuple(rows), checks, touches=_touches(subject))


def slug(text: str) -> str:
    """Return text in a-z, 0-9 and single hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def derived_name(product: str, email: str, taken: frozenset[str]) -> str:
    """Return a free name: the product's and the person's, with a number where it is taken."""
    stem = f"{slug(product) or 'product'}-{slug(email.partition('@')[0]) or 'team'}"[:120].strip("-")
    name, number = stem, 2
    while name.casefold() in {t.casefold() for t in taken}:
        name, number = f"{stem}-{number}", number + 1
    return name


def checked_name(text: str) -> str:
    """Return a provisioned product's name; raises Invalid with Service Catalog's rules."""
    name = text.strip().strip("“”\"'")
    if not NAME.fullmatch(name):
        raise Invalid(
            f"“{name[:80]}” can't be the name of a provisioned product.",
            field="ProvisionedName",
            next_step="Use 1 to 128 letters, digits, dots, hyphens and underscores, and begin with a letter or digit.",
        )
    return name


def days_since(created: str, now: datetime) -> str:
    """Return how old something is, in words; empty when that is not known."""
    if not created:
        return ""
    days = (now - datetime.fromisoformat(created)).days
    return "since today" if days < 1 else f"{days} day{'s' if days != 1 else ''} old"


def _values_of(parameters: list[Parameter], slots: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for parameter in parameters:
        value = slots.get(parameter.slot_name, parameter.default)
        if value is not None and not (parameter.hidden and not value.startswith("{{")):
            values[parameter.key] = value
    return values


def _shown(parameter: Parameter, value: str | None) -> str:
    if parameter.hidden:
        is_reference = bool(value) and str(value).startswith("{{resolve:")
        return f"secret, read from {str(value)[10:-2]}" if is_reference else "secret, left to the product"
    return value or "none"


def _check(name: str, fact: Mapping[str, Any], fine: str) -> Check:
    if "error" in fact:
        return Check(name, "fails", fact["error"], fact.get("field", ""), fact.get("next_step", ""))
    return Check(name, "ok", fine)


def _parameter_checks(
    parameters: list[Parameter],
    values: Mapping[str, str],
    rules: list[str],
    present: Mapping[str, str] | None = None,
) -> tuple[Check, ...]:
    failing = []
    for parameter in parameters:
        if parameter.hidden or (parameter.key not in values and parameter.default is not None):
            continue
        try:
            checked_value(parameter, values[parameter.key])
        except KeyError:
            failing.append(Check(parameter.key, "fails", f"{parameter.key} has no value.", parameter.slot_name))
        except Invalid as error:
            failing.append(Check(parameter.key, "fails", error.detail, parameter.slot_name, error.next_step))
    slots = {p.key: p.slot_name for p in parameters}
    for breach in (b for text in rules for b in find_breaches(text, values if present is None else present)):
        at_fault = next((slots[key] for key in breach.keys if key in slots), "")
        failing.append(Check("Rule", "fails", breach.description, at_fault, "Give another value."))
    return tuple(failing) or (Check("Parameters", "ok", f"{len(values)} fit what the product accepts"),)


def _name_check(facts: Mapping[str, Any]) -> Check:
    name = facts["name"]
    slot = "ProvisionedName" if "ProvisionedName" in facts["slots"] else "Name"
    if not NAME.fullmatch(name):
        return Check("Name", "fails", f"“{name[:80]}” can't be a name here.", slot, "Use letters, digits, . _ and -.")
    if facts["taken"]:
        return Check("Name", "fails", f"There is a provisioned product called {name} already.", slot, "Choose another.")
    return Check("Name", "ok", f"{len(name)} of 128 characters, and free")


def _subject_checks(facts: Mapping[str, Any]) -> tuple[Check, ...]:
    subject, refusal = facts["subject"], facts["refusal"]
    if "error" in subject:
        return (_check("Product", subject, ""),)
    checks = [
        Check("Owner", "fails", refusal, next_step="Ask its owner, or your platform team.")
        if refusal
        else Check("Owner", "ok", f"{facts['requester']} may change it")
    ]
    if subject["status"] in ("UNDER_CHANGE", "PLAN_IN_PROGRESS"):
        sentence = f"Service Catalog is working on {subject['name']} just now."
        checks.append(Check("State", "fails", sentence, next_step="Ask again when that has ended."))
    else:
        checks.append(Check("State", "ok", subject["status"]))
    return tuple(checks)


def _change_check(is_new: bool, changes: Mapping[str, str]) -> Check:
    if is_new or changes:
        return Check("Change", "ok", "something changes")
    return Check("Change", "fails", "Nothing would change: it has that version and these values already.", "Change")


def _users_check(users: list[str] | None) -> Check:
    if users:
        sentence = f"{', '.join(users)} import what it exports, so CloudFormation would refuse to delete it."
        return Check("Used by", "fails", sentence, next_step="End those first.")
    return Check("Used by", "ok", "no other stack imports from it" if users is not None else "not known")


def _resources_check(resources: list[str] | None) -> Check:
    if resources is None:
        return Check("Contents", "ok", "what it holds could not be read; look before you agree")
    return Check("Contents", "ok", f"{len(resources)} resources would be deleted")


def _touches(subject: Mapping[str, Any]) -> tuple[Resource, ...]:
    if not subject.get("name"):
        return ()
    return (Resource(PROVISIONED, subject["name"].casefold(), exclusive=True),)
