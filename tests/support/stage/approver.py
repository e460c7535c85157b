"""Somebody who is asked to approve: reads the mail, follows its link, decides on the page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.stage.markup import read_words
from tests.support.stage.waiting import eventually

_LINK = re.compile(r"https?://[^\s\"'<>]*/account/confirm/[\w-]+")


class Approver:
    """One mailbox. `mail` and `page` are what was read last."""

    def __init__(self, email: str, client: httpx.AsyncClient) -> None:
        self.email = email
        self._client = client
        self._opened: set[str] = set()
        self.mail: dict[str, Any] = {}
        self.page: httpx.Response | None = None

    async def mails(self) -> list[dict[str, Any]]:
        """Return all mails to this address, newest first."""
        answer = await self._client.get("/dev/mail", headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return [mail for mail in answer.json() if self.email in mail["to"]]

    async def opens_the_mail(self, about: str = "") -> None:
        """Wait for a mail that was not opened yet, about a request if one is named, and follow its link."""
        await self.receives_a_notice(about)
        self.page = await self._client.get(self.path)
        assert self.page.status_code == 200, self.page.text

    async def receives_a_notice(self, about: str = "") -> None:
        """Wait for a mail that was not opened yet, about a request if one is named."""

        async def has_come() -> bool:
            unread = [m for m in await self.mails() if m["id"] not in self._opened and about in m["text"]]
            self.mail = unread[-1] if unread else {}
            return bool(unread)

        await eventually(has_come, lambda: f"no mail came to {self.email} {about}")
        self._opened.add(self.mail["id"])

    @property
    def path(self) -> str:
        """The path of the link in the mail; the same in its text and its HTML."""
        in_text, in_html = _LINK.search(self.mail["text"]), _LINK.search(self.mail["html"])
        assert in_text is not None, f"no link in the mail:\n{self.mail['text']}"
        assert in_html is not None, f"no link in the mail:\n{self.mail['html']}"
        assert urlsplit(in_text[0]).path == urlsplit(in_html[0]).path
        return urlsplit(in_text[0]).path

    def reads_in_the_mail(self, *fragments: str) -> None:
        """Assert that the mail says these, in its text and in its HTML."""
        text, html = " ".join(self.mail["text"].split()), read_words(self.mail["html"])
        for fragment in fragments:
            assert fragment in text, f"“{fragment}” is not in the mail's text:\n{self.mail['text']}"
            assert fragment in html, f"“{fragment}” is not in the mail's HTML:\n{html}"

    def reads(self, *fragments: str) -> None:
        """Assert that the page last seen says these."""
        assert self.page is not None, "no page was opened"
        words = read_words(self.page.text)
        for fragment in fragments:
            assert fragment in words, f"“{fragment}” is not on the page:\n{words}"

    async def decides(self, decision: str, reason: str = "") -> int:
        """Submit the page's form and return the status."""
        headers = {"sec-fetch-site": "same-origin"}
        form = {"decision": decision, "reason": reason}
        self.page = await self._client.post(self.path, data=form, headers=headers)
        return self.page.status_code

    async def approves(self) -> None:
        """Press Approve on the page."""
        status = await self.decides("approve")
        assert status == 200, f"{status} {read_words(self.page.text if self.page else '')}"

    async def rejects(self, reason: str) -> None:
        """Press Reject on the page, giving the reason."""
        status = await self.decides("reject", reason)
        assert status == 200, f"{status} {read_words(self.page.text if self.page else '')}"
