"""From facts to the plan of one account. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import Invalid
from bot.plan import Check, Plan, Resource
from intents.account_vending.agreed import checks_of, rows_of
from intents.account_vending.definition import NAME
from intents.account_vending.naming import product_name
from intents.account_vending.rules import checked_address, checked_name

PLATFORM_TEAM = "Ask your platform team."
ROOT_EMAIL = "root-email"
"""Kind of the resource that a plan takes for itself: the root address."""


def plan_account(facts: Mapping[str, Any]) -> Plan:
    """Return the plan: the ProvisionProduct call in full and what follows it as effects, and what was checked."""
    slots, product, unit = facts["slots"], facts["product"], facts["unit"]
    requester, name, email = facts["requester"], facts["account_name"], slots["RootEmail"]
    taken = frozenset(facts["product_names"])
    agreed, extras = facts.get("agreed", {}), facts.get("extras", ())
    provisioned_name = product_name(name, email, taken, planned=facts.get("planned_name", ""))
    effects = {
        "call": "servicecatalog:ProvisionProduct",
        "region": facts["region"],
        "product_id": product.get("id", ""),
        "artifact_id": product.get("artifact_id", ""),
        "path_id": product.get("path_id", ""),
        "provisioned_product_name": provisioned_name,
        "parameters": {
            "AccountEmail": email,
            "AccountName": name,
            "ManagedOrganizationalUnit": unit.get("value", ""),
            "SSOUserEmail": requester["email"],
            "SSOUserFirstName": requester["first_name"],
            "SSOUserLastName": requester["last_name"],
        },
        "account_type": slots["AccountType"],
        "ou_id": unit.get("id", ""),
        "finishing": {name: value for name, value in agreed.items() if name != "access_faults"},
    }
    where = unit.get("path") or slots["AccountOU"]
    return Plan(
        intent=NAME,
        summary=f"Create the {slots['AccountType']} account {name} in OU {where}",
        effects=effects,
        details=(
            ("Account name", name),
            ("Account type", slots["AccountType"]),
            ("OU", f"{where} ({unit['id']})" if "id" in unit else where),
            ("Root e-mail", email),
            *((e["label"], e["value"]) for e in extras),
            ("First sign-in for", f"{requester['first_name']} {requester['last_name']} <{requester['email']}>"),
            *_identity_row(facts.get("identity", {})),
            ("Product", f"Account Factory, version {product.get('artifact_name') or '?'}"),
            ("Provisioned product", provisioned_name),
            *rows_of(agreed),
        ),
        checks=(*_checks(facts), *checks_of(extras, agreed)),
        tier=facts["tier"],
        ask=tuple(facts.get("approvers", ())),
        touches=(
            Resource(ROOT_EMAIL, email.casefold(), exclusive=True),
            Resource("ou", unit.get("id") or where),
        ),
    )


def _identity_row(person: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return whether the one who signs in first is in Identity Center. Not hashed: it changes nothing of the order."""
    match person.get("state"):
        case "exists":
            return (("Their user", "exists in Identity Center"),)
        case "absent":
            return (("Their user", "will be created in Identity Center"),)
        case "unknown":
            return (("Their user", f"could not be looked up in Identity Center ({person.get('why', '')})"),)
    return ()


def _checks(facts: Mapping[str, Any]) -> tuple[Check, ...]:
    return (
        _product_check(facts),
        _unit_check(facts),
        _email_check(facts),
        _name_check(facts),
        _quota_check(facts),
        _capacity_check(facts),
    )


def _product_check(facts: Mapping[str, Any]) -> Check:
    product = facts["product"]
    if "error" in product:
        return Check("Account Factory", "fails", product["error"], next_step=PLATFORM_TEAM)
    return Check("Account Factory", "ok", f"version {product['artifact_name']}, path {product['path_name']}")


def _unit_check(facts: Mapping[str, Any]) -> Check:
    unit = facts["unit"]
    if "error" in unit:
        return Check("OU", "fails", unit["error"], slot="AccountOU", next_step=unit["next_step"])
    return Check("OU", "ok", f"{unit['path']} is registered with Control Tower")


def _email_check(facts: Mapping[str, Any]) -> Check:
    email, owner = facts["slots"]["RootEmail"], facts["email_owner"]
    if owner:
        sentence = f"{email} is already the root address of account {owner['Id']} ({owner['Name']})."
        return Check("Root e-mail", "fails", sentence, "RootEmail", "Every account needs an address of its own.")
    try:
        checked_address(email, facts.get("rules", {}).get("domains", ()))
    except Invalid as error:
        return Check("Root e-mail", "fails", error.detail, "RootEmail", error.next_step)
    return Check("Root e-mail", "ok", "no account of the organization uses it")


def _name_check(facts: Mapping[str, Any]) -> Check:
    rules = facts.get("rules", {})
    try:
        checked_name(facts["account_name"], rules.get("name_pattern", ""), rules.get("name_hint", ""))
    except Invalid as error:
        return Check("Account name", "fails", error.detail, "AccountName", error.next_step)
    return Check("Account name", "ok", f"{len(facts['account_name'])} of 50 characters")


def _quota_check(facts: Mapping[str, Any]) -> Check:
    # Orders under way make accounts that Organizations does not count yet.
    used, limit = facts["accounts"] + len(facts["changing"]), facts["quota"]
    if used >= limit:
        sentence = f"The organization has used {used} of its {limit} accounts, so AWS would refuse another one."
        step = "Ask your platform team to raise the quota “Default maximum number of accounts” (L-E619E033)."
        return Check("Account quota", "fails", sentence, next_step=step)
    return Check("Account quota", "ok", f"{limit - used} of {limit} left")


def _capacity_check(facts: Mapping[str, Any]) -> Check:
    busy, limit = len(facts["changing"]), facts["capacity"]
    if busy >= limit:
        sentence = f"Control Tower is working on {busy} accounts, as many as it can; this one will queue."
        return Check("Control Tower", "waits", sentence)
    return Check("Control Tower", "ok", f"{busy} of {limit} places taken")
