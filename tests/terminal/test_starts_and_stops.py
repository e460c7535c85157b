"""`python -m bot run` from its first moment to its last: signals, files, and what it tells the newcomer."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot import ending
from bot.commands import run as running
from bot.settings import Settings
from tests.restart.processes import environment

ENDS = (signal.SIGINT, signal.SIGTERM)
ROOT = Path(__file__).parents[2]


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run the product on free ports; kill it when the test is over."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-X", "importtime", "-m", "bot", "run"],
        cwd=ROOT,
        env=environment(PORT="0", VAR_DIR=str(folder), **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("module", "signum"),
    [
        (module, end)
        for module in ("argparse", "bot.commands.run", "bot.plan", "bot.main", "uvicorn.config")
        for end in ENDS
    ],
)
def test_ends_quietly_while_it_starts(tmp_path: Path, module: str, signum: signal.Signals) -> None:
    with started(tmp_path) as process:
        assert process.stderr
        imported = re.compile(rf"import time:.*\| +{re.escape(module)}$")
        before = next((line for line in process.stderr if imported.match(line.rstrip())), "")
        assert before, f"{module} is not imported"
        process.send_signal(signum)
        _, said = process.communicate(timeout=20)
        words = [line for line in said.splitlines() if not line.startswith("import time:")]
        assert process.returncode == 0, words
        assert words == []


def test_keeps_what_it_writes_to_itself_and_names_a_command_that_reaches_it(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    with started(folder) as process:
        assert process.stdout
        assert process.stderr
        threading.Thread(target=process.stderr.read, daemon=True).start()
        shown = ""
        for line in process.stdout:
            shown += line
            if "Ctrl-C" in line:
                break
        port = re.search(r"http://127\.0\.0\.1:(\d+)$", shown, re.MULTILINE)
        assert port, shown
        assert f"PORT={port[1]} VAR_DIR='{folder}' .venv/bin/python -m bot chat" in shown
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
        assert "quartermaster.sqlite" in modes
        assert [name for name, mode in modes.items() if mode & 0o077] == []
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_names_the_bare_command_when_nothing_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAR_DIR", raising=False)
    assert running._chat_command(Settings(port=8000)) == ".venv/bin/python -m bot chat"
    assert running._chat_command(Settings(port=8201)) == "PORT=8201 .venv/bin/python -m bot chat"


STUCK = """
import threading
import structlog
from bot import ending
ending.STOP_WAIT = 0.3
threading.Thread(target=threading.Event().wait).start()
ending.watch_the_stop()
"""


def test_ends_although_a_thread_never_does() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 0
    assert "stop.cut_short" in ended.stdout + ended.stderr
    assert ending.STOP_WAIT < 8


def test_prints_what_people_can_say_without_settings_for_mail() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "lex", "export"],
        cwd=ROOT,
        env=environment(PUBLIC_URL="https://bot.corp.example"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    assert '"AWSAccountVending"' in ended.stdout


def test_ends_quietly_when_nobody_reads_on() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "bot", "lex", "export"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout
    started.stdout.readline()
    started.stdout.close()
    assert started.stderr
    assert started.stderr.read() == ""
    started.stderr.close()
    assert started.wait(20) == 128 + signal.SIGPIPE
