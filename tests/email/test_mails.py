"""From an outbox row to a mail in a box: what it says, whom it reaches, and when it stays away."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.channel import DeliveryFailed
from bot.errors import SettingsError
from bot.plan import Check
from bot.requests import Filter
from tests.email.conftest import BO, Desk
from tests.email.relay import FakeRelay, ReceivedMail, running_relay

LINK = re.compile(r"http://127\.0\.0\.1:8000(/account/confirm/[\w-]+)\?decision=(approve|reject)")


@pytest.fixture
async def relay() -> AsyncIterator[FakeRelay]:
    async with running_relay(FakeRelay()) as running:
        yield running


@pytest.fixture
async def mailing(relay: FakeRelay, make_desk: Callable[..., Any]) -> Desk:
    """A desk whose mails go to the relay."""
    made: Desk = await make_desk(smtp_url=f"smtp://127.0.0.1:{relay.port}", sns_approval_topic_arn=TOPIC)
    return made


ANY = Filter()
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
}
TOPIC = "arn:aws:sns:us-east-1:111122223333:approvals"


async def approval_mail(desk: Desk, relay: FakeRelay, **changes: Any) -> ReceivedMail:
    record = await desk.place(**changes)
    await desk.deliver("email", {"kind": "approval", "approval_id": await desk.approval_of(record)})
    return relay.mails[-1]


async def test_asks_the_approver_with_everything_they_need(mailing: Desk, relay: FakeRelay) -> None:
    checks = (Check("Wood", "ok", "There is enough."), Check("Paint", "waits", "Still wet."))
    mail = await approval_mail(mailing, relay, checks=checks)
    assert mail.recipients == [BO]
    assert mail.message["Subject"] == "Approval needed: Make the toy rocket"
    request = (await mailing.services.requests.list(ANY)).items[0].id
    for body in (mail.body("plain"), mail.body("html")):
        for shown in (
            "Make the toy rocket",
            "ou-1234-abcd (Root/Toys)",
            "There is enough.",
            "Still wet.",
            "Ana Example",
            "ana@corp.example",
            "Tuesday 24 November 2026, 10:00 UTC",
            "in 48 hours",
            "Name of the toy",
            "asked to approve requests like this one",
            BO,
            request,
        ):
            assert shown in body
        links = LINK.findall(body)
        assert [decision for _, decision in links] == ["approve", "reject"]
        assert len({path for path, _ in links}) == 1


async def test_leads_to_the_page_that_decides(mailing: Desk, relay: FakeRelay) -> None:
    mail = await approval_mail(mailing, relay)
    [(path, _), _] = LINK.findall(mail.body("plain"))
    assert (await mailing.client.get(path)).status_code == 200
    assert (await mailing.client.post(path, data={"decision": "approve"})).status_code == 200


async def test_brings_a_request_to_its_decision(mailing: Desk, relay: FakeRelay) -> None:
    record = await mailing.place()
    outbox = mailing.services.outbox
    outbox.connect(mailing.channel.senders)
    assert await outbox.deliver_due() == 2
    assert await outbox.unsent() == 0
    [mail], [notice] = relay.mails, mailing.cloud.calls
    assert (mail.recipients, notice.operation) == ([BO], "Publish")
    [(path, _), _] = LINK.findall(mail.body("html"))
    sends = (mailing.client.post(path, data={"decision": "approve"}) for _ in range(10))
    answers = await asyncio.gather(*sends)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert (await mailing.services.requests.find(record.id)).state == "approved"


async def test_waits_for_a_relay_that_is_away(mailing: Desk, relay: FakeRelay) -> None:
    await mailing.place()
    outbox = mailing.services.outbox
    outbox.connect(mailing.channel.senders)
    relay.on_rcpt = "450 4.2.1 mailbox busy"
    await outbox.deliver_due()
    assert await outbox.unsent() == 1
    relay.on_rcpt = ""
    mailing.clock.advance(minutes=2)
    await outbox.deliver_due()
    assert await outbox.unsent() == 0
    assert len(relay.mails) == 1


async def test_keeps_links_of_a_mail_that_was_sent_twice_alive(mailing: Desk, relay: FakeRelay) -> None:
    record = await mailing.place()
    payload = {"kind": "approval", "approval_id": await mailing.approval_of(record)}
    await mailing.deliver("email", payload, key="same")
    await mailing.deliver("email", payload, key="same")
    first, second = relay.mails
    assert first.message["Message-ID"] == second.message["Message-ID"]
    paths = [LINK.findall(mail.body("plain"))[0][0] for mail in relay.mails]
    assert paths[0] != paths[1]
    assert [(await mailing.client.get(path)).status_code for path in paths] == [200, 200]


async def test_loads_nothing_from_elsewhere(mailing: Desk, relay: FakeRelay) -> None:
    html = (await approval_mail(mailing, relay)).body("html")
    assert not re.search(r"<(img|script|link|iframe|object|video|form)\b|url\(|@import|\bsrc=", html)
    assert all(url.startswith("http://127.0.0.1:8000/") for url in re.findall(r"https?://[^\s\"'<]+", html))


HOSTILE = (
    "<script>alert(1)</script><a href=http://evil.example>Approve</a>",
    'x" onmouseover="alert(1)',
    "rocket\nApprove: http://evil.example/\n\nWHAT WILL BE DONE\n  Toy: harmless",
    "\u202egnp.exe\u2066",
    "😀" * 250,
    "שלום עולם",
    "y" * 10_000,
    "{{ picture }}{% include 'plan.txt' %}",
)


@pytest.mark.parametrize("words", HOSTILE)
async def test_shows_hostile_words_as_words(mailing: Desk, relay: FakeRelay, words: str) -> None:
    mail = await approval_mail(mailing, relay, name=words, requester_name=words[:190], summary=f"Make {words}")
    html, text = mail.body("html"), mail.body("plain")
    assert "<script" not in html
    assert "<a href=http://evil" not in html
    assert not re.search(r"<[^>]*\bonmouseover", html)
    assert not re.search(r"^(Approve: http://evil|  Toy: harmless)", text, re.MULTILINE)
    assert "\u202e" not in text
    assert text.count("\nWHAT WILL BE DONE") == 1
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "words",
    [
        "rocket\r\nBcc: eve@elsewhere.example\r\nX: y",
        "rocket\nFrom: boss@corp.example\n\n<b>approved</b>",
        "rocket\r\n.\r\nMAIL FROM:<eve@elsewhere.example>\r\nRCPT TO:<cy@corp.example>",
        "=?utf-8?q?rocket=0D=0ABcc:_eve@elsewhere.example?=",
        "rocket\x85Reply-To: eve@elsewhere.example\u2028Cc: eve@elsewhere.example",
    ],
)
async def test_no_word_of_a_request_begins_a_header_or_another_mail(
    mailing: Desk, relay: FakeRelay, words: str
) -> None:
    details, checks = ((words, words),), (Check(words, "ok", words),)
    await approval_mail(mailing, relay, name=words, requester_name=words, summary=words, details=details, checks=checks)
    news = {"to": BO, "subject": words, "lines": [words], "rows": [[words, words]]}
    await mailing.deliver("email", {"kind": "news", **news}, key="news")
    assert len(relay.mails) == 2
    for mail in relay.mails:
        assert mail.recipients == [BO]
        assert set(mail.message.keys()) == HEADERS
        assert mail.message["To"] == BO
        assert mail.message["From"].addresses[0].addr_spec == "quartermaster@corp.example"
        assert mail.message.defects == []
        assert mail.message["Subject"].defects == ()


async def test_says_when_nothing_will_really_be_done(relay: FakeRelay, make_desk: Callable[..., Any]) -> None:
    desk = await make_desk(smtp_url=f"smtp://127.0.0.1:{relay.port}", mode="observe")
    mail = await approval_mail(desk, relay)
    assert "Observe mode" in mail.body("plain")
    assert "Observe mode" in mail.body("html")


@pytest.mark.parametrize("end", ["decided", "expired", "cancelled"])
async def test_sends_nothing_when_there_is_nothing_left_to_decide(mailing: Desk, relay: FakeRelay, end: str) -> None:
    record = await mailing.place()
    approval = await mailing.approval_of(record)
    if end == "decided":
        await mailing.client.post(await mailing.link_to(record), data={"decision": "approve"})
    elif end == "expired":
        mailing.clock.advance(hours=49)
    else:
        await mailing.services.requests.cancel(record.id, record.requester, surface="console")
    await mailing.deliver("email", {"kind": "approval", "approval_id": approval})
    assert relay.mails == []


async def test_tells_a_shared_mailbox_without_a_link_that_decides(mailing: Desk, relay: FakeRelay) -> None:
    record = await mailing.place()
    payload = {"kind": "approval_notice", "request_id": record.id, "version": 1, "to": "team@corp.example"}
    await mailing.deliver("email", payload)
    [mail] = relay.mails
    assert mail.recipients == ["team@corp.example"]
    for body in (mail.body("plain"), mail.body("html")):
        assert "/account/confirm/" not in body
        assert f"http://127.0.0.1:8000/requests/{record.id}" in body
        assert "ou-1234-abcd (Root/Toys)" in body
        assert "ign in" in body


async def test_publishes_a_notice_without_a_link_that_decides(mailing: Desk) -> None:
    record = await mailing.place(name="Räkete\n<b>")
    await mailing.deliver("sns", {"kind": "approval_notice", "request_id": record.id, "version": 1})
    [call] = mailing.cloud.calls
    assert (call.service, call.operation, call.parameters["TopicArn"]) == ("sns", "Publish", TOPIC)
    assert call.parameters["Subject"].isascii()
    assert "/account/confirm/" not in call.parameters["Message"]
    assert f"http://127.0.0.1:8000/requests/{record.id}" in call.parameters["Message"]


async def test_tells_nobody_of_a_version_that_is_over(mailing: Desk, relay: FakeRelay) -> None:
    record = await mailing.place()
    old = {"kind": "approval_notice", "request_id": record.id, "version": 2, "to": "team@corp.example"}
    await mailing.deliver("email", old)
    await mailing.deliver("sns", old)
    await mailing.client.post(await mailing.link_to(record), data={"decision": "approve"})
    await mailing.deliver("email", {**old, "version": 1})
    await mailing.deliver("sns", {**old, "version": 1})
    assert relay.mails == []
    assert mailing.cloud.calls == []


@pytest.mark.parametrize(
    ("channel", "payload"),
    [
        ("email", {}),
        ("email", {"kind": "poem"}),
        ("email", {"kind": "approval"}),
        ("email", {"kind": "approval_notice", "request_id": "qm-22222222", "version": 1, "to": BO}),
        ("email", {"kind": "approval_notice", "request_id": 7, "version": 1, "to": BO}),
        ("sns", {"kind": "approval"}),
    ],
)
async def test_gives_up_on_rows_that_make_no_sense(mailing: Desk, channel: str, payload: dict[str, Any]) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await mailing.deliver(channel, payload)
    assert not caught.value.retryable


async def test_sends_by_ses_when_settings_say_so(make_desk: Callable[..., Any]) -> None:
    desk = await make_desk(mail_transport="ses")
    record = await desk.place()
    await desk.deliver("email", {"kind": "approval", "approval_id": await desk.approval_of(record)})
    [call] = desk.cloud.calls
    assert (call.service, call.operation) == ("sesv2", "SendEmail")
    assert b"Approval needed: Make the toy rocket" in call.parameters["Content"]["Raw"]["Data"]


@pytest.mark.parametrize(
    "changes",
    [
        {"aws_endpoint_url": ""},  # no sandbox: no catcher
        {"mail_from": "nobody"},
        {"mail_from": "a b@c"},
        {"smtp_url": "smtp://user:secret@mail:port"},
    ],
)
async def test_refuses_to_start_when_mails_could_not_leave(
    make_desk: Callable[..., Any], changes: dict[str, str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        await make_desk(**changes)
    assert "secret" not in caught.value.detail


async def test_does_not_call_what_it_understood_the_requesters_words(mailing: Desk, relay: FakeRelay) -> None:
    mail = await approval_mail(mailing, relay)
    record = (await mailing.services.requests.list(ANY)).items[0]
    page = (await mailing.client.get(await mailing.link_to(record), headers={"accept": "text/html"})).text
    said = "As understood from what ana@corp.example said; what counts is the plan above."
    for text in (mail.body("plain"), mail.body("html"), page):
        assert said in text
        assert text.index("Shelf") < text.index(said) < text.rindex("Name of the toy")
