"""Every kind of card, window and home tab from one story on the whole bot, drawn in a browser, light and dark.

`make pictures` keeps them under docs/pictures for people to look at; a test run looks whether anything sticks out.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.chromium import Window
from tests.support.pictures import take_picture
from tests.support.slack.drawing import Theme, draw_message, draw_page, draw_said, draw_view
from tests.support.slack.standin import Message
from tests.support.slack.talking import Member, buttons_of
from tests.support.stage import Theatre
from tests.support.stage.stage import APPROVER, Stage
from tests.support.stage.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
NAMES = (
    "slack-question slack-form slack-plan slack-request slack-approval slack-decision slack-progress slack-ready "
    "slack-failed slack-rejected slack-home slack-help"
).split()
WIDE = """[...document.querySelectorAll('#picture *')]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.className + ': ' + e.textContent.slice(0, 80))"""
"""What is wider than its place."""


@dataclass
class Album:
    """What was seen in the story, drawn: parts of a page by the picture's name."""

    parts: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, *parts: str) -> None:
        """Keep a picture's parts as they are now; messages are updated in place later."""
        self.parts[name] = list(parts)


class Scene:
    """A workspace with two people, and what they see of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.side = stage, stage.slack
        workspace = self.side.workspace
        self.channel = workspace.channel("platform")
        self.ana = Member(self.side.standin, workspace, stage.client(), workspace.user("ana@corp.example", "Ana Lopez"))
        self.bo = Member(self.side.standin, workspace, stage.client(), workspace.user(APPROVER, "Bo Chen"))

    async def ask(self, text: str, thread: str = "") -> Message:
        """Let Ana say something in the channel."""
        bot = self.side.workspace.bot_user
        message = await self.ana.posts(text if thread else f"<@{bot}> {text}", self.channel, thread)
        await self.side.settles()
        return message

    async def press(self, who: Member, message: Message, title: str) -> None:
        """Let somebody press a button of a message."""
        found = buttons_of(message)
        button = next((b for t, b in found.items() if t.startswith(title)), None)
        assert button is not None, f"no “{title}” among {list(found)}"
        await self.take(await who.presses(button))

    async def take(self, answer: Any) -> None:
        """Wait for what an interaction brings about."""
        assert answer.status_code == 200, answer.text
        await self.side.settles()

    def newest(self, channel: str = "", thread: str = "") -> Message:
        """Return the bot's last message in a channel, or one of its threads."""
        bot = self.side.workspace.bot_user
        shown = self.side.workspace.shown_in(channel or self.channel, thread)
        return [m for m in shown if m.user == bot][-1]

    def card(self, channel: str, request: str) -> Message:
        """Return the copy of a request's card in a channel."""
        bot = self.side.workspace.bot_user
        shown = [m for m in self.side.workspace.shown_in(channel) if m.user == bot]
        has_title = [m for m in shown if m.blocks and m.blocks[0]["type"] == "header"]
        return next(m for m in reversed(has_title) if request in json.dumps(m.blocks))

    async def ordered(self, accounts: int) -> None:
        """Wait until that many accounts have been ordered, and what was told of it is shown."""

        async def look() -> bool:
            return len(await self.stage.calls("ProvisionProduct")) >= accounts

        await eventually(look, lambda: "nothing was ordered")
        await self.side.settles()

    async def request(self) -> str:
        """Return the id of the newest request."""
        return str((await self.stage.requests())[0]["id"])


def drawn(message: Message) -> str:
    return draw_message(message.blocks, message.text)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def album(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Album]:
    """The story, played once."""
    album = Album()
    async with theatre.open_stage(tmp_path_factory.mktemp("slack"), slack=True) as stage:
        await play(Scene(stage), album)
    yield album


