"""`python -m bot chat` beside a product that asks for keys, or that has the folder already."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.restart.processes import environment, free_port
from tests.terminal.test_starts_and_stops import ROOT, started

KEY = "a-key-of-the-terminal"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the product's state is."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A running product that takes calls with a key only."""
    with started(folder, API_KEYS=f"{KEY}:terminal:corp.example") as process:
        assert process.stdout
        assert process.stderr
        threading.Thread(target=process.stderr.read, daemon=True).start()
        found = next(m for line in process.stdout if (m := re.search(r"is at (http://127\.0\.0\.1:\d+)$", line)))
        yield found[1]


def chat(*arguments: str, said: str = "help\n", **settings: str) -> subprocess.CompletedProcess[str]:
    """Say something in a terminal of its own."""
    command = [sys.executable, "-m", "bot", "chat", *arguments]
    return subprocess.run(
        command, input=said, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, timeout=60
    )


def test_sends_the_key_that_it_is_given(address: str) -> None:
    assert "What I can do" in chat("--url", address, "--key", KEY).stdout


def test_sends_the_key_of_the_environment_unless_told_another(address: str) -> None:
    assert "What I can do" in chat("--url", address, QUARTERMASTER_API_KEY=KEY).stdout
    assert "What I can do" in chat("--url", address, "--key", KEY, QUARTERMASTER_API_KEY="another").stdout


@pytest.mark.parametrize("arguments", [(), ("--key", "a-wrong-key")], ids=["no key", "wrong key"])
def test_shows_that_a_key_is_needed(address: str, arguments: tuple[str, ...]) -> None:
    shown = chat("--url", address, *arguments).stdout
    assert "What I can do" not in shown
    assert "key" in shown


def test_names_the_key_in_its_help() -> None:
    assert "QUARTERMASTER_API_KEY" in chat("--help").stdout


def test_says_when_the_folder_is_in_use(address: str, folder: Path) -> None:
    ended = chat(VAR_DIR=str(folder), PORT=str(free_port()))
    assert ended.returncode == 2
    assert f"VAR_DIR ({folder}/) is in use" in ended.stderr
    assert "--url" in ended.stderr
    assert "starting" not in ended.stdout
