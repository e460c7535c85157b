"""`python -m bot chat`, run as a person runs it: typed lines in, the bot's words out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.commands import chat
from tests.support.stage import Approver, Stage

ROOT = Path(__file__).parents[2]


class Terminal:
    """One run of the command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.shown = ""

    async def types(self, line: str, encoding: str = "utf-8") -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n".encode(encoding))
        await self._process.stdin.drain()

    async def shows(self, fragment: str) -> None:
        """Wait until the fragment stands on the screen."""
        assert self._process.stdout
        async with asyncio.timeout(30):
            while fragment not in self.shown:
                piece = await self._process.stdout.read(4096)
                assert piece, f"the command ended without “{fragment}”:\n{self.shown}"
                self.shown += piece.decode()

    async def ends(self) -> int:
        assert self._process.stdin
        self._process.stdin.close()
        return await self._process.wait()


@asynccontextmanager
async def open_terminal(stage: Stage) -> AsyncIterator[Terminal]:
    arguments = ("-m", "bot", "chat", "--email", "ana@corp.example", "--name", "Ana", "--url", stage.url)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Terminal(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_main_job_in_a_terminal(stage: Stage, bo: Approver) -> None:
    async with open_terminal(stage) as terminal:
        await terminal.types("I need a new account on AWS")
        await terminal.shows("bot> Hi Ana, what account type do you want? Production or Sandbox?")
        await terminal.types("Sandbox")
        await terminal.shows("what e-mail should I use")
        await terminal.types("team-x@corp.example")
        await terminal.shows("what is the OU")
        await terminal.types("Demos")
        await terminal.shows("Shall I go ahead?")
        await terminal.types("yes")
        await terminal.shows("is placed")
        await bo.opens_the_mail()
        await bo.approves()
        await terminal.shows("is ordered")
        await stage.advance(minutes=25)
        await terminal.shows("is ready:")
        assert await terminal.ends() == 0
        assert terminal.shown.count("is ready:") == 1


async def test_a_refusal_is_shown_not_raised(stage: Stage) -> None:
    async with open_terminal(stage) as terminal:
        await terminal.types("x" * 2000)
        await terminal.shows("1,024")
        await terminal.types("help")
        await terminal.shows("What I can do")
        assert await terminal.ends() == 0
        assert "Traceback" not in terminal.shown


async def test_a_terminal_with_another_encoding_is_understood_as_far_as_may_be(stage: Stage) -> None:
    async with open_terminal(stage) as terminal:
        await terminal.types("für uns: a sandbox account in Demos for team-x@corp.example", encoding="latin-1")
        await terminal.shows("Create the Sandbox account team-x-sandbox in OU Demos")
        assert await terminal.ends() == 0
        assert "Traceback" not in terminal.shown


def test_a_bot_that_is_restarting_is_told_and_the_conversation_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(call: httpx.Request) -> httpx.Response:
        if not refusals:
            return httpx.Response(200, json={"conversation": "c", "messages": [{"seq": 1, "text": "here again"}]})
        raise refusals.pop()

    refusals: list[httpx.HTTPError] = [httpx.ReadError("cut off"), httpx.ConnectError("refused")]
    with httpx.Client(base_url="http://127.0.0.1", transport=httpx.MockTransport(answer)) as client:
        terminal = chat.Terminal(client, "ana@corp.example", "Ana")
        for _ in range(2):
            terminal.say("help")
            assert "does not answer just now" in capsys.readouterr().out
        terminal.say("help")
        assert capsys.readouterr().out == "bot> here again\n"


async def test_says_what_to_do_when_nothing_answers() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "chat", "--url", "http://127.0.0.1:9", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "Start it with make run." in said.decode()
