"""Accounts as people know them: who answers for one, until when it is kept, and which one a person means.

What is known of an account is on the account itself (its tags, `bot.tags`), so that those older than this service,
and those made by other tools, are covered alike. Tags of one account are asked of Organizations, which tells at
once what was just changed; those of all come from the tagging API, a hundred a call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from sqlalchemy import select

from bot import tags
from bot.database.tables import messages
from bot.errors import Invalid
from bot.organization import Organization
from bot.services import Services
from bot.words import either

GLOBAL_REGION = "us-east-1"
"""Where the tagging API, Cost Explorer and Budgets know of the whole organization."""
PRONOUNS = frozenset("it|this|that|this one|that one|this account|that account|the account|the same|same".split("|"))
_POINTING = re.compile(r"\b(?:it|(?:this|that) (?:one|account)|the same(?: account)?)\b", re.IGNORECASE)
POINTED = 8
"""Words up to which "it" in a sentence is the account; in a longer one it may be anything."""
LOOKED_BACK = 12
"""Messages of a conversation that are looked at for what "it" is."""
_ID = re.compile(r"(?<!\d)\d{12}(?!\d)")
_LOOSE_ID = re.compile(r"\d{4}[- ]\d{4}[- ]\d{4}|\d{12}")
_ASIDE = re.compile(r"^(?:(?:the|our|my|an?|aws|account|acct)\s+)+|\s+(?:account|acct)$", re.IGNORECASE)
_BEHIND = re.compile(
    r"\s+(?:spend|spent|cost|costs|any ?more|last month|this month|so far|for \d+ days|up to date)\b.*$", re.IGNORECASE
)
_FEW = 5


@dataclass(frozen=True)
class Account:
    """One account of the organization with its tags."""

    id: str
    name: str
    email: str
    status: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The case-folded address of who answers for it, empty when nobody is named."""
        return self.tags.get(tags.OWNER, "").strip().casefold()

    @property
    def kind(self) -> str:
        """The account type that it was ordered as, empty when unknown."""
        return self.tags.get(tags.ACCOUNT_TYPE, "")

    @property
    def expires(self) -> date | None:
        """The day on which it is due to be closed; None when it has none, or one that is no date."""
        try:
            return date.fromisoformat(self.tags.get(tags.EXPIRES, "").strip()[:10])
        except ValueError:
            return None

    @property
    def shown(self) -> str:
        """How to name it to people."""
        return f"{self.name} ({self.id})"


class Accounts:
    """Reads accounts through the management role."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def meant(self, text: str, conversation: str = "", *, fresh: bool = False) -> Account:
        """Return the account that a person names by id, name or root e-mail, or as "it"; never guesses between two.

        Raises Invalid (field "Account") with what would do; `choices` are the few that could have been meant.
        """
        organization = await self._services.organization.for_plan(fresh=fresh)
        wanted = text.strip().strip("“”\"'?!.,").strip()
        if not wanted:
            raise Invalid("Which account?", field="Account", next_step=HOW_TO_NAME)
        if wanted.casefold() in PRONOUNS:
            entry = await self._spoken_of(organization, conversation)
        else:
            entry = find_account(organization, wanted)
        return await self.account(entry["Id"], organization)

    async def pointed_at(self, text: str, conversation: str) -> str:
        """Return the id of the account spoken of last, if a sentence points at it ("close it"); empty otherwise."""
        if len(text.split()) > POINTED or not _POINTING.search(text):
            return ""
        try:
            return (await self.meant("it", conversation)).id
        except Invalid:
            return ""

    async def named_in(self, text: str) -> str:
        """Return the id of the one account that a sentence names, by id, name or root e-mail; empty for none or two."""
        organization = await self._services.organization.recent()
        folded = f" {re.sub(r'[^a-z0-9@.+]+', ' ', text.casefold())} "
        ids = {re.sub(r"\D", "", found[0]) for found in _LOOSE_ID.finditer(text)}
        named = {
            account["Id"]
            for account in organization.accounts
            if account["Id"] in ids
            or account["Email"].casefold() in folded
            or f" {_folded(account['Name'])} " in folded
        }
        return named.pop() if len(named) == 1 else ""

    async def account(self, account_id: str, organization: Organization | None = None) -> Account:
        """Return the account of that id with its tags as they are now; raises Invalid when there is none."""
        organization = organization or await self._services.organization.for_plan(fresh=False)
        entry = organization.account(account_id)
        if entry is None:
            raise Invalid(f"The organization has no account {account_id}.", field="Account")
        return _with_tags(entry, await self.tags_of(account_id))

    async def tags_of(self, account_id: str) -> dict[str, str]:
        """Return an account's tags as Organizations has them now."""
        listed = self._services.cloud.pages(
            "organizations",
            "ListTagsForResource",
            "Tags",
            region=self._services.settings.control_tower_region,
            role=self._services.settings.management_role_arn,
            ResourceId=account_id,
        )
        return {tag["Key"]: tag["Value"] async for tag in listed}

    async def all(self) -> tuple[Account, ...]:
        """Return all accounts with their tags, in the organization's order."""
        organization = await self._services.organization.for_plan(fresh=False)
        tagged = await self._all_tags()
        return tuple(_with_tags(entry, tagged.get(entry["Id"], {})) for entry in organization.accounts)

    async def _all_tags(self) -> dict[str, dict[str, str]]:
        found = self._services.cloud.pages(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList",
            region=GLOBAL_REGION,
            role=self._services.settings.management_role_arn,
            ResourceTypeFilters=["organizations:account"],
            ResourcesPerPage=100,
        )
        return {
            entry["ResourceARN"].rpartition("/")[2]: {tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())}
            async for entry in found
        }

    async def _spoken_of(self, organization: Organization, conversation: str) -> Mapping[str, str]:
        """Return the account that was last spoken of, if the newest message that names any names one alone."""
        query = select(messages.c.text).where(messages.c.conversation == conversation)
        async with self._services.database.read() as connection:
            newest = (await connection.execute(query.order_by(messages.c.seq.desc()).limit(LOOKED_BACK))).all()
        for row in newest:
            named = {found for found in _ID.findall(row.text) if organization.account(found)}
            if len(named) == 1:
                entry = organization.account(named.pop())
                if entry is not None:
                    return entry
            if named:
                break
        raise Invalid("I don't know which account you mean.", field="Account", next_step=HOW_TO_NAME)


