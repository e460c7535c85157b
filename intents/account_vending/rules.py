"""The house's rules for accounts, each explained: which addresses, which names, which OUs. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.errors import Invalid
from bot.house import AccountType, House
from bot.organization import Unit
from bot.words import either
from intents.account_vending.naming import checked_account_name, checked_root_email

MAX_NAME_PART = 64


def checked_domain(email: str, domains: Sequence[str]) -> str:
    """Return the root address, or raise Invalid when the house allows none at its domain."""
    if domains and email.rpartition("@")[2].casefold() not in domains:
        raise Invalid(
            f"{email} can't be the root address: whoever reads the root mailbox owns the account, so it must be "
            f"one of the house's own, at {either(tuple(domains))}.",
            field="RootEmail",
            next_step=f"Give a mailbox at {either(tuple(domains))} that few people can read.",
        )
    return email


def checked_address(email: str, domains: Sequence[str]) -> str:
    """Return the root address if AWS takes it and the house allows it; raises Invalid."""
    return checked_domain(checked_root_email(email), domains)


def checked_name(name: str, pattern: str, hint: str = "") -> str:
    """Return the account name if AWS takes it and it follows the house's pattern; raises Invalid."""
    checked = checked_account_name(name)
    if pattern and not re.fullmatch(pattern, checked):
        raise Invalid(
            f"“{checked}” is not how account names look here.",
            field="AccountName",
            next_step=hint or f"They match {pattern}; say “call it …” with one that does.",
        )
    return checked


def checked_unit(unit: Unit, kind: AccountType | None, offered: Sequence[Unit]) -> Unit:
    """Return the OU if accounts of that type may go there; raises Invalid with those that would do."""
    if kind is None or not kind.ous or _is_of(unit, kind):
        return unit
    fit = [u.path for u in units_of(kind, offered)]
    if not fit:
        raise Invalid(
            f"{kind.name} accounts go into {either(kind.ous)}, and Control Tower has none of that name registered.",
            field="AccountOU",
            next_step="Ask your platform team to mend the house's account types or to register the OU.",
        )
    raise Invalid(
        f"{kind.name} accounts don't go into {unit.path}.",
        field="AccountOU",
        next_step=f"Choose {either(fit)}.",
        choices=tuple(fit),
    )


def units_of(kind: AccountType | None, offered: Sequence[Unit]) -> list[Unit]:
    """Return the OUs that accounts of that type may go into, in the house's order; all when it names none."""
    if kind is None or not kind.ous:
        return list(offered)
    order = [_folded(path) for path in kind.ous]
    return sorted((u for u in offered if _is_of(u, kind)), key=lambda u: order.index(u.path.casefold()))


def rules_of(house: House) -> dict[str, Any]:
    """Return the rules that the plan checks again, as JSON types."""
    return {
        "domains": list(house.root_email_domains),
        "name_pattern": house.account_name_pattern,
        "name_hint": house.account_name_hint,
    }


def checked_person(text: str) -> str:
    """Return somebody's first and last name as “First Last”, or raise Invalid: Identity Center wants both."""
    last, comma, first = text.partition(",")
    words = (f"{first} {last}" if comma else text).strip().strip('"“”‘’.!').split()
    name = " ".join(words)
    if len(words) < 2 or re.search(r"[@<>\"\d:/\\]", name):
        raise Invalid(
            "I need a first and a last name for the sign-in.", field="SSOUser", next_step="Such as “Ana Lopez”."
        )
    if max(len(words[0]), len(" ".join(words[1:]))) > MAX_NAME_PART:
        raise Invalid(f"Each name may have {MAX_NAME_PART} characters.", field="SSOUser", next_step="Shorten it.")
    return name


def _is_of(unit: Unit, kind: AccountType) -> bool:
    return unit.path.casefold() in {_folded(path) for path in kind.ous}


def _folded(path: str) -> str:
    return "/".join(part.strip() for part in path.strip("/").split("/")).casefold()
