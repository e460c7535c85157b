"""What Service Catalog offers to the bot's role: products, versions, launch paths, parameters."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bot.errors import CloudError, Invalid
from bot.services import Services
from bot.words import either
from intents.products.matching import find_meant

T = TypeVar("T")
FRESH = 60.0
"""Seconds for which a reading serves questions; plans read anew."""
MANY = 100
AT_ONCE, LOOKED_INTO = 8, 40


class Catalog:
    """Reads through the management role, in Control Tower's home Region."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: dict[tuple[str, ...], tuple[float, Any]] = {}

    async def ask_catalog(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call Service Catalog. Raises CloudError."""
        settings = self._services.settings
        return await self._services.cloud.call(
            "servicecatalog",
            operation,
            region=settings.control_tower_region,
            role=settings.management_role_arn,
            **parameters,
        )

    async def all_pages(self, operation: str, result: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the entries of a listing that pages by PageToken."""
        entries: list[dict[str, Any]] = []
        following: dict[str, Any] = {}
        while True:
            page = await self.ask_catalog(operation, **parameters, **following)
            entries.extend(page.get(result) or ())
            if not page.get("NextPageToken"):
                return entries
            following = {"PageToken": page["NextPageToken"]}

    def is_account_factory(self, product: Mapping[str, Any]) -> bool:
        """Tell whether a product makes accounts, which have an order of their own."""
        return bool(product.get("Name", product.get("name")) == self._services.house.product_name)

    async def products(self, *, fresh: bool = False) -> list[dict[str, str]]:
        """Return what may be launched, by name: id, name, description, owner. Accounts are among them."""

        async def read() -> list[dict[str, str]]:
            found = await self.all_pages("SearchProducts", "ProductViewSummaries", PageSize=MANY)
            products = [
                {
                    "id": p["ProductId"],
                    "name": p.get("Name", p["ProductId"]),
                    "description": p.get("ShortDescription", ""),
                    "owner": p.get("Owner", ""),
                }
                for p in found
            ]
            return sorted(products, key=lambda p: p["name"].casefold())

        return await self._keep(("products",), read, fresh)

    async def orderable(self) -> list[dict[str, str]]:
        """Return what can be ordered now, by name: without what has no active version, or no launch path.

        Each product takes two calls the first time; of very many only the first are looked into.
        """
        products = await self.products()
        looks = asyncio.Semaphore(AT_ONCE)

        async def is_orderable(product: Mapping[str, str]) -> bool:
            async with looks:
                try:
                    details = await self.details(product["id"])
                except CloudError:
                    return True  # ordering it tells
            return bool(details["versions"] and details["paths"])

        can_be = await asyncio.gather(*(is_orderable(p) for p in products[:LOOKED_INTO]))
        found = [p for p, is_one in zip(products, can_be, strict=False) if is_one]
        return found + products[LOOKED_INTO:]

    async def find(self, text: str, *, fresh: bool = False) -> dict[str, str]:
        """Return the product that a text means by name or id; raises Invalid rather than guess."""
        products = await self.products(fresh=fresh)
        by_name = {p["name"]: p for p in products}
        known = {p["name"]: p["description"] for p in products}
        if named := next((p for p in products if p["id"] == text.strip()), None):
            return named
        return by_name[find_meant(text, known, what="product that I may order", field="Product")]

    async def details(self, product_id: str, *, fresh: bool = False) -> dict[str, list[dict[str, str]]]:
        """Return "versions" (active ones, oldest first) and "paths" of a product."""

        async def read() -> dict[str, list[dict[str, str]]]:
            described, paths = await asyncio.gather(
                self.ask_catalog("DescribeProduct", Id=product_id),
                self.all_pages("ListLaunchPaths", "LaunchPathSummaries", ProductId=product_id),
            )
            versions = [
                {
                    "id": a["Id"],
                    "name": a.get("Name", a["Id"]),
                    "description": a.get("Description", ""),
                    "guidance": a.get("Guidance", "DEFAULT"),
                    "created": a["CreatedTime"].isoformat() if a.get("CreatedTime") else "",
                }
                for a in described.get("ProvisioningArtifacts", ())
            ]
            return {
                "versions": sorted(versions, key=lambda v: (v["created"], v["id"])),
                "paths": [{"id": p["Id"], "name": p.get("Name", p["Id"])} for p in paths],
            }

        return await self._keep(("details", product_id), read, fresh)

    async def form(self, product_id: str, version_id: str, path_id: str, *, fresh: bool = False) -> dict[str, Any]:
        """Return what must be given: "parameters" as AWS tells them, "tags" to choose, "rules" (JSON texts)."""

        async def read() -> dict[str, Any]:
            told = await self.ask_catalog(
                "DescribeProvisioningParameters",
                ProductId=product_id,
                ProvisioningArtifactId=version_id,
                **({"PathId": path_id} if path_id else {}),
            )
            return {
                "parameters": [_without_secret(p) for p in told.get("ProvisioningArtifactParameters", ())],
                "tags": {o["Key"]: list(o.get("Values", ())) for o in told.get("TagOptions", ())},
                "rules": [u["Value"] for u in told.get("UsageInstructions", ()) if u.get("Type") == "rules"],
            }

        return await self._keep(("form", product_id, version_id, path_id), read, fresh)

    async def _keep(self, key: tuple[str, ...], read: Callable[[], Awaitable[T]], fresh: bool) -> T:
        until, value = self._kept.get(key, (0.0, None))
        if not fresh and until > time.monotonic():
            kept: T = value
            return kept
        answer = await read()
        self._kept = {k: v for k, v in self._kept.items() if v[0] > time.monotonic()}
        self._kept[key] = (time.monotonic() + FRESH, answer)
        return answer


def _without_secret(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter without its default if it is hidden: only that there is one may be known."""
    if told.get("IsNoEcho") and told.get("DefaultValue"):
        return {**told, "DefaultValue": "****"}
    return dict(told)


def choose_version(versions: list[dict[str, str]], wanted: str) -> dict[str, str]:
    """Return the version that is named, else the newest that is not deprecated. Raises Invalid."""
    if not versions:
        raise Invalid(
            "This product has no version that is active, so nobody can order it.",
            field="Product",
            next_step="Choose another one, or ask your platform team.",
        )
    if not wanted:
        usable = [v for v in versions if v["guidance"] != "DEPRECATED"] or versions
        return usable[-1]
    plain = wanted.strip().casefold().removeprefix("version").strip().removeprefix("v")
    for version in versions:
        if plain in (version["name"].casefold().removeprefix("v"), version["id"]):
            return version
    names = tuple(v["name"] for v in reversed(versions))
    raise Invalid(
        f"There is no active version “{wanted[:40]}”.",
        field="Version",
        next_step=f"There is {either(names)}.",
        choices=names,
    )


def choose_path(paths: list[dict[str, str]], wanted: str) -> dict[str, str]:
    """Return the launch path that is named, else the only one. Raises Invalid."""
    if not paths:
        raise Invalid(
            "The bot's role has no launch path to this product.",
            field="Product",
            next_step="Ask your platform team to grant it the portfolio.",
        )
    if not wanted and len(paths) == 1:
        return paths[0]
    for path in paths:
        if wanted.strip().casefold() in (path["name"].casefold(), path["id"].casefold()):
            return path
    names = tuple(p["name"] for p in paths)
    raise Invalid(
        f"There is no launch path “{wanted[:60]}”." if wanted else "This product can be launched on several paths.",
        field="LaunchPath",
        next_step=f"Choose {either(names)}.",
        choices=names,
    )
