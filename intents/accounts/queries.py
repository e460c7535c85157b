"""Questions about accounts: who owns one, which are mine, which nobody's, which expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.accounts import Account, Accounts
from bot.activity import Person
from bot.card import Button, Card, Facts, Item, Table, Text
from bot.errors import Invalid
from bot.intent import Answer, Ask, Definition, Query
from bot.tags import COST_CENTRE
from intents.accounts import definitions
from intents.accounts.rights import decide_all

SHOWN = 20
SOON = 30
"""Days within which an account expires soon."""
OPEN = "ACTIVE"


async def account_asked_about(query: Query, ask: Ask) -> Account | Answer:
    """Return the account that a question names, or the answer that asks which one is meant."""
    try:
        named = ask.slots.get("Account") or ask.slots.get("That", "")
        return await Accounts(query.services).meant(named, ask.conversation)
    except Invalid as error:
        buttons = tuple(Button(label, "say", f"{_words(query)} {_id_in(label)}") for label in error.choices)
        text = error.sentence()
        return Answer(text, Card(text, buttons=buttons) if buttons else None)


def _words(query: Query) -> str:
    return "what did account" if query.definition.name == definitions.SPEND else "who owns account"


def _id_in(label: str) -> str:
    return label.rpartition("(")[2].rstrip(")")


class AccountOwner(Query):
    """Tells who owns an account. Everybody may ask: who finds something odd must know whom to tell."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_owner()

    async def answer(self, ask: Ask) -> Answer:
        """Return owner, cost centre, expiry and state of the account that is named."""
        account = await account_asked_about(self, ask)
        if isinstance(account, Answer):
            return account
        owner = account.owner or "nobody is named as its owner"
        rows = [
            ("Account", account.shown),
            ("Owner", owner),
            ("Root e-mail", account.email),
            ("Account type", account.kind),
            ("Cost centre", account.tags.get(COST_CENTRE, "")),
            ("Expires", account.expires.isoformat() if account.expires else ""),
            ("State", "" if account.status == OPEN else account.status),
        ]
        items: tuple[Item, ...] = (Facts(tuple((n, v) for n, v in rows if v)),)
        if not account.owner:
            items = (*items, Text(f"To name one, say “change the owner of account {account.id}”."))
        card = Card(f"{account.name}: {owner}", items)
        return Answer(card.as_text(), card)


class MyAccounts(Query):
    """Lists the accounts whose owner is the person."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_mine()

    async def answer(self, ask: Ask) -> Answer:
        """Return the person's accounts that are not closed."""
        mine = [a for a in await open_accounts(self) if a.owner == ask.person.email]
        if not mine:
            return Answer(
                f"No account names {ask.person.email} as its owner. If one is yours, "
                "say “change the owner of” and its id."
            )
        return _listed("Your accounts", mine)


class OwnerlessAccounts(Query):
    """Lists accounts that name no owner; operators may ask."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_ownerless()

    def is_offered_to(self, person: Person) -> bool:
        """Tell whether the person may see everybody's accounts."""
        return decide_all(self, Ask(person, {})).allowed

    async def answer(self, ask: Ask) -> Answer:
        """Return them; raises Refused for those who may not see everybody's accounts."""
        decide_all(self, ask).require()
        accounts = await open_accounts(self)
        orphans = [a for a in accounts if not a.owner]
        if not orphans:
            return Answer(f"Each of the {len(accounts)} accounts names its owner.")
        return _listed(f"{len(orphans)} of {len(accounts)} accounts name no owner", orphans)


class ExpiringAccounts(Query):
    """Lists accounts that expire within a month: one's own, and all of them for operators."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_expiring()

    async def answer(self, ask: Ask) -> Answer:
        """Return them, next to expire first; of an account that is named, when it does."""
        today = self.services.clock.now().date()
        if ask.slots.get("Account") or ask.slots.get("That"):
            account = await account_asked_about(self, ask)
            return account if isinstance(account, Answer) else _expiry_of(account, today)
        sees_all = decide_all(self, ask).allowed
        known = [a for a in await open_accounts(self) if sees_all or a.owner == ask.person.email]
        soon = sorted(
            ((a.expires, a) for a in known if a.expires and (a.expires - today).days <= SOON),
            key=lambda pair: (pair[0], pair[1].id),
        )
        whose = "No account" if sees_all else "None of your accounts"
        if not soon:
            later = sorted((a.expires, a.shown) for a in known if a.expires)
            then = f" The next is {later[0][1]}, on {later[0][0]}." if later else ""
            return Answer(f"{whose} expires within {SOON} days.{then}")
        rows = tuple((a.name, a.id, a.owner or "—", _when(day, today)) for day, a in soon[:SHOWN])
        days = self.services.house.renew_days
        buttons = tuple(
            Button(f"Renew {a.name} for {days} days", "say", f"renew account {a.id} for {days} days")
            for _, a in soon[:3]
            if a.owner == ask.person.email
        )
        items: tuple[Item, ...] = (Table(("Name", "Id", "Owner", "Expires"), rows), *_more(len(soon)))
        card = Card("Accounts that expire soon", items, buttons)
        return Answer(card.as_text(), card)


def _expiry_of(account: Account, today: date) -> Answer:
    if account.status != OPEN:
        return Answer(f"{account.shown} is {account.status}: it is closed, or about to be.")
    if account.expires is None:
        return Answer(f"{account.shown} does not expire.")
    return Answer(f"{account.shown} expires on {_when(account.expires, today)}.")


async def open_accounts(query: Query) -> list[Account]:
    """Return the accounts of the organization that are not closed."""
    return [a for a in await Accounts(query.services).all() if a.status == OPEN]


def _listed(title: str, accounts: Sequence[Account]) -> Answer:
    rows = tuple(
        (a.name, a.id, a.kind or "—", a.expires.isoformat() if a.expires else "never") for a in accounts[:SHOWN]
    )
    card = Card(title, (Table(("Name", "Id", "Type", "Expires"), rows), *_more(len(accounts))))
    return Answer(card.as_text(), card)


def _more(count: int) -> tuple[Text, ...]:
    left = count - SHOWN
    return (Text(f"{left} more are not shown.", subtle=True),) if left > 0 else ()


def _when(day: date, today: date) -> str:
    left = (day - today).days
    if left < 0:
        return f"{day} (overdue)"
    return f"{day} (today)" if left == 0 else f"{day} (in {left} day{'s' if left > 1 else ''})"
