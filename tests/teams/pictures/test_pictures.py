"""Every kind of card from one story on the whole bot, drawn by Microsoft's library in a browser, light and dark.

`make pictures` keeps them under docs/pictures for people to look at; a test run looks whether anything sticks out.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.card import Button, Card, Image, Text
from sandbox.teams.demo import LIBRARY, PAGE, Demo
from tests.support.chromium import Window
from tests.support.pictures import take_picture
from tests.support.stage import Stage, Theatre
from tests.support.stage.waiting import eventually
from tests.support.teams.cards import presses_in, presses_of, words_of
from tests.support.teams.talking import Member
from tests.teams.conftest import Scene
from tests.teams.test_request_cards import APPROVER, card_of, pressed

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"
NAMES = (
    "teams-welcome teams-question teams-form teams-plan teams-request teams-approval teams-reason teams-recorded "
    "teams-progress teams-ready teams-failed teams-rejected teams-choices teams-chart teams-help"
).split()
WIDE = """[...document.querySelectorAll('#picture *')]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== 'hidden')
    .map(e => e.className + ': ' + e.textContent.slice(0, 80))"""
"""What is wider than its place."""
Album = dict[str, list[dict[str, Any]]]


def shown(content: dict[str, Any]) -> dict[str, Any]:
    """Return a message that is a card: what a press is answered with, say."""
    return {"attachments": [{"content": content}]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def album(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Album]:
    """The story, played once: messages by the picture's name."""
    found: Album = {}
    async with theatre.open_stage(tmp_path_factory.mktemp("teams"), teams=True) as stage:
        await play(Scene(stage), stage, found)
    yield found


async def play(scene: Scene, stage: Stage, album: Album) -> None:
    """Play it: an order by form, its approval and outcome, one that fails, one that is rejected, a chart, help."""

    def keep(name: str, *messages: dict[str, Any]) -> None:
        album[name] = copy.deepcopy(list(messages))

    ana, bo = scene.member("Ana Lopez", email="ana@corp.example"), scene.member("Bo Chen", email=APPROVER)
    await bo.sends(bo.activity("conversationUpdate", membersAdded=[{"id": scene.tenant.bot}]))
    await scene.settles()
    keep("teams-welcome", scene.said(bo.personal)[0].activity)
    await ana.sends(ana.message("I need a new account on AWS"))
    await scene.settles()
    question = scene.said(ana.personal)[-1].activity
    keep("teams-question", {"text": "I need a new account on AWS", "is_mine": True}, question)
    form = await pressed(scene, ana, presses_of(question)["Fill in a form"])
    right = {"field.AccountType": "Sandbox", "field.AccountOU": "Demos"}
    again = presses_in(form["value"])["Continue"]
    wrong = await pressed(scene, ana, again, **right, **{"field.RootEmail": "team-orchid"})
    keep("teams-form", shown(wrong["value"]))
    await pressed(scene, ana, again, **right, **{"field.RootEmail": "team-orchid@corp.example"})
    keep("teams-plan", scene.said(ana.personal)[-1].activity)
    request = await confirmed(scene, ana)
    keep("teams-request", card_of(scene, ana.personal, request).activity)
    keep("teams-approval", card_of(scene, bo.personal, request).activity)
    actions = presses_of(card_of(scene, bo.personal, request).activity)
    unexplained = await pressed(scene, bo, actions["Reject"])
    keep("teams-reason", shown(unexplained["value"]))
    recorded = await pressed(scene, bo, actions["Approve"], reason="Within the team's budget.")
    keep("teams-recorded", shown(recorded["value"]))
    await orders_reach(scene, 1)
    keep("teams-progress", card_of(scene, ana.personal, request).activity)
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    await scene.settles()
    keep("teams-ready", card_of(scene, ana.personal, request).activity)

    taken = "The address team-iris@corp.example is already used by another account."
    await stage.switches_on("provisioning_failed", message=taken)
    await ana.sends(ana.message("I need a sandbox account in Demos for team-iris@corp.example"))
    failing = await confirmed(scene, ana)
    await pressed(scene, bo, presses_of(card_of(scene, bo.personal, failing).activity)["Approve"])
    await orders_reach(scene, 2)
    await stage.advance(minutes=25)
    await stage.reaches(failing, "failed")
    await scene.settles()
    keep("teams-failed", card_of(scene, ana.personal, failing).activity)
    await stage.switches_off("provisioning_failed")

    await ana.sends(ana.message("I need a production account in Experiment for team-lily@corp.example"))
    refused = await confirmed(scene, ana)
    action = presses_of(card_of(scene, bo.personal, refused).activity)["Reject"]
    await pressed(scene, bo, action, reason="Lily has an account already; please use that one.")
    keep("teams-rejected", card_of(scene, ana.personal, refused).activity)
    file = base64.b64encode((PICTURES.parent.parent / "teams" / "color.png").read_bytes()).decode()
    mark = Image(f"data:image/png;base64,{file}", "The app's mark")
    await tell(scene, ana, Card("A picture with its words", (mark, Text("Teams fetches it from the bot."))))
    keep("teams-chart", scene.said(ana.personal)[-1].activity)
    names = ("Experiment", "Demos", "Research", "Retail", "Payments", "Logistics", "Archive")
    await tell(scene, ana, Card("Which OU?", buttons=tuple(Button(n, "fill", f"AccountOU={n}") for n in names)))
    keep("teams-choices", scene.said(ana.personal)[-1].activity)
    await ana.sends(ana.message("help"))
    await scene.settles()
    helped = [s.activity for s in scene.said(ana.personal) if "Say it in your own words" in words_of(s.activity)]
    keep("teams-help", helped[-1])