async def play(scene: Scene, album: Album) -> None:
    """Play it: an order by form, its approval and outcome, one that fails, one that is rejected, home and help."""
    stage, side = scene.stage, scene.side
    album.names |= {scene.ana.user: "Ana Lopez", scene.bo.user: "Bo Chen"}
    asked = await scene.ask("I need a new account on AWS")
    question = scene.newest(thread=asked.ts)
    album.keep("slack-question", draw_said("Ana Lopez", "@Quartermaster I need a new account on AWS"), drawn(question))
    await scene.press(scene.ana, question, "Fill in a form")
    form = scene.ana.newest_view()
    wrong = await scene.ana.submits(form, AccountType="Sandbox", RootEmail="team-orchid", AccountOU="Demos")
    album.keep("slack-form", draw_view(_filled(form, "team-orchid"), wrong.json()["errors"]))
    right = await scene.ana.submits(
        form, AccountType="Sandbox", RootEmail="team-orchid@corp.example", AccountOU="Demos"
    )
    await scene.take(right)
    plan = scene.newest(thread=asked.ts)
    album.keep("slack-plan", drawn(plan))
    await scene.press(scene.ana, plan, "Yes")
    request = await scene.request()
    album.keep("slack-request", drawn(scene.card(scene.channel, request)))
    direct = side.workspace.direct(scene.bo.user)
    approval = scene.card(direct, request)
    album.keep("slack-approval", drawn(approval))
    await scene.press(scene.bo, approval, "Approve")
    album.keep("slack-decision", draw_view(scene.bo.newest_view()))
    await scene.take(await scene.bo.submits(scene.bo.newest_view(), reason="Within the team's budget."))
    await scene.ordered(1)
    album.keep("slack-progress", drawn(scene.card(direct, request)))
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    await side.settles()
    album.keep("slack-ready", drawn(scene.card(scene.channel, request)))

    await stage.switches_on(
        "provisioning_failed", message="The address team-iris@corp.example is already used by another account."
    )
    failing = await order(scene, "I need a sandbox account in Demos for team-iris@corp.example")
    await decide(scene, failing, "Approve", "")
    await scene.ordered(2)
    await stage.advance(minutes=25)
    await stage.reaches(failing, "failed")
    await side.settles()
    album.keep("slack-failed", drawn(scene.card(scene.channel, failing)))
    await stage.switches_off("provisioning_failed")

    refused = await order(scene, "I need a production account in Experiment for team-lily@corp.example")
    home = side.workspace.homes
    for who in (scene.bo, scene.ana):
        told = {"type": "app_home_opened", "user": who.user, "channel": "D1", "tab": "home", "event_ts": "1.1"}
        await scene.take(await who.sends(who.envelope(told)))
    album.keep("slack-home", draw_view(home[scene.bo.user]))
    await decide(scene, refused, "Reject", "Lily has an account already; please use that one.")
    album.keep("slack-rejected", drawn(scene.card(scene.channel, refused)))

    called = await scene.ask("help")
    album.keep("slack-help", drawn(scene.newest(thread=called.ts)))


async def order(scene: Scene, sentence: str) -> str:
    """Order in one sentence and a yes; return the request's id."""
    asked = await scene.ask(sentence)
    await scene.ask("yes", asked.ts)
    return await scene.request()


async def decide(scene: Scene, request: str, title: str, reason: str) -> None:
    """Let Bo decide with a reason."""
    await scene.press(scene.bo, scene.card(scene.side.workspace.direct(scene.bo.user), request), title)
    await scene.take(await scene.bo.submits(scene.bo.newest_view(), reason=reason))


def _filled(view: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the form with what was typed into it."""
    blocks = json.loads(json.dumps(view["blocks"]))
    for block in blocks:
        if block["block_id"] == "RootEmail":
            block["element"]["initial_value"] = address
        elif block["element"].get("options"):
            wanted = {"Sandbox", "Demos"}
            chosen = [o for o in block["element"]["options"] if o["value"] in wanted]
            block["element"].update({"initial_option": chosen[0]} if chosen else {})
    return {**view, "blocks": blocks}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_cards_are_drawn_and_nothing_sticks_out(theme: Theme, album: Album, browser: Window) -> None:
    assert set(album.parts) == set(NAMES)
    page = await browser.open_page(viewport={"width": 720, "height": 600})
    for name in NAMES:
        await page.set_content(draw_page(theme, *album.parts[name], names=album.names))
        assert await page.evaluate(WIDE) == [], name
        if os.environ.get("QM_WRITE_PICTURES"):
            (PICTURES / f"{name}-{theme}.png").write_bytes(await take_picture(page, "#picture"))


async def test_what_people_typed_is_drawn_as_they_typed_it(chromium: Browser, browser: Window) -> None:
    page = await browser.open_page()
    words = [{"type": "section", "text": {"type": "plain_text", "text": "<img src=x onerror=alert(1)> *a* &amp;lt;"}}]
    await page.set_content(draw_page("light", draw_message(words)))
    assert await page.locator("#picture .text").inner_text() == "<img src=x onerror=alert(1)> *a* &lt;"
    assert await page.locator("#picture img").count() == 0


async def test_a_block_that_cannot_be_drawn_is_an_error() -> None:
    with pytest.raises(ValueError, match="video"):
        draw_message([{"type": "video"}])
