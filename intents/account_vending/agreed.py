"""What an account gets before it is called ready, agreed in the plan: tags, contacts, budget, access, checks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot import tags
from bot.errors import Invalid
from bot.house import AccountType, ExtraSlot
from bot.plan import Check
from bot.words import either
from intents.account_vending.extras import checked_answer

CONTACT_KINDS = ("billing", "operations", "security")


def extras_of(asked: Sequence[ExtraSlot], slots: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the answers to the house's own questions; a "fault" where one does not do any more."""
    found = []
    for extra in asked:
        if not (value := slots.get(extra.slot)):
            continue
        entry = {"slot": extra.slot, "label": extra.name[:1].upper() + extra.name[1:], "tag": extra.tag_key}
        try:
            found.append({**entry, "value": checked_answer(extra, value), "fault": ""})
        except Invalid as error:
            found.append({**entry, "value": value, "fault": error.detail, "next_step": error.next_step})
    return found


def agreed_of(
    kind: AccountType | None,
    name: str,
    extras: Sequence[Mapping[str, str]],
    requester: str,
    access: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return what the finishing steps will do, resolved: these are effects of the plan, as JSON types.

    The request's id and the day of expiry are known only later: their tags are named without a value.
    """
    answers = {e["tag"]: e["value"] for e in extras}
    owner = answers.get(tags.OWNER, requester)
    fixed = {
        **(kind.tags if kind else {}),
        tags.OWNER: owner,
        **answers,
        tags.ACCOUNT_TYPE: kind.name if kind else name,
    }
    agreed: dict[str, Any] = {"owner": owner, "tags": fixed, "tags_then": [tags.REQUEST]}
    if kind is None:
        return agreed
    if kind.expires_days:
        agreed["expires_days"] = kind.expires_days
        agreed["tags_then"] = [tags.REQUEST, tags.EXPIRES]
    contacts = {n: getattr(kind.contacts, n) for n in CONTACT_KINDS}
    if any(contacts.values()):
        agreed["contacts"] = {n: c.model_dump() for n, c in contacts.items() if c}
    if kind.budget:
        agreed["budget"] = {
            "monthly_usd": f"{kind.budget.monthly_usd:.2f}",
            "alerts": sorted(set(kind.budget.alerts)),
            "notify": list(dict.fromkeys((owner, *kind.budget.notify))),
        }
    if access:
        agreed["access"] = [{n: v for n, v in entry.items() if n != "error"} for entry in access]
        faults = [entry["error"] for entry in access if "error" in entry]
        if faults:
            agreed["access_faults"] = faults
    if kind.baseline:
        agreed["baseline"] = True
    return agreed


def rows_of(agreed: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return in words what will be done after Control Tower is."""
    rows = []
    if agreed.get("tags"):
        listed = [f"{key}: {value}" for key, value in agreed["tags"].items()]
        rows.append(("Tags", "; ".join((*listed, *agreed["tags_then"]))))
    if agreed.get("expires_days"):
        rows.append(("Expires", f"{agreed['expires_days']} days after it is made, unless it is renewed"))
    for name, contact in agreed.get("contacts", {}).items():
        rows.append(
            (f"{name.capitalize()} contact", f"{contact['name']}, {contact['title']} <{contact['email']}>, "
             f"{contact['phone']}")
        )  # fmt: skip
    if budget := agreed.get("budget"):
        alerts = " and ".join(f"{percent} %" for percent in budget["alerts"])
        told = f"; at {alerts} told: {', '.join(budget['notify'])}" if alerts else ""
        rows.append(("Budget", f"{budget['monthly_usd']} USD a month{told}"))
    if agreed.get("access"):
        rows.append(("Access", "; ".join(f"{e['group']} as {e['permission_set']}" for e in agreed["access"])))
    if agreed.get("baseline"):
        rows.append(("Checked at the end", "baseline, guardrails, CloudTrail, AWS Config"))
    return tuple(rows)


def checks_of(extras: Sequence[Mapping[str, str]], agreed: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return what stands against the answers and the finishing steps."""
    faulty = [
        Check(e["label"], "fails", e["fault"], slot=e["slot"], next_step=e.get("next_step", ""))
        for e in extras
        if e["fault"]
    ]
    if agreed.get("access_faults"):
        sentence = " ".join(agreed["access_faults"])
        step = "Ask your platform team to make it, or to mend the account type's access in house.yml."
        faulty.append(Check("Access", "fails", sentence, next_step=step))
    elif agreed.get("access"):
        groups = either(list(dict.fromkeys(e["group"] for e in agreed["access"]))).replace(" or ", " and ")
        faulty.append(Check("Access", "ok", f"Identity Center has {groups} and what they get"))
    return tuple(faulty)
