"""The command line: `python -m bot run|serve|chat|doctor|audit verify|migrate`."""

from __future__ import annotations

import sys

from bot import ending

if __name__ == "__main__":
    if {"run", "serve"} & set(sys.argv[1:2]):
        ending.end_at_once()  # before anything is loaded that takes time
    from bot.commands import main

    sys.exit(main(sys.argv[1:]))
