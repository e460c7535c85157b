"""Puts the parts of SNS together."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import APIRouter
from starlette.routing import Route

from adapters.sns.addresses import Addresses
from adapters.sns.certificates import Certificates
from adapters.sns.route import SnsRoute
from adapters.sns.subscribing import PATH, Subscribing
from adapters.sns.verifying import Verifier
from bot.activity import Activity
from bot.channel import Channel
from bot.clock import FollowingClock
from bot.dialogue.dialogue import Decided
from bot.services import Services
from bot.sns import CHANNEL

LIMIT = 5.0
"""Seconds that connecting, or a pause in an answer, may take."""


def build_sns(services: Services) -> Channel:
    """Return the channel with its route POST /sns."""
    settings = services.settings
    http = httpx.AsyncClient(timeout=LIMIT, follow_redirects=False)
    addresses = Addresses(settings.sns_cert_hosts, settings.is_sandbox)
    certificates = Certificates(http, wall=services.clock.wall)
    # SNS's own clock is AWS's: in the sandbox it runs with it.
    catch_up = services.clock.follow if isinstance(services.clock, FollowingClock) else None
    verifier = Verifier(settings.sns_allowed_topics, addresses, certificates, services.clock.now, catch_up)
    subscribing = Subscribing(settings, services.cloud, addresses, http)

    async def complete(activity: Activity) -> Decided:
        return Decided([], await services.notifications.commit_of(activity))

    services.inbox.complete_by(CHANNEL, complete)
    router = APIRouter()
    endpoint = SnsRoute(verifier, subscribing, services.notifications, services.inbox)
    router.routes.append(Route(PATH, endpoint, methods=["POST"], include_in_schema=False))
    tasks: list[asyncio.Task[None]] = []

    async def start() -> None:
        if settings.sns_subscribe:
            tasks.append(asyncio.create_task(subscribing.subscribe(), name="sns-subscribe"))

    async def stop() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await http.aclose()

    return Channel(name="sns", router=router, start=start, stop=stop)
