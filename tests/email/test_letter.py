"""Mails as bytes: whatever the words are, the result is clean RFC 5322."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.letter import Letter, message_id, seal
from bot.errors import Invalid

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HOSTILE = (
    "x\r\nBcc: evil@elsewhere.example",
    "x\n\n<script>alert(1)</script>",
    "x\x00\x1b[31m\u202egnp.exe\u2028Subject: y",
    "😀" * 300,
    "שלום " * 300,
    "a" * 10_000,
    "=?utf-8?q?=0D=0ABcc:_evil@elsewhere.example?=",
    "\ud800 lone",
    "",
)


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=modern)


def sealed(subject: str = "s", text: str = "t", html: str = "<p>t</p>", **changes: str) -> bytes:
    letter = Letter(changes.get("key", "k"), changes.get("to", "bo@corp.example"), subject, text, html)
    return seal(letter, sender=changes.get("sender", "qm@corp.example"), at=AT).content


def require_clean(content: bytes) -> None:
    """RFC 5322 and 5321: ASCII, CRLF only, lines of at most 998 octets, one of each header."""
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    message = read(content)
    assert message.defects == []
    assert sorted(message.keys()) == sorted(
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type",
        ]
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_keeps_hostile_words_inside_their_place(words: str) -> None:
    content = sealed(subject=words, text=words, html=words, sender=f'"{words.strip()[:200]}" <qm@corp.example>')
    require_clean(content)
    message = read(content)
    assert message["To"].addresses[0].addr_spec == "bo@corp.example"
    assert message["Bcc"] is None
    assert len(str(message["Subject"])) <= 120


@given(words=st.text(max_size=400))
def test_keeps_any_words_inside_their_place(words: str) -> None:
    require_clean(sealed(subject=words, text=words, html=words))


def test_gives_words_back_as_they_were() -> None:
    text = "Grüße 😀\n.\n.leading dot\nשלום\n" + "long " * 400 + "\n"
    message = read(sealed(subject="Konto für Zoë 😀", text=text, html=f"<p>{text}</p>\n"))
    assert message["Subject"] == "Konto für Zoë 😀"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == text
    assert html.get_content().replace("\r\n", "\n") == f"<p>{text}</p>\n"
    assert message.get_content_type() == "multipart/alternative"


def test_writes_international_domains_in_ascii() -> None:
    content = sealed(to="bo@bücher.example", sender="Zoë <qm@münchen.example>")
    message = read(content)
    assert message["To"].addresses[0].addr_spec == "bo@xn--bcher-kva.example"
    assert message["From"].addresses[0].addr_spec == "qm@xn--mnchen-3ya.example"
    assert message["From"].addresses[0].display_name == "Zoë"


def test_says_that_a_machine_wrote_it_and_when() -> None:
    message = read(sealed())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == AT


def test_names_a_mail_by_its_outbox_key_alone() -> None:
    first, again = read(sealed(text="one")), read(sealed(text="two"))
    other = read(sealed(key="another"))
    assert first["Message-ID"] == again["Message-ID"] == message_id("k", "corp.example")
    assert other["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize("to", ["", "nobody", "a@b@c", "x@corp.example\r\nBcc: y@z.example", "a b@c.example", "@"])
def test_refuses_what_is_no_address(to: str) -> None:
    with pytest.raises(Invalid):
        sealed(to=to)
