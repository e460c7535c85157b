"""The browser for tests: nothing outside within reach, and no complaint of a page unseen."""

import pytest

from tests.support.chromium import Window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def page_with(body: str) -> str:
    return f"data:text/html,<title>A page</title>{body}"


async def test_shows_a_page_without_complaint(browser: Window) -> None:
    page = await browser.open_page(page_with("<h1>Hello</h1>"), color_scheme="dark")
    assert await page.title() == "A page"
    assert await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert browser.problems == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<script>console.error('out of order')</script>", "console: out of order"),
        ("<script>nobody.knows()</script>", "script: nobody is not defined"),
        ("<img src='http://pictures.corp.example/a.png'>", "asked another host"),
    ],
)
async def test_keeps_what_a_page_complains_about(browser: Window, body: str, complaint: str) -> None:
    page = await browser.open_page(page_with(body))
    await page.wait_for_load_state("load")
    assert len(browser.take_problems(complaint)) == 1
    browser.take_problems("ERR_NAME_NOT_RESOLVED")
    assert browser.problems == []
