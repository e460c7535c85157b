"""One mail as bytes that every relay takes: MIME text and HTML, headers that no name can break out of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from email_validator import EmailNotValidError, validate_email

from bot.activity import clean_text
from bot.errors import Invalid

MAX_SUBJECT = 120
"""Characters of a subject; what is longer is cut, since the mail says it all again."""
MAX_NAME = 80
"""Characters of a name shown beside an address."""


@dataclass(frozen=True)
class Attachment:
    """A text that goes along as a file: its name, its type below "text", such as csv, and what it says."""

    name: str
    subtype: str
    text: str


@dataclass(frozen=True)
class Letter:
    """What a mail says and to whom; `key` is the outbox key that it is sent for."""

    key: str
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Envelope:
    """A mail ready for transport: bare ASCII addresses, and the bytes with CRLF line ends."""

    sender: str
    to: str
    content: bytes


def seal(letter: Letter, *, sender: str, at: datetime) -> Envelope:
    """Return the letter as RFC 5322 bytes: text and HTML, then attachments; ASCII only, no line over 998 octets.

    The Message-ID follows from the letter's key alone, so that a mail sent again after a crash can be
    recognised (RFC 5322, 3.6.4). Raises Invalid when an address is none.
    """
    origin = parse_sender(sender)
    recipient = _address(letter.to, "", field="to")
    message = EmailMessage(policy=SMTP)
    message["From"] = origin
    message["To"] = recipient
    message["Subject"] = _header_words(letter.subject, MAX_SUBJECT)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(letter.key, origin.domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers this
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    message.set_content(_encodable(letter.text), cte="quoted-printable")
    message.add_alternative(_encodable(letter.html), subtype="html", cte="quoted-printable")
    for attached in letter.attachments:
        message.add_attachment(
            attached.text.encode("utf-8", "replace"),
            maintype="text",
            subtype=attached.subtype,
            filename=_header_words(attached.name, MAX_NAME),
            params={"charset": "utf-8"},
        )
    return Envelope(sender=origin.addr_spec, to=recipient.addr_spec, content=message.as_bytes())


def parse_sender(text: str) -> Address:
    """Return the sender that MAIL_FROM names, bare or as "Name <address>"; raises Invalid."""
    shown, bare = parseaddr(clean_text(text))  # line ends in a name are read differently from Python to Python
    return _address(bare, shown or "Quartermaster", field="MAIL_FROM")


def message_id(key: str, domain: str) -> str:
    """Return the Message-ID of the mail that is sent for an outbox key."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def shorten(text: str, length: int) -> str:
    """Return the text on one line without control characters, cut at `length` characters with an ellipsis."""
    line = clean_text(text)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _address(email: str, name: str, *, field: str) -> Address:
    """Return the address with its domain in ASCII (punycode), as relays without SMTPUTF8 need it."""
    try:
        found = validate_email(email, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(f"{shorten(email, 80)!r} is not an address that mail can go to: {error}", field=field) from error
    return Address(_header_words(name, MAX_NAME), addr_spec=found.ascii_email or found.normalized)


def _header_words(text: str, length: int) -> str:
    """Return words for a header. What looks like an encoded word (RFC 2047) is broken up.

    The email package would decode it, and line ends hidden inside would then start headers of their own.
    """
    return shorten(clean_text(text).replace("=?", "= ?"), length)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
