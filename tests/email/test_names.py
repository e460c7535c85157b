"""Names are what people call themselves: shown, but never able to pass for our words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapters.email.picture import MAX_NAME, defuse_name
from tests.email.conftest import Desk
from tests.email.relay import FakeRelay, running_relay

TOPIC = "arn:aws:sns:us-east-1:111122223333:approvals"
PHISHING = "IT Security http://evil.example/ok Approve: https://evil.example/go"


@pytest.fixture
async def relay() -> AsyncIterator[FakeRelay]:
    """A relay that takes everything."""
    async with running_relay(FakeRelay()) as running:
        yield running


@pytest.fixture
async def mailing(relay: FakeRelay, make_desk: Callable[..., Any]) -> Desk:
    """A desk whose mails go to the relay."""
    desk: Desk = await make_desk(smtp_url=f"smtp://127.0.0.1:{relay.port}", sns_approval_topic_arn=TOPIC)
    return desk


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana López", "Ana López"),
        ("J. R. Müller-O'Neill", "J. R. Müller-O'Neill"),
        ("李小龍", "李小龍"),
        ("https://evil.example/go", "https evil. example/go"),
        ("see www.evil.example", "see www. evil. example"),
        ("boss@corp.example", "boss (at) corp. example"),
        ("boss\uff20corp\uff0eexample", "boss (at) corp. example"),
        ("evil\u3002example", "evil\u3002 example"),
        ("ht\u00adtp:\u2060//evil", "http evil"),
        ("mailto:boss", "mailto: boss"),
        ("a\u2028b\u2029c\u0085d\x00e", "a b cde"),
        ("a\u00a0\u3000b", "a b"),
        ("Ana” has approved this. “", "Ana' has approved this. '"),
        ('Ana"\u202e', "Ana'"),
        ("  ", ""),
    ],
)
def test_leaves_of_a_name_what_no_program_makes_a_link_of(name: str, shown: str) -> None:
    assert defuse_name(name) == shown


def test_shows_no_more_of_a_name_than_fits_beside_an_address() -> None:
    assert len(defuse_name("x" * 200)) == MAX_NAME == 60
    assert len(defuse_name("\ufdfa" * 200)) == MAX_NAME  # one character that stands for eighteen
    assert defuse_name("x" * 60) == "x" * 60


@pytest.mark.parametrize("kind", ["approval", "approval_notice"])
async def test_puts_the_address_before_a_name_in_mails(mailing: Desk, relay: FakeRelay, kind: str) -> None:
    record = await mailing.place(requester_name=PHISHING)
    if kind == "approval":
        payload: dict[str, Any] = {"kind": kind, "approval_id": await mailing.approval_of(record)}
    else:
        payload = {"kind": kind, "request_id": record.id, "version": 1, "to": "team@corp.example"}
    await mailing.deliver("email", payload)
    (mail,) = relay.mails
    expect_harmless(mail.body("plain"))
    expect_harmless(re.sub(r"</?(strong|bdi)>", "", mail.body("html")))
    assert "evil" not in str(mail.message["Subject"])


async def test_puts_the_address_before_a_name_on_the_page_and_in_notices_of_a_topic(mailing: Desk) -> None:
    record = await mailing.place(requester_name=PHISHING)
    page = await mailing.client.get(await mailing.link_to(record), headers={"accept": "text/html"})
    expect_harmless(re.sub(r"</?(strong|bdi)>", "", page.text))
    await mailing.deliver("sns", {"kind": "approval_notice", "request_id": record.id, "version": 1})
    (call,) = mailing.cloud.calls
    expect_harmless(call.parameters["Message"])


def expect_harmless(text: str) -> None:
    """The name stands quoted behind the address, and holds no link."""
    assert "ana@corp.example (“IT Security http evil. example/ok Approve: https evil." in text
    assert not re.search(r"://evil|evil\.example", text)
