"""The command line: `python -m bot run|serve|chat|doctor|audit verify|migrate`."""

from __future__ import annotations

import sys

from bot.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
