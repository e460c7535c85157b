"""The console in a real browser: by keyboard, on a phone, in the dark, offline and without scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.activity import Activity
from bot.card import Button, Card
from bot.errors import Unavailable
from bot.intent import Answer
from bot.requests import Filter
from tests.console.stage import Stage, plan_card
from tests.console.staying import stage
from tests.support.chromium import Window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


__all__ = ["stage"]

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


async def send(page: Page, text: str) -> None:
    """Type a message and send it, by keyboard alone."""
    await expect(page.locator("#text")).to_be_focused()  # a page has its focus a moment after it has loaded
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def hear(page: Page, text: str) -> None:
    """Wait until the bot said something, once."""
    await expect(page.locator(".theirs", has_text=text)).to_have_count(1)


async def ask_plan(activity: Activity) -> list[Answer]:
    """Answer messages with a plan, presses with a word."""
    if activity.kind == "press":
        return [Answer(f"Pressed {activity.verb}.")]
    return [Answer("A plan", plan_card())]


async def test_talks_by_keyboard_alone(stage: Stage, browser: Window) -> None:
    stage.script = ask_plan
    async with stage.served() as url:
        page = await browser.open_page(url)
        await expect(page.locator("#text")).to_be_focused()
        await send(page, "I need an account")
        await expect(page.locator(".mine .bubble")).to_have_text("I need an account")
        yes = page.get_by_role("button", name="Yes, go ahead")
        await expect(yes).to_be_visible()
        for _ in range(8):
            await page.keyboard.press("Shift+Tab")
            if await yes.evaluate("button => button === document.activeElement"):
                break
        await expect(yes).to_be_focused()
        assert await yes.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        await hear(page, "Pressed confirm.")
        await expect(page.locator("#text")).to_be_focused()
        await expect(page.get_by_role("button", name="Yes, go ahead")).to_have_count(0)
        await page.context.close()


async def test_starts_a_new_line_with_shift(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await expect(page.locator("#text")).to_be_focused()
        await page.keyboard.type("one")
        await page.keyboard.press("Shift+Enter")
        await send(page, "two")
        await hear(page, "You said: one two")
        await page.context.close()
    assert [a.text for a in stage.heard] == ["one two"]


async def test_shows_what_one_said_at_once_and_that_the_bot_is_at_work(stage: Stage, browser: Window) -> None:
    stage.gate.clear()
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "slow one")
        await expect(page.locator(".mine.pending")).to_have_text("slow one")
        await expect(page.locator("[data-typing]")).to_be_visible()
        await expect(page.locator("#text")).to_have_value("")
        stage.gate.set()
        await hear(page, "You said: slow one")
        await expect(page.locator("[data-typing]")).to_be_hidden()
        await expect(page.locator(".mine")).to_have_count(1)
        await page.context.close()


async def test_hears_what_the_bot_says_of_its_own_accord(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "hi")
        await hear(page, "You said: hi")
        await stage.say(stage.heard[0].conversation, "By the way: your account is ready.")
        await hear(page, "By the way: your account is ready.")
        await page.context.close()


async def test_makes_up_for_what_was_said_while_the_line_was_cut(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "hi")
        await hear(page, "You said: hi")
        await page.context.set_offline(True)
        await page.locator("#text").fill("did you hear?")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-problem]")).to_contain_text("could not be sent")
        await expect(page.locator("#text")).to_have_value("did you hear?")
        await page.context.set_offline(False)
        await page.locator("#text").press("Enter")
        await hear(page, "You said: did you hear?")
        await page.context.close()
    assert [a.text for a in stage.heard] == ["hi", "did you hear?"]
    assert browser.take_problems("ERR_INTERNET_DISCONNECTED")
    browser.take_problems("Failed to fetch")  # the list beside the chat, if it was just being refreshed


async def test_comes_back_by_itself_after_the_bot_was_away(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "hi")
        await hear(page, "You said: hi")
        address = url
    await stage.say(stage.heard[0].conversation, "I was away.")
    async with stage.served(port=int(address.rpartition(":")[2])):
        await hear(page, "I was away.")
        await expect(page.locator(".theirs")).to_have_count(2)
        await page.context.close()
    browser.take_problems("ERR_CONNECTION_REFUSED")
    browser.take_problems("ERR_INCOMPLETE_CHUNKED_ENCODING")
    browser.take_problems("Failed to fetch")  # the list beside the chat


async def test_counts_a_double_click_once(stage: Stage, browser: Window) -> None:
    stage.script = ask_plan
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "please")
        await page.get_by_role("button", name="Yes, go ahead").dblclick(force=True)
        await hear(page, "Pressed confirm.")
        await page.context.close()
    assert [a.verb for a in stage.heard] == ["", "confirm"]


async def test_keeps_buttons_for_later_and_lets_go_of_questions(stage: Stage, browser: Window) -> None:
    card = Card(
        "Waiting for approval",
        buttons=(Button("Cancel the request", "cancel_request", "qm-22222222"), Button("Demos", "fill", "OU=Demos")),
        request="qm-22222222",
    )

    async def script(activity: Activity) -> list[Answer]:
        return [Answer(card.title, card)] if activity.text == "first" else [Answer("Something else.")]

    stage.script = script
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, "first")
        await expect(page.get_by_role("button", name="Demos")).to_be_visible()
        await send(page, "second")
        await hear(page, "Something else.")
        for _ in range(2):  # as it happened, and after a reload
            await expect(page.get_by_role("button", name="Demos")).to_have_count(0)
            await expect(page.get_by_text("Cancel the request…")).to_be_visible()
            await page.reload()
        await page.get_by_text("Cancel the request…").click()  # it asks back
        await page.get_by_role("button", name="Yes, cancel it for good").click()
        await expect(page.locator(".theirs", has_text="Something else.")).to_have_count(2)
        await page.context.close()


async def test_keeps_a_text_that_is_too_long(stage: Stage, browser: Window) -> None:
    text = "much too long " * 80
    async with stage.served() as url:
        page = await browser.open_page(url)
        await page.locator("#text").fill(text)
        await expect(page.locator("[data-count]")).to_contain_text("of 1024 characters")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-problem]")).to_contain_text("at most 1,024")
        await expect(page.locator("#text")).to_have_value(text.strip())
        await expect(page.locator(".mine")).to_have_count(0)
        await page.context.close()
    assert stage.heard == []
    assert len(browser.take_problems("422")) == 1


async def test_runs_nothing_that_a_person_typed(stage: Stage, browser: Window) -> None:
    nasty = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    async with stage.served() as url:
        page = await browser.open_page(url)
        await send(page, nasty)
        await hear(page, "You said:")
        await page.reload()
        await expect(page.locator(".mine .bubble")).to_have_text(nasty)
        assert "owned" not in await page.title()
        await page.context.close()


async def test_begins_with_an_example_at_a_click(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await page.get_by_role("button", name="I need a new account on AWS").click()
        await hear(page, "You said: I need a new account on AWS")
        await expect(page.get_by_role("heading", name="Hello ana")).to_be_hidden()
        await page.get_by_role("button", name="New conversation").click()
        await expect(page.get_by_role("heading", name="Hello ana")).to_be_visible()
        await page.context.close()


async def test_serves_people_without_scripts(stage: Stage, browser: Window) -> None:
    stage.script = ask_plan
    record = await stage.ask("ana@corp.example")
    async with stage.served() as url:
        page = await browser.open_page(url, java_script_enabled=False)
        await page.locator("#text").fill("I need an account")
        await page.get_by_role("button", name="Send").click()
        await page.get_by_role("button", name="Yes, go ahead").click()
        await hear(page, "Pressed confirm.")
        await page.get_by_role("link", name="Requests", exact=True).click()
        await page.locator("select[name=state]").select_option("failed")
        await page.get_by_role("button", name="Filter").click()
        await expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()
        await page.goto(f"{url}/requests/{record.id}")
        await page.get_by_text("Cancel this request…").click()
        await page.get_by_role("button", name="Cancel the request").click()
        await expect(page.locator(".request-title .state")).to_have_text("Cancelled")
        await page.context.close()


async def test_filters_without_leaving_the_page(stage: Stage, browser: Window) -> None:
    failed, waiting = await stage.ask("ana@corp.example"), await stage.ask("ana@corp.example")
    await stage.settle(failed, "failed")
    async with stage.served() as url:
        page = await browser.open_page(f"{url}/requests")
        await page.evaluate("window.marked = true")
        await page.locator("select[name=state]").select_option("failed")
        await expect(page.get_by_text(waiting.id)).to_have_count(0)
        await expect(page.get_by_text(failed.id)).to_be_visible()
        assert await page.evaluate("window.marked")
        await page.wait_for_url("**state=failed**")
        await page.context.close()


async def test_follows_a_request_and_keeps_what_the_approver_types(stage: Stage, browser: Window) -> None:
    record = await stage.ask("bo@corp.example")
    async with stage.served() as url:
        page = await browser.open_page(url)
        await page.locator("summary").first.click()
        await expect(page.locator("#switch-email")).to_have_value("approver@corp.example")
        await page.get_by_role("button", name="Switch").click()
        await page.get_by_text("Look and decide").click()
        reason = page.locator("#reason")
        await reason.fill("half a thought")
        await page.get_by_text("Version 1, digest").click()
        async with page.expect_response("**/progress"):
            pass
        async with page.expect_response("**/progress"):
            pass
        await expect(reason).to_have_value("half a thought")
        await expect(page.locator("details.digest").last).to_have_attribute("open", "")
        await stage.settle(record, "succeeded", text="Ready.", next="", account_id="123456789012")
        await expect(page.get_by_text("123456789012")).to_be_visible()
        await expect(reason).to_have_count(0)
        await expect(page.locator("[hx-trigger]")).to_have_count(0)
        await page.context.close()


async def test_stays_as_it_is_while_the_bot_has_trouble(stage: Stage, browser: Window) -> None:
    async with stage.served() as url:
        page = await browser.open_page(url)
        await expect(page.locator("#overview")).to_contain_text("What you ask for appears here")
        with pytest.MonkeyPatch.context() as trouble:

            async def fail(wanted: Filter) -> None:
                raise Unavailable("The database does not answer.")

            trouble.setattr(stage.services.requests, "list", fail)
            async with page.expect_response("**/overview") as answer:
                pass
            assert (await answer.value).status == 503
        record = await stage.ask("ana@corp.example")
        await expect(page.locator("#overview")).to_contain_text(record.id, timeout=15_000)
        await page.context.close()
    assert browser.take_problems("503")


async def test_approves_and_rejects_in_the_console(stage: Stage, browser: Window) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.served() as url:
        page = await browser.open_page(url)
        await page.locator("summary").first.click()
        await page.get_by_role("button", name="Switch").click()
        await page.goto(f"{url}/requests/{record.id}")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.locator(".problem")).to_contain_text("say why")
        await page.locator("#reason").fill("Use Experiment")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.locator(".request-title .state")).to_have_text("Rejected")
        await page.context.close()
    browser.take_problems("422")


SIZES = [(360, 740), (390, 844), (768, 1024), (1440, 900)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_fits_every_screen_and_is_readable(stage: Stage, browser: Window, scheme: str) -> None:
    stage.script = ask_plan
    await stage.ask("ana@corp.example")
    done = await stage.ask("ana@corp.example")
    link = "https://corp.awsapps.example/start/" + "x" * 60
    await stage.settle(done, "succeeded", text="Ready.", next="Sign in.", account_id="1", sign_in=link)
    theirs = await stage.ask("bo@corp.example")
    async with stage.served() as url:
        page = await browser.open_page(url, color_scheme=scheme, reduced_motion="reduce")
        await send(page, "w" * 300)
        await expect(page.locator(".card")).to_be_visible()
        await page.locator("summary").first.click()
        await page.locator("#switch-email").fill("olga@corp.example")
        paths = ["/", "/requests", f"/requests/{done.id}", "/requests/qm-zzzzzzzz"]
        for role, seen in (("ana", paths), ("approver", [f"/requests/{theirs.id}", "/requests?view=waiting"])):
            if role == "approver":
                await page.goto(url)
                await page.locator("summary").first.click()
                await page.get_by_role("button", name="Switch").click()
                await page.wait_for_url(f"{url}/")
            for path in seen:
                for width, height in SIZES:
                    await page.set_viewport_size({"width": width, "height": height})
                    await page.goto(url + path)
                    too_wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    assert too_wide <= 0, f"{path} is {too_wide} px too wide at {width} px"
                faint = await page.evaluate(CONTRAST)
                assert faint == [], f"{path} in {scheme}: {json.dumps(faint, indent=1)}"
        await page.context.close()
    browser.take_problems("404")
