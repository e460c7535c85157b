"""`tools/setup.sh`: what a newcomer's first `make run` does, with stand-ins for Python and pip."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-sandbox.txt")
PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python")
# Says yes to every question about itself, and notes what it is asked to do.
OBLIGING_PYTHON = """#!/bin/sh
echo "$*" >>"$PYTHON_LOG"
case "$*" in
--version) echo Python 3.12.0 ;;
"-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
esac
"""
OLD_PYTHON = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.9.2 && exit
exit 1
"""
PYTHON_WITHOUT_VENV = """#!/bin/sh
case "$*" in *ensurepip*) exit 1 ;; esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout, in a folder with a space in its name, with two small lock files."""
    folder = tmp_path / "my projects"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools")
    for lock in LOCKS:
        (folder / lock).write_text(f"# {lock}\n")
    return folder


def put_pythons(project: Path, script: str) -> None:
    (project.parent / "bin").mkdir(exist_ok=True)
    for name in PYTHONS:
        python = project.parent / "bin" / name
        python.write_text(script)
        python.chmod(0o755)


def set_up(project: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{project.parent / 'bin'}:{os.environ['PATH']}",
        "PYTHON_LOG": str(project.parent / "log"),
    }
    command = [str(project / "tools" / "setup.sh"), "run"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def installs(project: Path) -> list[str]:
    log = project.parent / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if line.startswith("-m pip install")]


def test_makes_the_environment_and_installs_only_what_is_locked(project: Path) -> None:
    put_pythons(project, OBLIGING_PYTHON)
    done = set_up(project)
    assert done.returncode == 0, done.stderr
    (install,) = installs(project)
    assert "--require-hashes --requirement requirements.txt --requirement requirements-sandbox.txt" in install
    assert (project / ".venv" / "bin" / "python").exists()


def test_does_nothing_the_second_time_whatever_the_dates_of_the_files(project: Path) -> None:
    put_pythons(project, OBLIGING_PYTHON)
    set_up(project)
    (project.parent / "log").unlink()
    for lock in LOCKS:
        os.utime(project / lock, (2_000_000_000, 2_000_000_000))
    done = set_up(project)
    assert (done.returncode, done.stdout) == (0, "")
    assert not (project.parent / "log").exists(), "Python was started for nothing"


def test_installs_again_into_the_same_environment_when_a_lock_has_changed(project: Path) -> None:
    put_pythons(project, OBLIGING_PYTHON)
    set_up(project)
    keepsake = project / ".venv" / "keepsake"
    keepsake.touch()
    (project / "requirements.txt").write_text("# newer\n")
    set_up(project)
    assert len(installs(project)) == 2
    assert keepsake.exists()


def test_installs_again_when_the_last_time_was_broken_off(project: Path) -> None:
    put_pythons(project, OBLIGING_PYTHON.replace('case "$*" in', 'case "$*" in "-m pip "*) exit 1 ;;'))
    assert set_up(project).returncode != 0
    put_pythons(project, OBLIGING_PYTHON)
    shutil.copy(project.parent / "bin" / "python3", project / ".venv" / "bin" / "python")
    assert set_up(project).returncode == 0
    assert len(installs(project)) == 2


def test_says_which_python_is_needed_when_there_is_only_an_old_one(project: Path) -> None:
    put_pythons(project, OLD_PYTHON)
    done = set_up(project)
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in done.stderr
    assert not (project / ".venv").exists()


def test_says_what_to_install_when_python_has_no_venv(project: Path) -> None:
    put_pythons(project, PYTHON_WITHOUT_VENV)
    done = set_up(project)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