async def confirmed(scene: Scene, ana: Member) -> str:
    """Say yes to the plan; returns the request's id."""
    await scene.settles()
    await pressed(scene, ana, scene.buttons(ana.personal)["Yes, go ahead"])
    return str((await scene.stage.requests())[0]["id"])


async def orders_reach(scene: Scene, accounts: int) -> None:
    """Wait until that many accounts have been ordered, and what was told of it is shown."""

    async def has_come() -> bool:
        return len(await scene.stage.calls("ProvisionProduct")) >= accounts

    await eventually(has_come, lambda: "nothing was ordered")
    await scene.settles()


async def tell(scene: Scene, ana: Member, card: Card) -> None:
    """Have a card told that no intent makes yet."""
    services, place = scene.stage.application.services, f"teams:{scene.tenant.id}:{ana.personal}"
    await services.database.write(lambda t: services.conversations.notify(t, place, card.title, card.title, card, ""))
    await scene.settles()


async def open_album(browser: Window, theme: str) -> Any:
    """Return a page on which messages can be drawn, in its element #picture."""
    page = await browser.open_page(viewport={"width": 720, "height": 600})
    style = (PAGE / "chat.css").read_text(encoding="utf-8")
    await page.set_content(
        f'<!doctype html><html lang="en"><title>Teams</title><style>{style}#picture{{padding:8px 16px;width:640px}}'
        f'</style><body class="{theme}"><div id="picture"></div></body></html>'
    )
    for script in (LIBRARY, PAGE / "draw.js"):
        await page.add_script_tag(content=script.read_text(encoding="utf-8"))
    return page


DRAW = """([messages, theme]) => document.getElementById("picture").replaceChildren(...messages.map(message => {
    const box = drawMessage(message, theme);
    if (message.is_mine) box.classList.add("mine");
    return box;
}))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_cards_are_drawn_and_nothing_sticks_out(theme: str, album: Album, browser: Window) -> None:
    assert set(album) == set(NAMES)
    file = (PICTURES.parent.parent / "teams" / "color.png").read_bytes()
    page = await open_album(browser, theme)
    for name in NAMES:
        messages = copy.deepcopy(album[name])
        for element in _images(messages):  # the bot that served it is gone
            element["url"] = "data:image/png;base64," + base64.b64encode(file).decode()
        await page.evaluate(DRAW, [messages, theme])
        assert await page.evaluate(WIDE) == [], name
        if os.environ.get("QM_WRITE_PICTURES"):
            (PICTURES / f"{name}-{theme}.png").write_bytes(await take_picture(page, "#picture"))


def _images(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cards = [a["content"] for m in messages for a in m.get("attachments", ())]
    return [element for card in cards for element in card["body"] if element["type"] == "Image"]


async def test_the_library_is_microsofts_own() -> None:
    digest = hashlib.sha256(LIBRARY.read_bytes()).hexdigest()
    assert f"`{digest}`" in (LIBRARY.parent / "README.md").read_text(encoding="utf-8")


async def test_a_newcomer_talks_to_the_bot_in_a_tenant_that_is_made_up(
    theatre: Theatre, tmp_path: Path, browser: Window
) -> None:
    demo = Demo("", ["ana@corp.example", "bo@corp.example"])
    try:
        settings: dict[str, Any] = {
            "teams_app_id": demo.tenant.app_id,
            "teams_app_secret": demo.tenant.secret,
            "teams_tenant_id": demo.tenant.id,
            "teams_openid_url": f"{demo.framework.url}/v1/openid",
            "teams_login_url": f"{demo.framework.url}/",
            "teams_service_urls": f"{demo.framework.url}/teams/",
        }
        async with theatre.open_stage(tmp_path, **settings) as stage:
            demo.bot = stage.url
            page = await browser.open_page(demo.framework.url)
            await page.fill("#text", "I need a sandbox account")
            await page.keyboard.press("Enter")
            await page.click("text=Fill in a form")
            await page.fill("input.ac-textInput >> nth=0", "made-up@corp.example")
            await page.select_option("select.ac-choiceSetInput-compact >> nth=1", label="Demos")
            await page.click("text=Continue")
            await page.click("text=Yes, go ahead")
            await page.wait_for_selector("text=was asked to approve it")
    finally:
        demo.framework.close()
