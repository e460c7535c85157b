"""Amazon SNS: notifications in, each really signed by SNS and of a topic that may post here.

`build` returns the channel; without SNS_ALLOWED_TOPICS it is a channel without a route.
"""

from __future__ import annotations

from bot.channel import Channel
from bot.services import Services


def build(services: Services) -> Channel:
    """Return the channel "sns" with its route POST /sns."""
    if not services.settings.sns_allowed_topics:
        return Channel(name="sns")
    from adapters.sns.building import build_sns

    return build_sns(services)
