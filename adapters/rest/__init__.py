"""REST: between JSON over HTTP and the core, for programs and for callers of the original bot."""

from __future__ import annotations

from adapters.rest.callers import Door
from adapters.rest.chaos import Chaos
from adapters.rest.insights import Insights
from adapters.rest.listening import Listening
from adapters.rest.records import Records
from adapters.rest.refused_keys import RefusedKeys
from adapters.rest.releases import Releases
from adapters.rest.repeats import Repeats
from adapters.rest.reports import Reports
from adapters.rest.routing import router_behind
from adapters.rest.turns import CHANNEL, Turns
from bot.channel import Channel
from bot.services import Services


def build(services: Services) -> Channel:
    """Return the channel; it sends nothing of its own accord: callers read their conversations."""
    refused = RefusedKeys(services.database, services.audit, services.clock)
    router = router_behind(Door(services.settings, services.clock, services.keys), refused)
    repeats = Repeats(services.database, services.clock)
    Turns(services, repeats, router)
    Listening(services, router)
    Records(services, repeats, router)
    Reports(services, router)
    Insights(services, router)
    Chaos(services, repeats, router)
    Releases(services, repeats, router)
    return Channel(name=CHANNEL, router=router, start=repeats.forget_old)
