"""Subscriptions: confirmed for allowed topics alone, and asked for where the settings say so."""

from __future__ import annotations

import asyncio

import httpx
import structlog

from adapters.sns.addresses import Addresses
from adapters.sns.certificates import fetch
from adapters.sns.envelope import Envelope
from bot.cloud import Cloud
from bot.errors import CloudError, Unavailable
from bot.settings import Settings

log = structlog.get_logger(__name__)

LARGEST = 20_000
WITHIN = 10.0
"""Seconds that confirming may take: SNS waits 15 for our answer."""
PATH = "/sns"


class Foreign(Exception):
    """The URL that would confirm the subscription is none of SNS's."""


class Subscribing:
    """Confirms what was verified, and subscribes this installation."""

    def __init__(self, settings: Settings, cloud: Cloud, addresses: Addresses, http: httpx.AsyncClient) -> None:
        self._settings, self._cloud, self._addresses, self._http = settings, cloud, addresses, http

    async def confirm(self, envelope: Envelope) -> None:
        """Confirm the subscription that a verified envelope of an allowed topic is about; once more does no harm.

        Raises Foreign for a URL that is not SNS's own, which is not opened, and Unavailable when SNS did not answer.
        """
        url = envelope.members["SubscribeURL"]
        if not self._addresses.confirms(url, envelope.topic, envelope.members["Token"]):
            raise Foreign(url)
        try:
            async with asyncio.timeout(WITHIN):
                await fetch(self._http, url, LARGEST)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            raise Unavailable(f"SNS did not confirm the subscription: {type(error).__name__}.") from error
        log.info("sns.subscribed", topic=envelope.topic)

    async def subscribe(self) -> None:
        """Subscribe PUBLIC_URL/sns to every allowed topic; what is subscribed already stays as it is."""
        endpoint = self._settings.public_url.rstrip("/") + PATH
        for topic in self._settings.sns_allowed_topics:
            try:
                await self._cloud.call(
                    "sns",
                    "Subscribe",
                    region=topic.split(":")[3],
                    TopicArn=topic,
                    Protocol=endpoint.partition(":")[0],
                    Endpoint=endpoint,
                )
            except CloudError as error:
                log.warning("sns.not_subscribed", topic=topic, error=error.detail)
