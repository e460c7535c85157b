"""Every page of the console: nothing that axe calls a violation, and its picture for the documents."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.activity import Activity
from bot.database import Transaction
from bot.database.tables import broken_glass, steps
from bot.intent import Answer
from bot.requests import RequestRecord
from tests.console.sample_experiment import with_experiment
from tests.console.sample_insight import with_insight, with_watches
from tests.console.sample_rollout import with_rollout
from tests.console.stage import Stage, plan_card
from tests.console.staying import stage
from tests.support.accessibility import read_axe, violations_of
from tests.support.chromium import Window

MAKES_PICTURES = bool(os.environ.get("QM_WRITE_PICTURES"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
]

__all__ = ["stage"]

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZES = {"phone": (375, 812), "desk": (1200, 850)}


async def ask_plan(activity: Activity) -> list[Answer]:
    """Answer with a plan."""
    return [Answer("A plan", plan_card())]


async def prepared(stage: Stage) -> tuple[RequestRecord, RequestRecord]:
    """Return a request that waits for the approver and one that is done, with all that pages can show."""
    stage.script = ask_plan
    done = await stage.ask("ana@corp.example")
    now = stage.clock.now()

    async def work(transaction: Transaction) -> None:
        for name, state, error in (("order the account", "succeeded", None), ("tag the account", "succeeded", None)):
            row = {"request_id": done.id, "name": name, "state": state, "attempts": 1, "error": error}
            ids = {"aws_request_ids": ["1f7c4f9e-5d1c-4b1d-9a55-0a8f3a1c9b10"], "started_at": now, "finished_at": now}
            await transaction.execute(steps.insert().values(**row, **ids))

    await stage.services.database.write(work)
    await stage.settle(done, "succeeded", text="Ready.", next="Sign in there.", account_id="123456789012")
    waiting = await stage.ask("bo@corp.example")
    ana = await stage.person("ana@corp.example")
    approver = await stage.person("approver@corp.example")
    until = now.replace(day=20)
    await stage.services.approvals.delegations.name(approver, "ana@corp.example", until, channel="console")
    await stage.services.approvals.delegations.name(ana, "bo@corp.example", until.replace(day=27), since=until)
    await stage.services.keys.make(ana, "Nightly script", ["ask", "read"], 90)
    olga, until = await stage.person("olga@corp.example"), stage.clock.now() + timedelta(days=3)
    await stage.services.approvals.delegations.name(
        olga, "dee@corp.example", until, channel="console", absent="cy@corp.example"
    )
    rushed = await stage.ask("bo@corp.example")
    row = {"request_id": rushed.id, "version": 1, "by": "ana@corp.example", "reason": "The site was down", "at": now}
    await stage.services.database.write(lambda transaction: transaction.execute(broken_glass.insert().values(**row)))
    await stage.settle(rushed, "succeeded", text="Ready.", next="Sign in there.", account_id="123456789013")
    await stage.services.audit.seal()
    return waiting, done


OWN = (
    ("requests", "/requests"),
    ("nothing", "/requests?state=failed"),
    ("request", "/requests/DONE"),
    ("missing", "/requests/qm-zzzzzzzz"),
    ("experiments", "/experiments"),
    ("insights", "/insights"),
    ("insight", "INSIGHT"),
    ("told", "/insights/told"),
    ("rollouts", "/rollouts"),
    ("rollout", "/rollouts/ROLLOUT"),
    ("away", "/away"),
    ("keys", "/keys"),
    ("again", "/signin?fresh=300&next=/requests"),
    ("signed-out", "/signedout"),
)
OTHERS = (
    ("approver@corp.example", "decide", "/requests/WAITING"),
    ("approver@corp.example", "waiting", "/requests?view=waiting"),
    ("olga@corp.example", "everybody", "/requests?view=all"),
    ("olga@corp.example", "audit", "/audit"),
    ("olga@corp.example", "keys-of-others", "/keys"),
    ("olga@corp.example", "reviews", "/reviews"),
    ("olga@corp.example", "away-of-others", "/away"),
)


@pytest.fixture
def axe() -> str:
    """The script that looks for what keeps people from using a page."""
    return read_axe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_of_ones_own_keeps_anybody_out(stage: Stage, browser: Window, scheme: str, axe: str) -> None:
    _, done = await prepared(stage)
    insight, rollout = with_insight(stage), (await with_rollout(stage)).id
    await with_watches(stage, "ana@corp.example")
    await with_experiment(stage)
    async with stage.served() as url:
        page = await browser.open_page(url, color_scheme=scheme, reduced_motion="reduce", timezone_id="UTC")
        await page.locator("#text").fill("I need a new account on AWS")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Yes, go ahead")).to_be_visible()
        found = await look(page, axe, scheme, "chat")
        await page.locator("header summary").click()
        found += await look(page, axe, scheme, "menu")
        for name, path in OWN:
            address = path.replace("DONE", done.id).replace("INSIGHT", insight).replace("ROLLOUT", rollout)
            await page.goto(url + address)
            if name == "experiments":
                await expect(page.get_by_role("button", name="Stop the experiment")).to_be_visible()
            await page.evaluate("document.querySelectorAll('main details').forEach((d) => { d.open = true; })")
            found += await look(page, axe, scheme, name)
        await page.goto(f"{url}/keys")
        await page.get_by_label("What it is for").fill("Reports")
        await page.get_by_role("button", name="Make the key").click()
        await expect(page.get_by_text("it is shown this once")).to_be_visible()
        await page.evaluate("document.querySelector('.secret').textContent = 'qm_' + 'x'.repeat(43)")
        found += await look(page, axe, scheme, "key")
        await page.context.close()
    browser.take_problems("404")
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_of_those_who_decide_and_look_after_it_does(
    stage: Stage, browser: Window, scheme: str, axe: str
) -> None:
    waiting, _ = await prepared(stage)
    found: list[str] = []
    async with stage.served() as url:
        page = await browser.open_page(url, color_scheme=scheme, reduced_motion="reduce", timezone_id="UTC")
        for email, name, path in OTHERS:
            await page.set_viewport_size({"width": 1200, "height": 850})
            await page.goto(url)
            if email not in (await page.locator("header summary").inner_text()):
                await page.locator("header summary").click()
                await page.locator("#switch-email").fill(email)
                await page.get_by_role("button", name="Switch").click()
                await expect(page.locator("header .who-name")).to_have_text(email)
            await page.goto(url + path.replace("WAITING", waiting.id))
            if name == "audit":
                await page.locator(".entry summary").first.click()
            found += await look(page, axe, scheme, name)
        await page.context.close()
    assert found == []


async def look(page: Page, axe: str, scheme: str, name: str) -> list[str]:
    """Return what axe finds, at both sizes, and take a picture if they are being made."""
    found: list[str] = []
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        too_wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if too_wide > 0:
            found.append(f"{name} is {too_wide} px too wide at {width} px")
        # In the dark the same page has other colours, and nothing else is other.
        violations = await violations_of(page, axe, colours_only=scheme == "dark")
        found += [f"{name} in {scheme} at {width} px: {violation}" for violation in violations]
        if MAKES_PICTURES and name not in ("nothing", "missing"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=PICTURES / f"console-{name}-{size}-{scheme}.png", full_page=True)
    return found
