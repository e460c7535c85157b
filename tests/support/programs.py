"""The programs that tests drive: where they are, and how they come when they are not there.

``python -m tests.support.programs`` (part of ``make test``) installs what is missing with apt where that
takes no question: as root, or with a sudo that needs no password. Otherwise it says what will be skipped
and why. It never fails, since the tests decide what a skip means: with CI=true, failure.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POSTGRES_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Fedora, RHEL
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
CHROMIUM_NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
CHROMIUM_ON_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


@dataclass(frozen=True)
class Program:
    """Something that tests need, how to look for it, and the apt packages that bring it."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]
    remedy: str


def find_postgres() -> Path | None:
    """Return the folder of PostgreSQL's server binaries (the newest version's), or None."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    for pattern in POSTGRES_PLACES:
        folders += sorted(Path("/").glob(pattern), key=_version_in, reverse=True)
    return next((folder for folder in folders if os.access(folder / "pg_ctl", os.X_OK)), None)


def _version_in(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(path)))


@functools.cache
def _starts(executable: str) -> bool:
    # Ubuntu's chromium-browser is a script that only says to install a snap.
    try:
        subprocess.run([executable, "--version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def find_chromium() -> Path | None:
    """Return the Chromium or Chrome to use (`CHROMIUM` in the environment goes first), or None."""
    if chosen := os.environ.get("CHROMIUM"):
        return Path(chosen) if os.access(chosen, os.X_OK) else None
    for name in (*CHROMIUM_NAMES, CHROMIUM_ON_MACOS):
        executable = shutil.which(name)
        if executable and _starts(executable):
            return Path(executable)
    return None


AXE_LOCK = Path(__file__).parent / "axe"
AXE_PLACE = Path(sys.prefix) / "axe"
"""Where axe-core (MPL-2.0) is installed from its lock file: beside the tests' packages, never in the product."""


def find_axe() -> Path | None:
    """Return the script that looks for what keeps people from using a page, if it is that of the lock file."""
    script = AXE_PLACE / "node_modules" / "axe-core" / "axe.min.js"
    locks = (AXE_LOCK / "package-lock.json", AXE_PLACE / "package-lock.json")
    is_locked = all(lock.exists() for lock in locks) and locks[0].read_bytes() == locks[1].read_bytes()
    return script if is_locked and script.exists() else None


def install_axe() -> str | None:
    """Install axe-core with npm; return None, or why that was not possible."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not here"
    AXE_PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(AXE_LOCK / name, AXE_PLACE / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=AXE_PLACE, capture_output=True, text=True, check=False, timeout=300)
    return None if done.returncode == 0 else f"npm ci failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}"


PROGRAMS = (
    Program("PostgreSQL", find_postgres, ("postgresql",), "install PostgreSQL 13 or newer"),
    Program(
        "Chromium",
        find_chromium,
        ("chromium", "fonts-liberation"),
        "install Chromium or Chrome, or set CHROMIUM to its path",
    ),
)


def _privilege() -> list[str] | None:
    """Return what to put before apt-get to run it as root without a question, or None."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    # The file list of this command is harmless, and it fails when a password would be asked.
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if allowed else None


def install(programs: list[Program]) -> str | None:
    """Install these with apt; return None, or why that was not possible."""
    privilege = _privilege()
    if privilege is None:
        return "apt-get is not here, or needs a password"
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    packages = [package for program in programs for package in program.packages]
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*privilege, *quiet, *step], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return f"apt-get {step[0]} failed: {lines[-1] if lines else f'status {done.returncode}'}"
    return None


def main() -> None:
    """See that every program is there, and say plainly when one is not."""
    if find_axe() is None and (obstacle := install_axe()):
        print(f"axe-core is missing ({obstacle}): the tests that need it are skipped.", file=sys.stderr)
    missing = [program for program in PROGRAMS if program.find() is None]
    if not missing:
        return
    print(f"Installing {' and '.join(program.name for program in missing)} for the tests", flush=True)
    obstacle = install(missing)
    _starts.cache_clear()
    for program in missing:
        if program.find() is None:
            why = obstacle or "apt-get brought none that works"
            print(f"{program.name} is missing ({why}): the tests that need it are skipped.", file=sys.stderr)
            print(f"To run them: {program.remedy}.", file=sys.stderr)


if __name__ == "__main__":
    main()
