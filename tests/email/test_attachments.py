"""A file goes along with a mail as it is, whatever its name and text hold."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as modern

from adapters.email.letter import Attachment, Letter, seal
from adapters.email.news import write_news
from bot.channel import Delivery

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TABLE = 'name,value\r\n"Zoë, the “first”",1\r\n'


def test_a_table_arrives_as_it_was_beside_text_and_html() -> None:
    letter = Letter("k", "ana@corp.example", "Report", "words", "<p>words</p>", (Attachment("r.csv", "csv", TABLE),))
    sealed = seal(letter, sender="qm@corp.example", at=NOON).content
    assert sealed.isascii()
    message = message_from_bytes(sealed, policy=modern)
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "words"
    attached = list(message.iter_attachments())
    assert [part.get_filename() for part in attached] == ["r.csv"]
    assert attached[0].get_content_type() == "text/csv"
    assert attached[0].get_payload(decode=True) == TABLE.encode()


def test_no_name_of_a_file_starts_a_header() -> None:
    named = Attachment("r.csv\r\nBcc: eve@corp.example", "csv", TABLE)
    sealed = seal(
        Letter("k", "ana@corp.example", "Report", "words", "<p>words</p>", (named,)), sender="qm@corp.example", at=NOON
    ).content
    assert message_from_bytes(sealed, policy=modern)["bcc"] is None


def test_news_carries_what_the_outbox_row_attaches() -> None:
    payload = {
        "kind": "news",
        "to": "ana@corp.example",
        "subject": "Report",
        "lines": ["words"],
        "attachments": [{"name": "r.csv", "type": "csv", "text": TABLE}],
    }
    letter = write_news(Delivery("k", "email", payload, 1))
    assert letter.attachments == (Attachment("r.csv", "csv", TABLE),)
    assert write_news(Delivery("k", "email", {**payload, "attachments": []}, 1)).attachments == ()
