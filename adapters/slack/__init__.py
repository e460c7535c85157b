"""Slack: events, commands, buttons and forms in; messages, cards that are updated in place, views and pictures out.

`build` returns the channel; without the settings of Slack it is a channel that does nothing, and nothing of
Slack's SDK is loaded.
"""

from __future__ import annotations

from bot.channel import Channel
from bot.services import Services


def build(services: Services) -> Channel:
    """Return the channel "slack"."""
    if not services.settings.uses_slack:
        return Channel(name="slack")
    from adapters.slack.building import build_slack  # its SDK takes a third of a second to load

    return build_slack(services)