HOW_TO_NAME = "Name it by its id, its name or its root e-mail."


def find_account(organization: Organization, text: str) -> Mapping[str, str]:
    """Return the account that a text names by id, root e-mail or name; raises Invalid rather than guess."""
    wanted = _ASIDE.sub("", text.strip()).strip("“”\"' ") or text
    loose = _LOOSE_ID.search(wanted)
    if loose:
        account_id = re.sub(r"\D", "", loose[0])
        if found := organization.account(account_id):
            return found
        raise Invalid(f"The organization has no account {account_id}.", field="Account", next_step=HOW_TO_NAME)
    # Recognisers may take the words behind a name for part of it.
    matches = _matches(organization, wanted) or _matches(organization, _BEHIND.sub("", wanted))
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise _which(f"There are {len(matches)} accounts called “{wanted[:60]}”.", matches)
    near = _near(organization.accounts, wanted)
    if near:
        raise _which(f"There is no account called “{wanted[:60]}”.", near)
    raise Invalid(f"There is no account called “{wanted[:60]}”.", field="Account", next_step=HOW_TO_NAME)


def _matches(organization: Organization, wanted: str) -> list[Mapping[str, str]]:
    by_email = [a for a in organization.accounts if a["Email"].casefold() == wanted.casefold()]
    return by_email or [a for a in organization.accounts if _folded(a["Name"]) == _folded(wanted)]


def _which(detail: str, matches: Sequence[Mapping[str, str]]) -> Invalid:
    labels = tuple(f"{a['Name']} ({a['Id']})" for a in matches)
    more = f" and {len(labels) - _FEW} more" if len(labels) > _FEW else ""
    step = f"Say which by its id: {either(labels[:_FEW])}{more}."
    return Invalid(detail, field="Account", next_step=step, choices=labels[:_FEW])


def _near(accounts: Sequence[Mapping[str, str]], wanted: str) -> list[Mapping[str, str]]:
    folded = _folded(wanted)
    if len(folded) < 3:
        return []
    holding = [a for a in accounts if folded in _folded(a["Name"])]
    alike = set(get_close_matches(folded, [_folded(a["Name"]) for a in accounts], n=_FEW, cutoff=0.8))
    return holding or [a for a in accounts if _folded(a["Name"]) in alike]


def _folded(name: str) -> str:
    """Return a name as compared: “Billing Prod”, “billing-prod” and “billing_prod” are one."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _with_tags(entry: Mapping[str, str], found: Mapping[str, str]) -> Account:
    return Account(entry["Id"], entry["Name"], entry["Email"], entry["Status"], dict(found))


def as_facts(account: Account) -> dict[str, Any]:
    """Return an account as a plan's facts hold it, JSON types only; `account_of` is the inverse."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "status": account.status,
        "tags": dict(account.tags),
    }


def account_of(facts: Mapping[str, Any]) -> Account:
    """Rebuild an account from `as_facts`."""
    return Account(facts["id"], facts["name"], facts["email"], facts["status"], facts["tags"])
