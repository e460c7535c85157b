"""Control Tower's places are counted over every intent that takes one, and over nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from bot.account_factory import DONE_WITH, held_places
from bot.intent import Change
from bot.paging import Page
from bot.requests import Filter
from bot.services import Services


def change(*, takes_control_tower: bool) -> Any:
    """Return a change of which only that is known."""
    some: Any = type("Some", (Change,), {"takes_control_tower": takes_control_tower})
    some.__abstractmethods__ = frozenset()
    return some.__new__(some)


def running(intent: str, product: str, **notes: Any) -> Any:
    return SimpleNamespace(
        intent=intent, plan=SimpleNamespace(effects={"provisioned_product_name": product}), notes=notes
    )


class Listed:
    """Requests that come two pages long."""

    def __init__(self, *pages: list[Any]) -> None:
        self._pages = pages

    async def list(self, wanted: Filter) -> Page[Any]:
        """Return the page that the cursor names."""
        assert wanted.state == ("running",)
        assert not wanted.intent
        number = int(wanted.cursor or 0)
        return Page(tuple(self._pages[number]), str(number + 1) if number + 1 < len(self._pages) else "")


async def test_orders_and_moves_share_the_places_and_products_take_none() -> None:
    intents = {
        "order": change(takes_control_tower=True),
        "move": change(takes_control_tower=True),
        "product": change(takes_control_tower=False),
    }
    requests = Listed(
        [running("order", "a"), running("product", "bucket"), running("order", "b", **{DONE_WITH: True})],
        [running("move", "c"), running("removed", "d")],
    )
    services = cast(Services, SimpleNamespace(requests=requests, registry=SimpleNamespace(get=intents.get)))
    assert await held_places(services) == {"a", "c"}
