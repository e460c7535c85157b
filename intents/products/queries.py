"""What can be ordered, what somebody has, and one product with its outputs."""

from __future__ import annotations

from bot.card import Button, Card, Facts, Item, Text
from bot.intent import Answer, Ask, Definition, Query
from bot.policy import refused
from bot.services import Services
from intents.products import cards
from intents.products.catalog import Catalog
from intents.products.changing import values_of
from intents.products.definition import CATALOG, DETAILS, MINE
from intents.products.planning import days_since
from intents.products.provisioned import ProvisionedProducts

SHOWN = 20


class ProductCatalog(Query):
    """Lists the products that the bot's role may launch."""

    def __init__(self, services: Services, catalog: Catalog) -> None:
        super().__init__(services)
        self._catalog = catalog

    def define(self) -> Definition:
        """Return the definition."""
        return CATALOG

    async def answer(self, ask: Ask) -> Answer:
        """Return the products with a button each; accounts first."""
        products = await self._catalog.orderable()
        if not products:
            text = "There is nothing to order: no product is shared with the bot's role."
            return Answer(f"{text} Ask your platform team to grant it a portfolio.")
        products = sorted(products, key=lambda p: not self._catalog.is_account_factory(p))
        accounts = frozenset(p["name"] for p in products if self._catalog.is_account_factory(p))
        card = cards.catalog_card(products[:SHOWN], accounts, max(0, len(products) - SHOWN))
        return Answer(card.as_text(), card)


class MyProducts(Query):
    """Lists what carries the person as its owner."""

    def __init__(self, services: Services, provisioned: ProvisionedProducts) -> None:
        super().__init__(services)
        self._provisioned = provisioned

    def define(self) -> Definition:
        """Return the definition."""
        return MINE

    async def answer(self, ask: Ask) -> Answer:
        """Return the person's products."""
        own = await self._provisioned.owned_by(ask.person.email)
        if not own:
            return Answer("You have no products yet. Say “what can I order?” to see what there is.")
        card = cards.products_card(own[:SHOWN], max(0, len(own) - SHOWN))
        return Answer(card.as_text(), card)


class ProductDetails(Query):
    """Shows one product with its outputs to those who may."""

    def __init__(self, services: Services, provisioned: ProvisionedProducts) -> None:
        super().__init__(services)
        self._provisioned = provisioned

    def define(self) -> Definition:
        """Return the definition."""
        return DETAILS

    async def answer(self, ask: Ask) -> Answer:
        """Return the product that is named; never guesses which."""
        named = ask.slots.get("ProvisionedProduct")
        if not named:
            return Answer("Which product? Say “show product” with its name; “my products” lists yours.")
        subject = await self._provisioned.find(named, ask.person.email)
        decision = self.services.policy.may_ask(
            ask.person, self.definition, self.shape, values_of(subject, dict(ask.slots))
        )
        if not decision.allowed:
            raise refused(f"You may not look into {subject['name']}.", decision)
        outputs = await self._provisioned.outputs(subject["id"])
        name, now = subject["name"], self.services.clock.now()
        rows = (
            ("Name", name),
            ("Product", f"{subject['product']}, version {subject['version'] or '?'}"),
            ("State", subject["status"]),
            ("Age", days_since(subject["created"], now) or "not known"),
            ("Owner", subject["owner"] or "nobody is named"),
            ("Request", subject["request"] or "—"),
        )
        items: list[Item] = [Facts(rows)]
        if subject["status_message"]:
            items.append(Text(subject["status_message"]))
        if outputs:
            items.append(Facts(tuple((o["key"], o["value"]) for o in outputs)))
        buttons = (
            Button(f"Update {name}", "say", f"update the product {name}"),
            Button(f"Terminate {name}", "say", f"terminate the product {name}", "destructive"),
        )
        card = Card(f"Product {name}", tuple(items), buttons)
        return Answer(card.as_text(), card)
