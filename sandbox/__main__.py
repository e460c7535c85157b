"""``python -m sandbox``: the sandboxed AWS alone, until it is told to end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from threading import Event
from types import FrameType

from sandbox.clock import ClockError, check_speed
from sandbox.errors import SandboxError

_PARENT_CHECK_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or until the watched parent is gone; the exit status."""
    options = _parse(arguments)
    ended = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    # Imported late, so that wrong options are answered at once.
    from sandbox.server import Sandbox

    try:
        sandbox = Sandbox(
            host=options.host,
            port=options.port,
            state=options.state,
            speed=options.speed,
            accounts=options.accounts,
            ous=options.ous,
            regions=options.regions,
        )
        if options.lex_definition is not None:
            sandbox.register_bot(json.loads(options.lex_definition.read_text(encoding="utf-8")))
    except (SandboxError, OSError, ValueError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    sandbox.start()
    try:
        print(f"sandbox listening on {sandbox.url}", flush=True)
    except BrokenPipeError:  # whoever started us has gone meanwhile
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ended.set()
    if options.parent is None:
        ended.wait()
    else:
        while not ended.wait(_PARENT_CHECK_SECONDS) and _is_alive(options.parent):
            pass
    sandbox.stop()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A sandboxed AWS landing zone on one loopback port."
    )
    parser.add_argument("--port", type=_port, required=True, help="port to listen on; 0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--state", type=Path, help="SQLite file that the state survives in")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=os.environ.get("SANDBOX_SPEED") or "60",
        help="simulated seconds per second (default: SANDBOX_SPEED, or 60)",
    )
    for name, what in (("accounts", "member accounts"), ("ous", "registered OUs"), ("regions", "governed Regions")):
        variable = f"SANDBOX_{name.upper()}"
        parser.add_argument(
            f"--{name}",
            type=int,
            default=os.environ.get(variable) or None,
            help=f"{what} to begin with (default: {variable}, or the small seed's)",
        )
    parser.add_argument(
        "--lex-definition",
        type=Path,
        help='JSON file {"botId", "botAliasId", "localeId", "definition"} of a Lex V2 bot to serve',
    )
    parser.add_argument("--parent", type=int, help="end when the process with this id has gone")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is from 0 to 65535")
    return port


def _speed(text: str) -> float:
    try:
        return check_speed(float(text))
    except ClockError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process_id)


def _is_zombie(process_id: int) -> bool:
    # A killed parent that nobody has waited for still has its id (Linux tells it apart).
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "Z"


if __name__ == "__main__":
    sys.exit(main())
