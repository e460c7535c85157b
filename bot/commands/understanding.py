"""Commands about understanding."""

from __future__ import annotations

import json

from bot.clock import SystemClock
from bot.lexshape import lex_definition
from bot.settings import Settings


def export() -> int:
    """Print the definition of all intents in Lex V2's shape."""
    from bot.main import build_cloud, build_services, discover

    settings = Settings()  # not checked as a whole: what people can say depends on no mail and no sign-in
    services = build_services(settings, SystemClock(), build_cloud(settings))
    print(json.dumps(lex_definition(discover(services)), indent=1))
    return 0
