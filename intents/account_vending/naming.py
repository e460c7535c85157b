"""Names that Account Factory takes: derived, shortened, checked."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from bot.errors import Invalid

MAX_ACCOUNT_NAME = 50
MAX_PRODUCT_NAME = 128
MIN_EMAIL, MAX_EMAIL = 6, 64

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()&'+-]*")


def checked_account_name(text: str) -> str:
    """Return the account name, or raise Invalid: at most 50 characters (Organizations), plain ones."""
    name = " ".join(text.strip().strip("\"'“”‘’").split())
    if not name:
        raise Invalid("The account name is empty.", field="AccountName")
    if len(name) > MAX_ACCOUNT_NAME:
        raise Invalid(
            f"The account name has {len(name)} characters; AWS allows {MAX_ACCOUNT_NAME}.",
            field="AccountName",
            next_step="Give a shorter one, such as “call it team-x-sandbox”.",
        )
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"“{name}” has characters that an account name can't have.",
            field="AccountName",
            next_step="Use letters, digits, blanks and . _ - ( ) & ' +, beginning with a letter or digit.",
        )
    return name


def checked_root_email(email: str) -> str:
    """Return the address as typed, or raise Invalid: AWS takes 6 to 64 characters."""
    if not MIN_EMAIL <= len(email) <= MAX_EMAIL:
        raise Invalid(
            f"“{email[:80]}” has {len(email)} characters; AWS takes root addresses of {MIN_EMAIL} to {MAX_EMAIL}.",
            field="RootEmail",
            next_step="Give a shorter mailbox.",
        )
    return email


def derived_account_name(email: str, account_type: str) -> str:
    """Return a name for the account from its root mailbox: team-x+aws@… becomes "team-x-aws-sandbox"."""
    mailbox = slug(email.partition("@")[0]) or "account"
    kind = slug(account_type)
    name = mailbox if kind and kind in mailbox.split("-") else f"{mailbox}-{kind}"
    return name[:MAX_ACCOUNT_NAME].strip("-")


def product_name(account_name: str, email: str, taken: frozenset[str], planned: str = "") -> str:
    """Return a provisioned product's name that nobody has: the account's, with a mark of the address.

    The one that was planned before stays while it fits and is free: a number that is no longer needed is no
    reason to ask the approvers again.
    """
    stem = _stem(account_name, email)
    if planned not in taken and re.fullmatch(rf"{re.escape(stem)}(?:-\d+)?", planned):
        return planned
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def candidate_names(account_name: str, email: str, most: int) -> list[str]:
    """Return the names that `product_name` chooses from, in its order."""
    stem = _stem(account_name, email)
    return [stem, *(f"{stem}-{number}" for number in range(2, most + 1))]


def _stem(account_name: str, email: str) -> str:
    mark = hashlib.sha256(email.casefold().encode()).hexdigest()[:6]
    return f"{slug(account_name)[: MAX_PRODUCT_NAME - 12] or 'account'}-{mark}"


def slug(text: str) -> str:
    """Return text in a-z, 0-9 and single hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
