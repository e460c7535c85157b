"""How PostgreSQL and Chromium come to a machine that lacks them, with stand-ins for apt-get and sudo."""

import os
from pathlib import Path

import pytest

from tests.support import programs

NOTE_THE_CALL = '#!/bin/sh\necho "${0##*/} $*" >>"$CALLS"\n'
MISSING = programs.Program("Chromium", lambda: None, ("chromium", "fonts-liberation"), "install it")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH but the system's `env` and `sh`; what its programs do is in `calls`."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "env").symlink_to("/usr/bin/env")
    monkeypatch.setattr(programs, "PROGRAMS", (MISSING,))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def add_program(machine: Path, name: str, script: str) -> None:
    (machine / name).write_text(script)
    (machine / name).chmod(0o755)


def calls(machine: Path) -> list[str]:
    log = machine / "calls"
    return log.read_text().splitlines() if log.exists() else []


def test_updates_the_lists_and_installs_without_a_question(machine: Path) -> None:
    add_program(machine, "apt-get", NOTE_THE_CALL + 'echo "frontend $DEBIAN_FRONTEND" >>"$CALLS"\n')
    programs.main()
    update, frontend, install, _ = calls(machine)
    assert update.endswith(" update")
    assert frontend == "frontend noninteractive"
    assert install.endswith(" install --yes --no-install-recommends chromium fonts-liberation")


def test_uses_sudo_when_it_needs_no_password(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program(machine, "apt-get", NOTE_THE_CALL)
    add_program(machine, "sudo", NOTE_THE_CALL)
    programs.main()
    assert calls(machine)[0] == "sudo -n true"
    assert [call.split()[:3] for call in calls(machine)[1:]] == [["sudo", "-n", "env"]] * 2


@pytest.mark.parametrize("sudo", [None, "#!/bin/sh\nexit 1\n"])
def test_installs_nothing_and_says_so_when_it_may_not(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sudo: str | None
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_program(machine, "apt-get", NOTE_THE_CALL)
    if sudo is not None:
        add_program(machine, "sudo", sudo)
    programs.main()
    assert calls(machine) == []
    told = capsys.readouterr().err
    assert "Chromium is missing" in told
    assert "skipped" in told
    assert "install it" in told


def test_says_why_apt_did_not_succeed(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_program(machine, "apt-get", '#!/bin/sh\necho "E: Unable to locate package" >&2\nexit 100\n')
    programs.main()
    assert "E: Unable to locate package" in capsys.readouterr().err


def test_does_nothing_when_all_is_there(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(machine, "apt-get", NOTE_THE_CALL)
    there = programs.Program("Chromium", lambda: Path("/usr/bin/chromium"), ("chromium",), "")
    monkeypatch.setattr(programs, "PROGRAMS", (there,))
    programs.main()
    assert calls(machine) == []


def test_passes_over_a_chromium_that_does_not_start(machine: Path) -> None:
    add_program(machine, "chromium-browser", "#!/bin/sh\necho install the snap; exit 1\n")
    assert programs.find_chromium() is None
    add_program(machine, "google-chrome", "#!/bin/sh\necho 130.0\n")
    assert programs.find_chromium() == machine / "google-chrome"
