"""The console's page of what is told: who hears of what, what is muted, and what waits for a summary."""

from __future__ import annotations

import re

from tests.stories.accounts import WEBSHOP
from tests.stories.news import has_heard, listens, plays
from tests.support.stage import Stage

TOLD = "/insights/told"


async def test_what_is_held_back_and_muted_stands_on_a_page_and_insights_are_muted_on_theirs(stage: Stage) -> None:
    await listens(stage)
    ana, cy = stage.speaker("Ana Lopez", channel="console"), stage.speaker("Cy Park", channel="console")
    hour = stage.application.clock.now().hour
    await ana.says(f"tell us here about lambda insights, quiet from {hour}:00 to {(hour + 3) % 24}:00 UTC")
    await plays(stage, "lambda-duration")
    await stage.advance(minutes=13)
    await has_heard(stage, 1)
    page = (await ana.visits(TOLD)).text
    assert "new insights of LAMBDA" in page
    assert "Held back for a summary: 1" in page
    assert "a medium severity insight has opened." in page
    (room,) = {watch.room.id for watch in await stage.application.services.watches.active("insights")}

    page = (await ana.visits("/insights")).text
    places = re.findall(r'href="(/insights/\w+_666677778888_us-east-1)"', page)
    form = (await ana.visits(places[0])).text
    assert 'action="/insights/told/mute"' in form
    assert f'<option value="account:{WEBSHOP}">' in form
    wish = {"room": room, "subject": f"account:{WEBSHOP}", "hours": "8"}
    answer = await ana.submits(f"{TOLD}/mute", **wish)
    assert (answer.status_code, answer.headers["location"]) == (303, TOLD)
    page = (await ana.visits(TOLD)).text
    assert f"Webshop Prod ({WEBSHOP})" in page
    assert "your conversation in the console" in page
    await ana.says("what is muted?")
    ana.hears(f"Muted: the account Webshop Prod ({WEBSHOP})", "until")

    await cy.says("what is muted?")
    assert "lambda" not in (await cy.visits(TOLD)).text.casefold()
    for changed, status in (({}, 403), ({"room": "slack:T1:C1"}, 403)):
        assert (await cy.submits(f"{TOLD}/unmute", **{**wish, **changed})).status_code == status
    for changed in ({"subject": "insight:"}, {"subject": "person:1"}, {"hours": "9999"}, {"hours": "-1"}):
        assert (await ana.submits(f"{TOLD}/mute", **{**wish, **changed})).status_code == 422
    away = await ana.submits(f"{TOLD}/mute", **wish, back="https://evil.example/")
    assert away.headers["location"] == "/"

    assert (await ana.submits(f"{TOLD}/unmute", **wish)).status_code == 303
    assert "Nothing is muted where you are told something." in (await ana.visits(TOLD)).text


async def test_a_wrong_filter_is_said_beside_the_list_and_silence_is_explained(stage: Stage) -> None:
    ana = stage.speaker("Ana Lopez", channel="console")
    await ana.says("help")
    wrong = await ana.visits("/insights?account=banana")
    listed = wrong.text[wrong.text.index('id="list"') :]
    assert wrong.status_code == 422
    assert "There is no account called" in listed
    assert "Nothing matches" not in listed
    page = (await ana.visits("/insights?account=Old+Intranet")).text
    assert "Nothing matches these filters." in page
    assert "Not watched: Old Intranet" in page
