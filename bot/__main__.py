"""The command line: `python -m bot run|serve|chat|doctor|audit verify|migrate`."""

from __future__ import annotations

import gc
import os
import sys

from bot import ending

NOBODY_READS = 128 + 13
"""Exit status of what ends since nobody reads its output any more, as after SIGPIPE."""


def _run() -> int:
    from bot.commands import main

    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # `… | head` has what it wanted. Python writes what is left at its end, and would complain anew.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    return status


if __name__ == "__main__":
    if {"run", "serve"} & set(sys.argv[1:2]):
        ending.end_at_once()  # before anything is loaded that takes time
        gc.disable()  # what a start loads stays: it is looked through once, when all is there
    sys.exit(_run())
