"""Compile and check the hash-locked requirements files.

``compile UV`` resolves every ``*.in`` list with uv, for all platforms and Pythons from 3.11 on, and
notes in each lock a digest of the lists it came from. ``check`` needs neither uv nor a network: it
compares those digests, so that an edited list with a stale lock is found, and sees to it that the
locks agree with one another and name no package host.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A later lock is constrained by the earlier ones, so its digest covers them as well.
LISTS = ("requirements", "requirements-sandbox", "requirements-dev")
PYTHON_FLOOR = "3.11"
DIGEST_LINE = "# From the lists with SHA-256 "
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)(?: ; (.+?))? \\$", re.MULTILINE)
# A lock holds pins and their hashes: every other option of pip's, and every address, may lead elsewhere.
PLACE = re.compile(r"://|^\s*-(?!-hash=)", re.MULTILINE)


def digest_of_lists(name: str) -> str:
    """Return the SHA-256 (hex) over the list called `name` and those before it."""
    digest = hashlib.sha256()
    for each in LISTS[: LISTS.index(name) + 1]:
        digest.update((ROOT / f"{each}.in").read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def compile_all(uv: str) -> None:
    """Resolve each list with the uv executable given, keeping pins that still fit.

    Raises `subprocess.CalledProcessError` when a list has no solution.
    """
    for name in LISTS:
        # fmt: off
        command = [
            uv, "pip", "compile", "--quiet", "--universal", "--python-version", PYTHON_FLOOR,
            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
            "--custom-compile-command", "make lock", f"{name}.in", "--output-file", f"{name}.txt",
        ]
        # fmt: on
        subprocess.run(command, cwd=ROOT, check=True)
        lock = ROOT / f"{name}.txt"
        lock.write_text(f"{DIGEST_LINE}{digest_of_lists(name)}\n{lock.read_text()}")


def find_problems() -> list[str]:
    """Say, one sentence each, what is wrong with the lock files; nothing wrong is an empty list."""
    problems = []
    pins: dict[tuple[str, str], tuple[str, str]] = {}
    for name in LISTS:
        lock = f"{name}.txt"
        if not (ROOT / lock).is_file():
            problems.append(f"{lock} is missing: run `make lock`.")
            continue
        text = (ROOT / lock).read_text()
        if not text.startswith(f"{DIGEST_LINE}{digest_of_lists(name)}\n"):
            problems.append(f"{lock} is older than the lists it comes from: run `make lock`.")
        if PLACE.search(text):
            problems.append(f"{lock} names a place to download from: remove it, run `make lock`.")
        for package, version, marker in PIN.findall(text):
            first_lock, first_version = pins.setdefault((package, marker), (lock, version))
            if version != first_version:
                problems.append(f"{package} is {first_version} in {first_lock}, but {version} in {lock}.")
    return problems


def main(arguments: list[str]) -> int:
    """Run the command line; the exit status is 1 when a check fails and 2 when called wrongly."""
    match arguments:
        case ["compile", uv]:
            compile_all(uv)
        case ["check"]:
            pass
        case _:
            print("usage: python tools/locks.py check | compile UV", file=sys.stderr)
            return 2
    problems = find_problems()
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print("The lock files are in step with their lists.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
