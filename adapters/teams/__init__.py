"""Microsoft Teams: activities in, each really the Bot Connector's; messages and Adaptive Cards out.

`build` returns the channel; without the settings of Teams it is a channel that does nothing, and no cryptography
is loaded.
"""

from __future__ import annotations

from bot.channel import Channel
from bot.services import Services


def build(services: Services) -> Channel:
    """Return the channel "teams"."""
    if not services.settings.uses_teams:
        return Channel(name="teams")
    from adapters.teams.building import build_teams  # what it needs takes a while to load

    return build_teams(services)
