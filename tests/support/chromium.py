"""Headless Chromium for tests: the system's own, with nothing outside within its reach.

Playwright drives it and downloads nothing. One browser serves all tests of a worker, each with contexts of its
own; so they and their fixtures run on the session's loop, as Playwright does. Whatever a page complains about
(script errors, console errors, requests to other hosts) fails the test that opened it, unless the test takes it
out of `problems`.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, async_playwright

from tests.support.programs import find_chromium

ARGUMENTS = [
    "--no-sandbox",  # Chromium's own sandbox does not work as root; the pages are ours
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers often have 64 MB there
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
INSIDE = {"127.0.0.1", "localhost", "::1"}
LOCAL_SCHEMES = {"data", "blob", "about"}


class Window:
    """One test's part of the browser; `problems` are the complaints of its pages, in order."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []

    async def open_page(self, url: str | None = None, **options: Any) -> Page:
        """Open a page in a context of its own, and go to `url` if one is given.

        The options are those of Playwright's `Browser.new_context`: viewport, color_scheme, has_touch, …
        """
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        page.on("console", self._note_console)
        page.on("pageerror", self._note_error)
        page.on("request", self._note_request)
        if url is not None:
            await page.goto(url)
        return page

    async def close(self) -> None:
        """Close all pages with their cookies and storage."""
        for context in self._contexts:
            await context.close()

    def take_problems(self, containing: str) -> list[str]:
        """Take out the problems that contain a text, for a test that means to cause them; return them."""
        taken = [problem for problem in self.problems if containing in problem]
        self.problems = [problem for problem in self.problems if containing not in problem]
        return taken

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _note_error(self, error: Error) -> None:
        self.problems.append(f"script: {error}")

    def _note_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL_SCHEMES and address.hostname not in INSIDE:
            self.problems.append(f"asked another host: {request.url}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser that a worker's tests share; starting one takes longer than most of them."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Window]:
    """A headless browser; the test fails at its end if a page complained."""
    window = Window(chromium)
    yield window
    await window.close()
    assert window.problems == []
