"""From a sentence to an account id, in a browser, on the whole bot beside the sandboxed AWS."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.chromium import Window
from tests.support.stage import Theatre
from tests.support.stage.stage import APPROVER

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "console.png"
"""The README's picture: written anew with QM_WRITE_PICTURES=1, so that a test run leaves the tree as it is."""


async def say(page: Page, text: str, expected: str) -> None:
    """Say something and wait for an answer that contains these words."""
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.locator(".theirs").last).to_contain_text(expected)


async def become(page: Page, email: str) -> None:
    """Act as somebody else."""
    await page.locator("header summary").click()
    await page.get_by_label("Act as somebody else").fill(email)
    await page.get_by_role("button", name="Switch").click()
    await expect(page.locator("header summary")).to_contain_text(email)


async def test_gets_an_account_from_a_sentence(theatre: Theatre, tmp_path: Path, browser: Window) -> None:
    async with theatre.open_stage(tmp_path, dev_user="ana@corp.example") as bot:
        page = await browser.open_page(
            bot.url,
            viewport={"width": 1280, "height": 1000},
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        await say(page, "I need a new account on AWS", "Production or Sandbox?")
        await say(page, "a sandbox", "what e-mail should I use")
        await say(page, "team-orchid@corp.example", "Experiment or Demos")
        await say(page, "Demos", "team-orchid@corp.example")
        await expect(page.get_by_role("button", name="Yes, go ahead")).to_be_visible()
        if os.environ.get("QM_WRITE_PICTURES"):
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=PICTURE)
        await page.get_by_role("button", name="Yes, go ahead").click()
        await page.get_by_role("link", name="Open qm-").last.click()
        await expect(page.locator(".request-title .state")).to_have_text("Waiting for approval")
        request = page.url

        await become(page, APPROVER)
        await page.goto(request)
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("Your decision")).to_have_count(0)
        await expect(page.locator("#timeline-title + ol")).to_contain_text(f"by {APPROVER}")

        await become(page, "ana@corp.example")
        await page.goto(bot.url)
        await expect(page.locator(".theirs").last).to_contain_text("is ordered")
        await bot.advance(minutes=40)
        await expect(page.locator(".theirs .card.good").last).to_contain_text("Ready")
        await expect(page.locator("#overview .state.good")).to_have_text("Done")

        await page.goto(request)
        await expect(page.locator(".outcome")).to_contain_text("Account ID")
        await expect(page.locator(".outcome dd").first).to_have_text(re.compile(r"^\d{12}$"))
        await page.context.close()
