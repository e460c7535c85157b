"""A mail relay whose answer can be withheld between DATA and 250, and what it accepted."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as modern
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

T = TypeVar("T")
_LINK = re.compile(r"/account/confirm/([\w-]+)")


@dataclass(frozen=True)
class Letter:
    """One accepted mail."""

    to: str
    subject: str
    text: str

    @property
    def token(self) -> str:
        """The deciding link's token, empty when there is none."""
        found = _LINK.search(self.text)
        return found[1] if found else ""


class Relay:
    """Real SMTP on a free port, in a thread of its own; also a context manager."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.waiting = threading.Event()
        """Set once a mail's content has arrived and its answer is withheld."""
        self._answers = asyncio.Event()
        self._answers.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._server: asyncio.Server | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail, or hold the line while answers are withheld: then the mail counts as not accepted."""
        if not self._answers.is_set():
            self.waiting.set()
            await self._answers.wait()
            return "451 try again"
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=modern)
        body = mail.get_body(("plain",))
        assert body is not None
        for address in envelope.rcpt_tos:
            self.letters.append(Letter(address, str(mail["subject"]), str(body.get_content())))
        return "250 OK"

    def withhold(self) -> None:
        """Answer no mail from now on."""
        self.waiting.clear()
        self._loop.call_soon_threadsafe(self._answers.clear)

    def answer_again(self) -> None:
        """Let what waits fail, and accept mails again."""
        self._loop.call_soon_threadsafe(self._answers.set)

    def about(self, request: str) -> list[Letter]:
        """Return the accepted mails that name a request."""
        return [letter for letter in self.letters if request in letter.text]

    @property
    def url(self) -> str:
        """What SMTP_URL says."""
        assert self._server is not None
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Relay:
        self._thread.start()
        self._server = self._call(self._loop.create_server(self._greet, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _greet(self) -> SMTP:
        return SMTP(self, hostname="relay.test", loop=self._loop)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
