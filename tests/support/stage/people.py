"""People who talk to the bot. What they say, hear and press is kept, and shown when a story fails."""

from __future__ import annotations

import re

import httpx

from tests.support.stage.channels import ConsoleLine, Heard, Line
from tests.support.stage.waiting import PATIENCE, eventually

_REQUEST = re.compile(r"\b[Rr]equest:? (qm-[0-9a-z]{8})\b")


def _plain(text: str) -> str:
    return " ".join(text.split())


class Speaker:
    """One person in one conversation.

    `hears` looks at what the bot has said since the person last said or pressed something, in order: each
    fragment must come after the one heard before. Blanks and line breaks count as one blank.
    """

    def __init__(self, name: str, email: str, line: Line) -> None:
        self.name, self.email = name, email
        self._line = line
        self._messages: list[Heard] = []
        self._script: list[str] = []
        self._since = ""
        self._position = 0

    @property
    def request(self) -> str:
        """The id of the request that the bot last spoke about."""
        for message in reversed(self._messages):
            if found := _REQUEST.findall(_plain(message.text)):
                return str(found[-1])
        raise AssertionError(f"no request was spoken about\n{self.transcript()}")

    @property
    def last_heard(self) -> str:
        """What the bot has said since the person last said something."""
        return self._since

    def transcript(self) -> str:
        """Return the whole dialogue, for people."""
        return "\n".join(("—" * 80, *self._script, "—" * 80))

    async def says(self, text: str) -> None:
        """Say something and take in the answer."""
        await self._listen()
        self._script.append(f"{self.name}: {text if len(text) < 300 else text[:300] + '…'}")
        self._since, self._position = "", 0
        await self._line.say(text)
        await self._listen()
        assert self._since, f"the bot answered nothing\n{self.transcript()}"

    async def presses(self, title: str) -> None:
        """Press the newest button of that title and take in the answer."""
        await self._listen()
        button = next((m.buttons[title] for m in reversed(self._messages) if title in m.buttons), None)
        assert button is not None, f"there is no button “{title}”\n{self.transcript()}"
        self._script.append(f"{self.name} presses [{title}]")
        self._since, self._position = "", 0
        await self._line.press(button)
        await self._listen()
        assert self._since, f"the bot answered nothing\n{self.transcript()}"

    def hears(self, *fragments: str) -> None:
        """Assert that the bot said these, one after the other."""
        for fragment in fragments:
            found = self._since.find(_plain(fragment), self._position)
            assert found >= 0, f"{self.name} did not hear “{fragment}”\n{self.transcript()}"
            self._position = found + len(_plain(fragment))

    def does_not_hear(self, *fragments: str) -> None:
        """Assert that the bot has said none of these since the person last said something."""
        for fragment in fragments:
            assert _plain(fragment) not in self._since, f"{self.name} heard “{fragment}”\n{self.transcript()}"

    async def hears_later(self, *fragments: str, within: float = PATIENCE) -> None:
        """Wait until the bot has said these, one after the other."""
        for fragment in fragments:
            wanted = _plain(fragment)

            async def is_heard(wanted: str = wanted) -> bool:
                await self._listen()
                return self._since.find(wanted, self._position) >= 0

            def complaint(wanted: str = wanted) -> str:
                return f"{self.name} did not hear “{wanted}” in {within:g} s\n{self.transcript()}"

            await eventually(is_heard, complaint, within=within)
            self.hears(fragment)

    async def follows(self, fragment: str) -> None:
        """Go on below the message of these words that the bot began a thread with; where there are no threads, here."""

        async def is_there() -> bool:
            return await self._line.follow(fragment)

        await eventually(is_there, lambda: f"the bot began no thread with “{fragment}”\n{self.transcript()}")

    async def heard_once(self, *fragments: str) -> None:
        """Assert that of all messages so far exactly one holds each of these."""
        await self._listen()
        for fragment in fragments:
            times = sum(_plain(fragment) in _plain(message.text) for message in self._messages)
            assert times == 1, f"{self.name} heard “{fragment}” {times} times\n{self.transcript()}"

    async def visits(self, path: str) -> httpx.Response:
        """Open a page in the same browser."""
        assert isinstance(self._line, ConsoleLine), "only the console has pages"
        return await self._line.visit(path)

    async def submits(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of a page in the same browser."""
        assert isinstance(self._line, ConsoleLine), "only the console has forms"
        return await self._line.submit(path, **fields)

    def sees_button(self, title: str) -> bool:
        """Tell whether the newest message with buttons has one of that title."""
        newest = next((m for m in reversed(self._messages) if m.buttons), None)
        return newest is not None and title in newest.buttons

    async def _listen(self) -> None:
        for message in await self._line.listen():
            known = next((n for n, m in enumerate(self._messages) if m.seq == message.seq), None)
            if known is None:
                self._messages.append(message)
            else:
                self._messages[known] = message
            lines = message.text.splitlines() or [""]
            self._script.extend(("   bot: " if n == 0 else "        ") + line for n, line in enumerate(lines))
            self._since = _plain(f"{self._since} {message.text}")
