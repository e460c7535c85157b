"""``python -m sandbox.teams``: a made-up tenant of Teams for one bot, until it is told to end or its parent is gone.

Prints one line of JSON when it serves: its address, and what the bot has to be told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from threading import Event

from sandbox.teams.demo import Demo


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.teams")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bot", required=True, help="the bot's address")
    parser.add_argument("--person", action="append", required=True, help="an address in the tenant")
    parser.add_argument("--parent", type=int, help="a process to end with")
    options = parser.parse_args()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    demo = Demo(options.bot, options.person, options.port)
    framework, tenant = demo.framework, demo.tenant
    told = {
        "url": framework.url,
        "TEAMS_APP_ID": tenant.app_id,
        "TEAMS_APP_SECRET": tenant.secret,
        "TEAMS_TENANT_ID": tenant.id,
        "TEAMS_OPENID_URL": f"{framework.url}/v1/openid",
        "TEAMS_LOGIN_URL": f"{framework.url}/",
        "TEAMS_SERVICE_URLS": tenant.service_url,  # what is left of tenants before is gone
    }
    print(json.dumps(told), flush=True)
    unknown = list(demo.people)
    while not ended.wait(0.5) and (options.parent is None or os.getppid() == options.parent):
        unknown = [email for email in unknown if not asyncio.run(demo.announce(email))]
    framework.close()


if __name__ == "__main__":
    main()
