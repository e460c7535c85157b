"""What axe finds on a page that keeps people from using it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.programs import find_axe

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def read_axe() -> str:
    """Return the script that looks for it; skips the test where axe-core is not installed."""
    script = find_axe()
    if script is None:
        pytest.skip("axe-core is not installed")
    return script.read_text("utf-8")


async def violations_of(page: Page, axe: str, *, colours_only: bool = False) -> list[str]:
    """Return what axe calls violations on the page as it stands."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)  # not as a script of the page: its policy forbids that
    found: list[Any] = await page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules, resultTypes: ['violations']})).violations"
        ".map(v => [v.id, v.help, v.nodes.map(n => n.html.slice(0, 200))])",
        {"type": "rule", "values": ["color-contrast"]} if colours_only else {"type": "tag", "values": RULES},
    )
    return [json.dumps(violation) for violation in found]
