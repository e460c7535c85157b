"""In a real browser: from a caught mail through its link to a decision, with nothing but HTML."""

from typing import Any

import pytest
from playwright.async_api import Page

from bot.plan import Check
from tests.email.conftest import Desk
from tests.support.accessibility import read_axe, violations_of
from tests.support.chromium import Window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LONG = "x" * 400 + " <script>alert(1)</script> 😀 שלום"


async def mail(desk: Desk, **changes: Any) -> str:
    """Send one approval mail to the catcher, and return the request's id."""
    record = await desk.place(**changes)
    payload = {"kind": "approval", "approval_id": await desk.approval_of(record)}
    await desk.deliver("email", payload, key=record.id)
    return record.id


async def open_link(window: Window, desk: Desk, title: str, **options: Any) -> Page:
    """Click a link in the newest caught mail."""
    page = await window.open_page(f"{desk.services.settings.public_url}/dev/mail", **options)
    await page.frame_locator("iframe").get_by_role("link", name=title).click()
    await page.wait_for_url("**/account/confirm/**")
    return page


@pytest.mark.parametrize("scripts", [True, False])
async def test_approves_from_the_caught_mail(served: Desk, browser: Window, scripts: bool) -> None:
    request = await mail(served)
    page = await open_link(browser, served, "Approve…", java_script_enabled=scripts)
    await page.get_by_role("button", name="Approve").click()
    heading = page.get_by_role("heading", level=1)
    assert await heading.inner_text() == f"You approved {request}"
    assert (await served.services.requests.find(request)).state == "approved"


async def test_rejects_by_keyboard_and_is_asked_for_a_reason(served: Desk, browser: Window) -> None:
    request = await mail(served)
    page = await open_link(browser, served, "Reject…")
    assert await page.evaluate("document.activeElement.id") == "reason"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert "Say why" in await page.get_by_role("alert").inner_text()
    await page.keyboard.type("too red")
    await page.get_by_role("button", name="Reject").click()
    assert await page.get_by_role("heading", level=1).inner_text() == f"You rejected {request}"
    assert "too red" in await page.content()
    assert len(browser.take_problems("422")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
async def test_fits_every_screen_whatever_the_words(served: Desk, browser: Window, width: int, scheme: Any) -> None:
    checks = (Check("Wood", "fails", LONG), Check("Paint", "waits", "Still wet."))
    await mail(served, name=LONG, summary=LONG, requester_name=LONG[300:], checks=checks)
    options: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    page = await open_link(browser, served, "Approve…", **options)
    caught = (await served.client.get("/dev/mail")).json()[0]
    read = await browser.open_page(**options)
    await read.set_content(caught["html"])
    for shown in (page, read):
        assert await overflow_of(shown) <= 0
        assert await contrast_is_enough(shown)


async def test_axe_finds_nothing_on_the_page_that_mails_link_to(served: Desk, browser: Window) -> None:
    axe, found = read_axe(), []
    await mail(served, checks=(Check("Wood", "fails", "It is wet."), Check("Paint", "waits", "Still wet.")))
    page = await open_link(browser, served, "Reject…")
    found += await violations_of(page, axe)
    await page.get_by_role("button", name="Reject").click()
    await page.get_by_role("alert").wait_for()
    found += await violations_of(page, axe)
    await page.get_by_label("reason").fill("too red")
    await page.get_by_role("button", name="Reject").click()
    await page.get_by_role("heading", name="You rejected").wait_for()
    found += await violations_of(page, axe)
    await page.goto(f"{served.services.settings.public_url}/account/confirm/{'x' * 43}")
    found += await violations_of(page, axe)
    browser.take_problems("422")
    browser.take_problems("404")
    assert found == []


async def test_styles_the_page_under_its_own_policy(served: Desk, browser: Window) -> None:
    await mail(served)
    page = await open_link(browser, served, "Approve…")
    radius = await page.locator(".card").first.evaluate("card => getComputedStyle(card).borderRadius")
    assert radius == "12px"


async def overflow_of(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


async def contrast_is_enough(page: Page) -> bool:
    """Tell whether all text has 4.5:1 against what lies behind it (WCAG 2.2, 1.4.3)."""
    found = await page.evaluate(CONTRASTS)
    assert len(found) > 5
    poor = [entry for entry in found if entry["ratio"] < 4.5]
    assert poor == []
    return True


CONTRASTS = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const v = c / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const e of document.body.querySelectorAll("*")) {
    const text = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!text || !e.getClientRects().length) continue;
    const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(behind(e))];
    found.push({ text: e.textContent.trim().slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  }
  return found;
}"""
