"""Over real SMTP: what arrives, and which failures are worth another try."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.email.letter import Envelope
from adapters.email.topic import Topic, ascii_subject
from adapters.email.transport import LOGIN_PAUSE, Relay, SesTransport, SmtpTransport
from bot.channel import DeliveryFailed
from bot.errors import CloudError, SettingsError
from tests.email.fakes import FakeCloud
from tests.email.relay import FakeRelay, running_relay, self_signed

MAIL = Envelope("qm@corp.example", "bo@corp.example", b"Subject: s\r\n\r\n.dot\r\nend\r\n")


async def send(url: str) -> None:
    relay = Relay.parse(url)
    await SmtpTransport(lambda: relay, greeting_name="bot.test").send(MAIL)


async def failure(url: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await send(url)
    return caught.value


async def test_hands_the_mail_over_whole() -> None:
    async with running_relay(FakeRelay()) as relay:
        await send(f"smtp://127.0.0.1:{relay.port}")
    [mail] = relay.mails
    assert (mail.sender, mail.recipients) == ("qm@corp.example", ["bo@corp.example"])
    assert mail.content == MAIL.content
    assert not mail.was_encrypted


async def test_encrypts_when_the_relay_offers_it(tmp_path: Path) -> None:
    async with running_relay(FakeRelay(), tls=self_signed(tmp_path)) as relay:
        await send(f"smtp://127.0.0.1:{relay.port}")
    assert relay.mails[0].was_encrypted


async def test_speaks_tls_from_the_start_with_smtps(tmp_path: Path) -> None:
    async with running_relay(FakeRelay(), tls=self_signed(tmp_path), implicit=True) as relay:
        await send(f"smtps://127.0.0.1:{relay.port}")
    assert len(relay.mails) == 1


async def test_logs_in_with_percent_decoded_names() -> None:
    async with running_relay(FakeRelay(logins={"qm@corp.example": "p:a/s s%"})) as relay:
        await send(f"smtp://qm%40corp.example:p%3Aa%2Fs%20s%25@127.0.0.1:{relay.port}")
    assert relay.mails[0].login == "qm@corp.example"


async def test_tries_a_refused_login_again_but_rarely() -> None:
    async with running_relay(FakeRelay(logins={"qm": "right"})) as relay:
        refused = await failure(f"smtp://qm:wrong@127.0.0.1:{relay.port}")
    assert (refused.retryable, refused.retry_after) == (True, LOGIN_PAUSE)
    assert "wrong" not in refused.detail
    assert relay.mails == []


@pytest.mark.parametrize(
    ("answers", "retryable"),
    [
        ({"on_rcpt": "450 4.2.1 mailbox busy"}, True),
        ({"on_rcpt": "550 5.1.1 no such person"}, False),
        ({"on_data": "451 4.3.0 try later"}, True),
        ({"on_data": "554 5.7.1 rejected as spam"}, False),
        ({"on_data": "421 4.3.2 shutting down"}, True),
        ({"breaks_off": True}, True),
    ],
)
async def test_knows_which_failures_pass(answers: dict[str, Any], retryable: bool) -> None:
    async with running_relay(FakeRelay(**answers)) as relay:
        failed = await failure(f"smtp://127.0.0.1:{relay.port}")
    assert failed.retryable is retryable
    code = next((str(a)[:3] for a in answers.values() if a is not True), "")
    assert code in failed.detail


async def test_tries_again_when_nobody_listens() -> None:
    async with running_relay(FakeRelay()) as relay:
        port = relay.port
    assert (await failure(f"smtp://127.0.0.1:{port}")).retryable


async def test_tries_again_when_what_listens_is_no_relay() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        failed = await failure(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert failed.retryable


async def test_counts_a_mail_as_sent_when_only_the_farewell_fails() -> None:
    class Rude(FakeRelay):
        async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
            return "500 stay"

    async with running_relay(Rude()) as relay:
        await send(f"smtp://127.0.0.1:{relay.port}")
    assert len(relay.mails) == 1


async def test_sends_no_password_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.transport.is_loopback_host", lambda host: False)
    async with running_relay(FakeRelay(logins={"qm": "secret"})) as relay:
        failed = await failure(f"smtp://qm:secret@127.0.0.1:{relay.port}")
    assert "encryption" in failed.detail
    assert relay.mails == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_trusts_no_certificate_that_nobody_vouches_for(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.transport.is_loopback_host", lambda host: False)
    async with running_relay(FakeRelay(), tls=self_signed(tmp_path), implicit=scheme == "smtps") as relay:
        failed = await failure(f"{scheme}://127.0.0.1:{relay.port}")
    assert "certificate" in failed.detail.casefold()
    assert relay.mails == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.corp.example", Relay("mail.corp.example", 25)),
        ("smtp://u:p@mail.corp.example", Relay("mail.corp.example", 587, "u", "p")),
        (
            "smtps://u%40c:p%25@mail.corp.example",
            Relay("mail.corp.example", 465, "u@c", "p%", implicit_tls=True),
        ),
        ("smtp://[::1]:2525", Relay("::1", 2525)),
    ],
)
def test_reads_relays_from_urls(url: str, expected: Relay) -> None:
    assert Relay.parse(url) == expected


@pytest.mark.parametrize("url", ["smtp://", "http://mail", "smtp://u:secret@mail:port", "smtp://[::1", "mail:25"])
def test_refuses_urls_that_name_no_relay_without_telling_the_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Relay.parse(url)
    assert "secret" not in caught.value.detail


def test_shows_no_password_where_a_relay_is_printed() -> None:
    assert "secret" not in repr(Relay.parse("smtp://u:secret@mail.corp.example"))


async def test_sends_through_ses() -> None:
    cloud = FakeCloud()
    await SesTransport(cloud, "eu-west-1").send(MAIL)
    [call] = cloud.calls
    assert (call.service, call.operation, call.region) == ("sesv2", "SendEmail", "eu-west-1")
    assert call.parameters == {
        "FromEmailAddress": "qm@corp.example",
        "Destination": {"ToAddresses": ["bo@corp.example"]},
        "Content": {"Raw": {"Data": MAIL.content}},
    }


@pytest.mark.parametrize("retryable", [True, False])
async def test_lets_aws_say_whether_ses_may_be_tried_again(retryable: bool) -> None:
    cloud = FakeCloud(error=CloudError("Nope", "no", operation="SendEmail", retryable=retryable))
    with pytest.raises(DeliveryFailed) as caught:
        await SesTransport(cloud, "").send(MAIL)
    assert caught.value.retryable is retryable


async def test_publishes_to_the_topic_in_its_own_region() -> None:
    cloud = FakeCloud()
    await Topic(cloud, "arn:aws:sns:eu-central-1:111122223333:approvals").publish("k", "Über\nalles", "text")
    [call] = cloud.calls
    assert (call.service, call.operation, call.region) == ("sns", "Publish", "eu-central-1")
    assert call.parameters == {
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:approvals",
        "Subject": "?ber alles",
        "Message": "text",
    }


async def test_lets_fifo_topics_recognise_a_repeat() -> None:
    cloud = FakeCloud()
    topic = Topic(cloud, "arn:aws:sns:eu-central-1:111122223333:approvals.fifo")
    await topic.publish("k", "s", "one")
    await topic.publish("k", "s", "two")
    first, second = (c.parameters["MessageDeduplicationId"] for c in cloud.calls)
    assert first == second


async def test_gives_up_at_once_without_a_topic() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await Topic(FakeCloud(), "").publish("k", "s", "m")
    assert not caught.value.retryable


@pytest.mark.parametrize("words", ["", "  \n", "😀" * 300, "a\x00b\r\nc", "x" * 5000, "שלום"])
def test_fits_any_subject_to_sns(words: str) -> None:
    subject = ascii_subject(words)
    assert 1 <= len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()
    assert not subject.startswith(" ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a" * 99, "a" * 99),
        ("a" * 100, "a" * 99),
        ("a" * 98 + " b", "a" * 98),
        ("a" * 97 + " b", "a" * 97 + " b"),
        ("a" * 99 + " b", "a" * 99),
        ("Approval needed: account, " + "b" * 100, "Approval needed: account"),
        ("," * 200, "Approval needed"),
    ],
)
def test_cuts_a_subject_for_sns_between_words(words: str, expected: str) -> None:
    assert ascii_subject(words) == expected
