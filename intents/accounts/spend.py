"""What an account spent, by service: the month so far, the last full month, and its budget."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.card import Card, Item, Table, Text
from bot.intent import Answer, Ask, Definition, Query
from intents.accounts import definitions
from intents.accounts.costs import Costs, dollars, month_before
from intents.accounts.queries import account_asked_about, open_accounts
from intents.accounts.rights import decide, decide_all

SERVICES_SHOWN = 8
_SEVERAL = re.compile(r"(?:all |all of )?(?:my |our |the )?(?:accounts?|sandboxes)|mine|we|i|us|everything|everybody")
"""Names of no account in particular."""
_ALL = re.compile(r"\b(?:we|our|us|all accounts|everything|everybody|the organi[sz]ation|company)\b")


class AccountSpend(Query):
    """Tells what an account spent to its owner, and to operators."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_spend()

    async def answer(self, ask: Ask) -> Answer:
        """Return the spend of the account that is named; raises Refused when it is not the person's business."""
        named = ask.slots.get("Account") or ask.slots.get("That", "")
        if not named or _SEVERAL.fullmatch(named.strip(" ?.!").casefold()):
            return await self._several(ask)
        account = await account_asked_about(self, ask)
        if isinstance(account, Answer):
            return account
        decide(self, ask, account).require()
        today = self.services.clock.now().date()
        first, costs = today.replace(day=1), Costs(self.services)
        last, now, budget = await asyncio.gather(
            costs.by_service(account.id, month_before(today), first),
            costs.by_service(account.id, first, today + timedelta(days=1)),
            costs.budget(account.id),
        )
        wants_last = ask.slots.get("Period", "").casefold() == definitions.LAST_MONTH
        spent_last, spent_now = sum(last.values(), Decimal(0)), sum(now.values(), Decimal(0))
        names = (f"{month_before(today):%B %Y}", f"{today:%B %Y} so far")
        headline = (
            f"{account.shown} spent {dollars(spent_last)} in {names[0]}"
            if wants_last
            else f"{account.shown} has spent {dollars(spent_now)} in {names[1]}"
        )
        items: list[Item] = [_table(last, now, names)]
        if budget:
            items.append(Text(_budget_sentence(budget, spent_now)))
        items.append(Text("US dollars from Cost Explorer, which is about a day behind.", subtle=True))
        card = Card(headline, tuple(items))
        return Answer(card.as_text(), card)

    async def _several(self, ask: Ask) -> Answer:
        """Return what the person's accounts spent; all accounts, when an operator asks for them."""
        all_wanted = bool(_ALL.search(ask.text.casefold()))
        if all_wanted:
            decide_all(self, ask).require()
        shown = {a.id: a for a in await open_accounts(self) if all_wanted or a.owner == ask.person.email}
        if not shown:
            return Answer(f"No account names {ask.person.email} as its owner. Name the account: by its id, say.")
        today = self.services.clock.now().date()
        first, costs = today.replace(day=1), Costs(self.services)
        months = await asyncio.gather(
            costs.by_account(month_before(today), first), costs.by_account(first, today + timedelta(days=1))
        )
        last, now = ({i: m.get(i, Decimal(0)) for i in (m if all_wanted else shown)} for m in months)
        names = (f"{month_before(today):%B %Y}", f"{today:%B %Y} so far")
        called = {i: shown[i].shown if i in shown else i for i in {*last, *now}}
        whose = "All accounts together" if all_wanted else "Your accounts together"
        card = Card(
            f"{whose}: {dollars(sum(now.values(), Decimal(0)))} in {names[1]}",
            (
                _table(_renamed(last, called), _renamed(now, called), names, of="Account"),
                Text("US dollars from Cost Explorer, which is about a day behind.", subtle=True),
            ),
        )
        return Answer(card.as_text(), card)


def _renamed(amounts: Mapping[str, Decimal], called: Mapping[str, str]) -> dict[str, Decimal]:
    return {called[i]: amount for i, amount in amounts.items()}


def _table(
    last: Mapping[str, Decimal], now: Mapping[str, Decimal], names: tuple[str, str], of: str = "Service"
) -> Table:
    services = sorted({*last, *now}, key=lambda s: -(last.get(s, Decimal(0)) + now.get(s, Decimal(0))))
    rows = [(s, dollars(last.get(s, Decimal(0))), dollars(now.get(s, Decimal(0)))) for s in services[:SERVICES_SHOWN]]
    if rest := services[SERVICES_SHOWN:]:
        others = [sum((month.get(s, Decimal(0)) for s in rest), Decimal(0)) for month in (last, now)]
        rows.append((f"{len(rest)} other {of.lower()}s", dollars(others[0]), dollars(others[1])))
    totals = [sum(month.values(), Decimal(0)) for month in (last, now)]
    rows.append(("Together", dollars(totals[0]), dollars(totals[1])))
    return Table((of, *names), tuple(rows))


def _budget_sentence(budget: Mapping[str, Any], spent: Decimal) -> str:
    limit = Decimal(budget["BudgetLimit"]["Amount"])
    share = f", of which {spent / limit:.0%} is spent" if limit else ""
    return f"Its budget “{budget['BudgetName']}” is {dollars(limit)} a month{share}."
