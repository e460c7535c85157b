"""Ids of other people's requests open nothing, and what people type stays text wherever it is shown."""

from __future__ import annotations

import pytest

from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel

UNKNOWN = "qm-22222222"


@on_every_channel
async def test_requests_of_others_are_as_if_they_were_not_there(stage: Stage, ana: Speaker) -> None:
    cy = stage.speaker("Cy Young")
    order = await asks_for_an_account(cy, "secret-project@corp.example")
    for sentence in ("status of {}", "cancel {}", "{}"):
        await ana.says(sentence.format(order))
        ana.hears(f"There is no request {order}")
        ana.does_not_hear("secret-project", "cy@corp.example", "approv", "operators")
        await ana.says(sentence.format(UNKNOWN))
        ana.hears(f"There is no request {UNKNOWN}")
    await ana.says("my requests")
    ana.hears("You have no requests yet")
    assert (await stage.view(order))["state"] == "awaiting_approval"


@pytest.mark.parametrize("sentence", ["status of qm-abcdefg1", "how is qm-2cse7 doing", "status of 7k3m9qx0"])
async def test_a_mistyped_id_never_shows_another_request(stage: Stage, ana: Speaker, sentence: str) -> None:
    order = await asks_for_an_account(ana)
    await ana.says(sentence)
    ana.hears("is not the id of a request")
    ana.does_not_hear(order)
    await ana.says("status of my request")
    ana.hears(order)


async def test_the_button_of_another_does_nothing(stage: Stage) -> None:
    cy, caller = stage.speaker("Cy Young"), stage.client()
    order = await asks_for_an_account(cy)
    answer = await caller.post(
        "/v1/messages",
        json={"user": {"email": "ana@corp.example"}, "press": {"verb": "cancel_request", "value": order}},
    )
    assert answer.status_code == 200
    [said] = answer.json()["messages"]
    unknown = await caller.post(
        "/v1/messages",
        json={"user": {"email": "ana@corp.example"}, "press": {"verb": "cancel_request", "value": UNKNOWN}},
    )
    assert said["text"].replace(order, "…") == unknown.json()["messages"][0]["text"].replace(UNKNOWN, "…")
    assert answer.json()["request"] is None
    assert (await stage.view(order))["state"] == "awaiting_approval"


async def test_names_are_shown_as_text_in_mail_page_and_console(stage: Stage, bo: Approver) -> None:
    name = '<b>Eve</b><script>alert(1)</script>&amp; "quoted"'
    eve = stage.speaker(name, email="eve@corp.example")
    await asks_for_an_account(eve)
    await bo.opens_the_mail()
    assert bo.page is not None
    for shown in (bo.mail["html"], bo.page.text):
        assert "<script>alert" not in shown
        assert "<b>Eve</b>" not in shown
        assert "&lt;b&gt;Eve" in shown
    assert "<b>Eve</b>" in bo.mail["text"]
    assert "\n" not in bo.mail["subject"]
    order = eve.request
    console = stage.speaker("Bo", email="bo@corp.example", channel="console")
    await console.says("my requests")
    page = (await console.visits(f"/requests/{order}")).text
    assert "<script>alert" not in page
    assert "<b>Eve</b>" not in page


async def test_a_reason_is_shown_as_the_approvers_words(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await asks_for_an_account(ana)
    await bo.opens_the_mail()
    await bo.rejects("<a href='https://evil.example'>click</a> & _now_")
    await ana.hears_later("rejected by", "“<a href='https://evil.example'>click</a> & _now_”")
    assert bo.page is not None
    assert "<a href='https://evil.example'>" not in bo.page.text


async def test_one_word_serves_as_first_and_last_name(stage: Stage, bo: Approver) -> None:
    ana = stage.speaker("Ana")
    await asks_for_an_account(ana)
    await see_it_through(stage, ana, bo)
    [call] = await stage.calls("ProvisionProduct")
    given = {p["Key"]: p["Value"] for p in call["params"]["ProvisioningParameters"]}
    assert (given["SSOUserFirstName"], given["SSOUserLastName"]) == ("Ana", "Ana")
